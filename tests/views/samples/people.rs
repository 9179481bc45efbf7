//! People and groups, as an administrator sees them.

use super::*;

impl Samples<'_> {
    pub(super) fn admin_people(&self) -> Vec<(String, String)> {
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
}
