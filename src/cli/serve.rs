//! `doorlight serve`: runs the server until a signal ends it.

use super::{Failure, Shared, output, reach};
use crate::model::{AdminError, Event, EventKind};
use crate::ops::clock;
use crate::ops::timer::{Task, Timer};
use crate::server::administration::{OperationError, people};
use crate::server::api::control;
use crate::server::context::{self, Context};
use crate::server::listener::{self, Limits, Listener, Service, Shutdown};
use crate::server::routes;
use crate::store::{Step, Sweeper};
use rustix::process::Signal;
use serde_json::json;
use signal_hook::iterator::Signals;
use std::sync::Arc;
use std::time::Duration;

const SWEEP_EVERY: Duration = Duration::from_secs(30);
/// Between two batches that were forgotten: others write too.
const SWEEP_PAUSE: Duration = Duration::from_millis(20);
const ROTATION_EVERY: Duration = Duration::from_secs(600);

pub(super) fn run(shared: &Shared) -> Result<(), Failure> {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    if let Err(error) = listener::raise_nofile_limit() {
        log::warn!("the limit of open files stays as it is: {error}");
    }

    let config = &shared.config;
    let ctx = Arc::new(reach::open(shared)?);
    let tcp = Listener::bind_tcp(config.listen)
        .map_err(|error| Failure(format!("cannot listen on {}: {error}", config.listen)))?;
    let address = tcp.tcp_address().unwrap_or(config.listen);
    let (pages, verbs) = (ctx.clone(), ctx.clone());
    let mut services = vec![Service::new(
        tcp,
        Arc::new(move |request| routes::handle(&pages, request)),
    )];
    match Listener::bind_unix(&config.socket()) {
        Ok(unix) => services.push(Service::new(
            unix,
            Arc::new(move |request| control::handle(&verbs, request)),
        )),
        Err(error) => log::warn!(
            "the command line cannot reach this server: {}: {error}",
            config.socket().display()
        ),
    }

    let shutdown = Shutdown::new()?;
    stop_on_signals(&shutdown)?;
    let timer = Timer::start(vec![sweep(ctx.clone()), rotate(ctx.clone())])?;
    ctx.store
        .record(vec![Event::success(EventKind::ServerStarted, clock::now())]);
    announce(shared, &ctx, &address.to_string())?;

    let served = listener::serve(
        services,
        config.trusted_proxies.clone(),
        Limits::default(),
        &shutdown,
    );
    log::info!("stopping");
    timer.stop();
    ctx.store.close();
    // Another server cannot have made one meanwhile: the data file was ours until now.
    if let Err(error) = std::fs::remove_file(config.socket())
        && error.kind() != std::io::ErrorKind::NotFound
    {
        log::warn!("{}: {error}", config.socket().display());
    }
    served?;
    Ok(())
}

/// Where it is, and the one way in while there is no administrator.
fn announce(shared: &Shared, ctx: &Context, listen: &str) -> Result<(), Failure> {
    let setup = match people::setup_link(ctx, &control::command_line()) {
        Ok(link) => Some(link),
        Err(OperationError::Admin(AdminError::AlreadySetUp)) => None,
        Err(error) => return Err(error.into()),
    };
    let issuer = ctx.config.issuer.as_str();
    if shared.json {
        let setup = setup.as_ref().map(|link| link.expose());
        output::line(
            &json!({ "listen": listen, "issuer": issuer, "setup_url": setup }).to_string(),
        );
        return Ok(());
    }
    output::line(&format!(
        "Doorlight is at {issuer} (listening on {listen})."
    ));
    if let Some(link) = setup {
        output::line("Open this link to create the administrator. It works once, within 24 hours:");
        output::line(&format!("  {}", link.expose()));
    }
    Ok(())
}

fn stop_on_signals(shutdown: &Shutdown) -> Result<(), Failure> {
    let mut signals = Signals::new([Signal::TERM.as_raw(), Signal::INT.as_raw()])?;
    let shutdown = shutdown.clone();
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            if signals.forever().next().is_some() {
                shutdown.trigger();
            }
        })?;
    Ok(())
}

/// Goes on while there is something to forget.
fn sweep(ctx: Arc<Context>) -> Task {
    let mut sweeper = Sweeper::default();
    Box::new(move || match sweeper.step(&ctx.store, clock::now()) {
        Ok(Step::Rest) => SWEEP_EVERY,
        Ok(Step::Looked) => Duration::ZERO,
        Ok(Step::Forgot(_)) => SWEEP_PAUSE,
        Err(error) => {
            log::warn!("what has expired is not forgotten: {error}");
            SWEEP_EVERY
        }
    })
}

fn rotate(ctx: Arc<Context>) -> Task {
    Box::new(move || {
        if let Err(error) = context::rotate(&ctx.store) {
            log::warn!("rotation of keys: {error}");
        }
        ROTATION_EVERY
    })
}
