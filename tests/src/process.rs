//! What another process holds, as the system tells it. The process itself has nothing to do for it, so that looking does not
//! change what is seen.

use std::fs;

/// What a process holds at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Resident memory in KiB.
    pub resident: u64,
    /// The part of it that is no file's: heap and stacks. What is not in it is code that ran for the first time.
    pub anonymous: u64,
    /// Its threads.
    pub threads: usize,
    /// Its open descriptors.
    pub descriptors: usize,
}

impl Figures {
    /// The figures of the process with this id; `None` where the system does not tell them, or if the process is gone.
    #[must_use]
    pub fn of(id: u32) -> Option<Self> {
        // `statm` is cheaper, and late by up to 64 pages a thread; this walks the pages.
        let memory = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).ok()?;
        let kib = |name: &str| {
            let line = memory.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix(" kB")?.parse().ok()
        };
        let entries = |of: &str| Some(fs::read_dir(format!("/proc/{id}/{of}")).ok()?.count());
        Some(Self {
            resident: kib("Rss:")?,
            anonymous: kib("Anonymous:")?,
            threads: entries("task")?,
            descriptors: entries("fd")?,
        })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn memory_and_descriptors_show() {
        let figures = || Figures::of(std::process::id()).unwrap();
        let before = figures();
        let held = (
            vec![1_u8; 8 << 20],
            [(); 20].map(|()| fs::File::open("/proc/self/stat").unwrap()),
        );
        let after = figures();
        assert!(after.resident >= before.resident + 8_000, "{before:?} {after:?}");
        assert!(
            after.anonymous >= before.anonymous + 8_000,
            "{before:?} {after:?}"
        );
        assert!(
            after.descriptors >= before.descriptors + 15,
            "{before:?} {after:?}"
        );
        assert!(after.threads >= 1);
        drop(held);
    }
}
