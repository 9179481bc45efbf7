//! What another site can do in a person's name: nothing. Every row of the route table that is no GET is tried with forged
//! requests, and the whole data file is compared. DESIGN §6, RFC 6749 §10.12, RFC 9700 §4.7.

use crate::walk::{Walk, has_its_headers};
use crate::world::{Answer, Browser, PASSWORD, World, encode, hidden};
use doorlight::server::guard::Guard;
use doorlight::server::routes::Route;
use redb::{
    Builder, ConcurrencyMode, ReadableDatabase, ReadableTable, TableDefinition, TableHandle,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// A message of an application, which may come from its own site (OpenID Connect Core §3.1.2.1). It does by POST what
/// it does by GET; what keeps others from sending it is the `state` and the PKCE verifier of the application.
const OF_APPLICATIONS: &str = "/authorize";

/// Every record but the audit log, which is to show the attempts, and without when something was last used.
fn records(world: &World) -> BTreeMap<String, Value> {
    let db = Builder::new()
        .set_concurrency_mode(ConcurrencyMode::SingleWriter)
        .open_read_only(world.data())
        .unwrap();
    let txn = db.begin_read().unwrap();
    let mut records = BTreeMap::new();
    for table in txn.list_tables().unwrap() {
        if table.name() == "events" {
            continue;
        }
        let definition: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new(table.name());
        for row in txn.open_table(definition).unwrap().iter().unwrap() {
            let (key, value) = row.unwrap();
            let name = format!("{} {:?}", table.name(), key.value());
            records.insert(name, without_use(value.value()));
        }
    }
    assert!(records.len() > 20, "{}", records.len());
    records
}

fn without_use(bytes: &[u8]) -> Value {
    let mut record = serde_json::from_slice(bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()));
    if let Value::Object(members) = &mut record {
        members.remove("last_seen");
        if let Some(Value::Object(registered)) = members.get_mut("registered") {
            registered.remove("last_used");
        }
    }
    record
}

/// A world where every form would do something, if it were sent by who it is for.
struct Forms {
    walk: Walk,
    /// The fields of the forms whose rows are not of the administrator's.
    fields: BTreeMap<&'static str, String>,
    /// Of the browser of the administrator in which the pages with those forms stood.
    cookies: BTreeMap<String, String>,
}

impl Forms {
    fn prepared() -> Self {
        let walk = Walk::started();
        let world = &walk.world;
        let television = world.client("Television", &["--public", "--grant", "device_code"]);
        let waits = world.ask(
            "POST",
            "/device_authorization",
            "",
            &format!("client_id={}&scope=openid", television.id),
        );
        let user_code = waits.json()["user_code"].as_str().unwrap().to_owned();
        let [kept, asks] = ["Kept", "Asks"]
            .map(|name| world.client(name, &["--redirect-uri", crate::world::REDIRECT]));
        let mut root = world.sign_in("root");
        let page = root.get("/device");
        let confirm = root.submit(&page, "/device", &[("user_code", &user_code)]);
        let answer = "/device/answer";
        let device = without_token(hidden(&confirm.body, answer));
        let page = root.authorize(&kept, "openid", "");
        root.submit(&page, "/consent", &[("decision", "allow")]);
        let consent = root.authorize(&asks, "openid", "").body;
        let consent = without_token(hidden(&consent, "/consent"));
        let home = root.get("/").body;
        let session = without_token(hidden(&home, "/account/sessions/revoke"));
        let application = without_token(hidden(&home, "/account/applications/revoke"));
        let link = world.verb(&["user", "link", "alice"], "");
        let link = link["url"]
            .as_str()
            .unwrap()
            .split_once("token=")
            .unwrap()
            .1;
        let new = "a+new+pass+phrase+of+mine";
        let password = encode(PASSWORD);
        let fields = [
            ("/login", format!("username=alice&password={password}")),
            ("/login/again", format!("password={password}")),
            ("/select-account", format!("{consent}&account=another")),
            ("/consent", format!("{consent}&decision=allow")),
            (
                "/setup",
                format!("token={link}&username=eve&password={new}&password_again={new}"),
            ),
            ("/setup/restore", String::new()),
            (
                "/link",
                format!("token={link}&password={new}&password_again={new}"),
            ),
            ("/logout", String::new()),
            ("/account/applications/revoke", application),
            ("/account/sessions/revoke", session),
            ("/device", format!("user_code={user_code}")),
            (answer, format!("{device}&decision=allow")),
        ];
        Self {
            fields: fields.into(),
            cookies: root.cookies.clone(),
            walk,
        }
    }

    /// Where the forms stood.
    fn root(&self) -> Browser<'_> {
        Browser {
            world: &self.walk.world,
            cookies: self.cookies.clone(),
        }
    }

    /// The rows that are forms of ours, with an address and the fields. A new one for people must be added above.
    fn each(&self) -> Vec<(&'static Route, String, &str)> {
        let mut forms = Vec::new();
        for (route, address) in self.walk.routes() {
            match route.guard {
                Guard::AdminForm(..) => forms.push((route, address, "name=x&username=x")),
                Guard::Public(_) | Guard::Session(_)
                    if route.method != "GET" && route.path != OF_APPLICATIONS =>
                {
                    let fields = self.fields.get(route.path);
                    let fields = fields.unwrap_or_else(|| panic!("no fields for {address}"));
                    forms.push((route, address, fields));
                }
                Guard::Admin(_) | Guard::AdminPage(_) => assert_eq!(route.method, "GET"),
                _ => {}
            }
        }
        assert!(forms.len() > 30, "{}", forms.len());
        forms
    }
}

fn without_token(fields: Vec<(String, String)>) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields.into_iter().filter(|(name, _)| name != "csrf"));
    form.finish()
}

/// The token of the forms on a page.
fn token(page: &Answer, action: &str) -> String {
    let fields = hidden(&page.body, action);
    let token = fields.into_iter().find(|(name, _)| name == "csrf");
    token.unwrap().1
}

/// What is wrong with it, the token and the headers.
type Forgery<'t> = (&'static str, Option<&'t str>, &'static str);

fn forgeries<'t>(own: &'t str, of_another: &'t str) -> [Forgery<'t>; 8] {
    [
        ("no token", None, ""),
        ("no token of ours", Some("AAAA"), ""),
        ("another's token", Some(of_another), ""),
        (
            "another site",
            Some(own),
            "Origin: https://evil.example\r\n",
        ),
        ("no origin", Some(own), "Origin: null\r\n"),
        ("a neighbour", Some(own), "Origin: http://127.0.0.1:1\r\n"),
        (
            "another site, says the browser",
            Some(own),
            "Sec-Fetch-Site: cross-site\r\n",
        ),
        ("a site beside", Some(own), "Sec-Fetch-Site: same-site\r\n"),
    ]
}

fn body(fields: &str, token: Option<&str>) -> String {
    match token {
        Some(token) => format!("csrf={token}&{fields}"),
        None => fields.to_owned(),
    }
}

#[test]
fn no_forged_form_is_taken_from_somebody_who_is_signed_in() {
    let forms = Forms::prepared();
    let world = &forms.walk.world;
    let (mut root, mut alice) = (forms.root(), world.sign_in("alice"));
    let own = token(&root.get("/"), "/logout");
    let of_another = token(&alice.get("/"), "/logout");
    let before = records(world);
    for (route, address, fields) in forms.each() {
        for (what, token, headers) in forgeries(&own, &of_another) {
            let name = format!("{address}: {what}");
            let answer = root.post(&address, headers, &body(fields, token));
            // Without a token it is the message of an application, and a question for the person.
            let asks = route.path == "/logout" && token.is_none();
            assert_eq!(answer.status, if asks { 200 } else { 403 }, "{name}");
            has_its_headers(&name, &answer);
        }
        assert_eq!(records(world), before, "{address}");
    }
    // The same requests are taken when they are whole: it was the forgery that was refused.
    for (_, address, fields) in forms.each() {
        let mut root = match fields.contains("seal=") {
            true => forms.root(),
            false => world.sign_in("root"),
        };
        let own = token(&root.get("/"), "/logout");
        let answer = root.post(
            &address,
            "Sec-Fetch-Site: same-origin\r\n",
            &body(fields, Some(&own)),
        );
        assert!(!matches!(answer.status, 401 | 403), "{address}: {answer:?}");
        has_its_headers(&address, &answer);
    }
    assert_ne!(records(world), before);
}

/// Login CSRF: whoever is signed in to an attacker's account without a notice types their own secrets into it.
#[test]
fn no_forged_form_is_taken_from_somebody_who_is_not_signed_in() {
    let forms = Forms::prepared();
    let world = &forms.walk.world;
    let (mut here, mut attacker) = (Browser::new(world), Browser::new(world));
    let own = token(&here.get("/login"), "/login");
    let of_another = token(&attacker.get("/login"), "/login");
    let before = records(world);
    for (route, address, fields) in forms.each() {
        for (what, token, headers) in forgeries(&own, &of_another) {
            let name = format!("{address}: {what}");
            let answer = here.post(&address, headers, &body(fields, token));
            match route.guard {
                Guard::Public(_) if route.path == "/logout" && token.is_none() => {
                    assert!(matches!(answer.status, 200 | 303), "{name}: {answer:?}");
                }
                Guard::Public(_) => assert_eq!(answer.status, 403, "{name}"),
                _ => assert_eq!(answer.status, 303, "{name}"),
            }
            let signed_in = here.cookies.keys().any(|cookie| cookie == "doorlight");
            assert!(!signed_in, "{name}");
        }
        // Nor with the token of somebody's page, but none of the cookies that it hangs on.
        let bare = world.ask("POST", &address, "", &body(fields, Some(&own)));
        assert!(matches!(bare.status, 303 | 403), "{address}: {bare:?}");
        assert_eq!(
            bare.header("Set-Cookie")
                .filter(|c| c.starts_with("doorlight=")),
            None
        );
        assert_eq!(records(world), before, "{address}");
    }
    let (_, _, fields) = forms
        .each()
        .into_iter()
        .find(|(r, ..)| r.path == "/login")
        .unwrap();
    let taken = here.post("/login", "", &body(fields, Some(&own)));
    assert_eq!(taken.status, 303);
    assert!(here.cookies.contains_key("doorlight"));
}

/// What needs no token of a form gets nothing from a cookie: another site has nothing to borrow.
#[test]
fn what_applications_send_is_answered_as_if_there_were_no_cookie() {
    let walk = Walk::started();
    let root = walk.world.sign_in("root");
    let cookies: Vec<String> = root
        .cookies
        .iter()
        .map(|(n, v)| format!("{n}={v}"))
        .collect();
    let cookies = format!("Cookie: {}\r\n", cookies.join("; "));
    let before = records(&walk.world);
    let mut tried = 0;
    for (route, address) in walk.routes() {
        if !route.guard.is_for_clients() {
            continue;
        }
        let bare = walk.world.ask(route.method, &address, "", "");
        let with = walk.world.ask(route.method, &address, &cookies, "");
        assert_eq!(
            (with.status, with.body),
            (bare.status, bare.body),
            "{address}"
        );
        assert!(
            matches!(with.status, 400 | 401),
            "{address}: {}",
            with.status
        );
        tried += 1;
    }
    assert!(tried > 10, "{tried}");
    assert_eq!(records(&walk.world), before);
}

/// A picture on another site is a GET with the cookies of whoever looks at it.
#[test]
fn what_is_asked_by_get_changes_nothing() {
    let walk = Walk::started();
    let mut root = walk.world.sign_in("root");
    let before = records(&walk.world);
    for (route, address) in walk.routes().filter(|(route, _)| route.method == "GET") {
        walk.ask(route, &address, Some(&mut root));
        assert_eq!(records(&walk.world), before, "{address}");
    }
}
