//! Every page with data as it could be; with `hostile`, that text stands wherever text comes from outside.

use askama::Template;
use doorlight::views::admin::*;
use doorlight::views::*;

/// Name and HTML of every page.
pub fn all(hostile: Option<&str>) -> Vec<(String, String)> {
    let s = Samples { hostile };
    let mut pages = s.public();
    pages.extend(s.admin());
    pages
}

struct Samples<'a> {
    hostile: Option<&'a str>,
}

fn draw(name: &str, page: &impl Template) -> (String, String) {
    (name.to_owned(), page.render().unwrap())
}

fn when(iso: &str, text: &str) -> When {
    When {
        iso: iso.into(),
        text: text.into(),
    }
}

impl Samples<'_> {
    fn t(&self, text: &str) -> String {
        self.hostile.unwrap_or(text).to_owned()
    }

    fn page(&self, title: &str) -> Page {
        Page {
            title: self.t(title),
            base: "/id".into(),
            csrf: "csrf-of-this-session".into(),
            ..Page::default()
        }
    }

    fn member(&self, title: &str) -> Page {
        Page {
            person: Some(self.t("Anna Lindqvist")),
            ..self.page(title)
        }
    }

    fn desk(&self, title: &str) -> Page {
        Page {
            is_admin: true,
            ..self.member(title)
        }
    }

    fn notice(&self, tone: Tone, text: &str, line: Option<&str>) -> Notice {
        Notice {
            tone,
            text: self.t(text),
            line: line.map(|l| self.t(l)),
        }
    }

    fn client(&self) -> ClientFace {
        ClientFace {
            name: self.t("Grafana"),
            logo: None,
            host: self.t("grafana.home.example"),
            policy_url: Some("https://grafana.home.example/privacy".into()),
            terms_url: Some("https://grafana.home.example/terms".into()),
            registered_itself: true,
            described_at: String::new(),
            on_this_device: false,
        }
    }

    fn device_confirm(&self) -> DeviceConfirm {
        DeviceConfirm {
            page: self.member("Sign in to Jellyfin on another device?"),
            client: ClientFace {
                name: self.t("Jellyfin"),
                host: String::new(),
                ..self.client()
            },
            person: self.t("Anna Lindqvist"),
            scopes: ["openid", "profile", "offline_access"]
                .iter()
                .map(|scope| ScopeLine::new(&self.t(scope)))
                .collect(),
            code: self.t("WDJB-MJHT"),
            asked: when(
                "2026-11-24T08:50:00Z",
                &self.t("2 minutes ago (24 Nov 2026, 08:50 UTC)"),
            ),
            address: self.t("2001:db8:85a3:8d3:1319:8a2e:370:7348"),
            same_network: false,
            device: "01jd3k9v7x".into(),
            seal: "seal".into(),
            switch_to: "/id/login?continue=%2Fdevice%3Fuser_code%3DWDJB-MJHT".into(),
        }
    }

    fn choices(&self) -> Vec<Choice> {
        ["family", "admins", "book-club"]
            .into_iter()
            .map(|g| Choice {
                value: g.into(),
                label: self.t(g),
            })
            .collect()
    }

    fn typed(&self, form: Form) -> Form {
        let Some(text) = self.hostile else {
            return form;
        };
        [
            "name",
            "redirect_uris",
            "username",
            "full_name",
            "email",
            "custom_claims",
            "description",
            "home_url",
            "more_scopes",
            "person",
            "application",
            "street_address",
            "password",
        ]
        .into_iter()
        .fold(form, |form, name| form.with(name, text))
    }

    fn public(&self) -> Vec<(String, String)> {
        let mut typed = self.typed(
            Form::new()
                .with("username", "anna")
                .with("full_name", "Anna Lindqvist")
                .with("password", "x"),
        );
        let fresh = Setup {
            page: self.page("Welcome"),
            form: self.typed(Form::new()),
            token: self.t("k3.v9"),
            strength: None,
        };
        typed.refuse("password", self.t("This password is too easy to guess."));
        typed.refuse("password_again", "The two passwords differ.");
        let refused = Setup {
            form: typed.clone(),
            strength: Some(
                self.t("A common word with a number at the end: guessed within seconds."),
            ),
            ..fresh.clone()
        };
        let sign_in = SignIn {
            page: self.page("Sign in"),
            client: Some(self.client()),
            username: self.t(""),
            error: None,
            wait_seconds: None,
            continue_to: self.t("r7.abcdef"),
        };
        let failed = SignIn {
            username: self.t("anna"),
            error: Some(self.t("The name or the password is not right.")),
            ..sign_in.clone()
        };
        let throttled = SignIn {
            page: Page {
                notices: vec![self.notice(
                    Tone::Warning,
                    "You reached Doorlight as http://192.168.1.5:8080, but its address is https://id.example. Start it with:",
                    Some("doorlight --issuer http://192.168.1.5:8080"),
                )],
                ..self.page("Sign in")
            },
            client: None,
            username: self.t("anna"),
            wait_seconds: Some(30),
            ..sign_in.clone()
        };
        let bad_redirect = ErrorPage {
            advice: vec![
                "Go back and tell the person who set up the application.".into(),
                self.t("If that is you: open the application in the admin pages and add the address, if it is right."),
            ],
            code: "redirect_uri_not_registered".into(),
            details: vec![
                TechnicalDetail { label: "Application".into(), value: self.t("Grafana (c_01JD3K9V)") },
                TechnicalDetail {
                    label: "Address received".into(),
                    value: self.t("https://grafana.home.example/login/generic_oauth/"),
                },
                TechnicalDetail {
                    label: "Address on the list".into(),
                    value: self.t("https://grafana.home.example/login/generic_oauth"),
                },
            ],
            ..ErrorPage::new(
                self.page(""),
                "This application returns people to an unknown address",
                &self.t("Doorlight stopped here, so that your sign-in does not end up with a stranger."),
            )
        };
        let member = Home {
            page: self.desk("Start"),
            username: self.t("anna"),
            email: Some(self.t("anna@lindqvist.example")),
            groups: vec![self.t("family"), self.t("admins")],
            applications: vec![
                HomeApplication {
                    id: "g1".into(),
                    name: self.t("Grafana"),
                    home_url: Some("https://grafana.home.example".into()),
                    words: ["profile", "email", "groups"]
                        .iter()
                        .map(|x| ScopeLine::new(x).words)
                        .collect(),
                    since: when("2026-11-02T18:20:00Z", "2 Nov 2026"),
                },
                HomeApplication {
                    id: "g2".into(),
                    name: self.t("Nextcloud"),
                    home_url: None,
                    words: ["profile", "email", "offline_access"]
                        .iter()
                        .map(|x| ScopeLine::new(x).words)
                        .collect(),
                    since: when("2026-10-14T08:02:00Z", "14 Oct 2026"),
                },
            ],
            sessions: vec![
                HomeSession {
                    id: "s1".into(),
                    browser: self.t("Firefox on Linux"),
                    address: self.t("192.168.1.20"),
                    seen: when("2026-11-24T08:50:00Z", "now"),
                    current: true,
                },
                HomeSession {
                    id: "s2".into(),
                    browser: self.t("Safari on iPhone"),
                    address: self.t("2001:db8:4a::17"),
                    seen: when("2026-11-23T21:10:00Z", "yesterday, 21:10"),
                    current: false,
                },
            ],
        };
        let stranger = Home {
            page: self.page("Start"),
            ..member.clone()
        };
        let new_member = Home {
            page: self.member("Start"),
            email: None,
            groups: vec![],
            applications: vec![],
            ..member.clone()
        };
        let fields = vec![
            Hidden {
                name: "code".into(),
                value: self.t("Sx1.a-code"),
            },
            Hidden {
                name: "state".into(),
                value: self.t("af0ifjsldkj"),
            },
            Hidden {
                name: "iss".into(),
                value: "https://id.example".into(),
            },
        ];
        let mut pages = vec![
            draw("setup", &fresh),
            draw("setup-refused", &refused),
            draw("sign-in", &sign_in),
            draw("sign-in-failed", &failed),
            draw("sign-in-throttled", &throttled),
            draw(
                "reauthenticate",
                &Reauthenticate {
                    page: self.desk("Password"),
                    username: self.t("anna"),
                    reason: "Enter your password again to make changes.".into(),
                    error: None,
                    wait_seconds: None,
                    continue_to: "/id/admin".into(),
                },
            ),
            draw(
                "select-account",
                &AccountChooser {
                    page: self.page("Account"),
                    client: Some(self.client()),
                    accounts: vec![AccountChoice {
                        id: "u1".into(),
                        name: self.t("Anna Lindqvist"),
                        detail: self.t("anna@lindqvist.example"),
                    }],
                    continue_to: "r7".into(),
                },
            ),
            draw(
                "consent-described",
                &Consent {
                    page: self.member("Consent"),
                    client: ClientFace {
                        name: self.t("notes.example (“Assistant for notes and other things”)"),
                        host: self.t("127.0.0.1"),
                        registered_itself: false,
                        described_at: self.t("notes.example"),
                        on_this_device: true,
                        ..self.client()
                    },
                    person: self.t("Anna Lindqvist"),
                    scopes: vec![ScopeLine::new("openid")],
                    continue_to: self.t("sealed"),
                },
            ),
            draw(
                "consent",
                &Consent {
                    page: self.member("Consent"),
                    client: self.client(),
                    person: self.t("Anna Lindqvist"),
                    scopes: [
                        "openid",
                        "profile",
                        "email",
                        "groups",
                        "offline_access",
                        "garden:water",
                    ]
                    .iter()
                    .map(|scope| ScopeLine::new(&self.t(scope)))
                    .collect(),
                    continue_to: "r7".into(),
                },
            ),
            draw(
                "device-code",
                &DeviceCode {
                    page: self.member("Sign in on another device"),
                    code: self.t(""),
                    error: None,
                    wait_seconds: None,
                },
            ),
            draw(
                "device-code-refused",
                &DeviceCode {
                    page: self.member("Sign in on another device"),
                    code: self.t("WDJB-MJHT"),
                    error: Some(self.t("No device waits with this code. Look at the device again: the code may have changed.")),
                    wait_seconds: Some(8),
                },
            ),
            draw("device-confirm", &self.device_confirm()),
            draw(
                "device-done",
                &DeviceDone {
                    page: self.member("You can go back to your device"),
                    client_name: self.t("Jellyfin"),
                    allowed: true,
                },
            ),
            draw(
                "device-denied",
                &DeviceDone {
                    page: self.member("The device was not let in"),
                    client_name: self.t("Jellyfin"),
                    allowed: false,
                },
            ),
            draw(
                "form-post",
                &FormPost {
                    page: self.page("Back"),
                    action: "https://grafana.home.example/callback".into(),
                    client_name: self.t("Grafana"),
                    fields: fields.clone(),
                },
            ),
            draw("error-redirect", &bad_redirect),
            draw(
                "sign-out",
                &SignOut {
                    page: self.member("Sign out"),
                    client_name: Some(self.t("Grafana")),
                    fields,
                },
            ),
            draw(
                "signed-out",
                &SignedOut {
                    page: self.page("Signed out"),
                    back: Some(("https://grafana.home.example/".into(), self.t("Grafana"))),
                    onward: false,
                    frames: Vec::new(),
                },
            ),
            draw(
                "signed-out-onward",
                &SignedOut {
                    page: self.page("Signed out"),
                    back: Some(("https://grafana.home.example/".into(), self.t("Grafana"))),
                    onward: true,
                    frames: vec!["https://notes.home.example/out?iss=i&sid=s".into()],
                },
            ),
            draw("home", &member),
            draw("home-new", &new_member),
            draw("home-signed-out", &stranger),
            draw(
                "link",
                &NewPassword {
                    page: self.page("New password"),
                    form: Form::new(),
                    token: "t".into(),
                    username: self.t("ben"),
                    strength: None,
                },
            ),
        ];
        let fixed = [
            ("error-not-found", ErrorPage::not_found(self.member(""))),
            ("error-forbidden", ErrorPage::forbidden(self.member(""))),
            ("error-busy", ErrorPage::busy(self.page(""))),
            ("error-stale-form", ErrorPage::stale_form(self.page(""))),
            ("error-internal", ErrorPage::internal(self.page(""))),
            (
                "error-setup-closed",
                ErrorPage::setup_link_closed(self.page("")),
            ),
            ("error-link-closed", ErrorPage::link_closed(self.page(""))),
        ];
        for (name, mut error) in fixed {
            if self.hostile.is_some() {
                error.code = self.t("");
            }
            pages.push(draw(name, &error));
        }
        pages
    }

    fn events(&self) -> Vec<EventRow> {
        let row = |at: &str, words: &str, kind: &str, ok: bool, application: &str| EventRow {
            when: when(&format!("2026-11-24T{at}:00Z"), &format!("24 Nov, {at}")),
            words: self.t(words),
            kind: kind.into(),
            refusal: (!ok).then(|| Refusal {
                why: self.t("It sent people to an address that is not on its list"),
                compared: Some((
                    self.t("https://grafana.home.example/login/generic_oauth"),
                    self.t("https://grafana.home.example/login/generic_oauth/"),
                )),
            }),
            person: self.t("anna"),
            application: self.t(application),
            address: self.t("192.168.1.20"),
            details: Vec::new(),
        };
        let mut refused = row(
            "08:41",
            "Grafana sent people to an address that is not on the list",
            "authorize.refused",
            false,
            "Grafana",
        );
        refused.person = String::new();
        refused.details = vec![Hidden {
            name: "Client id".into(),
            value: self.t("06f1c2n8k3h7"),
        }];
        vec![
            row("08:50", "anna signed in", "sign_in.success", true, ""),
            row(
                "08:49",
                "anna let Grafana in",
                "consent.given",
                true,
                "Grafana",
            ),
            refused,
            row(
                "08:12",
                "Nextcloud renewed its tokens for anna",
                "token.refreshed",
                true,
                "Nextcloud",
            ),
            row(
                "07:58",
                "A sign-in as anna failed: wrong password",
                "sign_in.failed",
                false,
                "",
            ),
        ]
    }

    fn list(&self) -> ListHead {
        ListHead {
            query: self.t(""),
            next: Some("/id/admin/x?after=abc".into()),
            first: Some("/id/admin/x".into()),
        }
    }

    fn application(&self) -> Form {
        self.typed(
            application_defaults()
                .with("name", "Grafana")
                .with(
                    "redirect_uris",
                    "https://grafana.home.example/login/generic_oauth",
                )
                .with_all("allowed_group", ["family", "admins"])
                .with("home_url", "https://grafana.home.example")
                .with_tick("claims_in_id_token", true),
        )
    }

    fn person(&self) -> Form {
        self.typed(
            Form::new()
                .with("username", "ben")
                .with("full_name", "Ben Okafor")
                .with("given_name", "Ben")
                .with("family_name", "Okafor")
                .with("email", "ben@okafor.example")
                .with_tick("email_verified", true)
                .with("locale", "en")
                .with("zoneinfo", "Europe/Berlin")
                .with_all("group", ["family"])
                .with("custom_claims", "{\n  \"department\": \"Garden\"\n}")
                .with("way_in", "link"),
        )
    }

    fn admin(&self) -> Vec<(String, String)> {
        let mut pages = self.admin_overview();
        pages.extend(self.admin_applications());
        pages.extend(self.admin_people());
        pages.extend(self.admin_rest());
        pages
    }

    fn admin_overview(&self) -> Vec<(String, String)> {
        let overview = Overview {
            page: Page {
                notices: vec![self.notice(
                    Tone::Warning,
                    "You reached Doorlight as http://192.168.1.5:8080, but its address is https://id.example. Applications will send people there. If that is wrong, start it with:",
                    Some("doorlight --issuer http://192.168.1.5:8080"),
                )],
                ..self.desk("Overview")
            },
            counts: Counts { applications: 7, people: 12, sessions: 9, refusals: 2 },
            issuer: self.t("https://id.home.example"),
            discovery: self.t("https://id.home.example/.well-known/openid-configuration"),
            events: self.events(),
            version: "0.1.0".into(),
            data_file: self.t("/var/lib/doorlight/doorlight.redb"),
        };
        let first = Overview {
            page: Page {
                notices: vec![self.notice(Tone::Good, "Your account is ready.", None)],
                ..self.desk("Overview")
            },
            counts: Counts {
                applications: 0,
                people: 1,
                sessions: 1,
                refusals: 0,
            },
            events: Vec::new(),
            ..overview.clone()
        };
        vec![draw("admin", &overview), draw("admin-first", &first)]
    }

    fn refusal(&self) -> RecentRefusal {
        RecentRefusal {
            what: self.t("Sign-in to an application"),
            refusal: Refusal {
                why: self.t("It asked for nothing that it may have"),
                compared: Some((self.t("openid email"), self.t("everything"))),
            },
            when: when("2026-11-24T08:41:00Z", "10 minutes ago"),
        }
    }

    fn admin_applications(&self) -> Vec<(String, String)> {
        let row = |id: &str, name: &str, kind: &str, host: &str| ApplicationRow {
            id: id.into(),
            name: self.t(name),
            kind: kind.into(),
            host: self.t(host),
            last_used: Some(when("2026-11-24T08:49:00Z", "2 minutes ago")),
            disabled: false,
            registered: id == "c3",
            described: false,
            refused: None,
        };
        let rows = vec![
            ApplicationRow {
                refused: Some(self.refusal()),
                ..row("c1", "Grafana", "Web application", "grafana.home.example")
            },
            row("c2", "Nextcloud", "Web application", "cloud.home.example"),
            ApplicationRow {
                last_used: None,
                ..row(
                    "c3",
                    "Immich on the phone",
                    "Phone or computer",
                    "app.immich",
                )
            },
            ApplicationRow {
                disabled: true,
                host: String::new(),
                ..row("c4", "Nightly report", "Service", "")
            },
        ];
        let new = NewApplication {
            page: self.desk("Add an application"),
            form: self.typed(application_defaults()),
            groups: self.choices(),
        };
        let mut wrong = self
            .application()
            .with("redirect_uris", self.t("grafana.home.example/login"));
        wrong.refuse(
            "redirect_uris",
            self.t("“grafana.home.example/login” is not a whole address. It starts with https://."),
        );
        wrong.refuse("access_token_minutes", "Choose a number from 5 to 60.");
        let refused = NewApplication {
            form: wrong,
            ..new.clone()
        };
        let application = Application {
            page: Page {
                notices: vec![self.notice(Tone::Good, "The settings are saved.", None)],
                ..self.desk("Grafana")
            },
            form: self.application(),
            groups: self.choices(),
            id: "c_01jd3k9v7x".into(),
            client_id: "https://grafana.home.example/client.json".into(),
            described: true,
            name: self.t("Grafana"),
            issuer: "https://id.home.example".into(),
            discovery: "https://id.home.example/.well-known/openid-configuration".into(),
            created: when("2026-11-02T18:00:00Z", "2 Nov 2026"),
            forgotten: Some(when("2027-02-22T08:50:00Z", "22 Feb 2027")),
            secrets: vec![
                SecretRow {
                    id: "k2".into(),
                    created: when("2026-11-20T10:00:00Z", "20 Nov 2026"),
                    last_used: None,
                },
                SecretRow {
                    id: "k1".into(),
                    created: when("2026-11-02T18:00:00Z", "2 Nov 2026"),
                    last_used: Some(when("2026-11-24T08:49:00Z", "2 minutes ago")),
                },
            ],
            confidential: true,
            refused: vec![RefusedRedirect {
                received: self.t("https://grafana.home.example/login/generic_oauth/"),
                expected: Some(self.t("https://grafana.home.example/login/generic_oauth")),
                when: when("2026-11-24T08:41:00Z", "10 minutes ago"),
            }],
            last_refusal: None,
            undelivered: Undelivered {
                waiting: 1,
                given_up: 1,
                rows: vec![
                    UndeliveredRow {
                        created: when("2026-11-24T08:40:00Z", "24 Nov 2026, 08:40 UTC"),
                        attempts: 9,
                        problem: self.t("it answered 503"),
                        next: Some(when("2026-11-24T08:55:00Z", "24 Nov 2026, 08:55 UTC")),
                    },
                    UndeliveredRow {
                        created: when("2026-11-22T08:40:00Z", "22 Nov 2026, 08:40 UTC"),
                        attempts: 1,
                        problem: self.t("it answered 400: it takes the logout token for invalid"),
                        next: None,
                    },
                ],
            },
        };
        let public = Application {
            confidential: false,
            secrets: vec![],
            refused: vec![],
            last_refusal: Some(self.refusal()),
            undelivered: Undelivered::default(),
            ..application.clone()
        };
        let copy = |label: &str, value: &str, hint: &str| CopyRow {
            label: label.into(),
            value: self.t(value),
            hint: hint.into(),
        };
        let issued = Issued {
            page: self.desk("Grafana is added"),
            section: "applications",
            explanation: self.t("Type these into the settings of Grafana."),
            rows: vec![
                copy("Client id", "c_01jd3k9v7x", ""),
                copy(
                    "Client secret",
                    "kq0Zr3T8vXy1Bn5Lw7Hc2Md9Fs4Gj6PaQeUiOtRxYzA",
                    "Shown only now. If you lose it, make a new one.",
                ),
                copy(
                    "Address of Doorlight (issuer)",
                    "https://id.home.example",
                    "",
                ),
                copy(
                    "Discovery address",
                    "https://id.home.example/.well-known/openid-configuration",
                    "For applications that want the whole address.",
                ),
            ],
            more: vec![copy("Token", "https://id.home.example/token", "")],
            next: (
                "/id/admin/applications/c1".into(),
                "I have copied it".into(),
            ),
            also: Some(("/id/admin/try".into(), "Try a sign-in".into())),
        };
        let delete = Confirm {
            page: self.desk("Delete Grafana?"),
            section: "applications",
            consequences: vec![
                "Nobody can sign in to it any more.".into(),
                self.t("Its 3 tokens end at once."),
                "This cannot be undone.".into(),
            ],
            action: "/id/admin/applications/c1/delete".into(),
            fields: vec![],
            button: self.t("Delete Grafana"),
            back: "/id/admin/applications/c1".into(),
        };
        vec![
            draw(
                "admin-applications",
                &Applications {
                    page: self.desk("Applications"),
                    list: self.list(),
                    rows,
                },
            ),
            draw(
                "admin-applications-none",
                &Applications {
                    page: self.desk("Applications"),
                    list: ListHead {
                        query: self.t(""),
                        ..ListHead::default()
                    },
                    rows: vec![],
                },
            ),
            draw("admin-application-new", &new),
            draw("admin-application-refused", &refused),
            draw("admin-application-issued", &issued),
            draw("admin-application", &application),
            draw("admin-application-public", &public),
            draw("admin-application-delete", &delete),
        ]
    }

    fn admin_people(&self) -> Vec<(String, String)> {
        let row = |id: &str, username: &str, full_name: &str, groups: &[&str]| PersonRow {
            id: id.into(),
            username: self.t(username),
            full_name: self.t(full_name),
            email: self.t(&format!("{username}@lindqvist.example")),
            groups: groups.iter().map(|g| self.t(g)).collect(),
            administrator: false,
            disabled: false,
            last_sign_in: Some(when("2026-11-24T08:50:00Z", "today, 08:50")),
        };
        let rows = vec![
            PersonRow {
                administrator: true,
                ..row("u1", "anna", "Anna Lindqvist", &["family", "admins"])
            },
            row("u2", "ben", "Ben Okafor", &["family"]),
            PersonRow {
                last_sign_in: None,
                email: String::new(),
                ..row("u3", "charlotte", "", &[])
            },
            PersonRow {
                disabled: true,
                ..row("u4", "dmitri", "Dmitri Petrov", &["book-club"])
            },
        ];
        let mut wrong = self.person().with("custom_claims", self.t("{department}"));
        wrong.refuse(
            "custom_claims",
            self.t("This is not a JSON object: expected a quote at column 2."),
        );
        wrong.refuse("username", "This sign-in name is taken.");
        let new = NewPerson {
            page: self.desk("Add a person"),
            form: self.typed(
                Form::new()
                    .with_tick("email_verified", true)
                    .with("way_in", "link"),
            ),
            groups: self.choices(),
            strength: None,
        };
        let refused = NewPerson {
            form: wrong,
            ..new.clone()
        };
        let person = Person {
            page: self.desk("ben"),
            form: self.person(),
            groups: self.choices(),
            id: "u2".into(),
            username: self.t("ben"),
            subject: "5f2c8e1e-0b7a-4c55-9b6e-2f1d7a9c3e10".into(),
            created: when("2026-10-01T12:00:00Z", "1 Oct 2026"),
            last_sign_in: None,
            is_self: false,
            has_password: true,
        };
        let myself = Person {
            is_self: true,
            ..person.clone()
        };
        let link = Issued {
            page: self.desk("A link for ben"),
            section: "people",
            explanation: self.t(
                "Send it to ben yourself, for example in a chat. It works once, within 24 hours.",
            ),
            rows: vec![CopyRow {
                label: "One-time sign-in link".into(),
                value: self.t("https://id.home.example/link?token=q8.Zr3T8vXy1Bn5Lw7Hc2"),
                hint: "Shown only now. Whoever opens it can choose the password.".into(),
            }],
            more: vec![],
            next: ("/id/admin/people/u2".into(), "Back to ben".into()),
            also: None,
        };
        vec![
            draw(
                "admin-people",
                &People {
                    page: self.desk("People"),
                    list: self.list(),
                    rows,
                },
            ),
            draw("admin-person-new", &new),
            draw("admin-person-refused", &refused),
            draw("admin-person", &person),
            draw("admin-person-self", &myself),
            draw("admin-person-link", &link),
            draw(
                "admin-person-password",
                &SetPassword {
                    page: self.desk("Set a password"),
                    form: Form::new(),
                    id: "u2".into(),
                    username: self.t("ben"),
                    strength: Some(self.t("Too short.")),
                },
            ),
        ]
    }

    fn admin_rest(&self) -> Vec<(String, String)> {
        let groups = vec![
            GroupRow {
                id: "family".into(),
                name: self.t("family"),
                description: self.t("Everybody at home"),
                members: 4,
            },
            GroupRow {
                id: "admins".into(),
                name: self.t("admins"),
                description: String::new(),
                members: 1,
            },
        ];
        let group = Group {
            page: self.desk("family"),
            form: self.typed(
                Form::new()
                    .with("name", "family")
                    .with("description", "Everybody at home")
                    .with_all("member", ["u1", "u2"]),
            ),
            id: "family".into(),
            name: self.t("family"),
            people: [
                ("u1", "anna (Anna Lindqvist)"),
                ("u2", "ben (Ben Okafor)"),
                ("u3", "charlotte"),
            ]
            .map(|(id, name)| Choice {
                value: id.into(),
                label: self.t(name),
            })
            .to_vec(),
            hidden: 31,
        };
        let session = |id: &str, person: &str, browser: &str, current: bool| SessionRow {
            id: id.into(),
            person: self.t(person),
            browser: self.t(browser),
            address: self.t("192.168.1.20"),
            since: when("2026-11-20T08:00:00Z", "20 Nov, 08:00"),
            seen: when("2026-11-24T08:50:00Z", "now"),
            current,
        };
        let grant = |id: &str, person: &str, application: &str| GrantRow {
            id: id.into(),
            person: person.into(),
            application: self.t(application),
            scopes: ["openid", "profile", "email", "groups"]
                .map(|s| self.t(s))
                .to_vec(),
            since: when("2026-11-02T18:20:00Z", "2 Nov 2026"),
            expires: when("2026-12-02T18:20:00Z", "2 Dec 2026"),
        };
        let key = |kid: &str, alg: &str, state: KeyState| KeyRow {
            kid: self.t(kid),
            alg: alg.into(),
            state,
            created: when("2026-10-02T18:20:00Z", "2 Oct 2026"),
            until: Some(when("2026-12-31T18:20:00Z", "31 Dec 2026")),
        };
        let token = |typ: &str, valid: bool| {
            DecodedToken {
            header: self.t(&format!("{{\n  \"alg\": \"RS256\",\n  \"typ\": \"{typ}\",\n  \"kid\": \"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs\"\n}}")),
            claims: self.t("{\n  \"iss\": \"https://id.home.example\",\n  \"sub\": \"5f2c8e1e-0b7a-4c55-9b6e-2f1d7a9c3e10\",\n  \"aud\": \"doorlight-try\",\n  \"exp\": 1795516200,\n  \"iat\": 1795515300,\n  \"auth_time\": 1795515299,\n  \"name\": \"Anna Lindqvist\",\n  \"groups\": [\n    \"family\",\n    \"admins\"\n  ]\n}"),
            signature: SignatureCheck { valid, kid: self.t("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"), alg: "RS256".into() },
        }
        };
        let mut filters = self.typed(Form::new().with("outcome", "failure"));
        filters = filters.with("kind", "sign_in");
        vec![
            draw("admin-groups", &Groups { page: self.desk("Groups"), list: self.list(), rows: groups }),
            draw("admin-group-new", &NewGroup { page: self.desk("Add a group"), form: self.typed(Form::new()) }),
            draw("admin-group", &group),
            draw("admin-sessions", &Sessions {
                page: self.desk("Sessions"),
                person: self.t(""),
                sessions: vec![session("s1", "anna", "Firefox on Linux", true), session("s2", "ben", "Safari on iPhone", false)],
                grants: vec![grant("g1", "anna", "Grafana"), grant("g2", "ben", "Nextcloud"), grant("g3", "", "Nightly report")],
                more_sessions: None,
                more_grants: Some("/id/admin/sessions?grants_after=x".into()),
            }),
            draw("admin-keys", &Keys {
                page: self.desk("Keys"),
                rows: vec![
                    key("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", "RS256", KeyState::Signing),
                    key("kWv0xJm1Zp3Q-d8RtY2uIo5Pa7Sd9Fg1Hj3Kl5Zx7C", "ES256", KeyState::Published),
                    key("b7Tn3Ye9Wq1Ru5Io8Pa2Sd4Fg6Hj0Kl3Zx5Cv7Bn9M", "ES256", KeyState::Signing),
                    key("a1Qw2Er3Ty4Ui5Op6As7Df8Gh9Jk0Lz1Xc2Vb3Nm4Q", "ES256", KeyState::Retired),
                ],
                algorithms: vec!["RS256".into(), "ES256".into()],
                published_at: self.t("https://id.home.example/jwks.json"),
            }),
            draw("admin-registration", &Registration {
                page: self.desk("Applications that register themselves"),
                form: self.typed(Form::new().with("policy", "token").with("documents", "off").with("days", "1").with("uses", "1")),
                tokens: vec![InitialTokenRow {
                    id: "t1".into(),
                    note: self.t("The tablet in the kitchen"),
                    uses_left: 3,
                    created: when("2026-11-24T08:50:00Z", "today, 08:50"),
                    expires: when("2026-11-25T08:50:00Z", "tomorrow, 08:50"),
                }],
                endpoint: self.t("https://id.home.example/register"),
                registered: 4,
                never_used: 1,
                never_used_most: 100,
                described: 1,
                described_most: 200,
            }),
            draw("admin-audit", &Audit {
                page: self.desk("Audit log"),
                form: filters,
                kinds: vec![
                    Choice { value: "sign_in".into(), label: "Sign-ins".into() },
                    Choice { value: "token".into(), label: self.t("Tokens") },
                ],
                rows: self.events(),
                older: Some("/id/admin/audit?after=x".into()),
                newest: None,
                export: "/id/admin/audit/export?outcome=failure".into(),
                days_kept: 90,
            }),
            draw("admin-try", &TryIt {
                page: self.desk("Try it"),
                error: Some(self.t("Doorlight could not reach its own address https://id.home.example.")),
            }),
            draw("admin-try-result", &TryResult {
                page: self.desk("Try it"),
                id_token: token("JWT", true),
                access_token: token("at+jwt", true),
                userinfo: self.t("{\n  \"sub\": \"5f2c8e1e-0b7a-4c55-9b6e-2f1d7a9c3e10\",\n  \"name\": \"Anna Lindqvist\",\n  \"email\": \"anna@lindqvist.example\",\n  \"email_verified\": true\n}"),
                token_answer: self.t("{\n  \"token_type\": \"Bearer\",\n  \"expires_in\": 900,\n  \"scope\": \"openid profile email groups\"\n}"),
            }),
        ]
    }
}
