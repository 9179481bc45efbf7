//! The other pages of an administrator: overview, sessions, keys, events.

use super::*;

impl Samples<'_> {
    pub(super) fn admin_overview(&self) -> Vec<(String, String)> {
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
            checks: self.checks(),
            version: "0.1.0".into(),
            calls: Some("12 since the start; not allowed: 1; failed: 2".to_owned()),
            backup: Some(when("2026-11-23T03:00:00Z", "29 hours ago (23 Nov 2026, 03:00 UTC)")),
            backs_up: true,
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
            checks: Checks {
                wrong: Vec::new(),
                looked: None,
                ..self.checks()
            },
            backup: None,
            backs_up: false,
            ..overview.clone()
        };
        vec![draw("admin", &overview), draw("admin-first", &first)]
    }

    fn checks(&self) -> Checks {
        let row = |name: &str, tone, found: &str, change: Option<&str>| CheckRow {
            name: name.to_owned(),
            tone,
            found: self.t(found),
            change: change.map(|line| self.t(line)),
        };
        Checks {
            wrong: vec![
                row(
                    "Proxy",
                    Tone::Bad,
                    "requests come from 172.18.0.2, which is not trusted: what it says about people's addresses and https is not believed",
                    Some("--trusted-proxy 172.18.0.2"),
                ),
                row(
                    "Room on the disk",
                    Tone::Warning,
                    "40.0 MiB are free; a copy of the data file, which a restore makes, takes 62.5 MiB",
                    None,
                ),
            ],
            fine: vec![
                row(
                    "Permissions",
                    Tone::Good,
                    "only its owner may read the data file and open the socket",
                    None,
                ),
                row("Memory", Tone::Good, "700 MiB are free", None),
            ],
            looked: Some(When {
                iso: "2026-11-24T08:50:00Z".to_owned(),
                text: "3 minutes ago (24 Nov 2026, 08:50 UTC)".to_owned(),
            }),
        }
    }

    pub(super) fn admin_rest(&self) -> Vec<(String, String)> {
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
