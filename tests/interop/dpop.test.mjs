// Bound tokens (RFC 9449) with both libraries: code, refresh, userinfo, and an API that checks them.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { AUDIENCE, startBoundApi } from './lib/bound-api.mjs';
import { Browser, startDoorlight } from './lib/doorlight.mjs';
import { INSECURE, REDIRECT, RelyingParty, discover } from './lib/oauth4webapi.mjs';

const SCOPE = 'openid email offline_access';
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'Ed25519'];

let doorlight;
let person;
let server;
let api;
let registered;
let party;

before(async () => {
  doorlight = await startDoorlight();
  person = await doorlight.addUser('ann', { email: 'ann@example.com' });
  server = await discover(doorlight);
  api = await startBoundApi(server);
  registered = await doorlight.addClient('Bound', {
    'redirect-uri': REDIRECT, scope: SCOPE, grant: 'authorization_code,refresh_token', public: true,
    dpop: true, audience: AUDIENCE,
  });
  party = new RelyingParty(server, registered, oauth.None(), { scope: SCOPE });
});

after(async () => {
  api?.stop();
  await doorlight?.stop();
});

const ann = () => new Browser({ username: 'ann' });

/** Proofs by a new key. */
const prover = async (alg = 'ES256') => oauth.DPoP(party.client, await oauth.generateKeyPair(alg));

/** Asks the API with a proof of this holder. */
function askApi(token, DPoP) {
  const options = { ...INSECURE, DPoP };
  return oauth.protectedResourceRequest(token, 'GET', api.url, undefined, undefined, options);
}

/** Signs in; the key is bound to the code already (RFC 9449 §10). */
async function signIn(DPoP, more = {}) {
  const dpop_jkt = await DPoP.calculateThumbprint();
  const done = await party.signIn(ann(), { more: { dpop_jkt, ...more }, DPoP });
  assert.equal(done.claims.sub, person.id);
  assert.equal(done.tokens.token_type, 'dpop');
  return done.tokens;
}

describe('oauth4webapi', () => {
  for (const alg of ALGORITHMS) {
    test(`code, userinfo and refresh with a key for ${alg}`, async () => {
      const DPoP = await prover(alg);
      const tokens = await signIn(DPoP);
      assert.equal((await party.userinfo(tokens.access_token, person.id, { DPoP })).sub, person.id);
      const fresh = await party.refresh(tokens.refresh_token, { DPoP });
      assert.equal((await party.userinfo(fresh.access_token, person.id, { DPoP })).sub, person.id);
    });
  }

  test('an API takes the token with a proof of its key, and with no other', async () => {
    const DPoP = await prover();
    const { access_token: token } = await signIn(DPoP, { resource: AUDIENCE });
    const answer = await askApi(token, DPoP);
    const claims = await answer.json();
    assert.equal(answer.status, 200, claims.message);
    assert.equal(claims.sub, person.id);
    assert.equal(claims.cnf.jkt, await DPoP.calculateThumbprint());
    const thief = await askApi(token, await prover());
    assert.equal(thief.status, 401);
    const bare = await fetch(api.url, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(bare.status, 401);
  });

  test('without a proof there are no tokens, and a code goes to its own key only', async () => {
    for (const DPoP of [undefined, await prover()]) {
      const holder = await prover();
      const dpop_jkt = await holder.calculateThumbprint();
      await assert.rejects(
        party.signIn(ann(), { more: { dpop_jkt }, DPoP }),
        { error: DPoP ? 'invalid_grant' : 'invalid_dpop_proof' },
      );
    }
  });

  test('a refresh token is of no use to another key, and userinfo to none', async () => {
    const DPoP = await prover();
    const tokens = await signIn(DPoP);
    const other = await prover();
    await assert.rejects(party.refresh(tokens.refresh_token, { DPoP: other }), { status: 400 });
    await assert.rejects(
      party.userinfo(tokens.access_token, person.id, { DPoP: other }), { status: 401 },
    );
    await assert.rejects(party.userinfo(tokens.access_token, person.id), { status: 401 });
    assert.ok((await party.refresh(tokens.refresh_token, { DPoP })).access_token);
  });

  test('a proof is good once', async () => {
    let same;
    const DPoP = oauth.DPoP(party.client, await oauth.generateKeyPair('ES256'), {
      [oauth.modifyAssertion](_, payload) { payload.jti = same ?? payload.jti; },
    });
    const { access_token: token } = await signIn(DPoP);
    same = 'the same twice';
    await party.userinfo(token, person.id, { DPoP });
    await assert.rejects(party.userinfo(token, person.id, { DPoP }), { status: 401 });
  });
});

describe('openid-client', () => {
  for (const pushed of [false, true]) {
    test(`code, refresh and an API; ${pushed ? 'pushed' : 'not pushed'}`, async () => {
      const config = await client.discovery(
        new URL(doorlight.issuer), registered.client_id, undefined, client.None(),
        { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
      );
      const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair());
      const pkceCodeVerifier = client.randomPKCECodeVerifier();
      const parameters = {
        redirect_uri: REDIRECT,
        scope: SCOPE,
        resource: AUDIENCE,
        code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
      };
      const url = pushed
        ? await client.buildAuthorizationUrlWithPAR(config, parameters, { DPoP })
        : client.buildAuthorizationUrl(config, parameters);
      const page = await ann().authorize(url.href, { until: REDIRECT });
      const checks = { pkceCodeVerifier, idTokenExpected: true };
      const tokens = await client.authorizationCodeGrant(config, new URL(page.url), checks, undefined, { DPoP });
      assert.equal(tokens.token_type, 'dpop');
      const asked = await client.fetchProtectedResource(
        config, tokens.access_token, api.url, 'GET', undefined, undefined, { DPoP },
      );
      assert.equal((await asked.json()).sub, person.id);
      const fresh = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
      assert.equal(fresh.token_type, 'dpop');
      const again = await client.fetchProtectedResource(
        config, fresh.access_token, api.url, 'GET', undefined, undefined, { DPoP },
      );
      assert.equal(again.status, 200);
    });
  }
});
