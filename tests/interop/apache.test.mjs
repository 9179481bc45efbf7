// Apache httpd with mod_auth_openidc protects a page: a client in C that nobody here wrote.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Doorlight, Person, freePort } from "./lib/doorlight.mjs";

const modules = "/usr/lib/apache2/modules";
let server, apache, folder, site;

before(async () => {
  server = await Doorlight.start();
  server.user("alice", "--group", "family");
  const port = await freePort();
  site = `http://127.0.0.1:${port}`;
  const client = server.client("Page", "--redirect-uri", `${site}/secret/callback`, "--post-logout-redirect-uri", `${site}/`);
  folder = mkdtempSync(join(tmpdir(), "doorlight-apache-"));
  mkdirSync(join(folder, "htdocs/secret"), { recursive: true });
  writeFileSync(join(folder, "htdocs/secret/index.html"), "the protected page");
  writeFileSync(join(folder, "htdocs/index.html"), "anyone's page");
  const load = (name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`;
  writeFileSync(join(folder, "httpd.conf"), `
${["mpm_event", "authn_core", "authz_core", "authz_user", "dir", "mime", "headers", "auth_openidc"].map(load).join("\n")}
ServerRoot ${folder}
ServerName 127.0.0.1
Listen 127.0.0.1:${port}
PidFile ${folder}/httpd.pid
Mutex file:${folder} default
ErrorLog ${folder}/error.log
TypesConfig /etc/mime.types
DocumentRoot ${folder}/htdocs
DirectoryIndex index.html
${process.getuid() === 0 ? "User www-data\nGroup www-data" : ""}
OIDCProviderMetadataURL ${server.issuer}/.well-known/openid-configuration
OIDCClientID ${client.client_id}
OIDCClientSecret ${client.client_secret}
OIDCRedirectURI ${site}/secret/callback
OIDCCryptoPassphrase 0123456789abcdef0123456789abcdef
OIDCScope "openid email groups"
OIDCPKCEMethod S256
OIDCRemoteUserClaim email
OIDCSSLValidateServer Off
<Location /secret>
  AuthType openid-connect
  # A script here plays the browser: it is sent to sign in like one.
  OIDCUnAuthAction auth true
  Require valid-user
  Header always set X-Seen-User "expr=%{REMOTE_USER}"
  Header always set X-Seen-Groups "expr=%{HTTP:OIDC_CLAIM_groups}"
</Location>
`);
  spawn("chmod", ["-R", "a+rwX", folder]).on("exit", () => {});
  await new Promise((done) => setTimeout(done, 200));
  apache = spawn("/usr/sbin/apache2", ["-f", join(folder, "httpd.conf"), "-DFOREGROUND"], { stdio: "inherit" });
  for (let i = 0; i < 200; i++) {
    const up = await fetch(site).catch(() => null);
    if (up?.ok) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`Apache did not start: ${readFileSync(join(folder, "error.log"), "utf8")}`);
});

after(async () => {
  const ended = new Promise((done) => apache.once("exit", done));
  apache.kill("SIGTERM");
  await ended;
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("a person signs in to the protected page, is known there, and signs out", async () => {
  const person = new Person("alice");
  const first = await person.send(new URL("/secret/", site));
  assert.equal(first.status, 302);
  const back = await person.visit(first.headers.get("location"), server.issuer);
  const arrived = await person.send(back);
  assert.equal(arrived.status, 302, await arrived.clone().text());
  const page = await person.send(new URL(arrived.headers.get("location")));
  assert.equal(await page.text(), "the protected page");
  assert.equal(page.headers.get("x-seen-user"), "alice@example.org");
  assert.equal(page.headers.get("x-seen-groups"), "family");

  const out = await person.send(new URL(`/secret/callback?logout=${encodeURIComponent(`${site}/`)}`, site));
  const home = await person.visit(out.headers.get("location"), server.issuer);
  assert.equal(home.href, `${site}/`);
  const again = await person.send(new URL("/secret/", site));
  assert.equal(again.status, 302);
});
