// The client of the official MCP SDK finds Doorlight from the address of an MCP server, registers itself, has a person
// agree, and calls a tool with a token that is for that server alone (RFC 9728, RFC 8414, RFC 7591, RFC 8707).

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { decodeJwt } from 'jose';
import { Browser, startDoorlight } from './lib/doorlight.mjs';
import { McpApp, startMcpServer } from './lib/mcp.mjs';

let doorlight;
let ann;
const running = [];

before(async () => {
  doorlight = await startDoorlight();
  ann = await doorlight.addUser('ann', { email: 'ann@example.com' });
});

beforeEach(() => doorlight.run(['registration', 'open']));

after(async () => {
  for (const server of running) server.stop();
  await doorlight?.stop();
});

/** An MCP server; `resource`: what `resource add` is given for it, `null`: Doorlight does not know it. */
async function server({ resource = ['--registered-clients'], scope = 'notes:read notes:write', ...more } = {}) {
  const supports = more.supports ?? ['notes:read', 'offline_access'];
  const mcp = await startMcpServer(doorlight.issuer, { ...more, supports });
  running.push(mcp);
  if (resource) {
    await doorlight.run(['resource', 'add', mcp.url, '--name', 'Notes', '--scope', scope, ...resource]);
  }
  return mcp;
}

/** Sign-in from the first refusal to the open connection. */
async function signIn(app, browser = new Browser({ username: 'ann' })) {
  await assert.rejects(app.connect(), UnauthorizedError);
  const { asked, answer } = await app.ask(browser);
  await app.finish(answer);
  await app.connect();
  return asked;
}

const claims = (app) => decodeJwt(app.kept.tokens.access_token);

const present = (mcp, token) => fetch(mcp.url, {
  method: 'POST',
  headers: {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...(token && { authorization: `Bearer ${token}` }),
  },
  body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
});

test('from the address of the server to a tool, registering itself', async () => {
  const mcp = await server();
  const app = new McpApp(mcp);
  assert.deepEqual(await signIn(app), ['sign-in', 'consent']);
  const found = app.visited.map((line) => line.replace(doorlight.issuer, '').replace(mcp.url, '/mcp'));
  assert.deepEqual(found.slice(0, 4), [
    'POST /mcp',
    `GET ${new URL('/.well-known/oauth-protected-resource/mcp', mcp.url)}`,
    'GET /.well-known/oauth-authorization-server',
    'POST /register',
  ]);
  const { client_id: id } = app.kept.client;
  const sent = app.kept.leave.searchParams;
  assert.equal(sent.get('resource'), mcp.url);
  assert.equal(sent.get('code_challenge_method'), 'S256');
  const { tools } = await app.client.listTools();
  assert.deepEqual(tools.map(({ name }) => name), ['whose']);
  assert.equal(await app.whose(), `${claims(app).sub} by ${id}`);
  const { iss, aud, scope, client_id: holder } = claims(app);
  assert.deepEqual({ iss, aud, scope, holder }, {
    iss: doorlight.issuer, aud: mcp.url, scope: 'notes:read offline_access', holder: id,
  });
  assert.equal(claims(app).sub, ann.id);
  assert.equal(app.kept.client.scope, 'notes:read offline_access');
});

test('an expired token is refreshed without a person', async () => {
  const mcp = await server({ resource: ['--registered-clients', '--token-seconds', '300'] });
  const app = new McpApp(mcp);
  await signIn(app);
  const first = app.kept.tokens;
  // The next token is to outlive this one by a second at least.
  await sleep(1_100);
  mcp.clock = decodeJwt(first.access_token).exp;
  assert.equal((await present(mcp, first.access_token)).status, 401);
  assert.ok(await app.whose());
  assert.notEqual(app.kept.tokens.refresh_token, first.refresh_token);
  const { aud, scope } = claims(app);
  assert.deepEqual({ aud, scope }, { aud: mcp.url, scope: 'notes:read offline_access' });
});

test('registration with an initial access token and a secret', async () => {
  await doorlight.run(['registration', 'token']);
  const { token } = JSON.parse(await doorlight.run(['registration', 'add-token']));
  const mcp = await server();
  await assert.rejects(new McpApp(mcp).connect(), /a token is required/);
  const app = new McpApp(mcp, {
    metadata: { token_endpoint_auth_method: 'client_secret_post' },
    fetch: (url, init) => {
      const headers = new Headers(init?.headers);
      if (String(url) === `${doorlight.issuer}/register`) headers.set('authorization', `Bearer ${token}`);
      return fetch(url, { ...init, headers });
    },
  });
  assert.deepEqual(await signIn(app), ['sign-in', 'consent']);
  assert.ok(app.kept.client.client_secret);
  assert.ok(await app.whose());
});

test('a server that names its scopes in the challenge alone, and wants more later', async () => {
  const mcp = await server({ needs: ['notes:read'], supports: [] });
  const app = new McpApp(mcp);
  const browser = new Browser({ username: 'ann' });
  await signIn(app, browser);
  assert.equal(claims(app).scope, 'notes:read');
  mcp.needs = ['notes:read', 'notes:write'];
  await assert.rejects(app.whose(), UnauthorizedError);
  const { asked, answer } = await app.ask(browser);
  assert.deepEqual(asked, ['consent']);
  await app.finish(answer);
  assert.ok(await app.whose());
  assert.equal(claims(app).scope, 'notes:read notes:write');
});

test('a token for one server opens no other', async () => {
  const [mcp, other] = [await server(), await server()];
  const app = new McpApp(mcp);
  await signIn(app);
  const answer = await present(other, app.kept.tokens.access_token);
  assert.equal(answer.status, 401);
  assert.match(answer.headers.get('www-authenticate'), /^Bearer error="invalid_token".* resource_metadata="/);
  assert.equal((await present(mcp, app.kept.tokens.access_token)).status, 200);
});

test('a server that Doorlight does not know, or that is not open to such applications, is refused', async () => {
  for (const resource of [null, []]) {
    const app = new McpApp(await server({ resource }), { metadata: { scope: 'openid' } });
    await assert.rejects(app.connect(), UnauthorizedError);
    const { asked, answer } = await app.ask(new Browser({ username: 'ann' }));
    assert.deepEqual(asked, []);
    assert.equal(answer.get('error'), 'invalid_target');
    assert.equal(answer.get('code'), null);
  }
});

test('without the resource its scopes are not to be had, nor does another token open it', async () => {
  const mcp = await server({ supports: ['notes:read', 'openid'], needs: [] });
  const app = new McpApp(mcp, { provider: { validateResourceURL: async () => undefined } });
  await assert.rejects(app.connect(), UnauthorizedError);
  const { answer } = await app.ask(new Browser({ username: 'ann' }));
  await app.finish(answer);
  const { aud, scope } = claims(app);
  assert.deepEqual({ aud, scope }, { aud: doorlight.issuer, scope: 'openid' });
  assert.equal((await present(mcp, app.kept.tokens.access_token)).status, 401);
});

test('a token without the scope is refused by the server', async () => {
  const mcp = await server({ supports: ['openid'] });
  const app = new McpApp(mcp);
  await signIn(app);
  assert.equal(claims(app).scope, 'openid');
  mcp.needs = ['notes:read'];
  const answer = await present(mcp, app.kept.tokens.access_token);
  assert.equal(answer.status, 403);
  assert.match(answer.headers.get('www-authenticate'), /error="insufficient_scope".*scope="notes:read"/);
});

test('once the server is closed to such applications, nothing is refreshed for it', async () => {
  const mcp = await server();
  const app = new McpApp(mcp);
  await signIn(app);
  await doorlight.run(['resource', 'edit', mcp.url, '--registered-clients=false']);
  mcp.clock = claims(app).exp;
  await assert.rejects(app.whose(), { errorCode: 'invalid_target' });
});
