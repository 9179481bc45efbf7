// An API made of express, jsonwebtoken and jwks-rsa accepts our tokens and nothing else.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import express from "express";
import jwt from "jsonwebtoken";
import jwksRsa from "jwks-rsa";
import { Doorlight } from "./lib/doorlight.mjs";

const audience = "https://api.example";
let server, api, address;
let later = 0;

before(async () => {
  server = await Doorlight.start();
  const keys = jwksRsa({ jwksUri: `${server.issuer}/jwks.json`, cache: true });
  const key = (header, done) => keys.getSigningKey(header.kid).then((found) => done(null, found.getPublicKey()), done);
  const app = express();
  app.get("/", (request, response) => {
    const token = (request.headers.authorization ?? "").replace(/^Bearer /, "");
    const clockTimestamp = Math.floor(Date.now() / 1000) + later;
    const rules = { issuer: server.issuer, audience, algorithms: ["RS256", "ES256"], clockTimestamp };
    jwt.verify(token, key, rules, (error, claims) => (error ? response.status(401).json({ error: error.message }) : response.json(claims)));
  });
  await new Promise((done) => (api = app.listen(0, "127.0.0.1", done)));
  address = `http://127.0.0.1:${api.address().port}/`;
});

after(async () => {
  await new Promise((done) => api.close(done));
  await server.stop();
});

async function token(name, ...more) {
  const client = server.client(name, "--grant", "client_credentials", ...more);
  const basic = Buffer.from(`${client.client_id}:${client.client_secret}`).toString("base64");
  const answer = await fetch(`${server.issuer}/token`, {
    method: "POST", headers: { authorization: `Basic ${basic}` }, body: new URLSearchParams({ grant_type: "client_credentials" }),
  });
  return (await answer.json()).access_token;
}

function call(bearer) {
  return fetch(address, { headers: { authorization: `Bearer ${bearer}` } });
}

for (const algorithm of ["RS256", "ES256"]) {
  test(`${algorithm}: a good token is accepted; expired, foreign, tampered and unsigned ones are not`, async () => {
    const good = await token(`Good ${algorithm}`, "--audience", audience, "--access-token-alg", algorithm);
    const answer = await call(good);
    assert.equal(answer.status, 200);
    assert.equal((await answer.json()).iss, server.issuer);
    assert.equal(jwt.decode(good, { complete: true }).header.alg, algorithm);

    later = 3600;
    assert.match((await (await call(good)).json()).error, /expired/);
    later = 0;

    const foreign = await token(`Foreign ${algorithm}`, "--audience", "https://other.example", "--access-token-alg", algorithm);
    assert.match((await (await call(foreign)).json()).error, /audience/);

    const [head, payload, signature] = good.split(".");
    const claims = JSON.parse(Buffer.from(payload, "base64url"));
    const changed = Buffer.from(JSON.stringify({ ...claims, scope: "admin" })).toString("base64url");
    assert.equal((await call(`${head}.${changed}.${signature}`)).status, 401);

    const none = Buffer.from(JSON.stringify({ ...jwt.decode(good, { complete: true }).header, alg: "none" })).toString("base64url");
    assert.equal((await call(`${none}.${payload}.`)).status, 401);
  });
}
