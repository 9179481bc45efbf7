//! What a token for the API may not write, whatever verb it gives. Whoever stole one must not stay in with it, nor get
//! with it what only an administrator's session or the machine itself may have, such as a copy of the data file.
//! Owns: that a token neither makes nor changes an administrator, nor an application that may administer. Not here: which
//! verbs it may give at all (`api::control`), and that it still holds ([`super::Actor`]).

use crate::model::{AdminError, Change, Decision, LinkPurpose};
use crate::oauth::protected_resource;
use crate::store::{StoreError, View};
use crate::types::{ClientId, Issuer, UserId};

/// The decision, if a token may have it; else a refusal that writes nothing.
pub(super) fn bounded<T>(
    decision: Decision<T, AdminError>,
    view: &View<'_>,
    issuer: &Issuer,
) -> Result<Decision<T, AdminError>, StoreError> {
    let mut refused = matches!(decision.reply, Err(AdminError::LastAdministrator));
    for change in &decision.changes {
        refused = refused || administers(change, view, issuer)?;
    }
    Ok(match refused {
        true => Decision::reply(Err(AdminError::NotByToken)),
        false => decision,
    })
}

/// Whether it makes, changes or removes someone or something that administers, or lets somebody in as such a one.
fn administers(change: &Change, view: &View<'_>, issuer: &Issuer) -> Result<bool, StoreError> {
    let person = |id: UserId| -> Result<bool, StoreError> {
        Ok(view.user(id)?.is_some_and(|user| user.admin))
    };
    let application = |id: ClientId| -> Result<bool, StoreError> {
        let client = view.client(id)?;
        Ok(client.is_some_and(|client| protected_resource::asks_to_administer(&client)))
    };
    let api = protected_resource::identifier(issuer);
    Ok(match change {
        Change::PutUser(user) => user.admin || person(user.id)?,
        Change::DeleteUser(id) => person(*id)?,
        Change::PutSession(session) => person(session.user)?,
        Change::PutLink(link) => match link.purpose {
            LinkPurpose::Setup => true,
            LinkPurpose::SignIn(id) => person(id)?,
        },
        Change::PutClient(client) => {
            protected_resource::asks_to_administer(client) || application(client.id)?
        }
        Change::DeleteClient(id) => application(*id)?,
        Change::PutResource(resource) => resource.identifier == api,
        Change::DeleteResource(identifier) => *identifier == api,
        Change::PutGroup(_)
        | Change::DeleteGroup(_)
        | Change::DeleteSession(_)
        | Change::PutCode(_)
        | Change::PutGrant(_)
        | Change::PutRefreshToken(_)
        | Change::PutRevocation(_)
        | Change::PutConsent(_)
        | Change::DeleteConsent(..)
        | Change::DeleteLink(_)
        | Change::PutSigningKey(_)
        | Change::DeleteSigningKey(_)
        | Change::PutSettings(_)
        | Change::PutBackupRecord(_)
        | Change::PutIssuerRecord(_)
        | Change::PutReplay(_)
        | Change::PutPushedRequest(_)
        | Change::DeletePushedRequest(_)
        | Change::PutDeviceAuthorization(_)
        | Change::PutInitialToken(_)
        | Change::DeleteInitialToken(_)
        | Change::PutDelivery(_)
        | Change::DeleteDelivery(_) => false,
    })
}
