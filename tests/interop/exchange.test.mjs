// Token exchange (RFC 8693) with two libraries: a person's application calls one service, which calls another in that
// person's name. The last service validates what it is sent with `jose`, as any resource server would.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { Browser, startDoorlight } from './lib/doorlight.mjs';
import { addSigner, newKey } from './lib/keys.mjs';
import { INSECURE, REDIRECT, RelyingParty, discover } from './lib/oauth4webapi.mjs';

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS = 'urn:ietf:params:oauth:token-type:access_token';
const FRONT = 'https://front.example/api';
const BACK = 'https://back.example/api';

let doorlight;
let server;
let keys;
let app;
let front;
let stranger;
let subject;

before(async () => {
  doorlight = await startDoorlight();
  await doorlight.addUser('ann', { email: 'ann@example.com' });
  server = await discover(doorlight);
  const registered = await doorlight.addClient('App', {
    'redirect-uri': REDIRECT, scope: 'openid notes:read notes:write',
  });
  app = new RelyingParty(server, registered, oauth.ClientSecretBasic(registered.client_secret), {
    scope: 'openid notes:read',
  });
  const key = await newKey('ES256');
  keys = createRemoteJWKSet(new URL(server.jwks_uri));
  const settings = { grant: 'client_credentials,token_exchange', scope: 'notes:read notes:write' };
  const service = await addSigner(doorlight, 'Front', [key], settings);
  front = new RelyingParty(server, service, oauth.PrivateKeyJwt(key.key));
  const other = await doorlight.addClient('Stranger', settings);
  stranger = new RelyingParty(server, other, oauth.ClientSecretPost(other.client_secret));
  const resource = (identifier, ...more) => doorlight.run(['resource', 'add', identifier, ...more]);
  await resource(FRONT, '--client', registered.client_id, '--server', service.client_id);
  await resource(BACK, '--client', service.client_id);
  const { tokens } = await app.signIn(new Browser({ username: 'ann' }), { more: { resource: FRONT } });
  subject = tokens.access_token;
});

after(() => doorlight?.stop());

/** Exchanges as one service; the library checks the answer. */
async function exchange(party, parameters) {
  const response = await oauth.genericTokenEndpointRequest(
    server, party.client, party.authentication, GRANT,
    { subject_token: subject, subject_token_type: ACCESS, ...parameters }, INSECURE,
  );
  return oauth.processGenericTokenEndpointResponse(server, party.client, response);
}

const atBack = (token) => jwtVerify(token, keys, { issuer: doorlight.issuer, audience: BACK, typ: 'at+jwt' });

describe('token exchange', () => {
  test('oauth4webapi gets a token for the next service, which knows for whom and by whom', async () => {
    const answer = await exchange(front, { resource: BACK });
    assert.equal(answer.issued_token_type, ACCESS);
    assert.equal(answer.token_type, 'bearer');
    assert.equal(answer.refresh_token, undefined);
    const { payload } = await atBack(answer.access_token);
    const { payload: before } = await jwtVerify(subject, keys, { audience: FRONT });
    assert.equal(payload.sub, before.sub);
    assert.equal(payload.client_id, front.client.client_id);
    assert.equal(payload.act.sub, front.client.client_id);
    assert.equal(payload.scope, 'notes:read');
    assert.ok(payload.exp <= before.exp);
    await assert.rejects(jwtVerify(answer.access_token, keys, { audience: FRONT }));
  });

  test('openid-client does the same', async () => {
    const made = await doorlight.addClient('Second', {
      grant: 'client_credentials,token_exchange', scope: 'notes:read',
    });
    await doorlight.run(['resource', 'edit', FRONT, '--server', front.client.client_id, '--server', made.client_id]);
    await doorlight.run(['resource', 'edit', BACK, '--client', front.client.client_id, '--client', made.client_id]);
    const configuration = await client.discovery(
      new URL(doorlight.issuer), made.client_id, undefined, client.ClientSecretPost(made.client_secret),
      { execute: [client.allowInsecureRequests] },
    );
    const answer = await client.genericGrantRequest(configuration, GRANT, {
      subject_token: subject, subject_token_type: ACCESS, audience: BACK,
    });
    const { payload } = await atBack(answer.access_token);
    assert.equal(payload.act.sub, made.client_id);
  });

  test('nobody else exchanges that token, and nobody for more', async () => {
    await assert.rejects(exchange(stranger, { resource: BACK }), { error: 'invalid_request' });
    await assert.rejects(exchange(front, { resource: 'https://elsewhere.example' }), { error: 'invalid_target' });
    await assert.rejects(exchange(front, { resource: BACK, scope: 'notes:write' }), { error: 'invalid_scope' });
    await assert.rejects(exchange(app, { resource: BACK }), { error: 'unauthorized_client' });
    await assert.rejects(
      exchange(front, { resource: BACK, requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }),
      { error: 'invalid_request' },
    );
  });

  test('what came of a token ends with it', async () => {
    const answer = await exchange(front, { resource: BACK });
    const response = await oauth.revocationRequest(
      server, app.client, app.authentication, subject, INSECURE,
    );
    await oauth.processRevocationResponse(response);
    const asked = await oauth.introspectionRequest(
      server, front.client, front.authentication, answer.access_token, INSECURE,
    );
    const { active } = await oauth.processIntrospectionResponse(server, front.client, asked);
    assert.equal(active, false);
    await assert.rejects(exchange(front, { resource: BACK }), { error: 'invalid_request' });
  });
});
