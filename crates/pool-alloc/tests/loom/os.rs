//! The `os` of the models: the real one, whose mappings and threads' ends loom is told of.

use std::ffi::c_void;
use std::ops::Range;
use std::ptr::NonNull;

use crate::arena::{ARENA, SLICES};
use crate::pool::Pool;
use crate::shadow;

#[path = "../../src/os.rs"]
mod real;

pub(crate) use real::{
    ErrnoKept, advise_huge, advise_usual, copy_to_zeroes, invariant, page_size, populate, renew,
    split, whole_pages,
};

pub(crate) fn map(len: usize, align: usize) -> Option<NonNull<u8>> {
    let at = real::map(len, align)?;
    if let Some(execution) = shadow::execution() {
        execution.mapped(range(at, len));
        if len == ARENA {
            shadow_words(at);
        }
    }
    Some(at)
}

/// Loom takes making an atomic for an access to it, which others must have been told of. Words are zero from the
/// mapping on, so that is when theirs are made, and not when a thread first frees.
fn shadow_words(arena: NonNull<u8>) {
    for number in 0..SLICES {
        // SAFETY: the headers are at the arena's start.
        let pool = unsafe { arena.cast::<Pool>().add(number) };
        // SAFETY: zeroes are a valid header.
        let pool = unsafe { pool.as_ref() };
        pool.word().collect();
    }
}

/// # Safety
/// As the real one.
pub(crate) unsafe fn unmap(at: NonNull<u8>, len: usize) {
    match shadow::execution() {
        Some(execution) => execution.unmaps(range(at, len)),
        // SAFETY: as promised by the caller.
        None => unsafe { real::unmap(at, len) },
    }
}

/// # Safety
/// As the real one.
pub(crate) unsafe fn discard(at: NonNull<u8>, len: usize) -> bool {
    if let Some(execution) = shadow::execution() {
        execution.discards(&range(at, len));
    }
    // SAFETY: as promised by the caller.
    unsafe { real::discard(at, len) }
}

/// # Safety
/// As the real one.
pub(crate) unsafe fn remap(at: NonNull<u8>, old: usize, new: usize) -> Option<NonNull<u8>> {
    assert!(shadow::execution().is_none(), "no model moves mappings");
    // SAFETY: as promised by the caller.
    unsafe { real::remap(at, old, new) }
}

/// Time stands still in a model.
pub(crate) fn now_ms() -> u64 {
    0
}

/// What `unmap` did not do.
pub(crate) fn unmap_really(range: Range<usize>) {
    let at = std::ptr::with_exposed_provenance_mut(range.start);
    let at = NonNull::new(at).expect("nothing is mapped at zero");
    // SAFETY: it was mapped in an execution that has ended.
    unsafe { real::unmap(at, range.len()) };
}

fn range(at: NonNull<u8>, len: usize) -> Range<usize> {
    let start = at.as_ptr().expose_provenance();
    start..start + len
}

/// In a model, a broken invariant is a failure like any other.
pub(crate) fn broken(invariant: &str) -> ! {
    panic!("broken invariant: {invariant}");
}

#[derive(Clone, Copy)]
pub(crate) enum ExitHook {
    Real(real::ExitHook),
    Model,
}

impl ExitHook {
    pub(crate) fn new(run: unsafe extern "C" fn(*mut c_void)) -> Option<Self> {
        match shadow::execution() {
            Some(_) => Some(Self::Model),
            None => real::ExitHook::new(run).map(Self::Real),
        }
    }

    pub(crate) fn arm(self, value: *const c_void) -> bool {
        match (self, shadow::execution()) {
            (Self::Real(hook), _) => hook.arm(value),
            (Self::Model, Some(execution)) => {
                let heap = NonNull::new(value.cast_mut().cast());
                execution.arm(heap.expect("the crate arms it with a heap"));
                true
            }
            (Self::Model, None) => false,
        }
    }
}
