//! `doorlight serve`: runs the server until a signal ends it.

use super::{Failure, Shared, https, output, reach};
use crate::model::{AdminError, Event, EventKind};
use crate::ops::backup::schedule;
use crate::ops::forgetting::Forgetting;
use crate::ops::logout_delivery::{self, LogoutDelivery};
use crate::ops::service_manager::{self, Managed};
use crate::ops::timer::{Task, Timer};
use crate::ops::{clock, logging};
use crate::server::administration::{Actor, Authority, OperationError, issuer, people, restore};
use crate::server::api::control;
use crate::server::certificate::Keeper;
use crate::server::context::{self, Context};
use crate::server::doctor;
use crate::server::listener::{self, Limits, Listener, Service, Shutdown};
use crate::server::restoring::Restoring;
use crate::server::routes;
use crate::store::placed::Placing;
use crate::store::restore::{Held, hold};
use crate::store::{OpenError, Step};
use crate::types::Issuer;
use rustix::process::Signal;
use serde_json::json;
use signal_hook::iterator::Signals;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

const SWEEP_EVERY: Duration = Duration::from_secs(30);
/// Between two batches that were forgotten: others write too.
const SWEEP_PAUSE: Duration = Duration::from_millis(20);
/// How long the old data file may stay in use once its server has ended.
const PATIENCE: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_millis(20);
const ROTATION_EVERY: Duration = Duration::from_secs(600);

pub(super) fn run(shared: &Shared) -> Result<(), Failure> {
    logging::start(shared.log_format);
    if let Err(error) = listener::raise_nofile_limit() {
        log::warn!("the limit of open files stays as it is: {error}");
    }

    let keeper = https::keeper(shared)?;
    let stop = Stop::on_signals()?;
    https::reload_on_hangup(keeper.clone())?;
    let mut shared = shared.clone();
    while let Some(backup) = round(&mut shared, &stop, keeper.as_ref())? {
        put_in_place(&shared, backup);
    }
    Ok(())
}

/// Serves one data file. Returns the one to go on with, if a backup was taken in.
fn round(
    shared: &mut Shared,
    stop: &Stop,
    keeper: Option<&Arc<Keeper>>,
) -> Result<Option<Placing>, Failure> {
    let mut ctx = reach::open(shared)?;
    ctx.certificate = keeper.cloned().map(OnceLock::from).unwrap_or_default();
    let tcp = bind(&mut ctx);
    // The next round is where this one was, also where that was left to the kernel.
    shared.config = ctx.config.clone();
    let ctx = Arc::new(ctx);
    let served = tcp.and_then(|tcp| serve(shared, &ctx, tcp, stop, keeper));
    // Whatever ended it: the next start finds a file that needs no repair.
    ctx.store.close();
    served
}

/// Whatever goes wrong: there is a data file, the old one or the new one, and the server goes on with it.
fn put_in_place(shared: &Shared, backup: Placing) {
    let data = &shared.config.data;
    let data = std::fs::canonicalize(data).unwrap_or_else(|_| data.clone());
    let put = held(&data).and_then(|_held| Ok(restore::put(backup, &data)?));
    match put {
        Ok(Some(kept)) => log::info!(
            "goes on with the backup; the file before is kept as {}",
            kept.display()
        ),
        Ok(None) => log::info!("goes on with the backup"),
        Err(Failure(why)) => log::error!("the backup was not put in place: {why}"),
    }
}

/// A request that was cut off may have the file for another moment.
fn held(data: &Path) -> Result<Held, Failure> {
    let begun = Instant::now();
    loop {
        match hold(data) {
            Err(OpenError::InUse(_)) if begun.elapsed() < PATIENCE => std::thread::sleep(AGAIN),
            done => return Ok(done?),
        }
    }
}

/// The signals that end the server, whichever round they come in.
struct Stop {
    asked: AtomicBool,
    round: Mutex<Option<Shutdown>>,
}

impl Stop {
    fn on_signals() -> Result<Arc<Self>, Failure> {
        let mut signals = Signals::new([Signal::TERM.as_raw(), Signal::INT.as_raw()])?;
        let stop = Arc::new(Self {
            asked: AtomicBool::new(false),
            round: Mutex::new(None),
        });
        let told = stop.clone();
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                if signals.forever().next().is_some() {
                    told.ask();
                }
            })?;
        Ok(stop)
    }

    fn ask(&self) {
        let round = self.round.lock().unwrap_or_else(PoisonError::into_inner);
        self.asked.store(true, Ordering::Release);
        if let Some(shutdown) = &*round {
            shutdown.trigger();
        }
    }

    /// What ends the round that begins; already triggered, if the signal came between two.
    fn begin_round(&self) -> Result<Shutdown, Failure> {
        let shutdown = Shutdown::new()?;
        let mut round = self.round.lock().unwrap_or_else(PoisonError::into_inner);
        if self.asked.load(Ordering::Acquire) {
            shutdown.trigger();
        }
        *round = Some(shutdown.clone());
        Ok(shutdown)
    }
}

/// Listens, and keeps the address: with port 0 it is known only now, and so is an issuer that follows it.
fn bind(ctx: &mut Context) -> Result<Listener, Failure> {
    let wanted = ctx.config.listen;
    let tcp = listen(wanted, "--listen")?;
    let bound = tcp.tcp_address().unwrap_or(wanted);
    ctx.config.listen = bound;
    if ctx.config.issuer == Issuer::on_this_machine(wanted.port()) {
        ctx.be_known_as(Issuer::on_this_machine(bound.port()));
    }
    Ok(tcp)
}

/// Listens on the address of a setting.
pub(super) fn listen(address: SocketAddr, setting: &str) -> Result<Listener, Failure> {
    Listener::bind_tcp(address).map_err(|error| {
        let why = unbound(&error, setting);
        Failure(format!("cannot listen on {address}: {why}"))
    })
}

/// What to do about an address that cannot be had.
fn unbound(error: &std::io::Error, setting: &str) -> String {
    let why = match error.kind() {
        ErrorKind::AddrInUse => "another program listens there",
        ErrorKind::PermissionDenied => "this user may not have a port below 1024",
        ErrorKind::AddrNotAvailable => "this machine has no such address",
        _ => return error.to_string(),
    };
    format!("{why}; choose another with {setting}, for example {setting} 127.0.0.1:8081")
}

fn serve(
    shared: &Shared,
    ctx: &Arc<Context>,
    tcp: Listener,
    stop: &Stop,
    keeper: Option<&Arc<Keeper>>,
) -> Result<Option<Placing>, Failure> {
    let socket = ctx.config.socket();
    let shutdown = stop.begin_round()?;
    let restoring = Restoring::new(ctx.clone(), shutdown.clone());
    let (pages, verbs) = (ctx.clone(), ctx.clone());
    let mut site = Service::new(
        tcp,
        Arc::new(move |request, body| routes::handle(&pages, request, body)),
    )
    .with_uploads(Arc::new(restoring.clone()));
    if let Some(keeper) = keeper {
        site = site.with_tls(keeper.tls());
    }
    let mut services = vec![site];
    services.extend(https::redirect(shared)?);
    match Listener::bind_unix(&socket) {
        Ok(unix) => services.push(
            Service::new(
                unix,
                Arc::new(move |request, body| control::handle(&verbs, request, body)),
            )
            .with_body_limit(control::body_limit),
        ),
        Err(error) => log::warn!(
            "the command line cannot reach this server: {}: {error}",
            socket.display()
        ),
    }

    note_issuer(ctx);
    ctx.store
        .record(vec![Event::success(EventKind::ServerStarted, clock::now())]);
    announce(shared, ctx)?;

    let backups = schedule::task(ctx.backups.clone(), ctx.store.clone());
    let mut tasks = vec![sweep(ctx.clone()), rotate(ctx.clone()), backups];
    if let Some(keeper) = keeper {
        tasks.push(https::watch(keeper.clone()));
    }
    let timer = Timer::start(tasks)?;
    let logouts = LogoutDelivery::start(courier_parts(ctx))?;
    let trusted = ctx.config.trusted_proxies.clone();
    let writer = ctx.store.clone();
    let managed = service_manager::begin(move |within| writer.answers(within));
    let served = listener::serve(services, trusted, Limits::default(), &shutdown);
    log::info!("stopping");
    let backup = restoring.ready();
    match backup {
        // It is no end: the next round says that it is ready.
        Some(_) => managed.into_iter().for_each(Managed::goes_on),
        None => drop(managed),
    }
    timer.stop();
    ctx.backups.stop();
    logouts.stop();
    // How long it was off is counted from here, also where nobody wrote anything for a month.
    if let (now, None) = clock::look()
        && let Err(error) = ctx.store.note_sure(now)
    {
        log::warn!("the next start may doubt the clock: {error}");
    }
    served?;
    Ok(backup)
}

/// Tells of another address than before. A file that cannot be written now keeps nobody out who only reads.
fn note_issuer(ctx: &Context) {
    let record = issuer::note(ctx, &at_start()).and_then(|()| {
        let snapshot = ctx.store.snapshot()?;
        Ok(snapshot.view().issuer_record()?)
    });
    match record {
        Ok(record) => {
            let known_as = &ctx.config.issuer;
            let told = doctor::issuer::warning(record.as_ref(), known_as, clock::now());
            if let Some(line) = told {
                log::warn!("{line}");
            }
        }
        Err(error) => log::warn!("whether Doorlight's address is the one of before: {error}"),
    }
}

/// Where it is, and the one way in while there is no administrator.
fn announce(shared: &Shared, ctx: &Context) -> Result<(), Failure> {
    let setup = match people::setup_link(ctx, &at_start()) {
        Ok(link) => Some(link),
        Err(OperationError::Admin(AdminError::AlreadySetUp)) => None,
        Err(error) => return Err(error.into()),
    };
    let (issuer, listen) = (ctx.config.issuer.as_str(), ctx.config.listen);
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

/// Who the audit log names for what a start does by itself.
fn at_start() -> Actor {
    Actor {
        name: "start".to_owned(),
        address: None,
        authority: Authority::File,
    }
}

/// Goes on while there is something to forget.
fn sweep(ctx: Arc<Context>) -> Task {
    let mut forgetting = Forgetting::default();
    Box::new(move || {
        let (now, doubt) = clock::look();
        match forgetting.step(&ctx.store, doubt, now) {
            Ok(Step::Rest) => SWEEP_EVERY,
            Ok(Step::Looked) => Duration::ZERO,
            Ok(Step::Forgot(_)) => SWEEP_PAUSE,
            Err(error) => {
                log::warn!("what has expired is not forgotten: {error}");
                SWEEP_EVERY
            }
        }
    })
}

/// What the delivery of logout tokens works with.
fn courier_parts(ctx: &Arc<Context>) -> logout_delivery::Parts {
    let (keys, record) = (ctx.clone(), ctx.clone());
    logout_delivery::Parts {
        store: ctx.store.clone(),
        issuer: ctx.config.issuer.clone(),
        keys: Box::new(move || keys.keys()),
        record: Box::new(move |event| record.record_refusal(event)),
    }
}

fn rotate(ctx: Arc<Context>) -> Task {
    Box::new(move || {
        if let Err(error) = context::rotate(&ctx.store) {
            log::warn!("rotation of keys: {error}");
        }
        ROTATION_EVERY
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::redirect;

    /// It came while the backup was put in place of the data file.
    #[test]
    fn a_signal_between_two_rounds_ends_the_next_one() {
        let stop = Stop {
            asked: AtomicBool::new(false),
            round: Mutex::new(None),
        };
        let ended = |shutdown: &Shutdown| {
            let listener = listen("127.0.0.1:0".parse().unwrap(), "--listen")
                .ok()
                .unwrap();
            let service = Service::new(listener, redirect::handler(&Issuer::on_this_machine(1)));
            listener::serve(vec![service], Vec::new(), Limits::default(), shutdown).unwrap();
        };
        let first = stop.begin_round().ok().unwrap();
        first.trigger();
        ended(&first);
        stop.ask();
        let second = stop.begin_round().ok().unwrap();
        ended(&second);
    }
}
