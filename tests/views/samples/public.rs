//! What everybody sees: signing in, permission, devices, errors.

use super::*;

impl Samples<'_> {
    pub(super) fn public(&self) -> Vec<(String, String)> {
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
        let restore = Restore {
            page: self.page("Restore a backup"),
            form: self.typed(Form::new()),
            token: self.t("k3.v9"),
            most_gib: 2,
        };
        let mut wrong = self.typed(Form::new().with_tick("replace_keys", true));
        wrong.refuse("passphrase", self.t("This is not its passphrase."));
        let restore_refused = Restore {
            form: wrong,
            ..restore.clone()
        };
        let restored = Restored {
            page: self.page("Restored"),
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
            draw("restore", &restore),
            draw("restore-refused", &restore_refused),
            draw("restored", &restored),
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
}
