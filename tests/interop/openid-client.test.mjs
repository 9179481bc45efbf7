// The certified client library for Node drives the whole life of a sign-in.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as oidc from "openid-client";
import { Doorlight, Person } from "./lib/doorlight.mjs";

const redirect = "https://app.example/callback";
const bye = "https://app.example/bye";
let server, config, made;

before(async () => {
  server = await Doorlight.start();
  server.user("alice", "--group", "family");
  made = server.client("App", "--redirect-uri", redirect, "--post-logout-redirect-uri", bye,
    "--grant", "authorization_code,refresh_token,client_credentials", "--may-introspect");
  config = await discover(oidc.ClientSecretBasic(made.client_secret));
});

after(() => server.stop());

function discover(authentication) {
  return oidc.discovery(new URL(server.issuer), made.client_id, undefined, authentication, {
    execute: [oidc.allowInsecureRequests],
  });
}

async function signIn(scope) {
  const verifier = oidc.randomPKCECodeVerifier();
  const checks = { pkceCodeVerifier: verifier, expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce() };
  const address = oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirect,
    scope,
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  });
  const back = await new Person("alice").visit(address, server.issuer);
  return oidc.authorizationCodeGrant(config, back, checks);
}

test("code with PKCE, nonce, state and iss, then userinfo", async () => {
  const tokens = await signIn("openid email groups");
  const claims = tokens.claims();
  const info = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
  assert.equal(info.email, "alice@example.org");
  assert.deepEqual(info.groups, ["family"]);
  assert.equal(tokens.refresh_token, undefined);
});

test("refresh rotates, and a replayed token ends the family", async () => {
  const tokens = await signIn("openid offline_access");
  const second = await oidc.refreshTokenGrant(config, tokens.refresh_token);
  assert.notEqual(second.refresh_token, tokens.refresh_token);
  const third = await oidc.refreshTokenGrant(config, second.refresh_token);
  await assert.rejects(oidc.refreshTokenGrant(config, tokens.refresh_token), { error: "invalid_grant" });
  await assert.rejects(oidc.refreshTokenGrant(config, third.refresh_token), { error: "invalid_grant" });
});

test("client credentials by Basic and by post", async () => {
  for (const authentication of [oidc.ClientSecretBasic, oidc.ClientSecretPost]) {
    const tokens = await oidc.clientCredentialsGrant(await discover(authentication(made.client_secret)));
    assert.equal(tokens.token_type, "bearer");
    assert.equal(tokens.refresh_token, undefined);
  }
});

test("introspection and revocation", async () => {
  const tokens = await signIn("openid offline_access");
  assert.equal((await oidc.tokenIntrospection(config, tokens.access_token)).active, true);
  await oidc.tokenRevocation(config, tokens.refresh_token);
  assert.equal((await oidc.tokenIntrospection(config, tokens.access_token)).active, false);
});

test("sign-out by the application returns to it", async () => {
  const tokens = await signIn("openid");
  const address = oidc.buildEndSessionUrl(config, {
    id_token_hint: tokens.id_token, post_logout_redirect_uri: bye, state: "over",
  });
  const back = await new Person("alice").visit(address, server.issuer);
  assert.equal(back.href, `${bye}?state=over`);
});
