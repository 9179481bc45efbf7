// openid-client where Doorlight fetches what the application publishes: its keys (`jwks_uri`), its request (`request_uri`).

import assert from 'node:assert/strict';
import http from 'node:http';
import { once } from 'node:events';
import { after, before, beforeEach, test } from 'node:test';
import * as client from 'openid-client';
import { Browser, startDoorlight } from './lib/doorlight.mjs';
import { newKey } from './lib/keys.mjs';

const REDIRECT = 'http://127.0.0.1:9/callback';
const SCOPE = 'openid email offline_access';

let doorlight;
let person;
let site;
let base;
/** What stands on the application's own site, by path, and how often each was asked for. */
const pages = new Map();
const asked = new Map();

before(async () => {
  site = http.createServer((request, response) => {
    asked.set(request.url, (asked.get(request.url) ?? 0) + 1);
    const page = pages.get(request.url);
    response.writeHead(page ? 200 : 404, { 'content-type': page?.type ?? 'text/plain' });
    response.end(page?.body);
  });
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  base = `http://127.0.0.1:${site.address().port}`;
  doorlight = await startDoorlight();
  await doorlight.run(['outbound', 'allow', '127.0.0.1']);
  person = await doorlight.addUser('ann', { email: 'ann@example.com' });
});

after(async () => {
  await doorlight?.stop();
  site?.close();
});

beforeEach(() => {
  pages.clear();
  asked.clear();
});

function publishKeys(path, ...keys) {
  const body = JSON.stringify({ keys: keys.map(({ jwk }) => jwk) });
  pages.set(path, { type: 'application/jwk-set+json', body });
}

function configure(registered, key) {
  return client.discovery(
    new URL(doorlight.issuer), registered.client_id, undefined, client.PrivateKeyJwt(key.key),
    { execute: [client.allowInsecureRequests] },
  );
}

test('keys at jwks_uri are fetched once for many assertions, and soon again for nobody', async () => {
  const [first, second] = [await newKey('ES256', 'first'), await newKey('ES256', 'second')];
  publishKeys('/keys.json', first);
  const registered = await doorlight.addClient('Publishes keys', {
    'auth-method': 'private_key_jwt', 'jwks-uri': `${base}/keys.json`, grant: 'client_credentials', scope: 'api',
  });
  const config = await configure(registered, first);
  for (let turn = 0; turn < 5; turn += 1) assert.ok((await client.clientCredentialsGrant(config)).access_token);
  assert.equal(asked.get('/keys.json'), 1);

  // A key that nobody published, and one published a moment ago: within a minute neither makes Doorlight ask again.
  publishKeys('/keys.json', first, second);
  const later = await configure(registered, second);
  await assert.rejects(client.clientCredentialsGrant(later), { error: 'invalid_client' });
  assert.equal(asked.get('/keys.json'), 1);
  assert.ok((await client.clientCredentialsGrant(config)).access_token);
});

test('a signed request at request_uri, by keys at jwks_uri, through a whole code flow', async () => {
  const key = await newKey('PS256');
  publishKeys('/flow-keys.json', key);
  const registered = await doorlight.addClient('Publishes requests', {
    'auth-method': 'private_key_jwt',
    'jwks-uri': `${base}/flow-keys.json`,
    'request-uri': `${base}/request.jwt`,
    'redirect-uri': REDIRECT,
    scope: SCOPE,
    grant: 'authorization_code,refresh_token',
  });
  const config = await configure(registered, key);
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()];
  const signed = await client.buildAuthorizationUrlWithJAR(config, {
    redirect_uri: REDIRECT,
    scope: SCOPE,
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  }, key.key);
  const object = signed.searchParams.get('request');
  pages.set('/request.jwt', { type: 'application/oauth-authz-req+jwt', body: object });
  const url = client.buildAuthorizationUrl(config, { request_uri: `${base}/request.jwt` });
  for (const name of [...url.searchParams.keys()]) {
    if (!['client_id', 'request_uri'].includes(name)) url.searchParams.delete(name);
  }

  const page = await new Browser({ username: 'ann' }).authorize(url.href, { until: REDIRECT });
  const tokens = await client.authorizationCodeGrant(config, new URL(page.url), {
    pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true,
  });
  assert.equal(tokens.claims().sub, person.id);
  assert.ok(asked.get('/request.jwt') >= 1);
  const fresh = await client.refreshTokenGrant(config, tokens.refresh_token);
  assert.equal(fresh.claims().sub, person.id);
});

test('an altered request at request_uri is refused at the application', async () => {
  const [key, other] = [await newKey('ES256', 'same'), await newKey('ES256', 'same')];
  publishKeys('/own-keys.json', key);
  const registered = await doorlight.addClient('Is forged', {
    'auth-method': 'private_key_jwt',
    'jwks-uri': `${base}/own-keys.json`,
    'request-uri': `${base}/forged.jwt`,
    'redirect-uri': REDIRECT,
    scope: SCOPE,
  });
  const config = await configure(registered, key);
  const forged = await client.buildAuthorizationUrlWithJAR(config, {
    redirect_uri: REDIRECT, scope: SCOPE, response_type: 'code', state: 'kept',
  }, other.key);
  pages.set('/forged.jwt', { type: 'text/plain', body: forged.searchParams.get('request') });
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT, scope: SCOPE, state: 'kept', request_uri: `${base}/forged.jwt`,
  });
  const page = await new Browser({ username: 'ann' }).authorize(url.href, { until: REDIRECT });
  const answer = new URL(page.url).searchParams;
  assert.equal(answer.get('error'), 'invalid_request_object');
  assert.equal(answer.get('code'), null);
});
