// An API that knows only the issuer: express, with jsonwebtoken and jwks-rsa to check access tokens.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import express from 'express';
import jwt from 'jsonwebtoken';
import jwksClient from 'jwks-rsa';
import { startDoorlight } from './lib/doorlight.mjs';

const AUDIENCE = 'https://api.example.com/';
const ALGORITHMS = ['RS256', 'ES256'];

let doorlight;
let discovered;
let listener;
let api;
// The clock of the API, in seconds; undefined: the true one.
let clock;

before(async () => {
  doorlight = await startDoorlight();
  discovered = await (await fetch(`${doorlight.issuer}/.well-known/openid-configuration`)).json();
  const keys = jwksClient({ jwksUri: discovered.jwks_uri, cache: true });
  const app = express();
  app.get('/me', (request, response) => {
    const token = /^Bearer (.+)$/.exec(request.get('authorization') ?? '')?.[1] ?? '';
    const keyOf = (header, done) => {
      keys.getSigningKey(header.kid).then((key) => done(null, key.getPublicKey()), done);
    };
    const checks = {
      algorithms: ALGORITHMS,
      issuer: doorlight.issuer,
      audience: AUDIENCE,
      clockTimestamp: clock,
    };
    jwt.verify(token, keyOf, checks, (error, claims) => {
      if (error) response.status(401).json({ name: error.name, message: error.message });
      else response.json(claims);
    });
  });
  listener = app.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  api = `http://127.0.0.1:${listener.address().port}/me`;
});

after(async () => {
  listener?.closeAllConnections();
  listener?.close();
  await doorlight?.stop();
});

function addService(name, algorithm, audience = AUDIENCE) {
  return doorlight.addClient(name, {
    grant: 'client_credentials', 'access-token-alg': algorithm, audience,
  });
}

async function tokenOf({ client_id: id, client_secret: secret }) {
  const response = await fetch(discovered.token_endpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const answer = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer.access_token;
}

async function ask(token) {
  const response = await fetch(api, { headers: { authorization: `Bearer ${token}` } });
  return { status: response.status, body: await response.json() };
}

async function assertRefused(token, message) {
  const { status, body } = await ask(token);
  assert.equal(status, 401, JSON.stringify(body));
  assert.match(body.message, message);
}

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const decode = (part) => JSON.parse(Buffer.from(part, 'base64url').toString());

for (const algorithm of ALGORITHMS) {
  describe(`${algorithm} access tokens`, () => {
    let service;
    let token;

    before(async () => {
      service = await addService(`Service ${algorithm}`, algorithm);
      token = await tokenOf(service);
    });

    test('accepted, with the claims and the type of RFC 9068', async () => {
      const { header } = jwt.decode(token, { complete: true });
      assert.equal(header.alg, algorithm);
      assert.equal(header.typ, 'at+jwt');
      const { status, body } = await ask(token);
      assert.equal(status, 200, JSON.stringify(body));
      assert.equal(body.iss, doorlight.issuer);
      assert.equal(body.aud, AUDIENCE);
      assert.equal(body.sub, service.client_id);
      assert.equal(body.client_id, service.client_id);
      assert.ok(body.jti);
    });

    test('refused once expired', async () => {
      clock = jwt.decode(token).exp + 1;
      try {
        await assertRefused(token, /^jwt expired$/);
      } finally {
        clock = undefined;
      }
    });

    test('refused when it is for another audience, or for none but the issuer', async () => {
      const other = await addService(`Elsewhere ${algorithm}`, algorithm, 'https://other.example.com/');
      await assertRefused(await tokenOf(other), /^jwt audience invalid/);
      const none = await addService(`Nowhere ${algorithm}`, algorithm, []);
      await assertRefused(await tokenOf(none), /^jwt audience invalid/);
    });

    test('refused when its claims or its signature are not as signed', async () => {
      const [header, payload, signature] = token.split('.');
      const claims = encode({ ...decode(payload), sub: 'somebody else' });
      await assertRefused(`${header}.${claims}.${signature}`, /^invalid signature$/);
      const bytes = Buffer.from(signature, 'base64url');
      bytes[bytes.length >> 1] ^= 1;
      const bent = bytes.toString('base64url');
      await assertRefused(`${header}.${payload}.${bent}`, /^invalid signature$/);
    });

    test('refused without a signature, or under a secret made of the public key', async () => {
      const [header, payload] = token.split('.');
      const none = encode({ ...decode(header), alg: 'none' });
      await assertRefused(`${none}.${payload}.`, /^jwt signature is required$/);
      const { kid } = decode(header);
      const key = await jwksClient({ jwksUri: discovered.jwks_uri }).getSigningKey(kid);
      const signed = `${encode({ ...decode(header), alg: 'HS256' })}.${payload}`;
      const mac = createHmac('sha256', key.getPublicKey()).update(signed).digest('base64url');
      await assertRefused(`${signed}.${mac}`, /^invalid algorithm$/);
    });
  });
}

test('a token under an unknown key is refused', async () => {
  const token = await tokenOf(await addService('Service of a lost key', 'RS256'));
  const [header, payload, signature] = token.split('.');
  const unknown = encode({ ...decode(header), kid: 'lost' });
  await assertRefused(`${unknown}.${payload}.${signature}`, /Unable to find a signing key/);
});
