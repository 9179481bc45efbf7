//! A witness of how long the machine itself stood still: where tests share it with others, it runs nothing of ours for
//! a second at times, and no server can answer then. A thread that does nothing but sleep is woken before any that works;
//! where it oversleeps, nobody ran. And of how much of the machine others used all the while.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long the witness sleeps each time.
const NAP: Duration = Duration::from_millis(5);

/// By which the scheduler may be late with it on a machine that does nothing else than our tests.
const LATE: Duration = Duration::from_millis(40);

/// What the processors of the machine have done for programs, in ticks of the kernel: all of it, and what of it was for the
/// server and us.
#[derive(Clone, Copy)]
pub struct Work {
    all: u64,
    ours: u64,
}

impl Work {
    /// Until now.
    pub fn until_now(server: u32) -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap();
        let numbers = |text: &str| -> Vec<i64> {
            let numbers = text.split_whitespace().map(str::parse);
            numbers.filter_map(Result::ok).collect()
        };
        // proc_stat(5): user, nice, system, idle, iowait, irq, softirq, steal. What the network costs is ours.
        let stat = numbers(read("/proc/stat").lines().next().unwrap());
        let all = stat[0] + stat[1] + stat[2] + stat[7];
        // proc_pid_stat(5): behind the name and the state, user and system are the 11th and 12th.
        let of = |process: &str| {
            let stat = read(&format!("/proc/{process}/stat"));
            let numbers = numbers(stat.rsplit_once(')').unwrap().1);
            numbers[10] + numbers[11]
        };
        let ours = of("self") + of(&server.to_string());
        Self {
            all: all.try_into().unwrap(),
            ours: ours.try_into().unwrap(),
        }
    }

    /// How long something would have taken since then, had nobody else used the machine; a quarter of it at least, for with
    /// less of the machine nothing is shown.
    pub fn alone(self, begun: Self, took: Duration) -> Duration {
        let all = (self.all - begun.all).max(1);
        let ours = (self.ours - begun.ours).clamp(all / 4, all);
        let [ours, all] = [ours, all].map(|ticks| u32::try_from(ticks).unwrap());
        took * ours / all
    }
}

/// From when to when the machine stood still, the last of them.
type Standstills = Mutex<VecDeque<(Instant, Instant)>>;

/// A witness at work; it ends with the value.
pub struct Witness {
    over: Arc<AtomicBool>,
    seen: Arc<Standstills>,
    thread: Option<JoinHandle<()>>,
}

impl Witness {
    pub fn new() -> Self {
        let (over, seen) = (Arc::<AtomicBool>::default(), Arc::<Standstills>::default());
        let (ended, stands) = (over.clone(), seen.clone());
        let thread = thread::spawn(move || {
            let mut awake = Instant::now();
            while !ended.load(Ordering::Relaxed) {
                thread::sleep(NAP);
                let (slept_until, now) = (awake + NAP, Instant::now());
                if now.saturating_duration_since(slept_until) > LATE {
                    let mut stands = stands.lock().unwrap_or_else(PoisonError::into_inner);
                    stands.push_back((slept_until, now));
                    if stands.len() > 1_000 {
                        stands.pop_front();
                    }
                }
                awake = now;
            }
        });
        Self {
            over,
            seen,
            thread: Some(thread),
        }
    }

    /// For how long the machine stood still between two moments.
    pub fn still_between(&self, begun: Instant, ended: Instant) -> Duration {
        // Until the witness is awake again, it has told nothing of the last one.
        thread::sleep(2 * NAP);
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let stood = seen.iter().map(|(from, until)| {
            let (from, until) = ((*from).max(begun), (*until).min(ended));
            until.saturating_duration_since(from)
        });
        stood.sum()
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
