//! The counters, with the feature.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::Event;
use crate::heap::Heap;
use crate::list::Ref;

/// How often each thing has happened since the process began. Each counter only grows; several are read one after the
/// other, so what equations hold between them holds while no other thread allocates or frees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Blocks that pools handed out. One that `realloc` leaves in its place is not counted again.
    pub allocations: u64,
    /// Blocks of pools that were freed, by whichever thread.
    pub frees: u64,
    /// The part of `frees` that came from a thread that did not own the block's pool: an atomic exchange each.
    pub remote_frees: u64,
    /// The part of `remote_frees` that found no owner, so that the thread became it.
    pub claims: u64,
    /// How often a thread needed another pool of a class: what was not the shortest way. The next page of the current one is
    /// not counted.
    pub refills: u64,
    /// How often a thread, whose blocks come and go without order, opened its caches.
    pub caches_opened: u64,
    /// Pools opened in free slices.
    pub pools_opened: u64,
    /// Pools closed: nothing in them is needed any more.
    pub pools_closed: u64,
    /// The part of `pools_closed` that their owner had laid aside when another thread freed the last block: their slices are
    /// free when the owner next needs a pool of the class.
    pub pools_vacated: u64,
    /// Refills that took the pool of a thread that had ended.
    pub pools_adopted: u64,
    /// Arenas mapped.
    pub arenas_mapped: u64,
    /// Arenas unmapped.
    pub arenas_unmapped: u64,
    /// Pools with blocks in use whose other pages were looked for, to be given back.
    pub sweeps: u64,
    /// Arenas in use whose free slices were given back.
    pub purges: u64,
    /// Large blocks handed out.
    pub large_allocations: u64,
    /// Large blocks freed.
    pub large_frees: u64,
    /// The part of `large_allocations` that the system was not asked for.
    pub large_reuses: u64,
}

impl Counters {
    /// What was counted since an earlier reading.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            allocations: self.allocations - earlier.allocations,
            frees: self.frees - earlier.frees,
            remote_frees: self.remote_frees - earlier.remote_frees,
            claims: self.claims - earlier.claims,
            refills: self.refills - earlier.refills,
            caches_opened: self.caches_opened - earlier.caches_opened,
            pools_opened: self.pools_opened - earlier.pools_opened,
            pools_closed: self.pools_closed - earlier.pools_closed,
            pools_vacated: self.pools_vacated - earlier.pools_vacated,
            pools_adopted: self.pools_adopted - earlier.pools_adopted,
            arenas_mapped: self.arenas_mapped - earlier.arenas_mapped,
            arenas_unmapped: self.arenas_unmapped - earlier.arenas_unmapped,
            sweeps: self.sweeps - earlier.sweeps,
            purges: self.purges - earlier.purges,
            large_allocations: self.large_allocations - earlier.large_allocations,
            large_frees: self.large_frees - earlier.large_frees,
            large_reuses: self.large_reuses - earlier.large_reuses,
        }
    }
}

/// What a heap counts. Its thread writes, others read.
pub(crate) struct Blocks {
    handed_out: AtomicU64,
    taken_back: AtomicU64,
}

impl Blocks {
    pub(crate) const fn new() -> Self {
        Self {
            handed_out: AtomicU64::new(0),
            taken_back: AtomicU64::new(0),
        }
    }

    #[inline(always)]
    pub(crate) fn handed_out(&self) {
        add_one(&self.handed_out);
    }

    #[inline(always)]
    pub(crate) fn taken_back(&self) {
        add_one(&self.taken_back);
    }

    /// One that was taken back is counted once more, where it goes from here.
    pub(crate) fn passed_on(&self) {
        let before = self.taken_back.load(Relaxed);
        self.taken_back.store(before - 1, Relaxed);
    }
}

/// Only one thread writes, so that no other's addition can be lost.
#[inline(always)]
fn add_one(counter: &AtomicU64) {
    counter.store(counter.load(Relaxed) + 1, Relaxed);
}

static EVENTS: [AtomicU64; Event::LargeReuse as usize + 1] =
    [const { AtomicU64::new(0) }; Event::LargeReuse as usize + 1];

pub(crate) fn count(event: Event) {
    EVENTS[event as usize].fetch_add(1, Relaxed);
}

/// All counters, with what these heaps counted.
pub(crate) fn read(heaps: impl Iterator<Item = Ref<Heap>>) -> Counters {
    let of = |event: Event| EVENTS[event as usize].load(Relaxed);
    let mut counters = Counters {
        allocations: of(Event::LateAllocation),
        frees: of(Event::RemoteFree),
        remote_frees: of(Event::RemoteFree),
        claims: of(Event::Claim),
        refills: of(Event::Refill),
        caches_opened: of(Event::CachesOpened),
        pools_opened: of(Event::PoolOpened),
        pools_closed: of(Event::PoolClosed),
        pools_vacated: of(Event::PoolVacated),
        pools_adopted: of(Event::PoolAdopted),
        arenas_mapped: of(Event::ArenaMapped),
        arenas_unmapped: of(Event::ArenaUnmapped),
        sweeps: of(Event::Sweep),
        purges: of(Event::Purge),
        large_allocations: of(Event::LargeAllocation),
        large_frees: of(Event::LargeFree),
        large_reuses: of(Event::LargeReuse),
    };
    for heap in heaps {
        let blocks = heap.blocks();
        counters.allocations += blocks.handed_out.load(Relaxed);
        counters.frees += blocks.taken_back.load(Relaxed);
    }
    counters
}
