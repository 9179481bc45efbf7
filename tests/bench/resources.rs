//! What a server costs: its size, its memory, its writes while nobody asks for anything.

use std::fs;
use std::thread;
use std::time::Duration;

use crate::Attempt;
use crate::args::Plan;
use crate::callers::Rotating;
use crate::connection::{Target, connect};
use crate::load::Until;
use crate::measure::Figure;
use crate::scenarios::{
    discovery_caller, figure_of, introspection_caller, jwks_caller, tokens_caller, userinfo_caller,
};
use crate::world::World;

const MIB: f64 = 1024.0 * 1024.0;
const CONNECTIONS: usize = 1_024;
/// Loopback addresses that those come from, so that no address has more than 64.
const SOURCES: u8 = 16;
/// The same for ten thousand: a hundred of each.
const MANY_SOURCES: u8 = 100;

pub fn size(world: &mut World, _plan: &Plan) -> Attempt<Figure> {
    Ok(Figure::of(
        fs::metadata(&world.program.binary)?.len() as f64 / MIB,
    ))
}

/// After a start and one request of each kind: code that never ran would not be resident.
pub fn idle_memory(world: &mut World, plan: &Plan) -> Attempt<Figure> {
    world.restart()?;
    one_of_each(world)?;
    thread::sleep(plan.settle);
    Ok(Figure::of(world.server()?.resident()? / MIB))
}

pub fn idle_writes(world: &mut World, plan: &Plan) -> Attempt<Figure> {
    world.restart()?;
    thread::sleep(plan.settle);
    let server = world.server()?;
    let unknown = "the kernel does not count writes in /proc/PID/io";
    let before = server.written().ok_or(unknown)?;
    thread::sleep(plan.idle);
    Ok(Figure::of(server.written().ok_or(unknown)? - before))
}

/// As many as open one and say nothing more: the server keeps as many as its limit allows, closes the idle ones, and goes
/// on answering.
pub fn idle_connections(world: &mut World, plan: &Plan) -> Attempt<Figure> {
    world.restart()?;
    one_of_each(world)?;
    let target = Target {
        address: world.program.address,
        sources: MANY_SOURCES,
    };
    let idle = (0..plan.idlers)
        .map(|number| connect(&target, number))
        .collect::<Result<Vec<_>, _>>()?;
    thread::sleep(plan.settle);
    let resident = world.server()?.resident()? / MIB;
    discovery_caller(world)?;
    drop(idle);
    Ok(Figure::of(resident))
}

/// The highest of the readings during the run. The server is a fresh one: no Argon2 hash has run
/// in it.
pub fn load_memory(world: &mut World, plan: &Plan) -> Attempt<Figure> {
    world.restart()?;
    let steps = one_of_each(world)?;
    let mut callers: Vec<Rotating> = (0..CONNECTIONS)
        .map(|number| Rotating::new(steps.clone(), number))
        .collect();
    // The connections that asked for the steps are closed; the server has to notice.
    thread::sleep(Duration::from_millis(200));
    let server = world.server()?;
    let mut highest = Ok(0.0);
    let until = Until::Time {
        warm_up: Duration::ZERO,
        measured: plan.measured,
    };
    let outcome = world.run(&mut callers, &until, SOURCES, &mut || {
        if let Ok(before) = highest {
            highest = server.resident().map(|now| now.max(before));
        }
    })?;
    Ok(figure_of(highest? / MIB, &outcome))
}

fn one_of_each(world: &World) -> Attempt<Vec<crate::callers::Fixed>> {
    Ok(vec![
        discovery_caller(world)?,
        jwks_caller(world)?,
        introspection_caller(world)?,
        userinfo_caller(world)?,
        tokens_caller(world),
    ])
}
