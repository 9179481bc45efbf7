// The FAPI 2.0 Security Profile, for a client of the strict profile: the whole way at once, then each thing that the
// profile wants refused. Test names cite it. TLS is the proxy's (§5.2) and stands in `proxies`.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as oauth from 'oauth4webapi';
import { AUDIENCE, startBoundApi } from './lib/bound-api.mjs';
import { Browser, startDoorlight } from './lib/doorlight.mjs';
import { addSigner, newKey } from './lib/keys.mjs';
import { INSECURE, RelyingParty, discover } from './lib/oauth4webapi.mjs';

// Nobody goes there: the browser stops before.
const REDIRECT = 'https://bank.example/callback';
const SCOPE = 'openid email offline_access';

let doorlight;
let person;
let server;
let api;
let keys;
let settings;
let bank;

before(async () => {
  doorlight = await startDoorlight();
  person = await doorlight.addUser('ann', { email: 'ann@example.com' });
  server = await discover(doorlight);
  api = await startBoundApi(server);
  keys = {};
  for (const alg of ['RS256', 'PS256', 'ES256', 'Ed25519']) keys[alg] = await newKey(alg);
  settings = {
    'redirect-uri': REDIRECT, scope: SCOPE, grant: 'authorization_code,refresh_token', audience: AUDIENCE,
    profile: 'strict',
  };
  const registered = await addSigner(doorlight, 'Bank', Object.values(keys), settings);
  bank = partyOf(registered, oauth.PrivateKeyJwt(keys.ES256.key));
});

after(async () => {
  api?.stop();
  await doorlight?.stop();
});

const ann = () => new Browser({ username: 'ann' });

const prover = async (alg = 'ES256') => oauth.DPoP(bank.client, await oauth.generateKeyPair(alg));

function partyOf(registered, authentication) {
  const party = new RelyingParty(server, registered, authentication, { redirect: REDIRECT, scope: SCOPE });
  Object.assign(party.client, { id_token_signed_response_alg: 'ES256', authorization_signed_response_alg: 'ES256' });
  return party;
}

/** As far as the code, by a push that proves the key. */
async function reachCode(DPoP, more) {
  const request = await bank.request(more);
  const url = bank.url(await bank.push(request.parameters, { DPoP }));
  const page = await ann().authorize(url, { until: REDIRECT });
  return { request, page, callback: await bank.returned(page, request) };
}

/** The error of a request that is sent as it stands. */
async function refusedAt(endpoint, fields, headers = {}) {
  const response = await fetch(endpoint, { method: 'POST', headers, body: new URLSearchParams(fields) });
  assert.ok(response.status === 400 || response.status === 401, `${response.status}`);
  return (await response.json()).error;
}

/** An assertion of the bank with something bent. */
const bent = (change, alg = 'ES256') => oauth.PrivateKeyJwt(keys[alg].key, { [oauth.modifyAssertion]: change });

async function pushRefused(authentication, error = 'invalid_client') {
  const { parameters } = await bank.request();
  await assert.rejects(bank.push(parameters, { authentication }), { error });
}

for (const alg of ['PS256', 'ES256', 'Ed25519']) {
  test(`the whole way with keys for ${alg}: pushed, proved, issued, used, renewed`, async () => {
    const DPoP = await prover(alg);
    const authentication = oauth.PrivateKeyJwt(keys[alg].key);
    const request = await bank.request({ resource: AUDIENCE });
    const pushed = await bank.push(request.parameters, { authentication, DPoP });
    assert.match(pushed.request_uri, /^urn:ietf:params:oauth:request_uri:/);
    const page = await ann().authorize(bank.url(pushed), { until: REDIRECT });
    // RFC 9207: the library compares it; here it is certain that there was something to compare.
    assert.equal(new URL(page.url).searchParams.get('iss'), doorlight.issuer);
    const callback = await bank.returned(page, request);
    const tokens = await bank.redeem(callback, request, { authentication, DPoP });
    assert.equal(tokens.token_type, 'dpop');
    assert.equal(oauth.getValidatedIdTokenClaims(tokens).sub, person.id);
    const options = { ...INSECURE, DPoP };
    const answer = await oauth.protectedResourceRequest(
      tokens.access_token, 'GET', api.url, undefined, undefined, options,
    );
    const claims = await answer.json();
    assert.equal(answer.status, 200, claims.message);
    assert.equal(claims.cnf.jkt, await DPoP.calculateThumbprint());
    const fresh = await bank.refresh(tokens.refresh_token, { authentication, DPoP });
    assert.notEqual(fresh.access_token, tokens.access_token);
    // §5.3.2.1: refresh tokens are not rotated; the same one goes on.
    assert.ok((await bank.refresh(tokens.refresh_token, { authentication, DPoP })).access_token);
  });
}

test('Message Signing: a signed request, pushed, and a signed answer', async () => {
  const DPoP = await prover();
  const request = await bank.request({ response_mode: 'jwt' });
  const now = Math.floor(Date.now() / 1000);
  const timed = { ...keys.ES256.key };
  const signed = await oauth.issueRequestObject(server, bank.client, request.parameters, timed, {
    [oauth.modifyAssertion](_, payload) { Object.assign(payload, { nbf: now, exp: now + 60 }); },
  });
  const pushed = await bank.push({ client_id: bank.client.client_id, request: signed }, { DPoP });
  const page = await ann().authorize(bank.url(pushed), { until: REDIRECT });
  assert.deepEqual([...new URL(page.url).searchParams.keys()], ['response']);
  const tokens = await bank.redeem(await bank.returned(page, request), request, { DPoP });
  assert.equal(oauth.getValidatedIdTokenClaims(tokens).sub, person.id);
});

describe('§5.3.2.2 the authorization request', () => {
  test('is refused where it was not pushed', async () => {
    const request = await bank.request();
    const page = await ann().authorize(bank.url(request.parameters), { until: REDIRECT });
    await assert.rejects(bank.returned(page, request), { error: 'invalid_request' });
  });

  test('is refused without authentication of the client', async () => {
    const { parameters } = await bank.request();
    const error = await refusedAt(server.pushed_authorization_request_endpoint, parameters);
    assert.equal(error, 'invalid_client');
  });

  test('is refused without PKCE, and with plain', async () => {
    const { parameters } = await bank.request();
    const { code_challenge, code_challenge_method, ...without } = parameters;
    await assert.rejects(bank.push(without), { error: 'invalid_request' });
    const plain = { ...parameters, code_challenge_method: 'plain' };
    await assert.rejects(bank.push(plain), { error: 'invalid_request' });
    assert.equal(code_challenge_method, 'S256', code_challenge);
  });

  test('is refused with any response type but code', async () => {
    for (const response_type of ['token', 'id_token', 'code id_token']) {
      const { parameters } = await bank.request({ response_type });
      await assert.rejects(bank.push(parameters), { error: 'unsupported_response_type' });
    }
  });

  test('is refused with a redirect URI that is missing, another, or longer', async () => {
    for (const redirect_uri of ['https://thief.example/', `${REDIRECT}/more`, `${REDIRECT}?more=1`, undefined]) {
      const { parameters } = await bank.request({ redirect_uri });
      if (!redirect_uri) delete parameters.redirect_uri;
      await assert.rejects(bank.push(parameters), { error: 'invalid_request' });
    }
  });

  test('is refused as a push of a request_uri', async () => {
    const { parameters } = await bank.request();
    const pushed = await bank.push(parameters);
    await assert.rejects(bank.push({ ...parameters, ...pushed }), { error: 'invalid_request' });
  });

  test('is over once it is answered', async () => {
    const { parameters } = await bank.request();
    const pushed = await bank.push(parameters);
    await ann().authorize(bank.url(pushed), { until: REDIRECT });
    const page = await ann().get(bank.url(pushed));
    assert.equal(page.status, 400, page.body);
  });

  test('expires in less than ten minutes', async () => {
    const { parameters } = await bank.request();
    const response = await oauth.pushedAuthorizationRequest(
      server, bank.client, bank.authentication, parameters, INSECURE,
    );
    const { expires_in: seconds } = await response.json();
    assert.ok(seconds > 0 && seconds < 600, `${seconds}`);
  });

  test('keeps to redirect URIs with https', async () => {
    const http = { ...settings, 'redirect-uri': 'http://bank.example/callback' };
    for (const more of [{}, { 'allow-http': true }]) {
      await assert.rejects(addSigner(doorlight, 'In the clear', [keys.ES256], { ...http, ...more }), /https/);
    }
  });
});

describe('§5.3.2.1 the client', () => {
  test('is not believed with a secret, whichever way it comes', async () => {
    const { client_id } = bank.client;
    const { parameters } = await bank.request();
    for (const endpoint of [server.pushed_authorization_request_endpoint, server.token_endpoint]) {
      const grant = { ...parameters, grant_type: 'authorization_code', code: 'x', code_verifier: 'x'.repeat(43) };
      const basic = `Basic ${Buffer.from(`${client_id}:secret`).toString('base64')}`;
      assert.equal(await refusedAt(endpoint, grant, { authorization: basic }), 'invalid_client');
      assert.equal(await refusedAt(endpoint, { ...grant, client_secret: 'secret' }), 'invalid_client');
      assert.equal(await refusedAt(endpoint, grant), 'invalid_client');
    }
  });

  test('is not believed for another server, for an endpoint, or for several', async () => {
    const { issuer, token_endpoint: token, pushed_authorization_request_endpoint: par } = server;
    for (const aud of [token, par, [issuer], [issuer, token], `${issuer}/`, 'https://other.example', undefined]) {
      await pushRefused(bent((_, payload) => { payload.aud = aud; }));
    }
  });

  test('is not believed by an assertion that was seen', async () => {
    const twice = bent((_, payload) => { payload.jti = 'the same twice'; });
    const { parameters } = await bank.request();
    await bank.push(parameters, { authentication: twice });
    await pushRefused(twice);
  });

  test('is not believed by an assertion that is old, lasts, or is from the future', async () => {
    const now = Math.floor(Date.now() / 1000);
    for (const times of [{ exp: now - 60 }, { exp: now + 3600 }, { nbf: now + 60 }, { exp: undefined }]) {
      await pushRefused(bent((_, payload) => { Object.assign(payload, times); }));
    }
  });

  test('is not believed with a key of somebody else', async () => {
    await pushRefused(oauth.PrivateKeyJwt((await newKey('ES256', keys.ES256.kid)).key));
  });
});

describe('§5.4.1 the algorithms', () => {
  test('RS256 signs no assertion', () => pushRefused(oauth.PrivateKeyJwt(keys.RS256.key)));

  test('RS256 signs no request object', async () => {
    const { parameters } = await bank.request();
    const now = Math.floor(Date.now() / 1000);
    const request = await oauth.issueRequestObject(server, bank.client, parameters, keys.RS256.key, {
      [oauth.modifyAssertion](_, payload) { Object.assign(payload, { nbf: now, exp: now + 60 }); },
    });
    const signed = { client_id: bank.client.client_id, request };
    await assert.rejects(bank.push(signed), { error: 'invalid_request_object' });
  });

  test('RS256 signs no proof', async () => {
    const DPoP = await prover('RS256');
    const { parameters } = await bank.request();
    await assert.rejects(bank.push(parameters, { DPoP }), { error: 'invalid_dpop_proof' });
    const { request, callback } = await reachCode(undefined);
    await assert.rejects(bank.redeem(callback, request, { DPoP }), { error: 'invalid_dpop_proof' });
  });

  test('RS256 signs no ID token', async () => {
    const wish = { ...settings, 'id-token-alg': 'RS256' };
    await assert.rejects(addSigner(doorlight, 'By RS256', [keys.ES256], wish), /ES256/);
  });

  test('none is no signature', () => pushRefused(bent((header) => { header.alg = 'none'; })));
});

describe('§5.3.2.1 the tokens', () => {
  test('are not issued without a proof', async () => {
    const { request, callback } = await reachCode(undefined);
    await assert.rejects(bank.redeem(callback, request), { error: 'invalid_dpop_proof' });
  });

  test('are not issued to another key than the one that was pushed with', async () => {
    const { request, callback } = await reachCode(await prover());
    const DPoP = await prover();
    await assert.rejects(bank.redeem(callback, request, { DPoP }), { error: 'invalid_grant' });
  });

  test('are not issued for another verifier', async () => {
    const DPoP = await prover();
    const { request, callback } = await reachCode(DPoP);
    const verifier = oauth.generateRandomCodeVerifier();
    await assert.rejects(bank.redeem(callback, { ...request, verifier }, { DPoP }), { error: 'invalid_grant' });
  });

  test('are not issued twice for a code, and the first ones end', async () => {
    const DPoP = await prover();
    const { request, callback } = await reachCode(DPoP);
    const tokens = await bank.redeem(callback, request, { DPoP });
    await bank.userinfo(tokens.access_token, person.id, { DPoP });
    await assert.rejects(bank.redeem(callback, request, { DPoP }), { error: 'invalid_grant' });
    await assert.rejects(bank.refresh(tokens.refresh_token, { DPoP }), { error: 'invalid_grant' });
    await assert.rejects(bank.userinfo(tokens.access_token, person.id, { DPoP }), { status: 401 });
  });

  test('are not renewed without a proof, nor by another client', async () => {
    const DPoP = await prover();
    const { request, callback } = await reachCode(DPoP);
    const { refresh_token: token } = await bank.redeem(callback, request, { DPoP });
    await assert.rejects(bank.refresh(token), { error: 'invalid_dpop_proof' });
    const rival = partyOf(
      await addSigner(doorlight, 'Rival', [keys.ES256], settings), bank.authentication,
    );
    await assert.rejects(rival.refresh(token, { DPoP }), { error: 'invalid_grant' });
    // RFC 9449 §5: a client that proves itself may change its key; what it gets then is the new key's.
    const next = await prover();
    const fresh = await bank.refresh(token, { DPoP: next });
    await assert.rejects(bank.userinfo(fresh.access_token, person.id, { DPoP }), { status: 401 });
    await bank.userinfo(fresh.access_token, person.id, { DPoP: next });
  });

  test('do not go as Bearer, nor in the address', async () => {
    const DPoP = await prover();
    const { request, callback } = await reachCode(DPoP);
    const { access_token: token } = await bank.redeem(callback, request, { DPoP });
    await assert.rejects(bank.userinfo(token, person.id), { status: 401 });
    const address = `${server.userinfo_endpoint}?access_token=${token}`;
    assert.equal((await fetch(address)).status, 401);
  });
});

test('§5.3.1.1 the password grant and the implicit one do not exist', async () => {
  for (const grant_type of ['password', 'implicit']) {
    const response = await oauth.genericTokenEndpointRequest(
      server, bank.client, bank.authentication, grant_type, { username: 'ann', password: 'x' }, INSECURE,
    );
    assert.equal((await response.json()).error, 'unsupported_grant_type');
  }
});
