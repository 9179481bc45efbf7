// A Doorlight of a test's own, its command line, and a browser without a screen to sign in with.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../browser/support.mjs';

export { freePort };

const HERE = path.dirname(fileURLToPath(import.meta.url));
const BIN = path.resolve(
  path.join(HERE, '..'),
  process.env.DOORLIGHT_BIN ?? '../../target/debug/doorlight',
);
/** For what comes in a moment, also on a slow machine that does something else too. */
const PATIENCE_MS = 120_000;
const MAX_REDIRECTS = 20;

export const PASSWORD = 'seven lamps beside the door';

/** Starts a server in a folder of its own; `stop()` ends it and removes the folder. */
export async function startDoorlight() {
  const folder = await mkdtemp(path.join(tmpdir(), 'doorlight-interop-'));
  for (let attempt = 1; ; attempt += 1) {
    const doorlight = new Doorlight(folder, await freePort());
    try {
      await doorlight.start();
      return doorlight;
    } catch (error) {
      // Another process may have taken the port in between.
      const taken = /another program listens there/.test(doorlight.log);
      if (!taken || attempt === 3) {
        await doorlight.stop();
        throw error;
      }
    }
  }
}

class Doorlight {
  constructor(folder, port) {
    this.folder = folder;
    this.port = port;
    this.issuer = `http://127.0.0.1:${port}`;
    this.data = path.join(folder, 'doorlight.redb');
    this.log = '';
  }

  async start() {
    const { data, issuer, port } = this;
    const args = ['serve', '--data', data, '--listen', `127.0.0.1:${port}`, '--issuer', issuer];
    this.child = spawn(BIN, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.exited = new Promise((resolve) => {
      this.child.once('error', (error) => {
        this.log += `${error}\n`;
        resolve();
      });
      this.child.once('close', resolve);
    });
    this.exited.then(() => {
      this.gone = true;
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        this.log += text;
      });
    }
    await waitUntil(async () => {
      if (this.gone) throw new Error(`Doorlight ended while starting:\n${this.log}`);
      return (await statusOf(`${issuer}/readyz`)) === 200;
    }, () => `Doorlight is not ready:\n${this.log}`);
  }

  async stop() {
    if (this.child?.pid && !this.gone) {
      this.child.kill('SIGTERM');
      await Promise.race([this.exited, sleep(PATIENCE_MS, undefined, { ref: false })]);
      if (!this.gone) {
        this.child.kill('SIGKILL');
        await this.exited;
      }
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Runs a verb of the command line beside the server; answers what it printed. */
  run(args, input = '') {
    return new Promise((resolve, reject) => {
      const child = spawn(BIN, [...args, '--data', this.data, '--json']);
      let out = '';
      let err = '';
      child.stdout.setEncoding('utf8').on('data', (text) => { out += text; });
      child.stderr.setEncoding('utf8').on('data', (text) => { err += text; });
      child.once('error', reject);
      child.once('close', (code) => {
        if (code === 0) resolve(out);
        else reject(new Error(`doorlight ${args.join(' ')} ended with ${code}:\n${out}${err}`));
      });
      child.stdin.on('error', () => {});
      child.stdin.end(input);
    });
  }

  async addUser(name, { email, groups = [], admin = false, password = PASSWORD } = {}) {
    const args = ['user', 'add', name, '--password-stdin'];
    if (email) args.push('--email', email);
    for (const group of groups) args.push('--group', group);
    if (admin) args.push('--admin');
    return JSON.parse(await this.run(args, `${password}\n`));
  }

  /** `settings`: the options of `client add` without their dashes; a list repeats one, `true` is a flag. */
  async addClient(name, settings = {}) {
    const args = ['client', 'add', name];
    for (const [option, value] of Object.entries(settings)) {
      for (const one of [value].flat()) args.push(`--${option}`, ...(one === true ? [] : [one]));
    }
    return JSON.parse(await this.run(args));
  }

  /** The audit log, newest first. */
  async audit() {
    const lines = (await this.run(['audit'])).split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line));
  }
}

/** Polls until `check` says yes. */
export async function waitUntil(check, message) {
  const end = Date.now() + PATIENCE_MS;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(message());
    await sleep(50);
  }
}

/** The status that a GET is answered with; undefined where nothing listens. */
export async function statusOf(url) {
  try {
    return (await send(url, { method: 'GET', headers: {} })).status;
  } catch {
    return undefined;
  }
}

/** One request, redirects not followed. */
function send(url, { method, headers, body }) {
  return new Promise((resolve, reject) => {
    const options = { method, headers, agent: false, timeout: PATIENCE_MS };
    const request = http.request(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => { text += chunk; });
      response.once('error', reject);
      response.once('end', () => {
        resolve({ status: response.statusCode, headers: response.headers, body: text });
      });
    });
    request.once('error', reject);
    request.once('timeout', () => request.destroy(new Error(`no answer from ${url}`)));
    request.end(body);
  });
}

/**
 * What a person's browser does, without the screen: keeps cookies, follows redirects, fills in forms.
 * A page is `{ url, status, headers, body }`.
 */
export class Browser {
  #cookies = new Map();

  constructor({ username, password = PASSWORD } = {}) {
    this.username = username;
    this.password = password;
  }

  get(url, until) {
    return this.#follow(url, { method: 'GET' }, until);
  }

  /** Presses a button of the form whose fields include `field`. */
  submit(page, field, values = {}, until = undefined) {
    const form = findForm(page, field);
    const fields = new URLSearchParams({ ...form.hidden, ...values });
    const action = new URL(form.action, page.url);
    const request = {
      method: 'POST',
      body: fields.toString(),
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: new URL(page.url).origin,
        referer: page.url,
      },
    };
    return this.#follow(action.href, request, until);
  }

  /**
   * Goes to an address and answers Doorlight's questions on the way: signs in, allows (or denies).
   * Stops before requesting an address that begins with `until`, and answers that address as the page's, with what a
   * form posts there as `posted`; without `until`, goes on to the first page that asks nothing.
   * `asked` of the page lists the questions that came.
   */
  async authorize(url, { until, decision = 'allow' } = {}) {
    const asked = [];
    let page = await this.get(url, until);
    while (!page.stopped) {
      if (/name="password"/.test(page.body)) {
        if (asked.includes('sign-in')) throw new Error(`could not sign in:\n${page.body}`);
        asked.push('sign-in');
        const values = { username: this.username, password: this.password };
        page = await this.submit(page, 'password', values, until);
      } else if (/name="decision" value="allow"/.test(page.body)) {
        if (asked.includes('consent')) throw new Error(`asked twice:\n${page.body}`);
        asked.push('consent');
        page = await this.submit(page, 'decision', { decision }, until);
      } else if (until) {
        const form = formTo(page, until);
        if (form) return { url: form.action, posted: new URLSearchParams(form.hidden), asked };
        throw new Error(`${page.status} at ${page.url}, on the way to ${until}:\n${page.body}`);
      } else {
        break;
      }
    }
    return { ...page, asked };
  }

  async #follow(first, request, until) {
    let url = first;
    let { method, body, headers = {} } = request;
    for (let count = 0; count <= MAX_REDIRECTS; count += 1) {
      if (until && url.startsWith(until)) return { url, stopped: true };
      const cookie = this.#cookieHeader(url);
      const answer = await send(url, {
        method,
        body,
        headers: {
          accept: 'text/html',
          ...headers,
          ...(cookie && { cookie }),
          ...(body && { 'content-length': Buffer.byteLength(body) }),
        },
      });
      for (const line of answer.headers['set-cookie'] ?? []) this.#keep(url, line);
      const { location } = answer.headers;
      if (answer.status < 300 || answer.status > 399 || !location) return { url, ...answer };
      url = new URL(location, url).href;
      if (answer.status !== 307 && answer.status !== 308) {
        method = 'GET';
        body = undefined;
        headers = {};
      }
    }
    throw new Error(`more than ${MAX_REDIRECTS} redirects from ${first}`);
  }

  /** As browsers do: a cookie is the host's, whatever the port. */
  #keep(url, line) {
    const { hostname } = new URL(url);
    const [pair, ...attributes] = line.split(';').map((part) => part.trim());
    const cut = pair.indexOf('=');
    const [name, value] = [pair.slice(0, cut), pair.slice(cut + 1)];
    const attribute = (key) => attributes
      .find((a) => a.toLowerCase().startsWith(`${key}=`))?.slice(key.length + 1);
    const folder = attribute('path') ?? '/';
    const age = attribute('max-age');
    const expires = attribute('expires');
    const key = `${hostname} ${folder} ${name}`;
    const over = age !== undefined ? Number(age) <= 0 : expires && Date.parse(expires) <= Date.now();
    if (over) this.#cookies.delete(key);
    else this.#cookies.set(key, { hostname, folder, name, value });
  }

  #cookieHeader(url) {
    const { hostname, pathname } = new URL(url);
    const within = (folder) => pathname === folder
      || pathname.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
    return [...this.#cookies.values()]
      .filter((cookie) => cookie.hostname === hostname && within(cookie.folder))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  }
}

function findForm(page, field) {
  const form = formsOf(page).find(({ names }) => names.includes(field));
  if (!form) throw new Error(`no form with "${field}" at ${page.url}:\n${page.body}`);
  return form;
}

/** The form that posts to an address that begins like this (Form Post Response Mode). */
function formTo(page, address) {
  return formsOf(page).find(({ action }) => action.startsWith(address));
}

function formsOf(page) {
  return [...page.body.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gs)].map(([, head, inner]) => {
    const tags = [...inner.matchAll(/<(?:input|button)\b[^>]*>/g)].map(([tag]) => tag);
    const hidden = tags.filter((tag) => attributeOf(tag, 'type') === 'hidden')
      .map((tag) => [attributeOf(tag, 'name'), attributeOf(tag, 'value') ?? '']);
    return {
      action: attributeOf(head, 'action') ?? '',
      hidden: Object.fromEntries(hidden),
      names: tags.map((tag) => attributeOf(tag, 'name')),
    };
  });
}

function attributeOf(tag, name) {
  const match = new RegExp(`\\s${name}="([^"]*)"`).exec(tag);
  return match && unescape(match[1]);
}

const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescape(text) {
  return text.replace(/&(#x?)?(\w+);/g, (whole, number, word) => {
    if (number) return String.fromCodePoint(parseInt(word, number === '#' ? 10 : 16));
    return ENTITIES[word] ?? whole;
  });
}
