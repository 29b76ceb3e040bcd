//! Everything that threads share, or that must not be shared, under one name: the standard library's here.
//!
//! The crate takes its cells, atomics, lock and thread-locals from this file, and reads and writes links through it,
//! so that `tests/loom` can compile the same files over ones of its own: there a model checker decides what each
//! load sees, and follows who touched which cell when.

pub(crate) use std::cell::Cell;
/// Of two that take it at once, one does.
pub(crate) use std::sync::atomic::AtomicBool as AtomicFlag;
/// How many there are, for those who do not need to know exactly.
pub(crate) use std::sync::atomic::AtomicU32 as AtomicHint;
/// Everyone may look at it at any time. To the models the others of its width are one thread's.
pub(crate) use std::sync::atomic::AtomicU32 as AtomicOwner;
/// One thread looks at it all the time, and others may write to it.
pub(crate) use std::sync::atomic::AtomicU32 as AtomicAlarm;
/// One thread counts, and others look at it, with Acquire.
pub(crate) use std::sync::atomic::AtomicU32 as AtomicUsed;
pub(crate) use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize};
pub(crate) use std::sync::{Mutex, MutexGuard};
#[allow(unused_imports, reason = "not needed where the slot is assembly")]
pub(crate) use std::thread_local;

/// Writes to memory that is the caller's.
///
/// # Safety
/// As `pointer::write`.
#[inline(always)]
pub(crate) unsafe fn write<T>(at: *mut T, value: T) {
    // SAFETY: as promised by the caller.
    unsafe { at.write(value) };
}

/// Reads from memory that is the caller's.
///
/// # Safety
/// As `pointer::read`.
#[inline(always)]
pub(crate) unsafe fn read<T>(at: *const T) -> T {
    // SAFETY: as promised by the caller.
    unsafe { at.read() }
}
