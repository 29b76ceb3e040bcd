//! What lies below CPython: the C library's `malloc`, and `mmap` for arenas where CPython asks for it.
//!
//! The model calls it for every arena, every block of ints, every large request and its own table
//! of arenas, and for nothing else. Each gets a handle whose meaning is the implementation's own.

use std::ops::Range;

/// The allocator below the interpreter.
pub trait Raw {
    /// What stands for one piece of memory. Dropping it without [`Raw::free`] is a leak.
    type Handle;

    /// `bytes` bytes (never 0) by `origin`'s call, or `None` where there is no memory.
    fn allocate(&mut self, bytes: usize, origin: Origin) -> Option<Self::Handle>;

    /// Takes back what `allocate` gave for the same `bytes` and `origin`.
    fn free(&mut self, handle: Self::Handle, bytes: usize, origin: Origin);

    /// The address of its first byte. What [`Origin::Map`] gave must lie on a page of 4 KiB.
    fn address(&self, handle: &Self::Handle) -> usize;

    /// These bytes of it are written for the first time. An implementation with real memory behind
    /// it writes them, so that they become resident; one that counts has nothing to do.
    fn touch(&mut self, handle: &mut Self::Handle, bytes: Range<usize>);
}

/// The call that a piece of memory comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `malloc()`, given back by `free()`.
    Malloc,
    /// An anonymous private `mmap()`, given back by `munmap()`.
    Map,
}

/// No memory was to be had below the interpreter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

impl std::fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the allocator below the interpreter has no memory")
    }
}

impl std::error::Error for OutOfMemory {}
