// The configurations that packaging/ offers for nginx and Caddy, run as they are: only ports, names and certificate
// are exchanged. A whole sign-in through each, from an address that only the proxy can tell Doorlight.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Doorlight, answers, freePort, until } from "../browser/support.mjs";

const PACKAGING = fileURLToPath(new URL("../../packaging/", import.meta.url));
const NAME = "anna";
const PASSWORD = "lantern-over-wet-cobbles";
const REDIRECT = "https://notes.example.org/callback";
/** Where the browser stands: not where the proxy stands. */
const HERE = "127.0.0.2";

let folder;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "doorlight-proxies-"));
  chmodSync(folder, 0o755);
  execFileSync("openssl", [
    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
    "-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem"),
  ], { stdio: "pipe" });
});

after(() => rmSync(folder, { recursive: true, force: true }));

/** Exchanges pieces of a configuration; each must be there. */
function exchanged(text, pieces) {
  for (const [from, to] of pieces) {
    assert.ok(text.includes(from), `the configuration says: ${from}`);
    text = text.replaceAll(from, to);
  }
  return text;
}

const PROXIES = [
  {
    name: "nginx",
    /** Debian's nginx reads conf.d inside http { }; so does this. */
    start({ https, http, upstream }) {
      const site = exchanged(readFileSync(join(PACKAGING, "nginx/doorlight.conf"), "utf8"), [
        ["    listen [::]:80;\n", ""],
        ["    listen [::]:443 ssl;\n", ""],
        ["listen 80;", `listen 127.0.0.1:${http};`],
        ["listen 443 ssl", `listen 127.0.0.1:${https} ssl`],
        ["return 301 https://id.example.org", `return 301 https://localhost:${https}`],
        ["server_name id.example.org;", "server_name localhost;"],
        ["/etc/ssl/id.example.org.crt", join(folder, "cert.pem")],
        ["/etc/ssl/id.example.org.key", join(folder, "key.pem")],
        ["127.0.0.1:8080", `127.0.0.1:${upstream}`],
      ]);
      const home = join(folder, "nginx");
      mkdirSync(home);
      writeFileSync(join(home, "doorlight.conf"), site);
      const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map((what) => `${what}_temp_path ${join(home, what)};`).join("\n");
      writeFileSync(join(home, "nginx.conf"), `
        daemon off;
        ${process.getuid() === 0 ? "user root;" : ""}
        worker_processes 1;
        pid ${join(home, "nginx.pid")};
        error_log stderr warn;
        events { worker_connections 64; }
        http {
          access_log off;
          ${temporary}
          include ${join(home, "doorlight.conf")};
        }
      `);
      return spawn("/usr/sbin/nginx", ["-c", join(home, "nginx.conf"), "-p", home, "-e", "stderr"]);
    },
  },
  {
    name: "caddy",
    start({ https, http, upstream }) {
      const site = exchanged(readFileSync(join(PACKAGING, "caddy/Caddyfile"), "utf8"), [
        ["id.example.org {", `localhost {\n\tbind 127.0.0.1\n\ttls ${join(folder, "cert.pem")} ${join(folder, "key.pem")}`],
        ["reverse_proxy 127.0.0.1:8080", `reverse_proxy 127.0.0.1:${upstream}`],
      ]);
      const home = join(folder, "caddy");
      mkdirSync(home);
      const file = join(home, "Caddyfile");
      writeFileSync(file, `{\n\tadmin off\n\thttp_port ${http}\n\thttps_port ${https}\n}\n${site}`);
      return spawn("caddy", ["run", "--config", file, "--adapter", "caddyfile"], {
        env: { ...process.env, HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home },
      });
    },
  },
];

/** A browser as simple as possible: keeps cookies, follows nothing by itself, comes from `HERE`. */
class Client {
  cookies = new Map();
  received = [];

  async send(url, { form, headers = {}, from = HERE } = {}) {
    const target = new URL(url);
    const body = form && new URLSearchParams(form).toString();
    const secure = target.protocol === "https:";
    const request = (secure ? httpsRequest : httpRequest)(target, {
      method: form ? "POST" : "GET",
      host: "127.0.0.1",
      servername: "localhost",
      localAddress: from,
      agent: false,
      ...(secure && { ca: readFileSync(join(folder, "cert.pem")) }),
      headers: {
        Host: target.host,
        ...(this.cookies.size && { Cookie: [...this.cookies].map((pair) => pair.join("=")).join("; ") }),
        ...(body !== undefined && {
          "Content-Type": "application/x-www-form-urlencoded",
          "Content-Length": Buffer.byteLength(body),
          Origin: target.origin,
        }),
        ...headers,
      },
    });
    request.end(body);
    const [response] = await once(request, "response");
    response.setEncoding("utf8");
    let text = "";
    for await (const part of response) text += part;
    for (const cookie of response.headers["set-cookie"] ?? []) {
      this.received.push(cookie);
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      this.cookies.set(name, value);
    }
    const location = response.headers.location && new URL(response.headers.location, target);
    return { status: response.statusCode, headers: response.headers, location, text };
  }
}

/** The hidden fields of the form that posts to a path. */
function fields(html, path) {
  const form = [...html.matchAll(/<form[^>]*action="([^"]*)"[^>]*>(.*?)<\/form>/gs)].find(([, action]) => action === path);
  assert.ok(form, `a form for ${path} in ${html}`);
  const plain = (text) => text.replaceAll(/&#(\d+);/g, (_, code) => String.fromCodePoint(code)).replaceAll("&quot;", '"')
    .replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
  return Object.fromEntries(
    [...form[2].matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(([, name, value]) => [name, plain(value)]),
  );
}

for (const proxy of PROXIES) {
  describe(proxy.name, () => {
    let server;
    let process;
    let ports;
    let said = "";

    before(async () => {
      ports = { https: await freePort(), http: await freePort() };
      server = await Doorlight.start({
        issuer: `https://localhost:${ports.https}`,
        args: ["--trusted-proxy", "127.0.0.1/32"],
      });
      process = proxy.start({ ...ports, upstream: server.port });
      process.stdout.resume();
      process.stderr.setEncoding("utf8").on("data", (text) => { said += text; });
      await until(proxy.name, async () => {
        assert.equal(process.exitCode, null, said);
        return await answers(ports.https) && await answers(ports.http);
      });
      await server.verb(["user", "add", NAME, "--email", "anna@example.org", "--admin", "--password-stdin"], PASSWORD);
    });

    after(async () => {
      if (process?.exitCode === null) {
        process.kill("SIGTERM");
        await once(process, "close");
      }
      await server?.stop();
    });

    const signIns = async () =>
      (await server.verb(["audit", "--kind", "sign_in", "--limit", "1"]))[0];

    test("discovery names the public address", async () => {
      const { status, text } = await new Client().send(`${server.issuer}/.well-known/openid-configuration`);
      assert.equal(status, 200);
      const document = JSON.parse(text);
      assert.equal(document.issuer, server.issuer);
      for (const endpoint of ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"]) {
        assert.ok(document[endpoint].startsWith(`${server.issuer}/`), document[endpoint]);
      }
    });

    test("http leads to https, with path and query", async () => {
      const { status, location } = await new Client().send(`http://localhost:${ports.http}/authorize?a=b&c=%20d`);
      assert.ok([301, 308].includes(status), String(status));
      assert.equal(location.pathname + location.search, "/authorize?a=b&c=%20d");
      assert.equal(location.protocol, "https:");
      assert.equal(location.hostname, "localhost");
    });

    test("a page has nothing to complain about", async () => {
      const { status, text, headers } = await new Client().send(`${server.issuer}/`);
      assert.equal(status, 200);
      assert.doesNotMatch(text, /class="notice/);
      assert.ok(headers["content-security-policy"]);
    });

    test("a whole sign-in", async () => {
      const [client] = await server.verb(["client", "add", "Notes", "--redirect-uri", REDIRECT]);
      const browser = new Client();
      const verifier = randomBytes(32).toString("base64url");
      const query = new URLSearchParams({
        response_type: "code", client_id: client.client_id, redirect_uri: REDIRECT, scope: "openid email",
        state: "a state", nonce: "n", code_challenge_method: "S256",
        code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      });
      // Through whatever stands between, up to the page that asks.
      const follow = async (response) => {
        while (response.location && response.location.origin === server.issuer) {
          response = await browser.send(response.location);
        }
        return response;
      };
      const asks = await follow(await browser.send(`${server.issuer}/authorize?${query}`));
      assert.equal(asks.status, 200, asks.text);
      const consent = await follow(await browser.send(`${server.issuer}/login`, {
        form: { ...fields(asks.text, "/login"), username: NAME, password: PASSWORD },
      }));
      assert.equal(consent.status, 200, consent.text);
      const { location } = await follow(await browser.send(`${server.issuer}/consent`, {
        form: { ...fields(consent.text, "/consent"), decision: "allow" },
      }));
      assert.equal(location.origin + location.pathname, REDIRECT);
      assert.equal(location.searchParams.get("state"), "a state");
      assert.equal(location.searchParams.get("iss"), server.issuer);

      const token = await browser.send(`${server.issuer}/token`, {
        form: {
          grant_type: "authorization_code", code: location.searchParams.get("code"), redirect_uri: REDIRECT,
          code_verifier: verifier,
        },
        headers: {
          Authorization: `Basic ${Buffer.from(`${client.client_id}:${client.client_secret}`).toString("base64")}`,
        },
      });
      assert.equal(token.status, 200, token.text);
      const { access_token, id_token } = JSON.parse(token.text);
      assert.equal(JSON.parse(Buffer.from(id_token.split(".")[1], "base64url")).iss, server.issuer);
      const about = await browser.send(`${server.issuer}/userinfo`, { headers: { Authorization: `Bearer ${access_token}` } });
      assert.equal(JSON.parse(about.text).email, "anna@example.org");

      const session = browser.received.find((cookie) => cookie.startsWith("__Host-doorlight="));
      assert.ok(session, browser.received.map((cookie) => cookie.split("=")[0]).join(", "));
      for (const attribute of [/; Secure(;|$)/, /; HttpOnly(;|$)/, /; Path=\/(;|$)/]) assert.match(session, attribute);
      assert.doesNotMatch(session, /Domain=/i);
      assert.equal((await signIns()).address, HERE, "the audit log knows where the browser stands");
    });

    test("nobody can say that they come from elsewhere", async () => {
      const browser = new Client();
      const from = "127.0.0.3";
      const headers = { "X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "http", Forwarded: "for=198.51.100.7" };
      const asks = await browser.send(`${server.issuer}/login`, { from, headers });
      await browser.send(`${server.issuer}/login`, {
        from, headers, form: { ...fields(asks.text, "/login"), username: NAME, password: PASSWORD },
      });
      const event = await signIns();
      assert.equal(event.outcome, "success");
      assert.equal(event.address, from);
    });
  });
}
