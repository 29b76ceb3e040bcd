//! Counters: with the feature `stats`, how often each thing has happened. Where the bytes are is told without it
//! ([`crate::Stats`]); this tells how they came there, and so which threshold, class or thread to look at.
//!
//! ```text
//! allocations - frees = blocks of pools in use, those that others freed and the owner has not collected not among them
//! pools_opened - pools_closed = pools                            arenas_mapped - arenas_unmapped = arenas
//! ```
//!
//! What happens once for each block is counted in the heap, which is the thread's own: a load, an addition and a store
//! to a line that is in its cache. All else is rare, and counted by everyone in the same place. Without the feature
//! this module is its twin (`counters/off.rs`), of which nothing is left in the code that is generated.

#[cfg(not(feature = "stats"))]
#[path = "counters/off.rs"]
mod way;
#[cfg(feature = "stats")]
#[path = "counters/on.rs"]
mod way;

#[cfg(feature = "stats")]
#[allow(
    unused_imports,
    reason = "the models of `tests/loom` show it to nobody"
)]
pub use way::Counters;
pub(crate) use way::*;

/// What is counted where it happens to anyone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Event {
    /// A thread whose heap is gone took a block.
    LateAllocation,
    /// A block was freed by a thread that does not own its pool.
    RemoteFree,
    /// That thread became the owner of the pool.
    Claim,
    /// A heap's current pool was exhausted, and others had freed nothing in it.
    Refill,
    /// A heap opened its caches.
    CachesOpened,
    PoolOpened,
    PoolClosed,
    /// It was laid aside, and another thread than its owner freed the last block.
    PoolVacated,
    /// A heap in need took an abandoned pool.
    PoolAdopted,
    ArenaMapped,
    ArenaUnmapped,
    Sweep,
    /// Dirty slices of an arena went back.
    Purge,
    LargeAllocation,
    LargeFree,
    /// A large block was served from a run that waited.
    LargeReuse,
}

/// Counts a large block that is handed out; null is none.
#[inline(always)]
pub(crate) fn large(block: *mut u8) -> *mut u8 {
    if !block.is_null() {
        count(Event::LargeAllocation);
    }
    block
}
