//! The address by which applications know Doorlight, at a start. Not here: what is told of it and for how long
//! (`model::issuer_record`), the words of the doctor (`doctor::issuer`).

use super::{Actor, OperationError, submit};
use crate::model::{Change, Decision, EventKind, IssuerRecord};
use crate::server::context::Context;

/// Notes the issuer of this start. A start with that of the last one writes nothing.
pub fn note(ctx: &Context, actor: &Actor) -> Result<(), OperationError> {
    let issuer = ctx.config.issuer.as_str().to_owned();
    let last = ctx.store.snapshot()?.view().issuer_record()?;
    if last.is_some_and(|last| last.issuer == issuer) {
        return Ok(());
    }
    submit(ctx, actor, move |view, by| {
        let last = view.issuer_record()?;
        let known = view.client_count()? > 0;
        let Some(record) = IssuerRecord::at_start(last.as_ref(), &issuer, known, by.now) else {
            return Ok(Decision::reply(Ok(())));
        };
        let moved = last.map(|last| {
            by.did(EventKind::IssuerChanged)
                .detail(format!("from {} to {issuer}", last.issuer))
        });
        Ok(Decision {
            changes: vec![Change::PutIssuerRecord(Box::new(record))],
            events: moved.into_iter().collect(),
            reply: Ok(()),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::administration::Authority;
    use crate::server::testing::house;

    #[test]
    fn a_start_with_the_issuer_of_before_writes_nothing() {
        let mut house = house("issuer");
        let actor = Actor {
            name: "start".to_owned(),
            address: None,
            authority: Authority::File,
        };
        let written = |house: &crate::server::testing::House| {
            let before = house.ctx.store.commits();
            note(&house.ctx, &actor).unwrap();
            house.ctx.store.commits() - before
        };
        assert_eq!((written(&house), written(&house)), (1, 0));
        let moved = "http://localhost:8081".parse().unwrap();
        house.ctx.be_known_as(moved);
        assert_eq!((written(&house), written(&house)), (1, 0));
    }
}
