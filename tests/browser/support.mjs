// What the browser tests stand on: a server with a data file of its own, an application's callback address, and a
// Chromium whose every page is watched.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { connect, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BIN = process.env.DOORLIGHT_BIN ?? join(ROOT, "target/debug/doorlight");
const SCREENSHOTS = join(ROOT, "target/screenshots");
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Node modules are those of the real clients, unless DOORLIGHT_NODE_MODULES names another folder with node_modules. */
export function module(name) {
  const from = process.env.DOORLIGHT_NODE_MODULES
    ? join(process.env.DOORLIGHT_NODE_MODULES, "package.json")
    : join(ROOT, "tests/interop/package.json");
  return createRequire(from)(name);
}

/** The sizes and schemes that every page is looked at in. */
export const LOOKS = [
  { width: 1280, height: 800, scheme: "light" },
  { width: 1280, height: 800, scheme: "dark" },
  { width: 360, height: 740, scheme: "light" },
  { width: 360, height: 740, scheme: "dark" },
];

/** How long to wait for what comes in a moment: a slow machine that does something else too is no fault of anybody's. */
export const PATIENCE_S = 120;

const given = new Set();

/**
 * A port that nothing listens on, and that nobody gets by chance before it is used: Linux gives those from 32768 on to
 * whoever connects.
 */
export async function freePort() {
  for (;;) {
    const port = 10_000 + randomInt(20_000);
    if (given.has(port)) continue;
    const server = createTcpServer();
    server.listen(port, "127.0.0.1");
    const free = await once(server, "listening").then(() => true, () => false);
    if (!free) continue;
    server.close();
    await once(server, "close");
    given.add(port);
    return port;
  }
}

/** Whether something listens there. */
export function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => { socket.destroy(); resolve(true); });
    socket.on("error", () => resolve(false));
  });
}

export async function until(what, ready, seconds = PATIENCE_S) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    if (await ready()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`waited ${seconds} s for ${what}`);
}

/**
 * A running server. `issuer` may name a proxy in front of it; `enough` says when one that is not ready is given up. It is
 * killed then.
 */
export class Doorlight {
  static async start({ issuer, args = [], bin = BIN, enough = () => false } = {}) {
    const self = new Doorlight();
    self.folder = mkdtempSync(join(tmpdir(), "doorlight-test-"));
    self.data = join(self.folder, "doorlight.redb");
    self.port = await freePort();
    self.address = `http://localhost:${self.port}`;
    self.issuer = issuer ?? self.address;
    self.child = spawn(
      bin,
      ["serve", "--data", self.data, "--listen", `127.0.0.1:${self.port}`, "--issuer", self.issuer, ...args],
      { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, RUST_LOG: "warn" } },
    );
    let broken;
    self.child.on("error", (error) => { broken = error; });
    self.said = "";
    self.child.stderr.setEncoding("utf8").on("data", (text) => { self.said += text; });
    self.lines = [];
    createInterface({ input: self.child.stdout }).on("line", (line) => self.lines.push(line.trim()));
    try {
      await until("the server", async () => {
        if (broken) throw broken;
        if (self.child.pid !== undefined && self.ended()) throw new Error(`the server ended: ${self.said}`);
        const signal = AbortSignal.timeout(10_000);
        const url = `http://127.0.0.1:${self.port}/readyz`;
        const ready = await fetch(url, { signal }).then((r) => r.status === 200, () => false);
        if (!ready && enough()) throw new Error("the server is not ready");
        return ready;
      });
    } catch (error) {
      // Nobody holds it, so nobody else would ever end it.
      await self.stop("SIGKILL");
      throw error;
    }
    return self;
  }

  /** The link on standard output of a first start. */
  async setupLink() {
    const link = () => this.lines.find((line) => line.startsWith(this.issuer));
    await until("the setup link", () => link() !== undefined);
    return link();
  }

  /** How often it has begun to serve. */
  starts() {
    return this.lines.filter((line) => line.startsWith("Doorlight is at ")).length;
  }

  /** Runs a verb beside the server; parses its JSON. */
  async verb(args, input = "") {
    const child = spawn(BIN, [...args, "--data", this.data, "--issuer", this.issuer, "--json"], { stdio: "pipe" });
    let out = "";
    let err = "";
    child.stdout.setEncoding("utf8").on("data", (text) => { out += text; });
    child.stderr.setEncoding("utf8").on("data", (text) => { err += text; });
    child.stdin.on("error", () => {}); // a verb that reads nothing may end first
    child.stdin.end(input);
    const [code] = await once(child, "close");
    assert.equal(code, 0, `doorlight ${args.join(" ")}: ${err}${out}`);
    return out.trim().split("\n").filter(Boolean).map((line) => JSON.parse(line));
  }

  /** Whether there is no process any more, or never was. */
  ended() {
    return this.child.pid === undefined || this.child.exitCode !== null || this.child.signalCode !== null;
  }

  async stop(signal = "SIGTERM") {
    if (!this.ended()) {
      this.child.kill(signal);
      await once(this.child, "close");
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** An application's callback address. */
export class Callback {
  static async start() {
    const self = new Callback();
    self.answers = [];
    self.server = createServer((request, response) => {
      const url = new URL(request.url, self.origin);
      response.setHeader("Content-Type", "text/html; charset=utf-8");
      if (url.pathname === "/callback") self.answers.push(url.searchParams);
      response.end('<!doctype html><html lang="en"><title>Notes</title><link rel="icon" href="data:,"><p>Welcome.');
    });
    self.server.listen(0, "127.0.0.1");
    await once(self.server, "listening");
    self.origin = `http://localhost:${self.server.address().port}`;
    self.uri = `${self.origin}/callback`;
    return self;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

export function launch() {
  return module("playwright-core").chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    timeout: PATIENCE_S * 1000,
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync",
    ],
  });
}

/** A browser of its own, whose pages are watched: what must not happen is collected in `wrong`. */
export class Visitor {
  static async arrive(browser, look = LOOKS[0], options = {}) {
    const self = new Visitor();
    self.look = look;
    self.wrong = [];
    self.refusal = null;
    self.context = await browser.newContext({
      viewport: { width: look.width, height: look.height },
      colorScheme: look.scheme,
      ...options,
    });
    self.context.setDefaultTimeout(PATIENCE_S * 1000);
    self.context.on("request", (request) => {
      const url = new URL(request.url());
      const inside = url.protocol === "data:" || LOOPBACK.has(url.hostname);
      if (!inside) self.wrong.push(`a request left this machine: ${url}`);
    });
    self.context.on("requestfailed", (request) => {
      // A page that is left while it loads something is no failure of the page.
      const why = request.failure()?.errorText;
      if (why !== "net::ERR_ABORTED") self.wrong.push(`${request.url()}: ${why}`);
    });
    self.context.on("response", (response) => {
      const expected = response.request().isNavigationRequest() && response.status() === self.refusal;
      if (response.status() >= 400 && !expected) self.wrong.push(`${response.status()} ${response.url()}`);
    });
    self.context.on("weberror", (error) => self.wrong.push(`script: ${error.error()}`));
    self.context.on("console", (message) => {
      if (message.type() !== "error" && message.type() !== "warning") return;
      // Chromium also writes every refusal into the console; `response` above has judged it.
      if (message.text().startsWith("Failed to load resource: the server responded with a status of")) return;
      self.wrong.push(`console: ${message.text()}`);
    });
    self.page = await self.context.newPage();
    return self;
  }

  /** Does something after which the server answers with this refusal, which then is no fault. */
  async refused(status, act) {
    this.refusal = status;
    const [response] = await Promise.all([
      this.page.waitForResponse((r) => r.request().isNavigationRequest() && r.request().method() !== "HEAD" && r.status() >= 400),
      act(),
    ]);
    await this.page.waitForLoadState();
    assert.equal(response.status(), status);
    this.refusal = null;
  }

  async open(url) {
    await this.page.goto(url, { waitUntil: "load" });
  }

  /** Presses a button and waits for the page that comes of it. */
  async press(selector) {
    await Promise.all([this.page.waitForNavigation({ waitUntil: "load" }), this.page.click(selector)]);
  }

  /** Does something on a page that goes on to this address by itself after a few seconds: it stays until then. */
  async before_it_leaves_for(url, act) {
    let leave;
    const acted = new Promise((resolve) => { leave = resolve; });
    // Not `page.route`, which does without what the browser has in its cache.
    const session = await this.context.newCDPSession(this.page);
    session.on("Fetch.requestPaused", async ({ requestId }) => {
      await acted;
      await session.send("Fetch.continueRequest", { requestId });
    });
    await session.send("Fetch.enable", { patterns: [{ urlPattern: url }] });
    await act();
    leave();
    await this.page.waitForURL(url);
    await session.detach();
  }

  heading() {
    return this.page.locator("h1").first().innerText();
  }

  /** Looks at the page that is open: nothing wrong so far, nothing wider than the window, every field has a name. */
  async look_at(name) {
    const { page, look } = this;
    const seen = await page.evaluate(() => {
      const root = document.documentElement;
      const fields = [...document.querySelectorAll("input:not([type=hidden]), textarea, select")];
      // Text that sticks out of the box it stands in.
      const outside = [];
      const words = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
      for (let text = words.nextNode(); text; text = words.nextNode()) {
        const box = text.parentElement.closest(".card, .notice, main");
        if (text.data.trim() === "" || text.parentElement.closest(".unseen, thead")) continue;
        const range = document.createRange();
        range.selectNodeContents(text);
        const over = range.getBoundingClientRect().right - box.getBoundingClientRect().right;
        if (over > 0) outside.push(text.data.trim());
      }
      const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
      return {
        outside,
        wide: root.scrollWidth - root.clientWidth,
        unnamed: fields.filter((f) => f.labels.length === 0 && !f.ariaLabel).map((f) => f.name || f.id),
        twice: ids.filter((id, at) => ids.indexOf(id) !== at),
        headings: document.querySelectorAll("h1").length,
      };
    });
    mkdirSync(SCREENSHOTS, { recursive: true });
    await page.screenshot({ path: join(SCREENSHOTS, `${name}-${look.width}-${look.scheme}.png`), fullPage: true });
    assert.equal(seen.wide, 0, `${name} is ${seen.wide} px wider than the window of ${look.width}`);
    assert.deepEqual(seen.outside, [], `${name}: text outside its box`);
    assert.deepEqual(seen.unnamed, [], `${name}: fields without a label`);
    assert.deepEqual(seen.twice, [], `${name}: ids that stand twice`);
    assert.equal(seen.headings, 1, `${name}: one main heading`);
    this.is_fine(name);
  }

  is_fine(where) {
    assert.deepEqual(this.wrong, [], where);
  }

  async leave() {
    await this.context.close();
    this.is_fine("until the end");
  }
}
