//! The scenarios, in the order of the table, each with its figure of the budget.
//! Not here: what is not a rate (`resources`), which answers are right (`callers`).

use crate::Attempt;
use crate::args::Plan;
use crate::callers::{CodeFlow, Expect, Fixed, Poll, Refresh, Registration, Rotating, Signed};
use crate::encrypted;
use crate::files;
use crate::http;
use crate::load::{Caller, Outcome, Until};
use crate::measure::Figure;
use crate::resources;
use crate::table::Unit;
use crate::world::World;

pub struct Scenario {
    /// For `--only`.
    pub name: &'static str,
    pub title: &'static str,
    pub unit: Unit,
    pub budget: Option<Budget>,
    work: Work,
}

/// In the unit of the scenario.
#[derive(Clone, Copy)]
pub enum Budget {
    AtLeast(f64),
    AtMost(f64),
}

enum Work {
    Once(fn(&mut World, &Plan) -> Attempt<Figure>),
    Starts,
    StartsGrown,
    /// With so many connections.
    Rate(fn(&World, &Plan, usize) -> Attempt<Figure>, usize),
}

use Budget::{AtLeast, AtMost};
use Unit::{Bytes, MiB, Milliseconds, PerSecond};
use Work::{Once, Rate, Starts, StartsGrown};

#[rustfmt::skip]
pub const ALL: &[Scenario] = &[
    row("size", "binary size", MiB, Some(AtMost(8.0)), Once(resources::size)),
    row("start", "ready after start on an existing file", Milliseconds, Some(AtMost(20.0)), Starts),
    row("idle-memory", "resident, idle", MiB, Some(AtMost(8.0)), Once(resources::idle_memory)),
    row("idle-writes", "disk writes while idle", Bytes, Some(AtMost(0.0)), Once(resources::idle_writes)),
    row("discovery", "discovery, 16 connections", PerSecond, Some(AtLeast(80_000.0)), Rate(discovery, 16)),
    row("jwks", "JWKS, 16 connections", PerSecond, Some(AtLeast(80_000.0)), Rate(jwks, 16)),
    row("introspection", "introspection, 16 connections", PerSecond, Some(AtLeast(50_000.0)), Rate(introspection, 16)),
    row("userinfo", "userinfo, 16 connections", PerSecond, Some(AtLeast(50_000.0)), Rate(userinfo, 16)),
    row("tokens-1", "client-credentials tokens, 1 connection", PerSecond, Some(AtLeast(2_000.0)), Rate(tokens, 1)),
    row("tokens-16", "client-credentials tokens, 16 connections", PerSecond, Some(AtLeast(10_000.0)), Rate(tokens, 16)),
    row("tokens-64", "client-credentials tokens, 64 connections", PerSecond, Some(AtLeast(15_000.0)), Rate(tokens, 64)),
    row("refresh", "refresh rotation, ES256, 64 connections", PerSecond, Some(AtLeast(10_000.0)), Rate(refresh, 64)),
    row("code-flow", "whole code flow, ES256, 16 connections", PerSecond, None, Rate(code_flow, 16)),
    row("tokens-key", "client-credentials tokens, private_key_jwt, 16 connections", PerSecond, None, Rate(tokens_by_key, 16)),
    row("tokens-dpop", "client-credentials tokens, DPoP, 16 connections", PerSecond, None, Rate(tokens_bound, 16)),
    row("pushed-flow", "whole code flow, pushed (PAR), 16 connections", PerSecond, None, Rate(pushed_flow, 16)),
    row("device-poll", "device poll that is to wait, 16 connections", PerSecond, None, Rate(device_poll, 16)),
    row("registration", "registration and its end, 4 connections", PerSecond, None, Rate(registration, 4)),
    row("sign-in", "password sign-in, 2 connections", PerSecond, None, Rate(sign_in, 2)),
    row("admin-pages", "admin pages in turn, 4 connections", PerSecond, None, Rate(admin_pages, 4)),
    row("tls-full", "TLS 1.3 connection with one request, full handshake, 8 clients", PerSecond, None, Rate(encrypted::full, 8)),
    row("tls-resumed", "TLS 1.3 connection with one request, resumed, 8 clients", PerSecond, None, Rate(encrypted::resumed, 8)),
    row("start-grown", "ready after start, 100,000 more people and refresh tokens", Milliseconds, Some(AtMost(20.0)), StartsGrown),
    row("backup", "backup of that file while 16 connections get tokens; their latency", Milliseconds, None, Once(files::backup)),
    row("restore", "restore of that backup", Milliseconds, None, Once(files::restore)),
    row("idle-connections", "resident, 10,000 connections opened and left idle", MiB, None, Once(resources::idle_connections)),
    row("load-memory", "resident, 1,024 connections under load", MiB, Some(AtMost(40.0)), Once(resources::load_memory)),
];

const fn row(
    name: &'static str,
    title: &'static str,
    unit: Unit,
    budget: Option<Budget>,
    work: Work,
) -> Scenario {
    Scenario {
        name,
        title,
        unit,
        budget,
        work,
    }
}

impl Scenario {
    pub fn rounds(&self, plan: &Plan) -> usize {
        match self.work {
            Once(_) => 1,
            Starts | StartsGrown => plan.starts,
            Rate(..) => plan.rounds,
        }
    }

    /// Whether it counts answers.
    pub fn is_rate(&self) -> bool {
        matches!(self.work, Rate(..))
    }

    /// One round on one server.
    pub fn measure(&self, world: &mut World, plan: &Plan) -> Attempt<Figure> {
        match self.work {
            Once(work) => work(world, plan),
            StartsGrown => files::start(world, plan),
            Starts => Ok(Figure::of(world.restart()?.as_secs_f64() * 1e3)),
            Rate(work, connections) => work(world, plan, connections),
        }
    }
}

impl Budget {
    pub fn is_kept_by(self, value: f64) -> bool {
        match self {
            AtLeast(least) => value >= least,
            AtMost(most) => value <= most,
        }
    }
}

/// The right answers of the measured time, and what the server wrote for each.
fn rate<C: Caller>(world: &World, plan: &Plan, callers: &mut [C]) -> Attempt<Figure> {
    let until = Until::Time {
        warm_up: plan.warm_up,
        measured: plan.measured,
    };
    let before = world.server()?.written();
    let outcome = world.run(callers, &until, 1, &mut || {})?;
    let after = world.server()?.written();
    let mut figure = figure_of(
        outcome.latency.total() as f64 / outcome.elapsed.as_secs_f64(),
        &outcome,
    );
    if let (Some(before), Some(after)) = (before, after) {
        figure.written = Some((after - before) / outcome.done.max(1) as f64);
    }
    Ok(figure)
}

/// A figure with the latencies and the wrong answers of a run.
pub fn figure_of(value: f64, outcome: &Outcome) -> Figure {
    let mut figure = Figure::of(value);
    figure.p50 = outcome.latency.percentile(0.50);
    figure.p99 = outcome.latency.percentile(0.99);
    figure.wrong = outcome.wrong;
    figure.first_wrong.clone_from(&outcome.first_wrong);
    figure.busy = Some(outcome.busy);
    if outcome.done == 0 && figure.wrong == 0 {
        figure.wrong = 1;
        figure.first_wrong = Some("not one operation was completed".to_owned());
    }
    figure
}

fn discovery(world: &World, plan: &Plan, connections: usize) -> Attempt<Figure> {
    rate(
        world,
        plan,
        &mut vec![discovery_caller(world)?; connections],
    )
}

fn jwks(world: &World, plan: &Plan, connections: usize) -> Attempt<Figure> {
    rate(world, plan, &mut vec![jwks_caller(world)?; connections])
}

fn introspection(world: &World, plan: &Plan, connections: usize) -> Attempt<Figure> {
    rate(
        world,
        plan,
        &mut vec![introspection_caller(world)?; connections],
    )
}

fn userinfo(world: &World, plan: &Plan, connections: usize) -> Attempt<Figure> {
    rate(world, plan, &mut vec![userinfo_caller(world)?; connections])
}

fn tokens(world: &World, plan: &Plan, connections: usize) -> Attempt<Figure> {
    let mut callers = vec![tokens_caller(world); connections];
    let figure = rate(world, plan, &mut callers)?;
    let mut newest: Vec<&str> = callers.iter().filter_map(Fixed::token).collect();
    if let Some(token) = newest.first() {
        introspection_of(world, token)?;
    }
    newest.sort_unstable();
    if newest.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err("two connections got the same access token".into());
    }
    Ok(figure)
}

fn refresh(world: &World, plan: &Plan, connections: usize) -> Attempt<Figure> {
    let mut flows: Vec<CodeFlow> = (0..connections)
        .map(|_| world.code_flow("openid offline_access"))
        .collect();
    world.once_each(&mut flows)?;
    let chains = flows.into_iter().filter_map(|flow| flow.tokens.refresh);
    let mut callers: Vec<Refresh> = chains
        .map(|token| Refresh::new(&world.application, token))
        .collect();
    rate(world, plan, &mut callers)
}

fn code_flow(world: &World, plan: &Plan, connections: usize) -> Attempt<Figure> {
    let mut callers: Vec<CodeFlow> = (0..connections)
        .map(|_| world.code_flow("openid profile email"))
        .collect();
    rate(world, plan, &mut callers)
}

fn pushed_flow(world: &World, plan: &Plan, connections: usize) -> Attempt<Figure> {
    let mut callers: Vec<CodeFlow> = (0..connections)
        .map(|_| world.code_flow("openid profile email").pushed())
        .collect();
    rate(world, plan, &mut callers)
}

fn tokens_by_key(world: &World, plan: &Plan, connections: usize) -> Attempt<Figure> {
    let mut callers: Vec<Signed> = (0..connections)
        .map(|number| Signed::by_assertion(&world.by_key, &world.signer, number))
        .collect();
    rate(world, plan, &mut callers)
}

fn tokens_bound(world: &World, plan: &Plan, connections: usize) -> Attempt<Figure> {
    let mut callers: Vec<Signed> = (0..connections)
        .map(|number| Signed::by_proof(&world.application, &world.signer, number))
        .collect();
    rate(world, plan, &mut callers)
}

fn device_poll(world: &World, plan: &Plan, connections: usize) -> Attempt<Figure> {
    let mut callers: Vec<Poll> = (0..connections)
        .map(|_| Poll::new(&world.application))
        .collect();
    // The codes exist, and were told to wait once, before the clock runs.
    world.once_each(&mut callers)?;
    rate(world, plan, &mut callers)
}

fn registration(world: &World, plan: &Plan, connections: usize) -> Attempt<Figure> {
    // Enough for a thousand a second on each; the server keeps a hundred such tokens.
    let each = (plan.warm_up + plan.measured).as_secs_f64().ceil() as usize;
    let mut callers = Vec::new();
    for _ in 0..connections {
        let tokens = world.initial_tokens(each)?;
        callers.push(Registration::new(&world.application, tokens));
    }
    rate(world, plan, &mut callers)
}

/// The lists and the overview, as an administrator opens them.
fn admin_pages(world: &World, plan: &Plan, connections: usize) -> Attempt<Figure> {
    let paths = [
        "/admin",
        "/admin/people",
        "/admin/applications",
        "/admin/sessions",
        "/admin/audit",
    ];
    let steps: Vec<Fixed> = paths
        .iter()
        .map(|path| Fixed::new(world.page_request(path), Expect::Any))
        .collect();
    let mut callers: Vec<Rotating> = (0..connections)
        .map(|number| Rotating::new(steps.clone(), number))
        .collect();
    rate(world, plan, &mut callers)
}

fn sign_in(world: &World, plan: &Plan, connections: usize) -> Attempt<Figure> {
    let mut callers: Vec<_> = (0..connections)
        .map(|user| world.sign_in_caller(user))
        .collect();
    rate(world, plan, &mut callers)
}

/// The document must name the issuer that the server was started with.
pub fn discovery_caller(world: &World) -> Attempt<Fixed> {
    let host = &world.application.host;
    let request = http::get(host, "/.well-known/openid-configuration", &[]);
    let (body, document) = world.ask(request.clone())?;
    let issuer = document.get("issuer").and_then(|issuer| issuer.as_str());
    if issuer != Some(format!("http://{host}").as_str()) {
        return Err(format!("discovery names the issuer {issuer:?}").into());
    }
    Ok(Fixed::new(request, Expect::Body(body)))
}

pub fn jwks_caller(world: &World) -> Attempt<Fixed> {
    let request = http::get(&world.application.host, "/jwks.json", &[]);
    let (body, document) = world.ask(request.clone())?;
    let keys = document.get("keys").and_then(|keys| keys.as_array());
    if keys.is_none_or(Vec::is_empty) {
        return Err("the JWKS holds no key".into());
    }
    Ok(Fixed::new(request, Expect::Body(body)))
}

/// One token, introspected again and again.
pub fn introspection_caller(world: &World) -> Attempt<Fixed> {
    let mut callers = [tokens_caller(world)];
    world.once_each(&mut callers)?;
    let [caller] = callers;
    introspection_of(world, caller.token().unwrap_or_default())
}

fn introspection_of(world: &World, token: &str) -> Attempt<Fixed> {
    let application = &world.application;
    let headers = [("Authorization", application.basic.as_str())];
    let request = http::post(
        &application.host,
        "/introspect",
        &headers,
        &[("token", token)],
    );
    let (_, answer) = world.ask(request.clone())?;
    let active = answer.get("active").and_then(|active| active.as_bool());
    let client_id = answer.get("client_id").and_then(|id| id.as_str());
    if active != Some(true) || client_id != Some(&application.client_id) {
        return Err(format!("introspection of a fresh token: {answer}").into());
    }
    Ok(Fixed::new(
        request,
        Expect::Member("active", "true".to_owned()),
    ))
}

pub fn userinfo_caller(world: &World) -> Attempt<Fixed> {
    let mut flows = [world.code_flow("openid profile email")];
    world.once_each(&mut flows)?;
    let [flow] = flows;
    let bearer = format!("Bearer {}", flow.tokens.access);
    let request = http::get(
        &world.application.host,
        "/userinfo",
        &[("Authorization", &bearer)],
    );
    let (_, claims) = world.ask(request.clone())?;
    match claims.get("sub") {
        Some(subject) if subject.is_string() && claims.get("email").is_some() => Ok(Fixed::new(
            request,
            Expect::Member("sub", subject.to_string()),
        )),
        _ => Err(format!("userinfo of a fresh token: {claims}").into()),
    }
}

pub fn tokens_caller(world: &World) -> Fixed {
    let application = &world.application;
    let headers = [("Authorization", application.basic.as_str())];
    let fields = [("grant_type", "client_credentials")];
    let request = http::post(&application.host, "/token", &headers, &fields);
    Fixed::new(request, Expect::NewToken(String::new()))
}
