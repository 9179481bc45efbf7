//! One life of a store between two power cuts: batches of jobs, sweeps, faults of the disk, and what the file must hold at
//! every moment. The same seed makes the same life: jobs are queued behind one that holds the writer, so that they come
//! into one batch.

use super::dice::Dice;
use super::disk::{Disk, Fault};
use super::model::{Model, Rows};
use super::work;
use crate::model::Decision;
use crate::store::open::{self, CACHE_BYTES};
use crate::store::{OpenError, Step, Store, StoreError, Sweeper, View};
use crate::types::Timestamp;
use std::cell::OnceCell;
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// What a file may have held, once.
pub(super) struct State {
    pub(super) model: Model,
    rows: OnceCell<Rows>,
}

impl State {
    pub(super) fn new(model: Model) -> Self {
        Self {
            model,
            rows: OnceCell::new(),
        }
    }

    pub(super) fn rows(&self) -> &Rows {
        self.rows.get_or_init(|| self.model.rows())
    }
}

/// All states that a chain of lives went through, or might have.
pub(super) type States = Vec<State>;

/// A cache in which hardly anything stays: most reads come from the disk, and pages are written before the commit.
pub(super) const NO_CACHE: usize = 16 * 1_024;

/// Opens the file on a disk as `Store::open` opens one at a path.
pub(super) fn opened(disk: &Disk, cache: usize) -> Result<Store, OpenError> {
    let again = disk.clone();
    let reopen = Box::new(move || open::proven(place(), database(&again, cache)?));
    let db = open::migrated(place(), database(disk, cache)?)?;
    Store::over(place(), db, reopen, |_, _| Ok(Vec::new()))
}

pub(super) fn database(disk: &Disk, cache: usize) -> Result<redb::Database, OpenError> {
    open::guarded(place(), || {
        open::builder()
            .set_cache_size(cache)
            .create_with_backend(disk.clone())
    })
}

/// What messages call it.
fn place() -> &'static Path {
    Path::new("the simulated file")
}

/// A life that goes on.
pub(super) struct Life<'a> {
    pub(super) disk: Disk,
    store: Store,
    states: &'a mut States,
    /// The number of the state that the file is in.
    current: usize,
    dice: Dice,
    now: Timestamp,
    /// Batches that failed.
    pub(super) failed: usize,
}

impl<'a> Life<'a> {
    /// Begins one on a disk whose file holds the state of that number.
    pub(super) fn begin(
        disk: Disk,
        states: &'a mut States,
        current: usize,
        mut dice: Dice,
        now: Timestamp,
    ) -> Result<Self, String> {
        if dice.once_in(6) {
            disk.fail(Fault::Once(u32::try_from(dice.below(40)).unwrap()));
        }
        let cache = if dice.once_in(3) {
            NO_CACHE
        } else {
            CACHE_BYTES
        };
        let store = match opened(&disk, cache) {
            Ok(store) => store,
            // The disk failed while the file was opened: it opens when the disk does its work again.
            Err(_) => {
                disk.mend();
                opened(&disk, cache).map_err(|e| format!("it does not open any more: {e}"))?
            }
        };
        disk.mend();
        Ok(Self {
            disk,
            store,
            states,
            current,
            dice,
            now,
            failed: 0,
        })
    }

    /// So many rounds of work, with or without faults of the disk. When it is.
    pub(super) fn work(&mut self, rounds: usize, faults: bool) -> Result<Timestamp, String> {
        for _ in 0..rounds {
            let minutes = u64::try_from(self.dice.below(180)).unwrap();
            self.now = self.now.plus(Duration::from_secs(60 * minutes + 1));
            if faults && self.dice.once_in(5) {
                let after = u32::try_from(self.dice.below(20)).unwrap();
                self.disk.fail(match self.dice.below(4) {
                    0..2 => Fault::Once(after),
                    2 => Fault::Down(after),
                    _ => Fault::Full(self.dice.below(4) * 4_096),
                });
            }
            if self.dice.once_in(8) {
                self.sweep()?;
            } else {
                self.batch()?;
            }
        }
        self.disk.mend();
        Ok(self.now)
    }

    /// Closes the file, as a server that is told to end does.
    pub(super) fn close(&self) {
        self.store.close();
    }

    fn model(&self) -> &Model {
        &self.states[self.current].model
    }

    fn number(&mut self, model: Model) -> usize {
        self.states.push(State::new(model));
        self.states.len() - 1
    }

    /// Some jobs in one batch: all of them happen, or none.
    fn batch(&mut self) -> Result<(), String> {
        let mut model = self.model().clone();
        let mut jobs = Vec::new();
        for _ in 0..=self.dice.below(6) {
            let job = work::job(&model, &mut self.dice, self.now);
            model.take(&job.0, &job.1);
            jobs.push(job);
        }
        let next = self.number(model);
        let leave = self.at_the_gate()?;
        self.disk.may_hold(next);
        // One whose records do not read fails alone.
        let odd = self.dice.once_in(6).then(|| {
            self.store
                .hand_over(|_| -> Result<Decision<(), ()>, StoreError> {
                    Err(StoreError::BadRecord("of this job".to_owned()))
                })
        });
        let pending: Vec<_> = jobs
            .into_iter()
            .map(|(changes, events)| {
                self.store.hand_over(move |_| {
                    Ok(Decision {
                        changes,
                        events,
                        reply: Ok::<(), ()>(()),
                    })
                })
            })
            .collect();
        let _ = leave.send(());
        let odd = odd.map(|job| job.and_then(|pending| pending.wait()));
        if matches!(odd, Some(Ok(_))) {
            return Err("a job that failed was answered".to_owned());
        }
        let answers: Vec<_> = pending
            .into_iter()
            .map(|job| job.and_then(|pending| pending.wait()))
            .collect();
        let done = answers.iter().filter(|answer| answer.is_ok()).count();
        if done == answers.len() {
            self.current = next;
            self.disk.must_hold(next);
            Ok(())
        } else if done == 0 {
            self.recover(next)
        } else {
            Err(format!(
                "{done} of {} jobs of a batch were acknowledged",
                answers.len()
            ))
        }
    }

    /// Holds the writer, so that what is queued meanwhile comes into one batch. Where the disk fails before the writer is
    /// there, nothing is lost, and the file is opened again first: jobs that come meanwhile would come into several.
    fn at_the_gate(&mut self) -> Result<SyncSender<()>, String> {
        for _ in 0..10 {
            let (enter, entered) = sync_channel::<()>(1);
            let (leave, left) = sync_channel::<()>(1);
            let _gate = self.store.hand_over(move |_: &View<'_>| {
                let _ = enter.send(());
                let _ = left.recv();
                Ok(Decision::<(), ()>::reply(Ok(())))
            });
            if entered.recv().is_ok() {
                return Ok(leave);
            }
            self.recover(self.current)?;
        }
        Err("the writer never came".to_owned())
    }

    /// Time passes, and what is over is forgotten.
    fn sweep(&mut self) -> Result<(), String> {
        let days = u64::try_from(self.dice.below(60)).unwrap();
        self.now = self.now.plus(Duration::from_secs(86_400 * days));
        let mut steps = self.model().swept(self.now).into_iter();
        let mut next = steps.next().map(|(m, count)| (self.number(m), count));
        if let Some((number, _)) = next {
            self.disk.may_hold(number);
        }
        let mut sweeper = Sweeper::default();
        loop {
            match (sweeper.step(&self.store, self.now), next) {
                (Ok(Step::Rest), None) => return Ok(()),
                (Ok(Step::Looked), _) => {}
                (Ok(Step::Forgot(count)), Some((number, expected))) if count == expected => {
                    self.current = number;
                    self.disk.must_hold(number);
                    next = steps.next().map(|(m, count)| (self.number(m), count));
                    if let Some((number, _)) = next {
                        self.disk.may_hold(number);
                    }
                }
                (Ok(step), next) => {
                    return Err(format!("the sweep: {step:?}, and not {next:?}"));
                }
                (Err(_), Some((number, _))) => return self.recover(number),
                (Err(_), None) => return self.recover(self.current),
            }
        }
    }

    /// A batch failed. Nothing can be written until the disk works; then the file is opened again by itself, and what
    /// failed is there whole or not at all.
    fn recover(&mut self, tried: usize) -> Result<(), String> {
        self.failed += 1;
        if self.disk.is_down() {
            // The job that met the fault hears of it a moment before the writer.
            let begun = Instant::now();
            while self.store.is_ready() {
                if begun.elapsed() > Duration::from_secs(5) {
                    return Err("it is ready, on a disk that is down".to_owned());
                }
                std::thread::yield_now();
            }
            let refused = self.store.submit(|_| Ok(Decision::<(), ()>::reply(Ok(()))));
            if refused.is_ok() {
                return Err("a job was acknowledged by a disk that is down".to_owned());
            }
            self.disk.mend();
        }
        let begun = Instant::now();
        let mut tries = 0;
        let found = loop {
            tries += 1;
            if tries > 20 {
                // A full disk gets room.
                self.disk.mend();
            }
            if begun.elapsed() > Duration::from_secs(20) {
                return Err("it was not opened again".to_owned());
            }
            // Whoever asks makes the writer try at once.
            let asked = self.store.submit(|_| Ok(Decision::<(), ()>::reply(Ok(()))));
            if asked.is_ok()
                && let Ok(snapshot) = self.store.snapshot()
                && let Ok(rows) = Rows::of(&snapshot.view())
            {
                break rows;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        let same = [self.current, tried]
            .into_iter()
            .find(|number| *self.states[*number].rows() == found);
        let Some(number) = same else {
            let expected = self.states[self.current].rows();
            return Err(format!(
                "after a failed batch it has too much: {}; and too little: {}",
                found.unlike(expected),
                expected.unlike(&found)
            ));
        };
        self.current = number;
        self.disk.must_hold(number);
        Ok(())
    }
}

impl Drop for Life<'_> {
    fn drop(&mut self) {
        self.disk.mend();
        self.store.close();
    }
}
