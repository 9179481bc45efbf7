//! APIs, as an administrator sees them.

use super::*;

impl Samples<'_> {
    pub(super) fn admin_resources(&self) -> Vec<(String, String)> {
        let applications: Vec<Choice> = [
            ("c1", "Photo frame"),
            ("c2", "Nightly report"),
            ("c3", "Front desk of the photo library"),
        ]
        .map(|(id, name)| Choice {
            value: id.into(),
            label: self.t(name),
        })
        .to_vec();
        let row = |id: &str, name: &str, identifier: &str, clients: usize| ResourceRow {
            id: id.into(),
            name: self.t(name),
            identifier: self.t(identifier),
            clients,
        };
        let list = Resources {
            page: self.desk("APIs"),
            list: self.list(),
            rows: vec![
                row("a1", "Photo library", "https://photos.home.example/api", 2),
                row("a2", "Heating", "heating", 0),
            ],
        };
        let stored = self.typed(
            Form::new()
                .with("name", "Photo library")
                .with("scope", "photos:read photos:write")
                .with("token_seconds", "900")
                .with("alg", "ES256")
                .with_all("client", ["c1", "c2"])
                .with_all("server", ["c3"]),
        );
        let new = NewResource {
            page: self.desk("Add an API"),
            form: self.typed(
                Form::new()
                    .with("token_seconds", "900")
                    .with("alg", "ES256"),
            ),
            applications: vec![],
        };
        let mut wrong = stored.clone().with("identifier", self.t("photos#api"));
        wrong.refuse("identifier", self.t("Must not hold “#”."));
        wrong.refuse("token_seconds", "Must be 300 to 3,600 seconds.");
        let refused = NewResource {
            form: wrong,
            applications: applications.clone(),
            ..new.clone()
        };
        let resource = Resource {
            page: self.desk("Photo library"),
            form: stored,
            id: "a1".into(),
            name: self.t("Photo library"),
            identifier: self.t("https://photos.home.example/api"),
            applications,
        };
        let delete = Confirm {
            page: self.desk("Delete Photo library?"),
            section: "resources",
            consequences: vec![self.t("2 applications get no more tokens for it.")],
            action: "/id/admin/resources/a1/delete".into(),
            fields: vec![],
            button: self.t("Delete Photo library"),
            back: "/id/admin/resources/a1".into(),
        };
        let none = Resources {
            list: ListHead {
                query: self.t(""),
                ..ListHead::default()
            },
            rows: vec![],
            ..list.clone()
        };
        vec![
            draw("admin-resources", &list),
            draw("admin-resources-none", &none),
            draw("admin-resource-new", &new),
            draw("admin-resource-refused", &refused),
            draw("admin-resource", &resource),
            draw("admin-resource-delete", &delete),
        ]
    }
}
