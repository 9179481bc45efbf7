//! What holds for the whole house: its settings, and its signing keys.

use super::super::document::{House, KeyEntry};
use super::{Before, Planner};
use crate::crypto::keyring::LoadedKey;
use crate::model::{AdminError, Change, EventKind, Settings, SigningKey};
use crate::store::StoreError;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Ten years.
const DAYS: RangeInclusive<u32> = 1..=3_650;
/// Further ahead than any key is made (`crypto::rotation`).
const AHEAD: Duration = Duration::from_secs(100 * 86_400);

impl Planner<'_> {
    /// The settings afterwards.
    pub(super) fn house(
        &mut self,
        house: Option<House>,
        keys: Vec<KeyEntry>,
    ) -> Result<Settings, StoreError> {
        let settings = self.view.settings_made()?;
        // Nobody can hold a token of its keys, and nobody set anything.
        let unused = self.view.user_count()? == 0
            && self.view.client_count()? == 0
            && self.view.grants(None, 1)?.is_empty();
        self.keys(keys, unused);
        let Some(house) = house else {
            return Ok(settings);
        };
        let defaults = Settings {
            subject_key: settings.subject_key.clone(),
            // No document has them.
            backups: settings.backups.clone(),
            ..Settings::new(settings.seal_key.clone())
        };
        let before = if unused || settings == defaults {
            Before::Missing
        } else {
            Before::There
        };
        let names_in_use = self
            .view
            .clients(None, usize::MAX)?
            .iter()
            .any(|client| client.sector.is_some());
        let decided = self.settings(&settings, house, names_in_use);
        let after = decided.as_ref().ok().cloned();
        let decided = decided.map(|after| {
            let told = settings.changes_to(&after);
            let event = self.by.did(EventKind::SettingsChanged);
            let event = event.detail(format!("import: {told}"));
            let change = Change::PutSettings(Box::new(after.clone()));
            (after != settings).then(|| (vec![change], vec![event]))
        });
        self.take("the settings", before, decided, |counts| {
            &mut counts.settings
        });
        Ok(after.unwrap_or(settings))
    }

    fn settings(
        &mut self,
        old: &Settings,
        house: House,
        names_in_use: bool,
    ) -> Result<Settings, AdminError> {
        for (field, days) in [
            ("audit_days", house.audit_days),
            ("session_idle_days", house.session_idle_days),
            ("session_absolute_days", house.session_absolute_days),
        ] {
            if !DAYS.contains(&days) {
                return Err(AdminError::invalid(field, "must be 1 to 3,650 days"));
            }
        }
        // It must never change where a name was made with it.
        let differs = house.subject_key.is_some() && house.subject_key != old.subject_key;
        if differs && names_in_use {
            self.note(
                "applications here know people by names of their own already, so new ones of that kind get names that \
                 are made here, and not as in the document",
            );
        }
        Ok(Settings {
            seal_key: old.seal_key.clone(),
            subject_key: house
                .subject_key
                .filter(|_| !names_in_use)
                .or_else(|| old.subject_key.clone()),
            audit_days: house.audit_days,
            session_idle_days: house.session_idle_days,
            session_absolute_days: house.session_absolute_days,
            registration: house.registration,
            client_documents: house.client_documents,
            outbound_hosts: house.outbound_hosts,
            metrics_token: house.metrics_token_hash.or(old.metrics_token),
            backups: old.backups.clone(),
        })
    }

    /// Keys come beside those that are here; into a file that nobody has used, in their place.
    fn keys(&mut self, keys: Vec<KeyEntry>, unused: bool) {
        let mut seen = BTreeSet::new();
        for entry in keys {
            let called = format!("the signing key {}", entry.kid);
            if !seen.insert(entry.kid.clone()) {
                self.problem(format!("{called} is in the document twice"));
                continue;
            }
            let key = SigningKey {
                kid: entry.kid,
                algorithm: entry.algorithm,
                private: entry.private,
                created: entry.created.0,
                active_from: entry.active_from.0,
            };
            let old = self
                .plan
                .keys
                .iter()
                .find(|old| old.kid == key.kid)
                .cloned();
            let before = old.as_ref().map_or(Before::Missing, |_| Before::There);
            let decided = self.key(&key, old.as_ref());
            if self.take(&called, before, decided, |counts| &mut counts.signing_keys) {
                self.plan.keys.retain(|old| old.kid != key.kid);
                self.plan.keys.push(key);
            }
        }
        if unused {
            self.forget_unused(&seen);
        }
    }

    fn key(
        &self,
        key: &SigningKey,
        old: Option<&SigningKey>,
    ) -> Result<Option<super::Decided>, AdminError> {
        if let Err(why) = LoadedKey::load(key) {
            return Err(AdminError::invalid("private", why));
        }
        if key.active_from > self.by.now.plus(AHEAD) {
            return Err(AdminError::invalid("active_from", "is too far ahead"));
        }
        if old == Some(key) {
            return Ok(None);
        }
        let event = self.by.did(EventKind::KeyAdded);
        let event = event.detail(format!("import: {} {}", key.algorithm.as_str(), key.kid));
        let change = Change::PutSigningKey(Box::new(key.clone()));
        Ok(Some((vec![change], vec![event])))
    }

    /// Withdraws the keys that this file was made with, where others of their algorithm have come.
    fn forget_unused(&mut self, come: &BTreeSet<String>) {
        let keys = std::mem::take(&mut self.plan.keys);
        let come: Vec<_> = keys.iter().filter(|key| come.contains(&key.kid)).collect();
        for key in &keys {
            let replaced = come.iter().any(|new| new.algorithm == key.algorithm);
            if !replaced || come.iter().any(|new| new.kid == key.kid) {
                self.plan.keys.push(key.clone());
                continue;
            }
            let event = self.by.did(EventKind::KeyDeleted);
            self.plan
                .events
                .push(event.detail(format!("import: {}", key.kid)));
            self.plan
                .changes
                .push(Change::DeleteSigningKey(key.kid.clone()));
        }
    }
}
