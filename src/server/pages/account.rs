//! What a person may end themselves: an application's permission, a browser's session.

use super::failure;
use super::sign_in::below_base;
use crate::identity::account;
use crate::server::incoming::{Incoming, Visitor};
use crate::server::respond;
use crate::store::StoreError;
use crate::types::{ClientId, Form, SessionId};
use rouille::Response;

/// `POST /account/applications/revoke`.
pub fn revoke_application(incoming: &Incoming<'_>, visitor: &Visitor, form: &Form) -> Response {
    let Ok(client) = form.text("id").parse::<ClientId>() else {
        return failure::malformed(incoming);
    };
    let (user, now, address) = (visitor.user.clone(), incoming.now, Some(incoming.address()));
    let submitted = incoming.ctx.store.submit(move |view| {
        let grants = view.grants_of(user.id, usize::MAX)?;
        let name = view.client(client)?;
        Ok(account::revoke_application(
            &user,
            client,
            name.as_ref(),
            grants,
            address,
            now,
        ))
    });
    done(incoming, submitted)
}

/// `POST /account/sessions/revoke`.
pub fn revoke_session(incoming: &Incoming<'_>, visitor: &Visitor, form: &Form) -> Response {
    let Ok(id) = form.text("id").parse::<SessionId>() else {
        return failure::malformed(incoming);
    };
    let (user, now, address) = (visitor.user.clone(), incoming.now, Some(incoming.address()));
    let submitted = incoming.ctx.store.submit(move |view| {
        let session = view.session(id)?;
        Ok(account::end_session(&user, session.as_ref(), address, now))
    });
    done(incoming, submitted)
}

fn done(
    incoming: &Incoming<'_>,
    submitted: Result<Result<(), account::NotYours>, StoreError>,
) -> Response {
    match submitted {
        Ok(Ok(())) => respond::see_other(&below_base(incoming, "/")),
        Ok(Err(account::NotYours)) => failure::not_found(incoming),
        Err(error) => {
            log::warn!("{error}");
            failure::busy(incoming)
        }
    }
}
