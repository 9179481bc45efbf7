//! The load generator: closed loop, one thread, non-blocking sockets, `epoll`.
//! Owns: timing, counting. Each connection sends its next request as soon as its
//! answer is complete. Not here: what is asked and which answer is right (`callers`).

use std::io::{self, ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::Timespec;
use rustix::event::epoll::{self, EventFlags};

use crate::connection::{Connection, Target};
use crate::http::{Answer, Parsed};
use crate::measure::Histogram;

/// What one connection does. An operation is one or more requests; its latency runs from the first
/// request to the last answer.
pub trait Caller {
    /// Appends the next request.
    fn request(&mut self, out: &mut Vec<u8>);
    fn answer(&mut self, answer: &Answer<'_>) -> Verdict;
    /// Back to the first request of an operation, after a wrong or missing answer.
    fn restart(&mut self) {}
}

pub enum Verdict {
    /// The operation is complete and right.
    Done,
    /// Right so far; `request` gives the next step.
    More,
    Wrong(String),
}

pub enum Until {
    /// Answers of the warm-up are checked, but not counted.
    Time {
        warm_up: Duration,
        measured: Duration,
    },
    /// Every connection completes one operation.
    OnceEach,
}

pub struct Outcome {
    /// Of the right answers within the measured time.
    pub latency: Histogram,
    pub elapsed: Duration,
    /// Right answers, those before and after the measured time included.
    pub done: u64,
    /// Share of the whole run in which this thread computed or waited for its core.
    pub busy: f64,
    pub wrong: u64,
    pub first_wrong: Option<String>,
}

/// How long an answer may take before it counts as missing; the latencies say how long they took.
const PATIENCE: Duration = Duration::from_secs(60);
/// A scenario that fails this often is not worth its remaining time.
const TOO_MANY_WRONG: u64 = 1_000;
const TICK: Duration = Duration::from_millis(100);

/// Runs one connection for each caller; `tick` is called about ten times a second.
pub fn run<C: Caller>(
    target: &Target,
    callers: &mut [C],
    until: &Until,
    tick: &mut dyn FnMut(),
) -> io::Result<Outcome> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let mut connections = Vec::with_capacity(callers.len());
    for (number, caller) in callers.iter_mut().enumerate() {
        connections.push(Connection::open(&epoll, target, number, caller)?);
    }
    let (start, runnable) = (Instant::now(), runnable_time());
    let (begin, end) = match until {
        Until::Time { warm_up, measured } => (start + *warm_up, start + *warm_up + *measured),
        Until::OnceEach => (start, start + PATIENCE),
    };
    let mut drive = Drive {
        epoll,
        target,
        once: matches!(until, Until::OnceEach),
        begin,
        end,
        running: connections.len(),
        latency: Histogram::new(),
        done: 0,
        wrong: 0,
        first_wrong: None,
    };
    for connection in &mut connections {
        drive.send(connection)?;
    }
    drive.work(&mut connections, tick)?;
    let elapsed = if drive.once {
        start.elapsed()
    } else {
        end - begin
    };
    let busy =
        runnable_time().saturating_sub(runnable).as_secs_f64() / start.elapsed().as_secs_f64();
    let Drive {
        latency,
        done,
        wrong,
        first_wrong,
        ..
    } = drive;
    Ok(Outcome {
        latency,
        elapsed,
        done,
        busy,
        wrong,
        first_wrong,
    })
}

struct Drive<'t> {
    epoll: OwnedFd,
    target: &'t Target,
    once: bool,
    begin: Instant,
    end: Instant,
    /// Connections that wait for an answer.
    running: usize,
    latency: Histogram,
    done: u64,
    wrong: u64,
    first_wrong: Option<String>,
}

impl Drive<'_> {
    fn work<C: Caller>(
        &mut self,
        connections: &mut [Connection<'_, C>],
        tick: &mut dyn FnMut(),
    ) -> io::Result<()> {
        let mut scratch = vec![0; 64 * 1024];
        let mut space = [MaybeUninit::<epoll::Event>::uninit(); 256];
        let pause = Timespec {
            tv_sec: 0,
            tv_nsec: 50_000_000,
        };
        let mut next_tick = Instant::now();
        while self.running > 0 {
            let now = Instant::now();
            if now >= next_tick {
                tick();
                next_tick = now + TICK;
            }
            if now >= self.end + PATIENCE {
                for connection in connections.iter_mut().filter(|connection| connection.busy) {
                    connection.caller.restart();
                    self.count_wrong(format!("no answer within {PATIENCE:?}"));
                }
                break;
            }
            let events = match epoll::wait(&self.epoll, &mut space[..], Some(&pause)) {
                Ok((events, _)) => events,
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            for event in events {
                let number = usize::try_from(event.data.u64()).unwrap_or(usize::MAX);
                let Some(connection) = connections.get_mut(number) else {
                    continue;
                };
                if connection.waits_for_room {
                    self.flush(connection)?;
                }
                self.receive(connection, &mut scratch)?;
            }
        }
        Ok(())
    }

    fn receive<C: Caller>(
        &mut self,
        connection: &mut Connection<'_, C>,
        scratch: &mut [u8],
    ) -> io::Result<()> {
        let read = match connection.stream.read(scratch) {
            Ok(read) => read,
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                return Ok(());
            }
            Err(_) => 0,
        };
        if read == 0 {
            return self.lost(connection, "the connection closed before the answer");
        }
        let fresh = scratch.get(..read).unwrap_or_default();
        let gathered;
        let bytes = if connection.partial.is_empty() {
            fresh
        } else {
            connection.partial.extend_from_slice(fresh);
            gathered = std::mem::take(&mut connection.partial);
            &gathered
        };
        match Answer::parse(bytes) {
            Parsed::Partial => {
                connection.partial = bytes.to_vec();
                Ok(())
            }
            Parsed::Broken(what) => self.lost(connection, what),
            Parsed::Whole(_) if !connection.busy => self.lost(connection, "an answer unasked for"),
            Parsed::Whole(answer) => {
                let closes = answer.closes;
                let verdict = connection.caller.answer(&answer);
                self.judge(connection, verdict, closes)
            }
        }
    }

    fn judge<C: Caller>(
        &mut self,
        connection: &mut Connection<'_, C>,
        verdict: Verdict,
        closes: bool,
    ) -> io::Result<()> {
        let now = Instant::now();
        let complete = match verdict {
            Verdict::More => false,
            Verdict::Done => {
                self.done += 1;
                if now >= self.begin && now < self.end {
                    self.latency.record(now - connection.operation_started);
                }
                true
            }
            Verdict::Wrong(what) => {
                self.count_wrong(what);
                connection.caller.restart();
                true
            }
        };
        if complete && (self.once || now >= self.end || self.wrong >= TOO_MANY_WRONG) {
            connection.busy = false;
            self.running -= 1;
            return Ok(());
        }
        if closes {
            connection.reopen(&self.epoll, self.target)?;
        }
        if complete {
            connection.operation_started = now;
        }
        self.send(connection)
    }

    /// The answer will not come, or the stream can no longer be understood.
    fn lost<C: Caller>(
        &mut self,
        connection: &mut Connection<'_, C>,
        what: &str,
    ) -> io::Result<()> {
        connection.partial.clear();
        if !connection.busy {
            epoll::delete(&self.epoll, &connection.stream)?;
            return Ok(());
        }
        connection.reopen(&self.epoll, self.target)?;
        self.judge(connection, Verdict::Wrong(what.to_owned()), false)
    }

    fn send<C: Caller>(&mut self, connection: &mut Connection<'_, C>) -> io::Result<()> {
        connection.out.clear();
        connection.sent = 0;
        connection.busy = true;
        connection.caller.request(&mut connection.out);
        self.flush(connection)
    }

    fn flush<C>(&self, connection: &mut Connection<'_, C>) -> io::Result<()> {
        let mut blocked = false;
        while let Some(rest) = connection
            .out
            .get(connection.sent..)
            .filter(|rest| !rest.is_empty())
        {
            match connection.stream.write(rest) {
                Ok(written) => connection.sent += written,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    blocked = true;
                    break;
                }
                // The next read finds the connection closed and counts it.
                Err(_) => break,
            }
        }
        if blocked != connection.waits_for_room {
            connection.waits_for_room = blocked;
            let interest = if blocked {
                EventFlags::IN | EventFlags::OUT
            } else {
                EventFlags::IN
            };
            epoll::modify(&self.epoll, &connection.stream, connection.mark(), interest)?;
        }
        Ok(())
    }

    fn count_wrong(&mut self, what: String) {
        self.wrong += 1;
        self.first_wrong.get_or_insert(what);
    }
}

/// How long this thread has computed or waited for its core; zero where the kernel does not say.
fn runnable_time() -> Duration {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = times
        .split(' ')
        .take(2)
        .filter_map(|time| time.parse::<u64>().ok());
    Duration::from_nanos(nanoseconds.sum())
}
