//! The C library's malloc, the allocator of a Rust program that names none

use std::alloc::System;
use std::process::ExitCode;

use afterdrop_subject::{Account, Control, Process, c_string, serve};

#[global_allocator]
static GLOBAL: System = System;

fn main() -> ExitCode {
    serve(&Glibc)
}

struct Glibc;

impl Control for Glibc {
    fn name(&self) -> &str {
        "system"
    }

    fn title(&self) -> &str {
        "system malloc"
    }

    fn version(&self) -> &str {
        // SAFETY: the call has no precondition.
        let version = unsafe { libc::gnu_get_libc_version() };
        // SAFETY: a string constant of the C library.
        unsafe { c_string(version) }
    }

    fn release_call(&self) -> Option<&str> {
        Some("malloc_trim(0)")
    }

    fn release(&self) {
        // SAFETY: the call has no precondition.
        unsafe { libc::malloc_trim(0) };
    }

    /// Its parts are those of any process.
    fn account(&self, process: &Process) -> Account {
        let malloc = &process.malloc;
        Account {
            allocated_bytes: Some(malloc.allocated_bytes),
            cached_bytes: Some(malloc.free_bytes),
            lazily_freed_bytes: Some(0), // it gives pages back with MADV_DONTNEED only
            metadata_bytes: None,
            mapped_bytes: Some(malloc.mapped_bytes),
            ..Account::default()
        }
    }
}
