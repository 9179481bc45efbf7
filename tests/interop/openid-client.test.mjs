// openid-client, the certified relying party library for JavaScript, through all that it can do here.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as client from 'openid-client';
import { Browser, startDoorlight } from './lib/doorlight.mjs';

const REDIRECT = 'http://127.0.0.1:9/callback';
const SIGNED_OUT = 'http://127.0.0.1:9/signed-out';
const SCOPE = 'openid profile email groups offline_access';

let doorlight;
let person;
let config;

before(async () => {
  doorlight = await startDoorlight();
  person = await doorlight.addUser('ann', { email: 'ann@example.com', groups: ['staff'] });
  const app = await doorlight.addClient('Photo album', {
    'redirect-uri': REDIRECT,
    'post-logout-redirect-uri': SIGNED_OUT,
    grant: 'authorization_code,refresh_token,client_credentials',
    scope: SCOPE,
  });
  config = await discover(app);
});

after(() => doorlight?.stop());

function discover({ client_id: id, client_secret: secret }, authentication) {
  const options = { execute: [client.allowInsecureRequests] };
  return client.discovery(new URL(doorlight.issuer), id, secret, authentication, options);
}

/** Signs in with code, PKCE, state and nonce; all that the library checks is checked. */
async function signIn(configuration, browser, { scope = SCOPE, ...more } = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const nonce = client.randomNonce();
  const url = client.buildAuthorizationUrl(configuration, {
    redirect_uri: REDIRECT,
    scope,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    ...more,
  });
  const page = await browser.authorize(url.href, { until: REDIRECT });
  const returned = new URL(page.url);
  const checks = { pkceCodeVerifier, expectedState: state, expectedNonce: nonce };
  return { asked: page.asked, returned, checks };
}

async function tokensFor(configuration, browser, more) {
  const { returned, checks, asked } = await signIn(configuration, browser, more);
  const tokens = await client.authorizationCodeGrant(configuration, returned, {
    ...checks,
    idTokenExpected: true,
  });
  return { tokens, asked };
}

test('discovery says what the library asks for', () => {
  const server = config.serverMetadata();
  assert.equal(server.issuer, doorlight.issuer);
  assert.equal(server.supportsPKCE(), true);
  assert.equal(server.authorization_response_iss_parameter_supported, true);
});

test('code flow with PKCE, state, nonce and iss; the ID token by its signature too', async () => {
  const checked = await discover(config.clientMetadata());
  client.enableNonRepudiationChecks(checked);
  const { returned, checks, asked } = await signIn(checked, new Browser({ username: 'ann' }));
  assert.deepEqual(asked, ['sign-in', 'consent']);
  assert.equal(returned.searchParams.get('iss'), doorlight.issuer);
  const tokens = await client.authorizationCodeGrant(checked, returned, {
    ...checks,
    idTokenExpected: true,
  });
  const claims = tokens.claims();
  assert.equal(claims.sub, person.id);
  assert.equal(claims.iss, doorlight.issuer);
  assert.equal(claims.aud, config.clientMetadata().client_id);
  assert.equal(tokens.token_type, 'bearer');
  assert.ok(tokens.expiresIn() > 0);
  assert.ok(tokens.refresh_token);
});

test('a device is signed in from a browser that it never sees; a no reaches it too', async () => {
  const app = await doorlight.addClient('Television', {
    public: true, grant: 'device_code,refresh_token', scope: SCOPE,
  });
  const options = { execute: [client.allowInsecureRequests] };
  const configuration = await client.discovery(
    new URL(doorlight.issuer), app.client_id, undefined, client.None(), options,
  );
  const answers = { allow: 'You can go back to your device', deny: 'The device was not let in' };
  for (const [decision, words] of Object.entries(answers)) {
    const asked = await client.initiateDeviceAuthorization(configuration, { scope: SCOPE });
    assert.equal(asked.verification_uri, `${doorlight.issuer}/device`);
    const polled = client.pollDeviceAuthorizationGrant(configuration, asked);
    // Looked at below, once the person has answered.
    polled.catch(() => {});
    const browser = new Browser({ username: 'ann' });
    const typing = await browser.authorize(asked.verification_uri_complete);
    assert.ok(typing.body.includes(`value="${asked.user_code}"`), typing.body);
    const confirm = await browser.submit(typing, 'user_code', { user_code: asked.user_code });
    assert.match(confirm.body, /Television/);
    const done = await browser.submit(confirm, 'decision', { decision });
    assert.ok(done.body.includes(words), done.body);
    if (decision === 'deny') {
      await assert.rejects(polled, { error: 'access_denied' });
      continue;
    }
    const tokens = await polled;
    assert.equal(tokens.claims().sub, person.id);
    const info = await client.fetchUserInfo(configuration, tokens.access_token, person.id);
    assert.equal(info.email, 'ann@example.com');
    const renewed = await client.refreshTokenGrant(configuration, tokens.refresh_token);
    assert.equal(renewed.claims().sub, person.id);
  }
});

test('every way to authenticate that the library knows a secret for', async (t) => {
  const { client_secret: secret } = config.clientMetadata();
  const ways = { post: client.ClientSecretPost(secret), basic: client.ClientSecretBasic(secret) };
  for (const [name, way] of Object.entries(ways)) {
    await t.test(name, async () => {
      const configuration = await discover(config.clientMetadata(), way);
      const { tokens } = await tokensFor(configuration, new Browser({ username: 'ann' }));
      assert.equal(tokens.claims().sub, person.id);
    });
  }
});

test('a public client with an ES256 ID token', async () => {
  const app = await doorlight.addClient('Single page', {
    'redirect-uri': REDIRECT, public: true, scope: 'openid profile', 'id-token-alg': 'ES256',
  });
  const metadata = { id_token_signed_response_alg: 'ES256' };
  const options = { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] };
  const issuer = new URL(doorlight.issuer);
  const configuration = await client.discovery(
    issuer, app.client_id, metadata, client.None(), options,
  );
  const { tokens } = await tokensFor(
    configuration, new Browser({ username: 'ann' }), { scope: 'openid profile' },
  );
  assert.equal(tokens.claims().sub, person.id);
});

test('a second sign-in asks nothing; prompt=login and max_age ask again', async () => {
  const browser = new Browser({ username: 'ann' });
  await tokensFor(config, browser, { scope: 'openid email' });
  const quiet = await tokensFor(config, browser, { scope: 'openid email' });
  assert.deepEqual(quiet.asked, []);
  const again = await tokensFor(config, browser, { scope: 'openid email', prompt: 'login' });
  assert.ok(again.asked.includes('sign-in'));
  const { returned, checks } = await signIn(config, browser, { scope: 'openid', max_age: '300' });
  const tokens = await client.authorizationCodeGrant(config, returned, { ...checks, maxAge: 300 });
  assert.equal(typeof tokens.claims().auth_time, 'number');
});

test('prompt=none without a session and a refusal come back as errors of the library', async () => {
  const silent = await signIn(config, new Browser(), { prompt: 'none' });
  await assert.rejects(
    client.authorizationCodeGrant(config, silent.returned, silent.checks),
    { error: 'login_required' },
  );
  const stranger = await doorlight.addClient('Refused', { 'redirect-uri': REDIRECT });
  const configuration = await discover(stranger);
  const url = client.buildAuthorizationUrl(configuration, {
    redirect_uri: REDIRECT,
    scope: 'openid',
    state: 'here',
    code_challenge: await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier()),
    code_challenge_method: 'S256',
  });
  const browser = new Browser({ username: 'ann' });
  const page = await browser.authorize(url.href, { until: REDIRECT, decision: 'deny' });
  await assert.rejects(
    client.authorizationCodeGrant(configuration, new URL(page.url), { expectedState: 'here' }),
    { error: 'access_denied' },
  );
});

test('a code works once, and only with its verifier', async () => {
  const browser = new Browser({ username: 'ann' });
  const { returned, checks } = await signIn(config, browser);
  await client.authorizationCodeGrant(config, returned, checks);
  await assert.rejects(
    client.authorizationCodeGrant(config, returned, checks),
    { error: 'invalid_grant' },
  );
  const other = await signIn(config, browser);
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  await assert.rejects(
    client.authorizationCodeGrant(config, other.returned, { ...other.checks, pkceCodeVerifier }),
    { error: 'invalid_grant' },
  );
});

test('userinfo answers the claims of the granted scopes', async () => {
  const { tokens } = await tokensFor(config, new Browser({ username: 'ann' }));
  const info = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
  assert.equal(info.preferred_username, 'ann');
  assert.equal(info.email, 'ann@example.com');
  assert.equal(info.email_verified, true);
  assert.deepEqual(info.groups, ['staff']);
});

test('refresh gives new tokens for the same person', async () => {
  const { tokens } = await tokensFor(config, new Browser({ username: 'ann' }));
  const fresh = await client.refreshTokenGrant(config, tokens.refresh_token);
  assert.notEqual(fresh.access_token, tokens.access_token);
  assert.equal(fresh.claims().sub, person.id);
  const info = await client.fetchUserInfo(config, fresh.access_token, person.id);
  assert.equal(info.email, 'ann@example.com');
});

test('client credentials', async () => {
  const tokens = await client.clientCredentialsGrant(config);
  assert.ok(tokens.access_token);
  assert.equal(tokens.refresh_token, undefined);
  assert.equal(tokens.id_token, undefined);
});

test('introspection and revocation of an access token', async () => {
  const { tokens } = await tokensFor(config, new Browser({ username: 'ann' }));
  const before = await client.tokenIntrospection(config, tokens.access_token);
  assert.equal(before.active, true);
  assert.equal(before.sub, person.id);
  assert.equal(before.client_id, config.clientMetadata().client_id);
  await client.tokenRevocation(config, tokens.access_token, { token_type_hint: 'access_token' });
  const afterwards = await client.tokenIntrospection(config, tokens.access_token);
  assert.deepEqual(afterwards, { active: false });
});

test('a revoked refresh token is over', async () => {
  const { tokens } = await tokensFor(config, new Browser({ username: 'ann' }));
  assert.equal((await client.tokenIntrospection(config, tokens.refresh_token)).active, true);
  await client.tokenRevocation(config, tokens.refresh_token, { token_type_hint: 'refresh_token' });
  await assert.rejects(
    client.refreshTokenGrant(config, tokens.refresh_token),
    { error: 'invalid_grant' },
  );
});

test('sign-out by the application returns to it and ends the session', async () => {
  const browser = new Browser({ username: 'ann' });
  const { tokens } = await tokensFor(config, browser);
  const url = client.buildEndSessionUrl(config, {
    id_token_hint: tokens.id_token,
    post_logout_redirect_uri: SIGNED_OUT,
    state: 'bye',
  });
  const page = await browser.get(url.href, SIGNED_OUT);
  assert.equal(page.url, `${SIGNED_OUT}?state=bye`);
  const silent = await signIn(config, browser, { prompt: 'none' });
  assert.equal(silent.returned.searchParams.get('error'), 'login_required');
});

test('what happened is in the audit log', async () => {
  const kinds = new Set((await doorlight.audit()).map((event) => event.kind));
  for (const kind of ['sign_in', 'consent', 'sign_out']) assert.ok(kinds.has(kind), kind);
});
