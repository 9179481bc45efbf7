//! Hosts that Doorlight may call over plain http and at inner addresses: the applications at home that it tells of
//! sign-outs, or whose documents it fetches. Not here: what else holds for such calls (`ops::outbound`).

use crate::model::{AdminError, Author, Change, Decision, Settings};
use crate::types::Host;

/// More are a mistake.
const MOST: usize = 100;

/// Allows a host, or takes that back.
pub fn set(
    settings: Settings,
    host: &Host,
    allowed: bool,
    by: &Author,
) -> Decision<(), AdminError> {
    let mut after = settings.clone();
    let changed = if allowed {
        after.outbound_hosts.insert(host.clone())
    } else {
        after.outbound_hosts.remove(host)
    };
    if !changed && !allowed {
        return Decision::reply(Err(AdminError::NotFound {
            what: "allowed host",
            name: host.to_string(),
        }));
    }
    if !changed {
        return Decision::reply(Ok(()));
    }
    if after.outbound_hosts.len() > MOST {
        return Decision::reply(Err(AdminError::invalid("host", format!("at most {MOST}"))));
    }
    Decision {
        events: vec![by.changed_settings(&settings, &after)],
        changes: vec![Change::PutSettings(Box::new(after))],
        reply: Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::testing::by;

    #[test]
    fn a_host_is_allowed_once_and_taken_back_once() {
        let by = by();
        let host: Host = "nas.home.arpa".parse().unwrap();
        let empty = Settings::new(vec![0; 32].into());
        let added = set(empty.clone(), &host, true, &by);
        let [Change::PutSettings(with)] = &added.changes[..] else {
            panic!()
        };
        assert!(with.outbound_hosts.contains(&host) && added.events.len() == 1);
        let again = set((**with).clone(), &host, true, &by);
        assert!(again.changes.is_empty() && again.reply.is_ok());
        let gone = set((**with).clone(), &host, false, &by);
        assert_eq!(gone.changes, [Change::PutSettings(Box::new(empty.clone()))]);
        assert!(set(empty, &host, false, &by).reply.is_err());
        let mut full = (**with).clone();
        full.outbound_hosts = (0..MOST)
            .map(|n| format!("h{n}.example").parse().unwrap())
            .collect();
        let refused = set(full, &host, true, &by);
        assert!(refused.reply.is_err() && refused.changes.is_empty());
    }
}
