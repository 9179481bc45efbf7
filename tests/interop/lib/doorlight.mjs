// A real Doorlight on a free loopback port with an empty data file, and a person at a browser of a few lines.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const binary = process.env.DOORLIGHT_BIN ?? fileURLToPath(new URL("../../../target/debug/doorlight", import.meta.url));

export const PASSWORD = "correct horse battery staple";

export async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

export class Doorlight {
  /** Starts a server; `more` are further flags. */
  static async start({ issuer, more = [] } = {}) {
    const self = new Doorlight();
    self.dir = mkdtempSync(join(tmpdir(), "doorlight-interop-"));
    self.port = await freePort();
    self.issuer = issuer ?? `http://127.0.0.1:${self.port}`;
    self.flags = ["--data", join(self.dir, "doorlight.redb"), "--issuer", self.issuer];
    const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("DOORLIGHT_")));
    self.environment = { ...environment, RUST_LOG: "warn" };
    const listen = ["--listen", `127.0.0.1:${self.port}`];
    self.child = spawn(binary, ["serve", ...self.flags, ...listen, ...more], { env: self.environment, stdio: ["ignore", "ignore", "inherit"] });
    for (let i = 0; i < 600; i++) {
      const ready = await fetch(`http://127.0.0.1:${self.port}/readyz`).catch(() => null);
      if (ready?.ok) return self;
      await new Promise((done) => setTimeout(done, 50));
    }
    throw new Error("Doorlight did not become ready");
  }

  verb(...args) {
    return this.verbWith("", ...args);
  }

  verbWith(input, ...args) {
    const run = spawnSync(binary, [...args, ...this.flags, "--json"], { input, env: this.environment, encoding: "utf8" });
    if (run.status !== 0) throw new Error(`${args.join(" ")}: ${run.stderr}`);
    return run.stdout;
  }

  user(name, ...more) {
    return JSON.parse(this.verbWith(PASSWORD, "user", "add", name, "--email", `${name}@example.org`, "--password-stdin", ...more));
  }

  client(name, ...more) {
    return JSON.parse(this.verb("client", "add", name, ...more));
  }

  async stop() {
    const ended = new Promise((done) => this.child.once("exit", done));
    this.child.kill("SIGTERM");
    const code = await ended;
    rmSync(this.dir, { recursive: true, force: true });
    if (code !== 0) throw new Error(`Doorlight ended with ${code}`);
  }
}

/** A person at a browser: keeps cookies, signs in and agrees wherever Doorlight asks. */
export class Person {
  constructor(name, password = PASSWORD) {
    this.name = name;
    this.password = password;
    this.cookies = new Map();
  }

  /** Follows an address until it leads away from `issuer`, and gives the address where it leads. */
  async visit(address, issuer) {
    let at = new URL(address);
    let answer = await this.send(at);
    for (let i = 0; i < 10; i++) {
      const location = answer.headers.get("location");
      if (location) {
        at = new URL(location, at);
        if (at.origin !== new URL(issuer).origin) return at;
        answer = await this.send(at);
        continue;
      }
      const html = await answer.text();
      const form = ["/login", "/consent"].map((path) => [path, formTo(html, path)]).find(([, fields]) => fields);
      if (!form) return { html, status: answer.status, at };
      const [path, fields] = form;
      if (path === "/login") Object.assign(fields, { username: this.name, password: this.password });
      else fields.decision = "allow";
      at = new URL(path, issuer);
      answer = await this.send(at, new URLSearchParams(fields));
    }
    throw new Error(`going round in circles at ${at}`);
  }

  async send(at, body) {
    const origin = at.origin;
    const jar = this.cookies.get(origin) ?? new Map();
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { accept: "text/html", ...(cookie && { cookie }) };
    const answer = await fetch(at, { method: body ? "POST" : "GET", body, headers, redirect: "manual" });
    for (const set of answer.headers.getSetCookie()) {
      const [pair] = set.split(";");
      const cut = pair.indexOf("=");
      jar.set(pair.slice(0, cut), pair.slice(cut + 1));
    }
    this.cookies.set(origin, jar);
    return answer;
  }
}

/** The hidden fields of the form that posts to `path`. */
function formTo(html, path) {
  const form = html.split("<form").slice(1).find((part) => part.split(">")[0].includes(`action="${path}"`));
  if (!form) return null;
  const fields = {};
  for (const [input] of form.split("</form>")[0].matchAll(/<input[^>]*>/g)) {
    const attribute = (name) => unescape(input.match(new RegExp(`${name}="([^"]*)"`))?.[1] ?? "");
    if (attribute("type") === "hidden") fields[attribute("name")] = attribute("value");
  }
  return fields;
}

function unescape(text) {
  return text.replace(/&(?:#(\d+)|(amp|lt|gt|quot));/g, (_, code, name) =>
    code ? String.fromCodePoint(Number(code)) : { amp: "&", lt: "<", gt: ">", quot: '"' }[name]);
}
