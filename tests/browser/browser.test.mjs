// Doorlight in a real browser: the way of an administrator from the first start to an application that works, with
// scripts and without; then every page, in two sizes and two schemes.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Callback, Doorlight, LOOKS, Visitor, launch, until } from "./support.mjs";

const NAME = "anna";
const PASSWORD = "lantern-over-wet-cobbles";

let browser;
let application;

before(async () => {
  browser = await launch();
  application = await Callback.start();
});

after(async () => {
  await browser?.close();
  application?.stop();
});

/** Where the application sends people to sign in. */
function authorization(server, clientId, more = {}) {
  const verifier = randomBytes(32).toString("base64url");
  const url = new URL(`${server.issuer}/authorize`);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: application.uri,
    scope: "openid profile email",
    state: randomBytes(8).toString("hex"),
    nonce: "n",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    ...more,
  });
  return { url: url.href, state: url.searchParams.get("state"), verifier };
}

async function tokens(server, { id, secret, uri = application.uri }, code, verifier) {
  const response = await fetch(`${server.issuer}/token`, {
    method: "POST",
    headers: { Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}` },
    body: new URLSearchParams({
      grant_type: "authorization_code", code, redirect_uri: uri, code_verifier: verifier,
    }),
  });
  assert.equal(response.status, 200, await response.clone().text());
  return response.json();
}

/** The answer that the callback got; only ever one. */
function answer() {
  assert.equal(application.answers.length, 1);
  return application.answers.pop();
}

async function sign_in({ page, press }, visitor) {
  await page.fill("[name=username]", NAME);
  await page.fill("[name=password]", PASSWORD);
  await press.call(visitor, "form[action$='/login'] button.primary");
}

/** First start: the link, a password that is too weak, the administrator. */
async function set_up(server, visitor) {
  const { page } = visitor;
  await visitor.open(await server.setupLink());
  await page.fill("[name=username]", NAME);
  await page.fill("[name=full_name]", "Anna Lindqvist");
  await page.fill("[name=password]", "password");
  await page.fill("[name=password_again]", "password");
  await visitor.refused(422, () => page.click("main button.primary"));
  const words = await page.locator("[role=alert]").innerText();
  assert.match(words, /Nothing was saved/);
  assert.match(words, /guess|common|weak|easy/i);
  assert.equal(await page.inputValue("[name=username]"), NAME, "what was typed is kept");
  assert.equal(await page.inputValue("[name=password]"), "", "but no password");
  await visitor.look_at(`setup-refused${visitor.mark}`);

  await page.fill("[name=password]", PASSWORD);
  await page.fill("[name=password_again]", PASSWORD);
  await visitor.press("main button.primary");
  assert.equal(new URL(page.url()).pathname, "/admin");
  assert.equal(await visitor.heading(), "Overview");
  await visitor.look_at(`first-overview${visitor.mark}`);

  await visitor.press("form[action$='/admin/check'] button");
  await page.click("section[aria-labelledby=h-checks] summary");
  assert.match(await page.locator("section[aria-labelledby=h-checks]").innerText(), /leads here/);
  await visitor.look_at(`checked-overview${visitor.mark}`);
}

/** Adds an application, and reads what is to be typed into it. */
async function add_application(server, visitor) {
  const { page } = visitor;
  await visitor.press("main a.primary");
  await page.fill("[name=name]", "Notes");
  await page.check("[name=kind][value=web]");
  await page.fill("[name=redirect_uris]", application.uri);
  await visitor.press("main form button.primary");
  await visitor.look_at(`application-issued${visitor.mark}`);
  const value = (label) => page.getByRole("textbox", { name: label }).inputValue();
  const added = { id: await value("Client id"), secret: await value("Client secret") };
  assert.match(added.id, /^[0-9a-z]{26}$/);
  assert.ok(added.secret.length >= 43);
  assert.equal(await value("Issuer"), server.issuer);
  assert.equal(await value("Discovery address"), `${server.issuer}/.well-known/openid-configuration`);
  await visitor.press("main a.primary");
  assert.ok(!(await page.content()).includes(added.secret), "the secret is shown once");
  return added;
}

/** Signs in to the application in another browser, lets it in, signs out. */
async function use_application(server, visitor, client) {
  const { page } = visitor;
  const request = authorization(server, client.id);
  await visitor.open(request.url);
  assert.equal(await visitor.heading(), "Sign in");
  await page.fill("[name=username]", NAME);
  await page.fill("[name=password]", "not the password");
  await visitor.refused(401, () => page.click("form[action$='/login'] button.primary"));
  assert.ok(await page.locator("[role=alert]").isVisible());
  await sign_in(visitor, visitor);
  assert.equal(await visitor.heading(), "Sign in to Notes?");
  await visitor.press("[name=decision][value=allow]");
  assert.ok(page.url().startsWith(application.uri));
  const got = answer();
  assert.equal(got.get("state"), request.state);
  assert.equal(got.get("iss"), server.issuer);
  const issued = await tokens(server, client, got.get("code"), request.verifier);
  assert.ok(issued.id_token && issued.access_token);

  // The second time nobody is asked anything.
  const again = authorization(server, client.id);
  await visitor.open(again.url);
  assert.equal(answer().get("state"), again.state);

  // And an answer of "no" reaches the application.
  await visitor.open(authorization(server, client.id, { prompt: "consent" }).url);
  await visitor.press("[name=decision][value=deny]");
  assert.equal(answer().get("error"), "access_denied");

  await visitor.open(server.issuer);
  assert.equal(await visitor.heading(), "Hello, Anna Lindqvist");
  await visitor.press(".who button");
  assert.equal(await visitor.heading(), "You are signed out");
  await visitor.open(`${server.issuer}/admin`);
  assert.equal(await visitor.heading(), "Sign in");
}

/** The built-in test application. */
async function try_it(server, visitor) {
  await visitor.open(`${server.issuer}/admin/try`);
  await visitor.press("main form button.primary");
  if (await visitor.page.locator("[name=decision][value=allow]").count()) {
    await visitor.press("[name=decision][value=allow]");
  }
  assert.equal(await visitor.heading(), "It works");
  assert.equal(await visitor.page.locator(".tag.good").count(), 2, "both signatures were checked");
}

for (const scripts of [true, false]) {
  test(`from the first start to an application that works, ${scripts ? "with" : "without"} scripts`, async () => {
    const server = await Doorlight.start();
    const arrive = async () => {
      const visitor = await Visitor.arrive(browser, LOOKS[0], { javaScriptEnabled: scripts });
      visitor.mark = scripts ? "" : "-no-scripts";
      return visitor;
    };
    try {
      const anna = await arrive();
      await set_up(server, anna);
      const client = await add_application(server, anna);
      const elsewhere = await arrive();
      await use_application(server, elsewhere, client);
      await elsewhere.leave();
      await try_it(server, anna);
      await anna.leave();
    } finally {
      await server.stop();
    }
  });
}

for (const scripts of [true, false]) {
  test(`a new machine goes on with a backup, ${scripts ? "with" : "without"} scripts`, async () => {
    const [old, server] = [await Doorlight.start(), await Doorlight.start()];
    const arrive = async () => {
      const visitor = await Visitor.arrive(browser, LOOKS[0], { javaScriptEnabled: scripts });
      visitor.mark = scripts ? "-before" : "-before-no-scripts";
      return visitor;
    };
    try {
      const before = await arrive();
      await set_up(old, before);
      await before.leave();
      const backup = join(server.folder, "house.redb.age");
      await old.verb(["backup", backup, "--passphrase-file", "-"], "nine geese cross the frozen canal");

      const anna = await arrive();
      const { page } = anna;
      await anna.open(await server.setupLink());
      await anna.press("main a[href*='/setup/restore?token=']");
      await page.setInputFiles("[name=backup]", backup);
      await page.check("[name=replace_keys]");
      await anna.refused(422, () => page.click("main form button.primary"));
      assert.match(await page.locator("[role=alert]").innerText(), /passphrase/);
      assert.ok(await page.isChecked("[name=replace_keys]"), "what was ticked is kept");
      await anna.look_at(`restore-refused${anna.mark}`);

      await page.setInputFiles("[name=backup]", backup);
      await page.fill("[name=passphrase]", "nine geese cross the frozen canal");
      // The page leads there by itself, once the server has started anew, however often it is not there yet.
      let asked = 0;
      const session = await anna.context.newCDPSession(page);
      session.on("Fetch.requestPaused", async ({ requestId }) => {
        asked += 1;
        if (asked <= 2) await session.send("Fetch.fulfillRequest", { requestId, responseCode: 502 });
        else await session.send("Fetch.continueRequest", { requestId });
      });
      await session.send("Fetch.enable", { patterns: [{ urlPattern: "*/doorlight.js", resourceType: "Fetch" }] });
      await anna.before_it_leaves_for(`${server.issuer}/login`, async () => {
        await anna.press("main form button.primary");
        assert.equal(await anna.heading(), "The backup is restored");
        await anna.look_at(`restored${anna.mark}`);
        await until("the server to start anew", () => server.starts() === 2);
      });
      assert.equal(asked, scripts ? 3 : 0);
      const not_yet = `502 ${server.issuer}/assets/js/doorlight.js`;
      assert.deepEqual(anna.wrong.splice(0), scripts ? [not_yet, not_yet] : []);
      await sign_in(anna, anna);
      assert.equal(await anna.heading(), "Hello, Anna Lindqvist");
      await anna.leave();
    } finally {
      await old.stop();
      await server.stop();
    }
  });
}

/** Signs in to it, anew where that is asked for. */
async function use_again(server, visitor, app) {
  const request = authorization(server, app.id, { redirect_uri: app.uri });
  await visitor.open(request.url);
  if (await visitor.page.locator("[name=password]").count()) await sign_in(visitor, visitor);
  await tokens(server, app, app.answers.pop().get("code"), request.verifier);
}

/** Another application, whose page for signing out is on a site of its own. */
async function signed_in_to(server, visitor, name, host) {
  const app = await Callback.start();
  app.origin = app.origin.replace("localhost", host);
  const out = `${app.origin}/out?from=doorlight`;
  const [added] = await server.verb([
    "client", "add", name, "--trusted", "--redirect-uri", app.uri, "--redirect-uri", `${app.origin}/callback`,
    "--post-logout-redirect-uri", `${app.origin}/bye`, "--frontchannel-logout-uri", out,
  ]);
  app.id = added.client_id;
  app.secret = added.client_secret;
  await use_again(server, visitor, app);
  app.outs = [];
  app.byes = 0;
  app.server.prependListener("request", (incoming) => {
    const url = new URL(incoming.url, app.origin);
    if (url.pathname === "/out") app.outs.push({ query: url.searchParams, into: incoming.headers["sec-fetch-dest"] });
    if (url.pathname === "/bye") app.byes += 1;
  });
  return app;
}

for (const scripts of [true, false]) {
  test(`a sign-out is told to two applications in the browser, ${scripts ? "with" : "without"} scripts`, async () => {
    const server = await Doorlight.start();
    await server.verb(["user", "add", NAME, "--password-stdin"], PASSWORD);
    const apps = [];
    try {
      for (const look of LOOKS) {
        const visitor = await Visitor.arrive(browser, look, { javaScriptEnabled: scripts });
        const { page } = visitor;
        const told = [];
        for (const host of ["localhost", "127.0.0.1"]) {
          const name = `Notes ${apps.length}`;
          const app = await signed_in_to(server, visitor, name, host);
          apps.push(app);
          told.push(app);
        }
        const are_told = async () => {
          await until("both applications to be told", () => told.every((app) => app.outs.length === 1));
          const sids = new Set();
          for (const { outs: [{ query, into }] } of told) {
            assert.equal(into, "iframe");
            assert.deepEqual([...query.keys()], ["from", "iss", "sid"]);
            assert.equal(query.get("iss"), server.issuer);
            sids.add(query.get("sid"));
          }
          assert.equal(sids.size, 1);
          for (const app of told) app.outs = [];
        };

        // By the button: the page stays.
        await visitor.open(server.issuer);
        await visitor.press(".who button");
        assert.equal(await visitor.heading(), "You are signed out");
        await are_told();
        if (scripts) await visitor.look_at("signed-out");

        // By an application: it goes back there, when the others have been told.
        for (const app of told) await use_again(server, visitor, app);
        const end = new URL(`${server.issuer}/logout`);
        end.searchParams.set("client_id", told[0].id);
        end.searchParams.set("post_logout_redirect_uri", `${told[0].origin}/bye`);
        await visitor.open(end.href);
        await visitor.before_it_leaves_for(`${told[0].origin}/bye`, async () => {
          await visitor.press("main form[action$='/logout'] button");
          if (!scripts) await visitor.look_at("signed-out-onward");
          await are_told();
        });
        assert.equal(told[0].byes, 1);
        await visitor.leave();
      }
    } finally {
      for (const app of apps) app.stop();
      await server.stop();
    }
  });
}

describe("every page", () => {
  let server;
  let client;
  let setup;

  before(async () => {
    server = await Doorlight.start();
    setup = await server.setupLink();
    for (const look of LOOKS) {
      const visitor = await Visitor.arrive(browser, look);
      await visitor.open(setup);
      await visitor.look_at("setup");
      await visitor.leave();
    }
    await server.verb(
      ["user", "add", NAME, "--full-name", "Anna Lindqvist", "--email", "anna@example.org", "--group", "family",
        "--admin", "--password-stdin"], PASSWORD,
    );
    for (const [name, full] of [["erik", "Erik Lindqvist"], ["grandmother-with-a-rather-long-name", "Margareta"]]) {
      await server.verb(
        ["user", "add", name, "--full-name", full, "--email", `${name}@a-domain-of-some-length.example.org`,
          "--group", "family", "--group", "photographs", "--password-stdin"], PASSWORD,
      );
    }
    for (const [name, uri] of [
      ["Grafana", "https://grafana.example.org/login/generic_oauth"],
      ["Nextcloud", "https://cloud.home.example.org/apps/user_oidc/code"],
    ]) {
      await server.verb(["client", "add", name, "--redirect-uri", uri]);
    }
    [client] = await server.verb(["client", "add", "Notes", "--redirect-uri", application.uri]);
  });

  after(() => server?.stop());

  for (const look of LOOKS) {
    test(`${look.width} × ${look.height}, ${look.scheme}`, async () => {
      const visitor = await Visitor.arrive(browser, look);
      const { page } = visitor;
      const see = async (name, path) => {
        await visitor.open(path.startsWith("http") ? path : server.issuer + path);
        await visitor.look_at(name);
      };

      await see("start-signed-out", "/");
      await see("sign-in", authorization(server, client.client_id, { prompt: "consent" }).url);
      await sign_in(visitor, visitor);
      await visitor.look_at("consent");
      await visitor.press("[name=decision][value=allow]");
      const accepted = authorization(server, client.client_id);
      application.answers.length = 0;
      await visitor.open(accepted.url);
      await tokens(
        server, { id: client.client_id, secret: client.client_secret }, answer().get("code"), accepted.verifier,
      );
      await see("sign-in-again", authorization(server, client.client_id, { prompt: "login" }).url);
      await see("choose-account", authorization(server, client.client_id, { prompt: "select_account" }).url);
      await visitor.refused(400, () => page.goto(
        authorization(server, client.client_id, { redirect_uri: "https://notes.example.org/callback" }).url));
      await visitor.look_at("refused-address");
      await visitor.refused(404, () => page.goto(`${server.issuer}/nothing-here`));
      await visitor.look_at("not-found");

      await see("start", "/");
      await see("sign-out", "/logout");
      await see("overview", "/admin");
      await see("applications", "/admin/applications");
      await see("application-new", "/admin/applications/new");
      await page.locator("details > summary").first().click();
      await visitor.look_at("application-new-more");
      await see("application", `/admin/applications/${client.client_id}`);
      assert.equal(await page.locator(".notice.warning code").first().innerText(), "https://notes.example.org/callback");
      await see("application-delete", `/admin/applications/${client.client_id}/delete`);
      await see("people", "/admin/people");
      await see("person-new", "/admin/people/new");
      const person = async (name) => {
        await visitor.open(`${server.issuer}/admin/people`);
        await visitor.press(`main a.name:text-is("${name}")`);
      };
      await person("erik");
      await visitor.look_at("person");
      const erik = page.url();
      await see("person-password", `${erik}/password`);
      await see("person-delete", `${erik}/delete`);
      await visitor.open(erik);
      await visitor.press("form[action$='/link'] button");
      await visitor.look_at("person-link");
      const link = await page.locator("input.mono").first().inputValue();
      const guest = await Visitor.arrive(browser, look);
      await guest.open(link);
      await guest.look_at("new-password");
      await guest.leave();

      await see("groups", "/admin/groups");
      await see("group-new", "/admin/groups/new");
      await visitor.open(`${server.issuer}/admin/groups`);
      await visitor.press("main a.name:text-is(\"photographs\")");
      await visitor.look_at("group");
      await see("sessions", "/admin/sessions");
      await see("keys", "/admin/keys");
      await visitor.press("main td.act a >> nth=0");
      await visitor.look_at("key-withdraw");
      await see("backups", "/admin/backups");
      await see("audit", "/admin/audit");
      for (const details of await page.locator("main details > summary").all()) await details.click();
      await visitor.look_at("audit-details");
      await see("try", "/admin/try");
      await try_it(server, visitor);
      await visitor.look_at("try-result");
      await visitor.leave();
    });
  }

  test("copying puts the value where it can be pasted", async () => {
    const visitor = await Visitor.arrive(browser, LOOKS[0], { permissions: ["clipboard-read", "clipboard-write"] });
    const { page } = visitor;
    await visitor.open(`${server.issuer}/login`);
    await sign_in(visitor, visitor);
    await visitor.open(`${server.issuer}/admin/applications/${client.client_id}`);
    const button = page.locator("[data-copy=client-id]");
    // It says so for two seconds.
    await button.evaluate((element) => {
      element.said = [];
      const listen = new MutationObserver(() => element.said.push(element.textContent));
      listen.observe(element, { characterData: true, childList: true, subtree: true });
    });
    await button.click();
    await until("the button to say so", () => button.evaluate(({ said }) => said.some((words) => /Copied/.test(words))));
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), client.client_id);
    await visitor.leave();
  });

  test("a password can be looked at, and is judged while it is typed", async () => {
    const visitor = await Visitor.arrive(browser, LOOKS[2]);
    const { page } = visitor;
    await visitor.open(`${server.issuer}/login`);
    await page.fill("[name=password]", "visible");
    await page.getByRole("button", { name: "Show: Password" }).click();
    assert.equal(await page.getAttribute("[name=password]", "type"), "text");
    await sign_in(visitor, visitor);
    await visitor.open(`${server.issuer}/admin/people/new`);
    await page.fill("[name=password]", "short");
    assert.match(await page.locator(".strength").innerText(), /more to go/);
    await page.fill("[name=password]", PASSWORD);
    assert.match(await page.locator(".strength").innerText(), /strong/);
    await visitor.leave();
  });
});
