//! Applications, as an administrator sees them.

use super::*;

impl Samples<'_> {
    pub(super) fn admin_applications(&self) -> Vec<(String, String)> {
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
                browser_of: Some(self.t("anna")),
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
        let service = Application {
            page: self.desk("Nightly report"),
            name: self.t("Nightly report"),
            form: self
                .application()
                .with("kind", "service")
                .with_all::<String>("scope", [])
                .with_all::<String>("allowed_group", [])
                .with_all::<String>("claims_in_id_token", [])
                .with("claim_mappings", "")
                .with("home_url", "")
                .with("redirect_uris", "")
                .with("more_scopes", self.t("photos:read"))
                .with("grant", "client_credentials"),
            refused: vec![],
            forgotten: None,
            undelivered: Undelivered::default(),
            ..application.clone()
        };
        let full = Application {
            form: self
                .application()
                .with("kind", "native")
                .with(
                    "post_logout_redirect_uris",
                    "https://grafana.home.example/out",
                )
                .with(
                    "backchannel_logout_uri",
                    "https://grafana.home.example/backchannel",
                )
                .with_tick("backchannel_logout_session_required", true)
                .with(
                    "frontchannel_logout_uri",
                    "https://grafana.home.example/frontchannel",
                )
                .with("access_token_minutes", "5")
                .with("profile", "strict")
                .with("jwks", "{\n  \"keys\": []\n}")
                .with_tick("allow_http_redirect", true),
            ..public.clone()
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
            draw("admin-application-service", &service),
            draw("admin-application-full", &full),
            draw("admin-application-delete", &delete),
        ]
    }
}
