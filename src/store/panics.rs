//! Panics of redb. It panics on some damage, and on some once more, in a destructor, while it unwinds: then Rust ends the
//! process, with words that help nobody. Whoever calls redb says so here, and for which file; the process's hook asks what
//! a panic means before it says anything.
//! Not here: what a hook says (`ops::logging`, `cli`), files that may be anybody's (`ops::inspection`).

use super::OpenError;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// What a panic means that is about to unwind.
pub enum Meaning {
    /// A mistake of ours.
    Mistake,
    /// Damage, of which whoever caught it tells.
    Damage,
    /// The process ends: a destructor panicked while another panic unwound. This is the last word.
    End(OpenError),
}

struct Call {
    path: PathBuf,
    /// Whether somebody tells of the damage.
    is_told: bool,
    panics: u32,
}

thread_local!(static CALLS: RefCell<Vec<Call>> = const { RefCell::new(Vec::new()) });

/// Calls redb for that file. A panic is `None`, and whoever gets that tells of damage.
pub(super) fn told<T>(path: &Path, act: impl FnOnce() -> T) -> Option<T> {
    calling(path, true, act)
}

/// The same around what else may panic, of which the hook tells.
pub(super) fn untold<T>(path: &Path, act: impl FnOnce() -> T) -> Option<T> {
    calling(path, false, act)
}

fn calling<T>(path: &Path, is_told: bool, act: impl FnOnce() -> T) -> Option<T> {
    let call = Call {
        path: path.to_owned(),
        is_told,
        panics: 0,
    };
    CALLS.with_borrow_mut(|calls| calls.push(call));
    let done = catch_unwind(AssertUnwindSafe(act));
    CALLS.with_borrow_mut(|calls| calls.pop());
    done.ok()
}

/// For the hook, once for each panic. A call is over with the first one that unwinds out of it: a second one within it comes
/// from a destructor on the way.
pub fn meaning() -> Meaning {
    CALLS.with_borrow_mut(|calls| match calls.last_mut() {
        None => Meaning::Mistake,
        Some(call) => {
            call.panics += 1;
            match (call.panics, call.is_told) {
                (1, true) => Meaning::Damage,
                (1, false) => Meaning::Mistake,
                _ => Meaning::End(OpenError::contradicting(&call.path)),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the hook would hear at a panic here.
    fn heard() -> &'static str {
        match meaning() {
            Meaning::Mistake => "mistake",
            Meaning::Damage => "damage",
            Meaning::End(_) => "end",
        }
    }

    fn panics() {
        std::panic::resume_unwind(Box::new(()));
    }

    #[test]
    fn only_a_panic_while_another_unwinds_is_the_end() {
        let path = Path::new("doorlight.redb");
        assert_eq!(heard(), "mistake");
        let outer = untold(path, || {
            // One after the other, each caught.
            for _ in 0..2 {
                let inner = told(path, || {
                    assert_eq!(heard(), "damage");
                    panics();
                });
                assert_eq!(inner, None);
            }
            assert_eq!(heard(), "mistake");
            // As from a destructor on the way out.
            assert_eq!(heard(), "end");
            7
        });
        assert_eq!(outer, Some(7));
        assert_eq!(heard(), "mistake");
    }
}
