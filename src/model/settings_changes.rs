//! What differs between two records of settings, for the audit log: each by its name, as the document of `export` has it,
//! with its old and its new value where that is no secret. Of a secret only that it was set, replaced or removed.

use super::{Author, BackupSettings, Event, EventKind, Keep, Settings};
use std::collections::BTreeSet;
use std::fmt::Display;

impl Settings {
    /// The differences, in words; empty where there are none.
    pub fn changes_to(&self, after: &Self) -> String {
        // A setting that is added later has to be told too: so none is left out here.
        let Self {
            seal_key,
            subject_key,
            audit_days,
            session_idle_days,
            session_absolute_days,
            registration,
            client_documents,
            outbound_hosts,
            metrics_token,
            backups,
        } = self;
        // What is long comes last, for a long detail is cut.
        let mut told = Told::default();
        told.secret("seal_key", Some(seal_key), Some(&after.seal_key));
        told.secret(
            "subject_key",
            subject_key.as_ref(),
            after.subject_key.as_ref(),
        );
        told.secret(
            "metrics_token",
            metrics_token.as_ref(),
            after.metrics_token.as_ref(),
        );
        told.value("audit_days", audit_days, &after.audit_days);
        told.value(
            "session_idle_days",
            session_idle_days,
            &after.session_idle_days,
        );
        let absolute = &after.session_absolute_days;
        told.value("session_absolute_days", session_absolute_days, absolute);
        told.value(
            "registration",
            registration.as_str(),
            after.registration.as_str(),
        );
        told.switch(
            "client_documents",
            *client_documents,
            after.client_documents,
        );
        told.backups(backups, &after.backups);
        told.members("outbound_hosts", outbound_hosts, &after.outbound_hosts);
        told.0.join("; ")
    }
}

impl Author {
    /// What this author made of the settings.
    pub fn changed_settings(&self, before: &Settings, after: &Settings) -> Event {
        let event = self.did(EventKind::SettingsChanged);
        event.detail(before.changes_to(after))
    }
}

/// Members of a list that are named; of more than that the number is told.
const MEMBERS_TOLD: usize = 4;

#[derive(Default)]
struct Told(Vec<String>);

impl Told {
    fn value<T: Display + PartialEq + ?Sized>(&mut self, name: &str, old: &T, new: &T) {
        if old != new {
            self.0.push(format!("{name} from {old} to {new}"));
        }
    }

    fn switch(&mut self, name: &str, old: bool, new: bool) {
        let word = |on| if on { "on" } else { "off" };
        self.value(name, word(old), word(new));
    }

    fn members<T: Display + Ord>(&mut self, name: &str, old: &BTreeSet<T>, new: &BTreeSet<T>) {
        for (what, members) in [
            ("with", new.difference(old)),
            ("without", old.difference(new)),
        ] {
            let members: Vec<String> = members.map(ToString::to_string).collect();
            let (told, more) = members.split_at(members.len().min(MEMBERS_TOLD));
            match more.len() {
                _ if told.is_empty() => {}
                0 => self.0.push(format!("{name} {what} {}", told.join(" "))),
                more => self
                    .0
                    .push(format!("{name} {what} {} and {more} more", told.join(" "))),
            }
        }
    }

    fn backups(&mut self, old: &BackupSettings, new: &BackupSettings) {
        let BackupSettings {
            folder,
            on_other_disk,
            mount_point,
            others_read,
            minute,
            keep:
                Keep {
                    daily,
                    weekly,
                    monthly,
                },
            recipients,
        } = old;
        let place = |folder: &Option<String>| folder.clone().unwrap_or_else(|| "none".to_owned());
        let at = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        self.switch("backups.on_other_disk", *on_other_disk, new.on_other_disk);
        self.switch("backups.others_read", *others_read, new.others_read);
        self.value("backups.at", &at(*minute), &at(new.minute));
        self.value("backups.daily", daily, &new.keep.daily);
        self.value("backups.weekly", weekly, &new.keep.weekly);
        self.value("backups.monthly", monthly, &new.keep.monthly);
        // Before what may be long: who can read the backups is never what is cut off.
        let all = |keys: &[String]| keys.iter().cloned().collect::<BTreeSet<String>>();
        self.members(
            "backups.recipients",
            &all(recipients),
            &all(&new.recipients),
        );
        self.value("backups.folder", &place(folder), &place(&new.folder));
        self.value(
            "backups.mount_point",
            &place(mount_point),
            &place(&new.mount_point),
        );
    }

    fn secret<T: PartialEq>(&mut self, name: &str, old: Option<&T>, new: Option<&T>) {
        let what = match (old, new) {
            (None, Some(_)) => "set",
            (Some(_), None) => "removed",
            (Some(old), Some(new)) if old != new => "replaced",
            _ => return,
        };
        self.0.push(format!("{name} {what}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RegistrationPolicy;
    use crate::types::{Secret, TokenHash};

    #[test]
    fn each_setting_is_told_by_its_name_and_no_secret_by_its_value() {
        let before = Settings::new(vec![1; 32].into());
        assert_eq!(before.changes_to(&before), "");
        let mut after = Settings {
            seal_key: vec![2; 32].into(),
            subject_key: Some(vec![3; 32].into()),
            audit_days: 30,
            session_idle_days: 7,
            session_absolute_days: 60,
            registration: RegistrationPolicy::Open,
            client_documents: true,
            outbound_hosts: ["nas.home.arpa".parse().unwrap()].into(),
            metrics_token: Some(TokenHash::of(&Secret::from_random([4; 32]))),
            backups: BackupSettings {
                folder: Some("/mnt/usb".to_owned()),
                minute: 245,
                recipients: vec!["age1own".to_owned()],
                ..BackupSettings::default()
            },
        };
        after.backups.keep.daily = 8;
        assert_eq!(
            before.changes_to(&after),
            "seal_key replaced; subject_key set; metrics_token set; audit_days from 90 to 30; session_idle_days from 14 \
             to 7; session_absolute_days from 90 to 60; registration from off to open; client_documents from off to on; \
             backups.at from 03:00 to 04:05; backups.daily from 7 to 8; backups.recipients with age1own; \
             backups.folder from none to /mnt/usb; outbound_hosts with nas.home.arpa"
        );
        let back = after.changes_to(&before);
        for told in [
            "without age1own",
            "without nas.home.arpa",
            "metrics_token removed",
        ] {
            assert!(back.contains(told), "{back}");
        }
    }

    /// A folder of a thousand letters, and keys that sort before it, kept the key of a stranger out of the log.
    #[test]
    fn who_may_read_the_backups_is_told_before_what_may_be_cut_off() {
        let before = Settings::new(b"key".to_vec().into());
        let mut after = before.clone();
        after.backups.folder = Some("/".repeat(1_000));
        after.backups.recipients = (10..30).map(|n| format!("age1{n}")).collect();
        let told = before.changes_to(&after);
        let (keys, _folder) = told.split_once("backups.folder").unwrap();
        assert!(
            keys.contains("with age110 age111 age112 age113 and 16 more"),
            "{told}"
        );
    }
}
