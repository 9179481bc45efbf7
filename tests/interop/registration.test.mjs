// openid-client registers itself, and signs a person in with what it got.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as client from 'openid-client';
import { Browser, startDoorlight } from './lib/doorlight.mjs';

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
