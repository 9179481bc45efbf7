// Sign-outs as an application hears of them: logout tokens validated by jose as OpenID Connect Back-Channel Logout 1.0
// §2.6 lists it, by way of the metadata that openid-client discovered.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import * as client from 'openid-client';
import { Browser, startDoorlight, waitUntil } from './lib/doorlight.mjs';

// openid-client's own jose.
const { createRemoteJWKSet, jwtVerify } = await import(
  createRequire(createRequire(import.meta.url).resolve('openid-client')).resolve('jose')
);

const REDIRECT = 'http://127.0.0.1:9/callback';
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

let doorlight;
let receiver;
const posts = [];
/** How posts are answered just now. */
let status = 200;

before(async () => {
  receiver = http.createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    posts.push({ method: request.method, url: request.url, headers: request.headers, body, status });
    response.writeHead(status, { 'cache-control': 'no-store' }).end();
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  doorlight = await startDoorlight();
  await doorlight.addUser('ann');
  await doorlight.run(['outbound', 'allow', '127.0.0.1']);
});

after(async () => {
  receiver?.closeAllConnections();
  receiver?.close();
  await doorlight?.stop();
});

async function application(name, more = {}) {
  const added = await doorlight.addClient(name, {
    'redirect-uri': REDIRECT,
    trusted: true,
    'backchannel-logout-uri': `http://127.0.0.1:${receiver.address().port}/out`,
    ...more,
  });
  const options = { execute: [client.allowInsecureRequests] };
  return client.discovery(
    new URL(doorlight.issuer), added.client_id, added.client_secret, undefined, options,
  );
}

/** Signs in; what the ID token said is what the application keeps. */
async function signIn(config, browser) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedNonce = client.randomNonce();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT,
    scope: 'openid',
    nonce: expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  });
  const page = await browser.authorize(url.href, { until: REDIRECT });
  const checks = { pkceCodeVerifier, expectedNonce, idTokenExpected: true };
  return client.authorizationCodeGrant(config, new URL(page.url), checks);
}

async function nextPost() {
  await waitUntil(() => posts.length > 0, () => `no logout token came:\n${doorlight.log}`);
  return posts.shift();
}

/** §2.6, step by step; `seen` holds the `jti` of before. */
async function validate(post, config, seen) {
  assert.equal(post.method, 'POST');
  assert.match(post.headers['content-type'], /^application\/x-www-form-urlencoded/);
  const form = [...new URLSearchParams(post.body)];
  assert.deepEqual(form.map(([name]) => name), ['logout_token']);
  const server = config.serverMetadata();
  assert.equal(server.backchannel_logout_supported, true);
  assert.equal(server.backchannel_logout_session_supported, true);
  const { payload, protectedHeader } = await jwtVerify(
    form[0][1],
    createRemoteJWKSet(new URL(server.jwks_uri)),
    {
      issuer: server.issuer,
      audience: config.clientMetadata().client_id,
      algorithms: server.id_token_signing_alg_values_supported,
      typ: 'logout+jwt',
      requiredClaims: ['iss', 'aud', 'iat', 'exp', 'jti', 'events', 'sub', 'sid'],
      maxTokenAge: '2 minutes',
    },
  );
  assert.notEqual(protectedHeader.alg, 'none');
  assert.deepEqual(payload.events, { [EVENT]: {} });
  assert.ok(!('nonce' in payload));
  assert.ok(!seen.has(payload.jti), 'a jti stands in one token only');
  seen.add(payload.jti);
  return payload;
}

for (const algorithm of ['RS256', 'ES256']) {
  test(`a logout token signed with ${algorithm} is what the specification wants`, async () => {
    const config = await application(`Photos ${algorithm}`, { 'id-token-alg': algorithm });
    const browser = new Browser({ username: 'ann' });
    const tokens = await signIn(config, browser);
    const end = client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token });
    await browser.get(end.href);
    const { sub, sid } = tokens.claims();
    const told = await validate(await nextPost(), config, new Set());
    assert.deepEqual({ sub: told.sub, sid: told.sid }, { sub, sid });
  });
}

test('an application that is down is told after a server that was killed comes back', async () => {
  const config = await application('Journal');
  const browser = new Browser({ username: 'ann' });
  const tokens = await signIn(config, browser);
  const seen = new Set();
  // However often it is tried meanwhile.
  const triedAndAnswered = async (wanted) => {
    for (;;) {
      const post = await nextPost();
      const told = await validate(post, config, seen);
      if (post.status === wanted) return told;
    }
  };
  status = 503;
  await browser.get(client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token }).href);
  await triedAndAnswered(503);
  doorlight.child.kill('SIGKILL');
  await doorlight.exited;
  doorlight.gone = false;
  status = 500;
  await doorlight.start();
  await triedAndAnswered(500);
  status = 200;
  const told = await triedAndAnswered(200);
  assert.equal(told.sid, tokens.claims().sid);
  const arrived = async () => {
    const events = await doorlight.audit();
    return events.some((e) => e.kind === 'logout.delivery' && e.outcome === 'success' && e.client_name === 'Journal');
  };
  await waitUntil(arrived, () => 'the record that it arrived');
  assert.equal(posts.length, 0);
});
