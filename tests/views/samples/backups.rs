//! The page about backups: as it is at first, set, and with what was refused.

use super::*;

impl Samples<'_> {
    pub(super) fn admin_backups(&self) -> Vec<(String, String)> {
        let file = |day: u32, ending: &str, size: &str| BackupRow {
            when: when("2026-11-24T03:00:00Z", "24 Nov 2026, 03:00 UTC"),
            file: self.t(&format!("doorlight-2026-11-{day}-030000.redb{ending}")),
            size: size.to_owned(),
            of_the_future: false,
        };
        let first = Backups {
            page: self.desk("Backups"),
            form: self.typed(
                Form::new()
                    .with("at", "03:00")
                    .with("daily", "7")
                    .with("weekly", "4")
                    .with("monthly", "12")
                    .with("lock", "passphrase"),
            ),
            folder: None,
            warning: None,
            good: None,
            next: None,
            failure: None,
            rows: Vec::new(),
            more: 0,
            unreadable: None,
            recipients: 0,
            restoring: vec![
                self.t("doorlight verify /mnt/usb/doorlight-2026-11-29-030000.redb"),
                "doorlight --data /var/lib/doorlight/doorlight.redb restore /mnt/usb/doorlight-2026-11-29-030000.redb".to_owned(),
            ],
        };
        let mut later = file(29, "", "1.2 MiB");
        later.of_the_future = true;
        let good = BackupRow {
            when: when(
                "2026-11-24T03:00:00Z",
                "5 hours ago (24 Nov 2026, 03:00 UTC)",
            ),
            file: self.t("/mnt/usb/doorlight/doorlight-2026-11-24-030000.redb.age"),
            size: "1.2 MiB".to_owned(),
            of_the_future: false,
        };
        let set = Backups {
            page: self.desk("Backups"),
            form: self.typed(
                first
                    .form
                    .clone()
                    .with("folder", "/mnt/usb/doorlight")
                    .with("recipients", "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj")
                    .with("lock", "recipients"),
            ),
            folder: Some("/mnt/usb/doorlight".to_owned()),
            warning: Some("The folder is on the disk of the data file: when that dies, both are gone, unless something copies the backups elsewhere.".to_owned()),
            good: Some(good),
            next: Some(when("2026-11-25T03:00:00Z", "25 Nov 2026, 03:00 UTC")),
            failure: Some((
                when("2026-11-22T03:00:00Z", "2 days ago (22 Nov 2026, 03:00 UTC)"),
                self.t("/mnt/usb/doorlight: there is no room on that disk."),
            )),
            rows: vec![later, file(24, ".age", "1.2 MiB"), file(23, ".age", "1.2 MiB"), file(22, "", "988 KiB")],
            more: 17,
            unreadable: None,
            recipients: 1,
            restoring: vec![
                self.t("doorlight verify /mnt/usb/doorlight/doorlight-2026-11-24-030000.redb.age --identity backup-key.txt"),
                "doorlight --data /var/lib/doorlight/doorlight.redb restore /mnt/usb/doorlight/doorlight-2026-11-24-030000.redb.age --identity backup-key.txt".to_owned(),
            ],
        };
        let mut refused = Backups {
            page: Page {
                notices: vec![self.notice(
                    Tone::Bad,
                    "The last good backup is 9 days old. The last backup failed: /mnt/usb/doorlight: there is no such folder.",
                    None,
                )],
                ..self.desk("Backups")
            },
            unreadable: Some(self.t("/mnt/usb/doorlight: there is no such folder")),
            rows: Vec::new(),
            more: 0,
            ..set.clone()
        };
        refused
            .form
            .refuse("folder", "/mnt/usb/doorlight: there is no such folder.");
        refused.form.refuse("passphrase", "Too easy to guess.");
        vec![
            draw("admin-backups-first", &first),
            draw("admin-backups", &set),
            draw("admin-backups-refused", &refused),
        ]
    }
}
