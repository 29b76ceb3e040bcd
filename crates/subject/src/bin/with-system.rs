//! The C library's malloc, the allocator of a Rust program that names none

use std::alloc::System;
use std::process::ExitCode;

use afterdrop_subject::{Account, Control, c_string, serve};

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

    /// From `mallinfo2`, which counts blocks in the thread's cache as allocated and tells nothing
    /// of its own records.
    fn account(&self) -> Account {
        // SAFETY: the call has no precondition.
        let info = unsafe { libc::mallinfo2() };
        Account {
            allocated_bytes: Some((info.uordblks + info.hblkhd) as u64),
            cached_bytes: Some(info.fordblks as u64),
            lazily_freed_bytes: Some(0), // glibc gives pages back with MADV_DONTNEED only
            metadata_bytes: None,
            mapped_bytes: Some((info.arena + info.hblkhd) as u64),
        }
    }
}
