//! No image of this process on a disk: it holds the signing keys, and passwords on their way to a hash.
//! Owns: that the kernel writes none when the process crashes, and that no other process of the same user reads its
//! memory (prctl(2), ptrace(2)). Not here: that secrets are wiped when they have done their work (`types::Secret`).

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use std::io;

/// From now on, for good: a process that is not dumpable gets no core file, and what of it stands in `/proc` belongs to
/// root. The limit says the same to whatever collects core files in the kernel's stead.
pub fn forbid() -> io::Result<()> {
    let nothing = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, nothing)?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}
