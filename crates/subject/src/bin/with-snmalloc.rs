//! snmalloc 0.7, which gives pages back lazily, with MADV_FREE

use std::process::ExitCode;

use afterdrop_subject::{Account, Control, Process, serve};
use snmalloc_rs::SnMalloc;

#[global_allocator]
static GLOBAL: SnMalloc = SnMalloc;

fn main() -> ExitCode {
    serve(&Snmalloc)
}

struct Snmalloc;

/// It has no call that gives memory back.
impl Control for Snmalloc {
    fn name(&self) -> &str {
        "snmalloc"
    }

    /// The library tells none; the crate's version is that of the release that it carries.
    fn version(&self) -> &str {
        "0.7.6"
    }

    /// What it counts is what has been reserved from the system, in chunks.
    fn account(&self, _: &Process) -> Account {
        Account {
            mapped_bytes: Some(SnMalloc::memory_stats().current_memory_usage as u64),
            ..Account::default()
        }
    }
}
