//! Https without a proxy: the settings for it, and when the certificate is read again.
//! Owns: which settings belong together. Not here: the pair (`server::certificate`), what is spoken
//! (`server::listener`), the way from http to https (`server::redirect`).

use super::{Failure, Shared, serve};
use crate::config::CertificateFiles;
use crate::ops::clock;
use crate::ops::timer::Task;
use crate::server::certificate::Keeper;
use crate::server::listener::Service;
use crate::server::redirect;
use clap::Args;
use rustix::process::Signal;
use signal_hook::iterator::Signals;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Between two looks at the files; each costs two `stat`.
const LOOK_EVERY: Duration = Duration::from_secs(10);

#[derive(Args)]
pub(super) struct HttpsArguments {
    /// The certificate and its chain, in PEM; without one: plain http, for a proxy.
    #[arg(long, global = true, env = "DOORLIGHT_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// Its private key, in PEM.
    #[arg(long, global = true, env = "DOORLIGHT_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// A second address, usually with port 80, that sends browsers on to https.
    #[arg(
        long,
        global = true,
        env = "DOORLIGHT_HTTP_REDIRECT",
        value_parser = super::listen_address,
        value_name = "ADDRESS"
    )]
    http_redirect: Option<SocketAddr>,
}

/// The settings, once it is known that they fit together.
#[derive(Clone, Debug, Default)]
pub(super) struct Https {
    /// Where https ends: here, or in front of Doorlight.
    pub(super) files: Option<CertificateFiles>,
    redirect: Option<SocketAddr>,
}

impl HttpsArguments {
    /// Half a pair is a mistake, of whichever verb.
    pub(super) fn settled(self) -> Result<Https, &'static str> {
        let files = match (self.tls_cert, self.tls_key) {
            (Some(certificate), Some(key)) => Some(CertificateFiles { certificate, key }),
            (None, None) => None,
            (Some(_), None) => return Err("--tls-cert needs --tls-key, the private key"),
            (None, Some(_)) => return Err("--tls-key needs --tls-cert, the certificate"),
        };
        Ok(Https {
            files,
            redirect: self.http_redirect,
        })
    }
}

/// The certificate to show, if there is one to be shown.
pub(super) fn keeper(shared: &Shared) -> Result<Option<Arc<Keeper>>, Failure> {
    let (https, issuer) = (&shared.https, &shared.config.issuer);
    let asked = if https.files.is_some() {
        "--tls-cert"
    } else {
        "--http-redirect"
    };
    if (https.files.is_some() || https.redirect.is_some()) && !issuer.is_https() {
        return Err(Failure(format!(
            "{asked} needs the https address that people open: --issuer https://id.example.org"
        )));
    }
    let Some(files) = https.files.clone() else {
        return Ok(None);
    };
    let keeper = Keeper::open(files, issuer.clone()).map_err(|error| Failure(error.to_string()))?;
    Ok(Some(Arc::new(keeper)))
}

/// The service that sends browsers on, if it is asked for.
pub(super) fn redirect(shared: &Shared) -> Result<Option<Service>, Failure> {
    let Some(address) = shared.https.redirect else {
        return Ok(None);
    };
    let listener = serve::listen(address, "--http-redirect")?;
    Ok(Some(Service::new(
        listener,
        redirect::handler(&shared.config.issuer),
    )))
}

/// Notices renewed files by themselves.
pub(super) fn watch(keeper: Arc<Keeper>) -> Task {
    Box::new(move || {
        keeper.look(clock::now());
        LOOK_EVERY
    })
}

/// SIGHUP: what renewed the files need not wait for the next look. Without a certificate the signal ends nobody either: who
/// turns logs over or reloads all services sends it without asking what each of them makes of it.
pub(super) fn reload_on_hangup(keeper: Option<Arc<Keeper>>) -> Result<(), Failure> {
    let mut signals = Signals::new([Signal::HUP.as_raw()])?;
    std::thread::Builder::new()
        .name("hangup".to_owned())
        .spawn(move || {
            for _ in signals.forever() {
                match &keeper {
                    Some(keeper) => {
                        keeper.reload();
                    }
                    None => log::info!("SIGHUP: there is no certificate to read again"),
                }
            }
        })?;
    Ok(())
}
