// oauth4webapi: pushed and signed requests, signed answers, every key that an application may authenticate with,
// devices. Not here: bound tokens (`dpop`), all of it at once (`fapi`).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as oauth from 'oauth4webapi';
import { Browser, startDoorlight } from './lib/doorlight.mjs';
import { addSigner, newKey } from './lib/keys.mjs';
import { INSECURE, REDIRECT, RelyingParty, discover } from './lib/oauth4webapi.mjs';

const SCOPE = 'openid email offline_access';

let doorlight;
let person;
let server;
let keys;
let signer;
let secretive;

before(async () => {
  doorlight = await startDoorlight();
  person = await doorlight.addUser('ann', { email: 'ann@example.com' });
  server = await discover(doorlight);
  keys = {};
  for (const alg of ['RS256', 'PS256', 'ES256', 'Ed25519']) keys[alg] = await newKey(alg);
  const settings = {
    'redirect-uri': REDIRECT, scope: SCOPE, grant: 'authorization_code,refresh_token,client_credentials',
  };
  const registered = await addSigner(doorlight, 'Signer', Object.values(keys), settings);
  signer = new RelyingParty(server, registered, oauth.PrivateKeyJwt(keys.ES256.key), { scope: SCOPE });
  const other = await doorlight.addClient('Secretive', settings);
  const secret = oauth.ClientSecretPost(other.client_secret);
  secretive = new RelyingParty(server, other, secret, { scope: SCOPE });
});

after(() => doorlight?.stop());

const ann = () => new Browser({ username: 'ann' });

describe('client authentication', () => {
  for (const alg of ['RS256', 'PS256', 'ES256', 'Ed25519']) {
    test(`private_key_jwt with ${alg}`, async () => {
      const authentication = oauth.PrivateKeyJwt(keys[alg].key);
      assert.ok((await signer.ownToken({ authentication })).access_token);
    });
  }

  test('private_key_jwt with EdDSA, the older name of Ed25519', async () => {
    const authentication = oauth.PrivateKeyJwt(keys.Ed25519.key, {
      [oauth.modifyAssertion](header) { header.alg = 'EdDSA'; },
    });
    assert.ok((await signer.ownToken({ authentication })).access_token);
  });

  test('a key that is not registered is refused', async () => {
    const stranger = await newKey('ES256');
    const authentication = oauth.PrivateKeyJwt(stranger.key);
    await assert.rejects(signer.ownToken({ authentication }), { error: 'invalid_client' });
  });

  test('client_secret_jwt, and a wrong secret', async () => {
    const made = await doorlight.addClient('By MAC', {
      'auth-method': 'client_secret_jwt', grant: 'client_credentials',
    });
    const party = new RelyingParty(server, made, oauth.ClientSecretJwt(made.client_secret));
    assert.ok((await party.ownToken()).access_token);
    const authentication = oauth.ClientSecretJwt('another secret of the right length, at least');
    await assert.rejects(party.ownToken({ authentication }), { error: 'invalid_client' });
  });

  test('an assertion is good once', async () => {
    const authentication = oauth.PrivateKeyJwt(keys.ES256.key, {
      [oauth.modifyAssertion](_, payload) { payload.jti = 'the same twice'; },
    });
    await signer.ownToken({ authentication });
    await assert.rejects(signer.ownToken({ authentication }), { error: 'invalid_client' });
  });
});

describe('pushed authorization requests', () => {
  test('by a secret and by a key', async () => {
    for (const party of [secretive, signer]) {
      const carry = (parameters) => party.push(parameters);
      const { claims } = await party.signIn(ann(), { carry });
      assert.equal(claims.sub, person.id);
    }
  });

  test('a bad one is refused where it is pushed', async () => {
    const { parameters } = await signer.request({ redirect_uri: 'https://elsewhere.example/' });
    await assert.rejects(signer.push(parameters), { status: 400 });
  });

  test('another application cannot use it', async () => {
    const { parameters } = await signer.request();
    const { request_uri } = await signer.push(parameters);
    const url = secretive.url({ client_id: secretive.client.client_id, request_uri });
    const page = await ann().get(url);
    assert.equal(page.status, 400, page.body);
  });
});

describe('request objects by value', () => {
  for (const alg of ['RS256', 'PS256', 'ES256', 'Ed25519']) {
    test(`signed with ${alg}`, async () => {
      const carry = (parameters) => signer.sign(parameters, keys[alg].key);
      const { claims } = await signer.signIn(ann(), { carry });
      assert.equal(claims.sub, person.id);
    });
  }

  test('pushed', async () => {
    const carry = async (parameters) => signer.push(await signer.sign(parameters, keys.ES256.key));
    assert.equal((await signer.signIn(ann(), { carry })).claims.sub, person.id);
  });

  test('signed by a stranger: an error for the address outside', async () => {
    const stranger = await newKey('ES256');
    const { parameters, state } = await signer.request();
    const signed = await signer.sign(parameters, stranger.key);
    const outside = { redirect_uri: REDIRECT, response_type: 'code', scope: 'openid', state };
    const page = await ann().authorize(signer.url({ ...outside, ...signed }), { until: REDIRECT });
    await assert.rejects(signer.returned(page, { state }), { error: 'invalid_request_object' });
  });
});

describe('signed answers (JARM)', () => {
  for (const mode of ['jwt', 'query.jwt', 'form_post.jwt']) {
    test(`response_mode=${mode}`, async () => {
      const { claims, page } = await signer.signIn(ann(), { more: { response_mode: mode } });
      assert.equal(claims.sub, person.id);
      const there = page.posted ?? new URL(page.url).searchParams;
      assert.deepEqual([...there.keys()], ['response']);
      assert.equal(page.posted !== undefined, mode === 'form_post.jwt');
    });
  }

  test('an error is signed too', async () => {
    const request = await signer.request({ response_mode: 'jwt', prompt: 'none' });
    const page = await new Browser().authorize(signer.url(request.parameters), { until: REDIRECT });
    assert.deepEqual([...new URL(page.url).searchParams.keys()], ['response']);
    await assert.rejects(signer.returned(page, request), { error: 'login_required' });
  });

  test('one for another application is not believed', async () => {
    const request = await signer.request({ response_mode: 'jwt' });
    const page = await ann().authorize(signer.url(request.parameters), { until: REDIRECT });
    await assert.rejects(secretive.returned(page, request), /aud/);
  });
});

test('form_post without a signature', async () => {
  const { claims, page } = await secretive.signIn(ann(), { more: { response_mode: 'form_post' } });
  assert.equal(claims.sub, person.id);
  assert.ok(page.posted.has('code'));
});

test('a device that signs: pending, too fast, then let in', async () => {
  const registered = await addSigner(doorlight, 'Printer', [keys.ES256], {
    grant: 'device_code,refresh_token', scope: SCOPE,
  });
  const { client, authentication } = new RelyingParty(server, registered, signer.authentication);
  const started = await oauth.deviceAuthorizationRequest(
    server, client, authentication, { scope: SCOPE }, INSECURE,
  );
  const device = await oauth.processDeviceAuthorizationResponse(server, client, started);
  const poll = async () => {
    const response = await oauth.deviceCodeGrantRequest(
      server, client, authentication, device.device_code, INSECURE,
    );
    return oauth.processDeviceCodeResponse(server, client, response);
  };
  // Both at once: however slow this machine is, there is no interval between them.
  const polled = await Promise.allSettled([poll(), poll()]);
  assert.deepEqual(polled.map(({ reason }) => reason?.error).sort(), ['authorization_pending', 'slow_down']);
  const browser = ann();
  const typing = await browser.authorize(device.verification_uri_complete);
  const confirm = await browser.submit(typing, 'user_code', { user_code: device.user_code });
  await browser.submit(confirm, 'decision', { decision: 'allow' });
  // RFC 8628 §3.5: slow_down added five seconds.
  await new Promise((resolve) => { setTimeout(resolve, (device.interval + 5) * 1000 + 200); });
  const tokens = await poll();
  assert.equal(oauth.getValidatedIdTokenClaims(tokens).sub, person.id);
  assert.ok(tokens.refresh_token);
});
