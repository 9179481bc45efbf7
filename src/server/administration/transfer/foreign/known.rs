//! Applications that are here already, for a file that is read a second time: a secret that somebody thought up is hashed
//! with another salt each time, and only the hash that is here tells whether it is still the same.

use crate::crypto::password::{self, Verdict};
use crate::model::Client;
use crate::store::{StoreError, View};
use crate::types::{Secret, SecretHash, WireClientId};

/// None of them: [`Known::default`].
#[derive(Default)]
pub struct Known(Vec<Client>);

impl Known {
    /// All that there are.
    pub fn of(view: &View<'_>) -> Result<Self, StoreError> {
        view.clients(None, usize::MAX).map(Self)
    }

    /// The hash that is kept of this very secret of the application that has the client id, or where it brings none, the
    /// name (as `plan` finds it).
    pub(super) fn hash_of(
        &self,
        id: Option<&WireClientId>,
        name: &str,
        secret: &Secret,
    ) -> Option<SecretHash> {
        let name = name.trim().to_lowercase();
        let client = self.0.iter().find(|client| match id {
            Some(id) => client.wire_id() == *id,
            None => client.name.to_lowercase() == name,
        })?;
        let kept = client.secrets.iter().map(|kept| &kept.hash);
        let is_same = |hash: &&SecretHash| {
            let verdict = hash.slow().map(|phc| password::verify(secret, phc));
            matches!(verdict, Some(Verdict::Match { .. }))
        };
        kept.into_iter().find(is_same).cloned()
    }
}
