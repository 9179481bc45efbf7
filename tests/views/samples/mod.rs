//! Every page with data as it could be; with `hostile`, that text stands wherever text comes from outside.

mod applications;
mod backups;
mod desk;
mod people;
mod public;
mod resources;

use askama::Template;
use doorlight::views::admin::*;
use doorlight::views::*;

/// The page of an application on which these fields were refused.
pub fn application_refused(names: &[String]) -> String {
    let s = Samples { hostile: None };
    let mut form = s.application();
    for name in names {
        form.refuse(name, "No.");
    }
    let page = NewApplication {
        page: s.desk("Add an application"),
        form,
        groups: s.choices(),
    };
    page.render().unwrap()
}

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
                .with_tick("claims_in_id_token", true)
                .with(
                    "claim_mappings",
                    "role is Admin for admins, otherwise Viewer\nlogin from preferred_username",
                ),
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
        pages.extend(self.admin_resources());
        pages.extend(self.admin_people());
        pages.extend(self.admin_backups());
        pages.extend(self.admin_rest());
        pages
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
}
