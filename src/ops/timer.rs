//! One thread for all that is done now and then: the sweep, the rotation of keys.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Something to do; says when to do it again.
pub type Task = Box<dyn FnMut() -> Duration + Send>;

/// The running thread.
pub struct Timer {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: JoinHandle<()>,
}

impl Timer {
    /// Starts with every task due.
    pub fn start(tasks: Vec<Task>) -> std::io::Result<Self> {
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let seen = stop.clone();
        let thread = std::thread::Builder::new()
            .name("timer".to_owned())
            .spawn(move || run(tasks, &seen))?;
        Ok(Self { stop, thread })
    }

    /// Waits for what is being done, and ends.
    pub fn stop(self) {
        *self.stop.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.1.notify_all();
        if self.thread.join().is_err() {
            log::error!("background work ended unexpectedly");
        }
    }
}

fn run(tasks: Vec<Task>, stop: &(Mutex<bool>, Condvar)) {
    let mut due: Vec<(Instant, Task)> = tasks
        .into_iter()
        .map(|task| (Instant::now(), task))
        .collect();
    loop {
        for (at, task) in &mut due {
            if Instant::now() >= *at {
                // One task's fault must not end the others.
                let again = catch_unwind(AssertUnwindSafe(&mut *task)).unwrap_or_else(|_| {
                    log::error!("a background task ended unexpectedly");
                    Duration::from_secs(600)
                });
                *at = Instant::now() + again;
            }
        }
        let next = due.iter().map(|(at, _)| *at).min();
        let wait = next.map_or(Duration::from_secs(60), |at| {
            at.saturating_duration_since(Instant::now())
        });
        let stopped = stop.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *stopped {
            return;
        }
        let (stopped, _) = stop
            .1
            .wait_timeout(stopped, wait)
            .unwrap_or_else(PoisonError::into_inner);
        if *stopped {
            return;
        }
    }
}
