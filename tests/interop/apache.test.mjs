// A website behind Apache's mod_auth_openidc, as Debian packages it: signing in, claims to the page, signing out.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Browser, freePort, startDoorlight, statusOf, waitUntil } from './lib/doorlight.mjs';

const APACHE = '/usr/sbin/apache2';
const MODULES = '/usr/lib/apache2/modules';
const PACKAGES = 'apache2 and libapache2-mod-auth-openidc';

let doorlight;
let apache;

before(async () => {
  for (const file of [APACHE, `${MODULES}/mod_auth_openidc.so`]) {
    assert.ok(existsSync(file), `${file} is missing: install ${PACKAGES}`);
  }
  doorlight = await startDoorlight();
  await doorlight.addUser('ann', { email: 'ann@example.com', groups: ['staff', 'cooks'] });
  await doorlight.addUser('bob', { email: 'bob@example.com', groups: ['guests'] });
  apache = await startApache(await freePort());
});

after(async () => {
  await apache?.stop();
  await doorlight?.stop();
});

async function startApache(port) {
  const site = `http://127.0.0.1:${port}`;
  const app = await doorlight.addClient('Website', {
    'redirect-uri': `${site}/secure/redirect_uri`,
    'post-logout-redirect-uri': `${site}/bye.html`,
    scope: 'openid profile email groups',
  });
  const folder = await mkdtemp(path.join(tmpdir(), 'doorlight-apache-'));
  const stop = async (child, exited) => {
    if (child?.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await exited;
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await writeSite(folder);
    const config = path.join(folder, 'apache.conf');
    await writeFile(config, configuration({ app, folder, port, site }), { mode: 0o600 });
    const args = ['-d', folder, '-f', config, '-DFOREGROUND'];
    const child = spawn(APACHE, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => { said += text; });
    }
    const exited = new Promise((resolve) => { child.once('exit', resolve); });
    const log = async () => said + await readFile(path.join(folder, 'error.log'), 'utf8')
      .catch(() => '');
    const running = { site, app, log, stop: () => stop(child, exited) };
    try {
      let last = '';
      await waitUntil(async () => {
        last = await log();
        assert.equal(child.exitCode, null, `Apache ended while starting:\n${last}`);
        return (await statusOf(`${site}/bye.html`)) === 200;
      }, () => `Apache is not ready:\n${last}`);
    } catch (error) {
      await running.stop();
      throw error;
    }
    return running;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A page for everyone, one for people who signed in, and one for a group. */
async function writeSite(folder) {
  const root = path.join(folder, 'site');
  const names = ['sub', 'preferred_username', 'email', 'groups', 'iss', 'aud'];
  const lines = names.map((name) => `${name}=<!--#echo var="OIDC_CLAIM_${name}" -->`);
  await mkdir(path.join(root, 'secure', 'staff'), { recursive: true });
  await mkdir(path.join(folder, 'run'));
  await writeFile(path.join(root, 'bye.html'), 'bye\n');
  await writeFile(
    path.join(root, 'secure', 'index.shtml'),
    `user=<!--#echo var="REMOTE_USER" -->\n${lines.join('\n')}\n`,
  );
  await writeFile(path.join(root, 'secure', 'staff', 'index.html'), 'for the staff\n');
  await chmod(folder, 0o755);
  // Apache's children give up root's rights where it was started with them.
  if (process.getuid() === 0) {
    const { uid, gid } = await idsOf('www-data');
    await chown(path.join(folder, 'run'), uid, gid);
  }
}

async function idsOf(user) {
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n')
    .find((entry) => entry.startsWith(`${user}:`));
  const [, , uid, gid] = line.split(':');
  return { uid: Number(uid), gid: Number(gid) };
}

function configuration({ app, folder, port, site }) {
  const modules = [
    'mpm_event', 'authz_core', 'authz_user', 'authn_core', 'auth_openidc', 'dir', 'mime', 'filter',
    'include',
  ];
  return `
ServerName 127.0.0.1
Listen 127.0.0.1:${port}
PidFile ${folder}/apache.pid
DefaultRuntimeDir ${folder}/run
Mutex file:${folder}/run default
ErrorLog ${folder}/error.log
LogLevel warn auth_openidc:info
${modules.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join('\n')}
StartServers 1
ThreadsPerChild 8
ThreadLimit 8
MinSpareThreads 4
MaxSpareThreads 8
MaxRequestWorkers 8
${process.getuid() === 0 ? 'User www-data\nGroup www-data' : ''}
TypesConfig /etc/mime.types
DocumentRoot ${folder}/site
DirectoryIndex index.shtml index.html
AddType text/html .shtml
AddOutputFilter INCLUDES .shtml

OIDCProviderMetadataURL ${app.discovery}
OIDCClientID ${app.client_id}
OIDCClientSecret ${app.client_secret}
OIDCRedirectURI ${site}/secure/redirect_uri
OIDCCryptoPassphrase ${randomBytes(24).toString('hex')}
OIDCScope "openid profile email groups"
OIDCPKCEMethod S256
OIDCRemoteUserClaim preferred_username

<Directory ${folder}/site>
  Options +Includes
  Require all granted
</Directory>
<Location /secure>
  AuthType openid-connect
  Require valid-user
</Location>
<Location /secure/staff>
  AuthType openid-connect
  Require claim groups:staff
  AuthzSendForbiddenOnFailure On
</Location>
`;
}

async function open(browser, place) {
  try {
    return await browser.authorize(`${apache.site}${place}`);
  } catch (error) {
    error.message += `\n${await apache.log()}`;
    throw error;
  }
}

async function assertPage(page, status) {
  assert.equal(page.status, status, `${page.url}\n${page.body}\n${await apache.log()}`);
}

test('the way to a protected page goes through Doorlight, and claims reach the page', async () => {
  const browser = new Browser({ username: 'ann' });
  const page = await open(browser, '/secure/');
  await assertPage(page, 200);
  assert.deepEqual(page.asked, ['sign-in', 'consent']);
  assert.equal(page.url, `${apache.site}/secure/`);
  const claims = Object.fromEntries(page.body.trim().split('\n').map((line) => line.split('=')));
  assert.match(claims.user, /^ann(@|$)/);
  assert.equal(claims.preferred_username, 'ann');
  assert.equal(claims.email, 'ann@example.com');
  assert.deepEqual(claims.groups.split(',').sort(), ['cooks', 'staff']);
  assert.equal(claims.iss, doorlight.issuer);
  assert.equal(claims.aud, apache.app.client_id);
  const again = await open(browser, '/secure/');
  await assertPage(again, 200);
  assert.deepEqual(again.asked, []);
});

test('a group opens a page to its members and to nobody else', async () => {
  const page = await open(new Browser({ username: 'ann' }), '/secure/staff/');
  await assertPage(page, 200);
  assert.equal(page.body, 'for the staff\n');
  const refused = await open(new Browser({ username: 'bob' }), '/secure/staff/');
  await assertPage(refused, 403);
});

test('a refusal comes back to the website with state and iss, and the page stays shut', async () => {
  await doorlight.addUser('eve', { email: 'eve@example.com' });
  const browser = new Browser({ username: 'eve' });
  // What the module makes of it is not followed: with `iss` it takes the error for a sign-in begun elsewhere.
  const until = `${apache.site}/secure/redirect_uri`;
  const refused = await browser.authorize(`${apache.site}/secure/`, { until, decision: 'deny' });
  const answer = new URL(refused.url).searchParams;
  assert.equal(answer.get('error'), 'access_denied');
  assert.equal(answer.get('iss'), doorlight.issuer);
  assert.ok(answer.get('state'));
  assert.equal(answer.get('code'), null);
  const again = await browser.get(`${apache.site}/secure/`);
  assert.ok(again.url.startsWith(doorlight.issuer), again.url);
});

test('signing out ends both sessions and returns to the website', async () => {
  const browser = new Browser({ username: 'ann' });
  await assertPage(await open(browser, '/secure/'), 200);
  const bye = `${apache.site}/bye.html`;
  const logout = `${apache.site}/secure/redirect_uri?logout=${encodeURIComponent(bye)}`;
  const page = await browser.get(logout);
  await assertPage(page, 200);
  assert.equal(page.url.split('?')[0], bye);
  assert.equal(page.body, 'bye\n');
  const again = await open(browser, '/secure/');
  await assertPage(again, 200);
  assert.deepEqual(again.asked, ['sign-in']);
});
