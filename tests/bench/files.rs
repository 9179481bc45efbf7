//! What takes longer the larger the data file is: starting on it, copying it while people sign in, putting a copy in its
//! place.

use std::fs;
use std::process::Child;
use std::time::Instant;

use crate::Attempt;
use crate::args::Plan;
use crate::load::Until;
use crate::measure::{Figure, median};
use crate::scenarios::{figure_of, tokens_caller};
use crate::world::World;

const CONNECTIONS: usize = 16;
const RESTORES: usize = 3;

pub fn start(world: &mut World, plan: &Plan) -> Attempt<Figure> {
    let took = world.grown(plan.grown)?.restart()?;
    Ok(Figure::of(took.as_secs_f64() * 1e3))
}

/// One backup after another, while connections ask for tokens; the latencies are those of the tokens.
pub fn backup(world: &mut World, plan: &Plan) -> Attempt<Figure> {
    let grown = world.grown(plan.grown)?;
    let to = grown.directory().join("backup.redb");
    let to = to.to_str().ok_or("the directory has no name in UTF-8")?;
    let mut callers = vec![tokens_caller(grown); CONNECTIONS];
    let until = Until::Time {
        warm_up: plan.warm_up,
        measured: plan.measured,
    };
    let mut copies = Copies::default();
    let begin = || grown.program.spawn_verb(&["backup", to]);
    let outcome = grown.run(&mut callers, &until, 1, &mut || copies.look(begin))?;
    copies.finish()?;
    let took = median(&copies.took).ok_or("not one backup was made")?;
    Ok(figure_of(took, &outcome))
}

/// Backups in milliseconds, one at a time.
#[derive(Default)]
struct Copies {
    under_way: Option<(Child, Instant)>,
    took: Vec<f64>,
    failed: Option<String>,
}

impl Copies {
    fn look(&mut self, begin: impl FnOnce() -> Attempt<Child>) {
        if let Some((child, _)) = &mut self.under_way
            && matches!(child.try_wait(), Ok(None))
        {
            return;
        }
        self.note();
        match begin() {
            Ok(child) => self.under_way = Some((child, Instant::now())),
            Err(error) => self.failed = Some(error.to_string()),
        }
    }

    /// The one under way has ended, or is waited for.
    fn note(&mut self) {
        let Some((mut child, begun)) = self.under_way.take() else {
            return;
        };
        match child.wait() {
            Ok(status) if status.success() => self.took.push(begun.elapsed().as_secs_f64() * 1e3),
            other => self.failed = Some(format!("a backup ended with {other:?}")),
        }
    }

    fn finish(&mut self) -> Attempt<()> {
        self.note();
        self.failed.take().map_or(Ok(()), |why| Err(why.into()))
    }
}

/// Puts a copy of the large file where none is.
pub fn restore(world: &mut World, plan: &Plan) -> Attempt<Figure> {
    let grown = world.grown(plan.grown)?;
    let copy = grown.directory().join("copy.redb");
    let copy = copy.to_str().ok_or("the directory has no name in UTF-8")?;
    grown.program.verb(&["backup", copy], "")?;
    let elsewhere = grown.directory().join("elsewhere");
    let mut took = Vec::new();
    for _ in 0..RESTORES {
        fs::create_dir_all(&elsewhere)?;
        let program = grown.program.with_data(elsewhere.join("doorlight.redb"));
        let begun = Instant::now();
        program.verb(&["restore", copy], "")?;
        took.push(begun.elapsed().as_secs_f64() * 1e3);
        fs::remove_dir_all(&elsewhere)?;
    }
    Ok(Figure::of(median(&took).unwrap_or_default()))
}
