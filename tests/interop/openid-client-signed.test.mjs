// openid-client where nothing travels unsigned: pushed and signed requests, signed answers, keys instead of secrets.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as client from 'openid-client';
import { Browser, startDoorlight } from './lib/doorlight.mjs';
import { addSigner, newKey } from './lib/keys.mjs';

const REDIRECT = 'http://127.0.0.1:9/callback';
const SCOPE = 'openid email offline_access';
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'Ed25519'];

let doorlight;
let person;
let keys;
let registered;

before(async () => {
  doorlight = await startDoorlight();
  person = await doorlight.addUser('ann', { email: 'ann@example.com' });
  keys = {};
  for (const alg of ALGORITHMS) keys[alg] = await newKey(alg);
  registered = await addSigner(doorlight, 'Signer', Object.values(keys), {
    'redirect-uri': REDIRECT, scope: SCOPE, grant: 'authorization_code,refresh_token,client_credentials',
  });
});

after(() => doorlight?.stop());

function configure({ alg = 'ES256', execute = [] } = {}) {
  const authentication = client.PrivateKeyJwt(keys[alg].key);
  return client.discovery(new URL(doorlight.issuer), registered.client_id, undefined, authentication, {
    execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks, ...execute],
  });
}

/** `build`: what makes an address of the parameters. */
async function signIn(config, build, more = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const expectedNonce = client.randomNonce();
  const url = await build({
    redirect_uri: REDIRECT,
    scope: SCOPE,
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...more,
  });
  const page = await new Browser({ username: 'ann' }).authorize(url.href, { until: REDIRECT });
  const returned = page.posted
    ? new Request(page.url, { method: 'POST', body: page.posted })
    : new URL(page.url);
  const tokens = await client.authorizationCodeGrant(config, returned, {
    pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true,
  });
  assert.equal(tokens.claims().sub, person.id);
  return { tokens, url, page };
}

describe('private_key_jwt', () => {
  for (const alg of ALGORITHMS) {
    test(`with ${alg}, for the code, the refresh token and a token of its own`, async () => {
      const config = await configure({ alg });
      const { tokens } = await signIn(config, (parameters) => client.buildAuthorizationUrl(config, parameters));
      const fresh = await client.refreshTokenGrant(config, tokens.refresh_token);
      assert.equal(fresh.claims().sub, person.id);
      assert.ok((await client.clientCredentialsGrant(config)).access_token);
    });
  }
});

test('client_secret_jwt', async () => {
  const made = await doorlight.addClient('By MAC', {
    'auth-method': 'client_secret_jwt', grant: 'client_credentials',
  });
  const authentication = client.ClientSecretJwt(made.client_secret);
  const config = await client.discovery(
    new URL(doorlight.issuer), made.client_id, undefined, authentication,
    { execute: [client.allowInsecureRequests] },
  );
  assert.ok((await client.clientCredentialsGrant(config)).access_token);
});

test('introspection and revocation authenticated with a key', async () => {
  const config = await configure();
  const { tokens } = await signIn(config, (parameters) => client.buildAuthorizationUrl(config, parameters));
  await client.tokenRevocation(config, tokens.refresh_token);
  await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token), { error: 'invalid_grant' });
});

test('a pushed request', async () => {
  const config = await configure();
  const { url } = await signIn(config, (parameters) => client.buildAuthorizationUrlWithPAR(config, parameters));
  assert.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request_uri']);
});

test('a bad push is an error of the library', async () => {
  const config = await configure();
  const bad = { redirect_uri: REDIRECT, scope: 'openid', response_mode: 'pigeon' };
  await assert.rejects(client.buildAuthorizationUrlWithPAR(config, bad), { error: 'invalid_request' });
});

describe('a signed request', () => {
  for (const alg of ALGORITHMS) {
    test(`with ${alg}, by value and pushed`, async () => {
      const config = await configure();
      const sign = (parameters) => client.buildAuthorizationUrlWithJAR(config, parameters, keys[alg].key);
      const { url } = await signIn(config, sign);
      assert.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request']);
      await signIn(config, async (parameters) => {
        const { searchParams } = await sign(parameters);
        return client.buildAuthorizationUrlWithPAR(config, searchParams);
      });
    });
  }
});

describe('a signed answer', () => {
  for (const mode of ['jwt', 'query.jwt', 'form_post.jwt']) {
    test(`response_mode=${mode}`, async () => {
      const config = await configure({ execute: [client.useJwtResponseMode] });
      const build = (parameters) => {
        const url = client.buildAuthorizationUrl(config, parameters);
        url.searchParams.set('response_mode', mode);
        return url;
      };
      const { page } = await signIn(config, build);
      const there = page.posted ?? new URL(page.url).searchParams;
      assert.deepEqual([...there.keys()], ['response']);
    });
  }

  test('to a pushed and signed request: FAPI 2.0 Message Signing', async () => {
    const config = await configure({ execute: [client.useJwtResponseMode] });
    const { page } = await signIn(config, async (parameters) => {
      const { searchParams } = await client.buildAuthorizationUrlWithJAR(
        config, parameters, keys.ES256.key,
      );
      return client.buildAuthorizationUrlWithPAR(config, searchParams);
    });
    assert.deepEqual([...new URL(page.url).searchParams.keys()], ['response']);
  });
});
