// openid-client and oauth4webapi register themselves, sign a person in with what they got, and look after their
// registration (RFC 7591, RFC 7592).

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { Browser, startDoorlight } from './lib/doorlight.mjs';
import { newKey } from './lib/keys.mjs';
import { INSECURE, RelyingParty, discover } from './lib/oauth4webapi.mjs';

const REDIRECT = 'http://127.0.0.1:9/callback';

let doorlight;

before(async () => {
  doorlight = await startDoorlight();
  await doorlight.addUser('ann', { email: 'ann@example.com' });
});

after(() => doorlight?.stop());

function register(metadata, more = {}) {
  const options = { execute: [client.allowInsecureRequests], ...more };
  return client.dynamicClientRegistration(
    new URL(doorlight.issuer),
    { redirect_uris: [REDIRECT], ...metadata },
    undefined,
    options,
  );
}

async function signIn(config) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT,
    scope: 'openid email',
    state: expectedState,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  });
  const browser = new Browser({ username: 'ann' });
  const page = await browser.authorize(url.href, { until: REDIRECT });
  assert.deepEqual(page.asked, ['sign-in', 'consent']);
  return client.authorizationCodeGrant(config, new URL(page.url), {
    pkceCodeVerifier,
    expectedState,
    idTokenExpected: true,
  });
}

test('registration is off until an administrator says otherwise', async () => {
  await assert.rejects(register({}), /registration_endpoint/);
});

test('with an initial access token; public, and with a secret by either way', async () => {
  await doorlight.run(['registration', 'token']);
  for (const method of ['none', 'client_secret_basic', 'client_secret_post']) {
    const made = JSON.parse(await doorlight.run(['registration', 'add-token']));
    const config = await register(
      { client_name: `By ${method}`, token_endpoint_auth_method: method },
      { initialAccessToken: made.token },
    );
    const metadata = config.clientMetadata();
    assert.equal(metadata.token_endpoint_auth_method, method);
    assert.equal(metadata.client_secret === undefined, method === 'none');
    const tokens = await signIn(config);
    const info = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
    assert.equal(info.email, 'ann@example.com');
    await assert.rejects(
      register({}, { initialAccessToken: made.token }),
      (error) => error.code === 'OAUTH_WWW_AUTHENTICATE_CHALLENGE' || error.status === 401,
    );
  }
});

test('open to anyone, and bad metadata is an error of the library', async () => {
  await doorlight.run(['registration', 'open']);
  const config = await register({ grant_types: ['authorization_code', 'refresh_token'] });
  assert.ok(await signIn(config));
  await assert.rejects(register({ grant_types: ['implicit'] }), { error: 'invalid_client_metadata' });
  const redirects = { redirect_uris: ['http://app.example/cb'] };
  await assert.rejects(register(redirects), { error: 'invalid_redirect_uri' });
});

/** What oauth4webapi makes of a registration; the server must be open. */
async function registerAlone(metadata) {
  const server = await discover(doorlight);
  const wanted = { redirect_uris: [REDIRECT], ...metadata };
  const response = await oauth.dynamicClientRegistrationRequest(server, wanted, INSECURE);
  return { server, registered: await oauth.processDynamicClientRegistrationResponse(response) };
}

test('a signer by private_key_jwt: pushed, proved, signed in', async () => {
  await doorlight.run(['registration', 'open']);
  for (const alg of ['ES256', 'PS256', 'Ed25519']) {
    const made = await newKey(alg);
    const { server, registered } = await registerAlone({
      client_name: `Signs ${alg}`,
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [made.jwk] },
      dpop_bound_access_tokens: true,
      require_pushed_authorization_requests: true,
    });
    assert.equal(registered.client_secret, undefined);
    const party = new RelyingParty(server, registered, oauth.PrivateKeyJwt(made.key));
    const DPoP = oauth.DPoP(party.client, await oauth.generateKeyPair('ES256'));
    const carry = (parameters) => party.push(parameters, { DPoP });
    const { tokens, claims } = await party.signIn(new Browser({ username: 'ann' }), { carry, DPoP });
    assert.equal(tokens.token_type, 'dpop');
    const info = await party.userinfo(tokens.access_token, claims.sub, { DPoP });
    assert.equal(info.email, 'ann@example.com');
    const request = await party.request();
    const page = await new Browser().authorize(party.url(request.parameters), { until: REDIRECT });
    await assert.rejects(party.returned(page, request), { error: 'invalid_request' });
  }
});

test('a registration is read, changed and ended by its own token only (RFC 7592)', async () => {
  await doorlight.run(['registration', 'open']);
  const { server, registered } = await registerAlone({ client_name: 'First' });
  const ask = async (method, { body, token = registered.registration_access_token } = {}) => {
    const response = await fetch(registered.registration_client_uri, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, answer: text && JSON.parse(text) };
  };
  const stranger = await registerAlone({ client_name: 'Stranger' });
  for (const method of ['GET', 'DELETE']) {
    const token = stranger.registered.registration_access_token;
    assert.equal((await ask(method, { token })).status, 401);
  }
  const read = await ask('GET');
  assert.equal(read.status, 200);
  assert.equal(read.answer.client_id, registered.client_id);
  const elsewhere = 'http://127.0.0.1:9/elsewhere';
  const { client_id } = registered;
  const change = { client_id, client_name: 'Second', redirect_uris: [elsewhere] };
  const changed = await ask('PUT', { body: change });
  assert.equal(changed.status, 200, JSON.stringify(changed.answer));
  assert.equal(changed.answer.client_name, 'Second');
  const token = changed.answer.registration_access_token ?? registered.registration_access_token;
  const secret = changed.answer.client_secret ?? registered.client_secret;
  const party = new RelyingParty(server, registered, oauth.ClientSecretBasic(secret), { redirect: elsewhere });
  const { claims } = await party.signIn(new Browser({ username: 'ann' }));
  assert.ok(claims.sub);
  assert.equal((await ask('DELETE', { token })).status, 204);
  assert.equal((await ask('GET', { token })).status, 401);
  const { parameters } = await party.request();
  await assert.rejects(party.push(parameters), { status: 401 });
});

test('bad metadata is an error of oauth4webapi too', async () => {
  await doorlight.run(['registration', 'open']);
  const refused = [
    [{ redirect_uris: [] }, 'invalid_redirect_uri'],
    [{ token_endpoint_auth_method: 'private_key_jwt' }, 'invalid_client_metadata'],
    [{ jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } }, 'invalid_client_metadata'],
  ];
  for (const [metadata, error] of refused) {
    await assert.rejects(registerAlone(metadata), { error }, JSON.stringify(metadata));
  }
});
