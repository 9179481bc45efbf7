//! The doctor: whether everything that Doorlight stands on is as it should be, and which line to change where it is not.
//! Owns: which checks there are and their order. Each file measures one thing and judges it in a pure function.
//! A running server is looked at from inside: with its own settings, its limits and its certificates. Nobody outside is
//! ever called, only Doorlight's own address.
//! Not here: how findings are shown (`cli::doctor`, `admin::overview`), whether the file's pages are whole
//! (`store::verify`).

pub mod address;
mod backups;
mod certificate;
mod clock;
mod disk;
mod finding;
pub mod issuer;
mod machine;
mod permissions;
pub mod probes;
mod proxy;
mod rounds;
mod sync;

use crate::config::{CertificateFiles, Config};
use crate::crypto::{password, random};
use crate::model::{BackupRecord, BackupSettings, IssuerRecord};
use crate::ops;
use crate::ops::clock::Doubt;
use crate::ops::mounts::Mounts;
use crate::ops::outbound::own::{self, Reached};
use crate::server::context::Context;
use crate::store::{StoreError, View};
use crate::types::{Secret, Timestamp};
use url::Url;

pub use finding::{Finding, Level};
pub use rounds::{Round, Rounds};

/// Whom the doctor looks at.
pub struct Patient<'a> {
    /// The settings.
    pub config: &'a Config,
    /// The files of https, if it ends here.
    pub https: Option<&'a CertificateFiles>,
    /// What stands in the file, or why it does not read; `None` for a file that has to be repaired first.
    pub records: Option<Result<Records, StoreError>>,
    /// What is in doubt of the clock.
    pub doubt: Option<Doubt>,
}

/// What the doctor looks at in the file.
pub struct Records {
    sure: Option<Timestamp>,
    backups: (BackupSettings, BackupRecord),
    issuer: Option<IssuerRecord>,
    /// Bytes of memory that the dearest hash takes, of those that are looked at.
    dearest_hash: u64,
}

/// People, and applications, whose hashes are looked at: more would take too long for a page.
const HASHES: usize = 1_000;

impl Records {
    /// Reads them.
    pub fn of(view: &View<'_>) -> Result<Self, StoreError> {
        // A file that no server has started with has no settings.
        let settings = view.settings()?.map(|settings| settings.backups);
        Ok(Self {
            sure: view.sure()?,
            backups: (settings.unwrap_or_default(), view.backup_record()?),
            issuer: view.issuer_record()?,
            dearest_hash: (view.slow_hashes(HASHES)?.iter())
                .map(|phc| password::memory(phc.expose()))
                .max()
                .unwrap_or_default(),
        })
    }
}

impl<'a> Patient<'a> {
    /// A running server.
    pub fn serving(ctx: &'a Context) -> Self {
        Self {
            config: &ctx.config,
            https: ctx.certificate.get().map(|keeper| keeper.files()),
            records: Some(
                ctx.store
                    .snapshot()
                    .and_then(|snapshot| Records::of(&snapshot.view())),
            ),
            doubt: ops::clock::doubt(),
        }
    }

    /// A file that no server serves: its clock is what a start now would doubt.
    pub fn at_rest(
        config: &'a Config,
        https: Option<&'a CertificateFiles>,
        records: Option<Result<Records, StoreError>>,
        now: Timestamp,
    ) -> Self {
        let sure = match &records {
            Some(Ok(records)) => records.sure,
            _ => None,
        };
        Self {
            config,
            https,
            records,
            doubt: ops::clock::doubt_at_start(sure, now),
        }
    }
}

/// All of a running server.
pub fn everything(ctx: &Context, now: Timestamp) -> Vec<Finding> {
    let patient = Patient::serving(ctx);
    let mut findings = vec![serving(ctx)];
    findings.extend(quick(&patient, now));
    findings.extend(slow(&patient));
    findings.extend(way_here(ctx, now));
    findings
}

/// Whether it can write.
fn serving(ctx: &Context) -> Finding {
    const CHECK: &str = "server";
    let (version, listen) = (env!("CARGO_PKG_VERSION"), ctx.config.listen);
    if ctx.store.is_ready() {
        Finding::ok(
            CHECK,
            format!(
                "version {version} runs as process {}, on {listen}",
                std::process::id()
            ),
        )
    } else {
        Finding::fault(
            CHECK,
            "it runs, and cannot write its data file: the log says why",
        )
    }
}

/// All that can be said in a moment.
pub fn quick(patient: &Patient<'_>, now: Timestamp) -> Vec<Finding> {
    let config = patient.config;
    let mut findings = vec![permissions::look(&config.data, &config.socket())];
    findings.extend(address::spelling(&config.issuer));
    let mounts = Mounts::read();
    findings.extend(disk::look(&config.data, mounts.as_ref()));
    findings.push(clock::judge(now, patient.doubt, clock::keeper()));
    findings.extend(of_records(patient.records.as_ref(), now));
    let mut dearest = 0;
    if let Some(Ok(records)) = &patient.records {
        findings.extend(issuer::judge(records.issuer.as_ref(), &config.issuer, now));
        findings.extend(backups::place(&records.backups.0, mounts.as_ref()));
        dearest = records.dearest_hash;
    }
    findings.push(machine::memory(dearest));
    findings.push(machine::files());
    if let Some(files) = patient.https {
        findings.push(certificate::of_files(files, &config.issuer, now));
    }
    findings
}

/// The backups. What does not read is the worst that can be found, and is told as such.
fn of_records(records: Option<&Result<Records, StoreError>>, now: Timestamp) -> Option<Finding> {
    Some(match records? {
        Ok(Records { backups, .. }) => backups::judge(&backups.0, &backups.1, now),
        Err(why) => Finding::fault("data file", why.to_string()).change("doorlight verify"),
    })
}

/// What takes longer, and needs no server.
pub fn slow(patient: &Patient<'_>) -> Vec<Finding> {
    vec![sync::look(&patient.config.data)]
}

/// Without a server nobody can tell what arrives.
pub fn unserved() -> Finding {
    Finding::note(
        "address",
        "no server runs: whether its address leads here, and what the proxy passes on, cannot be tried",
    )
}

/// Whether the public address leads here, and what arrives.
pub fn way_here(ctx: &Context, now: Timestamp) -> Vec<Finding> {
    let (issuer, listen) = (&ctx.config.issuer, ctx.config.listen);
    let value = Secret::from_random(random::bytes());
    let Some(url) = document(issuer.as_str(), &value) else {
        return Vec::new();
    };
    let reached = match own::reach(&url) {
        Ok(reached) => reached,
        Err(unreached) => return vec![address::judge(issuer, listen, Err(&unreached), false)],
    };
    let files = ctx.certificate.get().map(|keeper| keeper.files());
    let ends_https = files.is_some();
    let direct = is_direct(&reached, listen.port(), issuer.is_https() == ends_https);
    let claim = [("X-Forwarded-For", proxy::CLAIMED)];
    let claim = if direct { &[][..] } else { &claim };
    ctx.rounds.probes.expect(&value, now);
    let (shown, answer) = own::get(&url, claim);
    let seen = ctx.rounds.probes.take(&value, now);
    let mut findings = Vec::new();
    if let Some(shown) = &shown {
        findings.push(certificate::of_shown(shown, files, issuer, now));
    }
    let assured = shown.is_some_and(|shown| certificate::is_assured(&shown, files));
    let judged = address::judge(issuer, listen, answer.as_ref(), assured);
    let leads_here = judged.level == Level::Ok;
    findings.push(judged);
    if answer.is_ok() && (leads_here || seen.is_some()) {
        let way = proxy::Way {
            issuer,
            trusted: &ctx.config.trusted_proxies,
            from: reached.from.to_canonical(),
            direct,
            ends_https,
            assured,
        };
        findings.push(proxy::judge(&way, seen.as_ref()));
    }
    findings
}

/// Discovery, with the value of the probe.
fn document(issuer: &str, value: &Secret) -> Option<Url> {
    let mut url = Url::parse(&format!("{issuer}/.well-known/openid-configuration")).ok()?;
    url.query_pairs_mut()
        .append_pair(probes::PARAMETER, value.expose());
    Some(url)
}

/// Whether the connection went to the socket that Doorlight itself listens on, with the scheme that it has there.
fn is_direct(reached: &Reached, port: u16, same_scheme: bool) -> bool {
    let (to, from) = (reached.to.ip().to_canonical(), reached.from.to_canonical());
    let on_this_machine = to.is_loopback() || to == from;
    on_this_machine && reached.to.port() == port && same_scheme
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_that_do_not_read_are_a_fault_and_not_passed_over() {
        let now = Timestamp::from_secs(1_795_510_200);
        let broken = Err(StoreError::BadRecord("a backup".to_owned()));
        let levels = |records: Option<&Result<Records, StoreError>>| {
            let findings = of_records(records, now);
            let of_file = findings.into_iter().filter(|one| one.check == "data file");
            of_file.map(|one| one.level).collect::<Vec<_>>()
        };
        assert_eq!(levels(Some(&broken)), [Level::Fault]);
        assert!(levels(None).is_empty());
        let whole = Ok(Records {
            sure: None,
            backups: (BackupSettings::default(), BackupRecord::default()),
            issuer: None,
            dearest_hash: 0,
        });
        assert!(levels(Some(&whole)).is_empty());
    }
}
