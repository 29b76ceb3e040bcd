//! What all threads have in common, under one lock: the arenas, the abandoned pools, the heaps that nobody uses.
//!
//! A thread comes here when it needs a pool or has emptied one, which is once in many blocks, so one lock does; it is
//! held for a few list operations and the system calls that map an arena, or one that purges for each run of an arena's
//! dirty slices; but where a reserve has ended or all is to go, empty arenas are unmapped and what threads left is swept,
//! too (`commons::abandoned`).
//!
//! **Giving back** happens here, at the moment that a pool becomes empty, and needs no clock:
//!
//! ```text
//! empty arenas kept          <= 1 while there is no reserve     (the next one is unmapped)
//! bytes of dirty slices      <= max(DIRTY_MIN, bytes of open pools / DIRTY_SHARE) + the tide's room
//! ```
//!
//! When the second is exceeded, arenas are purged, the longest dirty first, to `DIRTY_MIN` below the bound: a big
//! drop in order then costs one `madvise` per so many bytes and one `munmap` per arena, and a loop that lives within
//! the bound none at all. A loop that does not is given a reserve after some rounds (see `tide`). Both bounds hold
//! whenever the lock is free, unless the kernel refuses to take pages.

#[path = "commons/abandoned.rs"]
mod abandoned;
#[path = "commons/orphans.rs"]
mod orphans;
#[path = "commons/wants.rs"]
mod wants;

use std::sync::PoisonError;

use crate::arena::{ARENA, Arena, BY_AGE, HEADER, Opened};
use crate::class::{Class, SLOTS};
use crate::counters::{self, Event};
use crate::heap::caches;
use crate::list::{List, Ref};
use crate::os::{self, invariant};
use crate::pool::{Owner, Pool};
use crate::remote::Unowned;
use crate::runs;
use crate::shelf::Shelf;
use crate::sparse;
use crate::stats::Stats;
use crate::sweep;
use crate::sync::{Mutex, MutexGuard};
use crate::thread::{self, Heaps};
use crate::tide::{Tide, Told};
use abandoned::Which;

/// Dirty bytes that are always kept. More keeps more after a drop; less costs a large drop more calls of the system,
/// of which there is one for so many bytes.
pub(crate) const DIRTY_MIN: usize = 128 << 10;

/// Beyond that, one part in so many of the bytes in open pools.
const DIRTY_SHARE: usize = 128;

/// Bytes in open pools for each byte of a fresh slice. An arena asks for a huge page when so much is open, and settles
/// when less is: more costs a small heap more faults on its way up, less wastes more in one that stops growing.
const EARNED: usize = 8;

/// The one instance.
pub(crate) static COMMONS: Mutex<Commons> = Mutex::new(Commons::new());

/// What its tide tells.
pub(crate) static TOLD: Told = Told::new();

/// Ends the reserve if it is over: for a program that goes on with large blocks only. Not for whoever holds a lock.
pub(crate) fn end_if_over() {
    if let Some(now_ms) = TOLD.ended_by(os::now_ms) {
        lock().look(now_ms);
    }
}

/// See the top of this file.
pub(crate) struct Commons {
    shelf: Shelf,
    dirty: List<Arena, BY_AGE>,
    abandoned: [List<Pool>; SLOTS],
    /// Whether some of these may be spared.
    has_spared: bool,
    pub(crate) heaps: Heaps,
    arenas: usize,
    open_bytes: usize,
    dirty_bytes: usize,
    fresh_bytes: usize,
    released_bytes: usize,
    tide: Tide,
}

// SAFETY: its pointers lead to mapped memory that belongs to no thread, reached only under the lock.
unsafe impl Send for Commons {}

/// Takes the lock. It cannot be poisoned: nothing panics while holding it.
pub(crate) fn lock() -> MutexGuard<'static, Commons> {
    thread::begin();
    COMMONS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Hands a pool without blocks in use back to its arena. The caller owned it and does not touch it again.
pub(crate) fn close(pool: Ref<Pool>) {
    let _errno = os::ErrnoKept::now();
    pool.set_owner(Owner::NOBODY);
    let empty = lock().close(pool);
    unmap(empty);
}

/// Unmaps the arena that `Commons::close` returned.
fn unmap(empty: Option<Ref<Arena>>) {
    if let Some(arena) = empty {
        // SAFETY: `Commons::close` found all slices free and took the arena off the lists.
        unsafe { Arena::unmap(arena) };
    }
}

/// Ends the ownership of a pool that the caller will not use again: closes it if it is empty, otherwise leaves it to
/// whoever first frees one of its blocks or wants a pool of its class.
#[cold]
pub(crate) fn abandon(pool: Ref<Pool>) {
    loop {
        pool.collect();
        if pool.used() == 0 {
            return close(pool);
        }
        pool.leave_to_others();
        pool.set_owner(Owner::NOBODY);
        let gone = if pool.is_exhausted() {
            pool.word().disown(Unowned::Full)
        } else {
            lock().list_abandoned(pool)
        };
        if gone {
            return;
        }
    }
}

impl Commons {
    const fn new() -> Self {
        Self {
            shelf: Shelf::new(),
            dirty: List::new(),
            abandoned: [const { List::new() }; SLOTS],
            has_spared: false,
            heaps: Heaps::new(),
            arenas: 0,
            open_bytes: 0,
            dirty_bytes: 0,
            fresh_bytes: 0,
            released_bytes: 0,
            tide: Tide::new(),
        }
    }

    /// A pool of `class` with a block to hand out, owned by the caller: an abandoned one, else a fresh one.
    pub(crate) fn obtain(&mut self, class: Class) -> Option<Ref<Pool>> {
        if let Some(pool) = self.adopt(class) {
            return Some(pool);
        }
        let span = class.span();
        let found = self.shelf.place(span).or_else(|| {
            let arena = self.new_arena();
            arena.and_then(|arena| Some((arena, arena.place(span)?)))
        });
        // Where the system refuses, whatever there is will do.
        let (arena, place) = found.or_else(|| self.shelf.any_place(span))?;
        self.shelf.remove(arena);
        let was_dirty = arena.is_dirty();
        let Opened { pool, dirty, fresh } = arena.open(class, place);
        self.shelf.insert(arena);
        self.dirty_bytes -= dirty;
        self.fresh_bytes -= fresh;
        if was_dirty && !arena.is_dirty() {
            self.dirty.remove(arena);
        }
        self.open_bytes += span.bytes();
        counters::count(Event::PoolOpened);
        self.watch();
        self.give_back_excess();
        Some(pool)
    }

    /// An abandoned pool of `class`. Those that a freeing thread has just claimed are on their way off the list by
    /// its hand.
    fn adopt(&mut self, class: Class) -> Option<Ref<Pool>> {
        let list = &self.abandoned[class.index()];
        let pool = list.iter().find(|pool| pool.word().claim_listed())?;
        list.remove(pool);
        pool.spare_no_more();
        pool.find_next();
        counters::count(Event::PoolAdopted);
        Some(pool)
    }

    /// Puts a pool with free blocks on the list of abandoned ones and disowns it; false where blocks came in, and
    /// the caller owns it as before.
    fn list_abandoned(&mut self, pool: Ref<Pool>) -> bool {
        let (class, is_spared) = (pool.class(), pool.spared().get());
        let gone = pool.word().disown(Unowned::Listed);
        if gone {
            self.has_spared |= is_spared;
            // Whoever claims it by freeing a block takes the lock to unlist it, hence after this.
            self.abandoned[class.index()].push_front(pool);
        }
        gone
    }

    /// Takes a pool off the list of abandoned ones, for the thread that claimed it by freeing a block.
    pub(crate) fn unlist_abandoned(&mut self, pool: Ref<Pool>) {
        self.abandoned[pool.class().index()].remove(pool);
    }

    /// Makes an empty pool free slices. Returns its arena where that is now to be unmapped by the caller, who does
    /// it without the lock.
    #[must_use]
    fn close(&mut self, pool: Ref<Pool>) -> Option<Ref<Arena>> {
        pool.spare_no_more();
        let arena = Arena::of(&pool);
        self.shelf.remove(arena);
        let was_dirty = arena.is_dirty();
        self.open_bytes -= pool.class().span().bytes();
        self.dirty_bytes += arena.close(&pool);
        counters::count(Event::PoolClosed);
        if !was_dirty && arena.is_dirty() {
            self.dirty.push_back(arena);
        }
        self.watch();
        let goes = self.tide.reserve() == 0 && self.is_surplus(arena);
        if goes {
            self.forget(arena);
        } else {
            self.shelf.insert(arena);
        }
        // Also where the arena goes: it may be now that a reserve has ended.
        self.settle_excess();
        self.give_back_excess();
        goes.then_some(arena)
    }

    /// Whether an arena, not on the shelf at the moment, is empty and not the only one.
    fn is_surplus(&self, arena: Ref<Arena>) -> bool {
        let emptiest = self.shelf.emptiest();
        arena.is_empty() && emptiest.is_some_and(|other| other.is_empty())
    }

    /// Counts fresh slices as dirty where the heap is not, or no longer, as large as they call for.
    fn settle_excess(&mut self) {
        if self.fresh_bytes * EARNED > self.open_bytes {
            self.settle_all();
        }
    }

    /// Counts all fresh slices as dirty.
    fn settle_all(&mut self) {
        if self.fresh_bytes == 0 {
            return;
        }
        for arena in self.shelf.arenas() {
            let was_dirty = arena.is_dirty();
            self.dirty_bytes += arena.settle();
            if !was_dirty && arena.is_dirty() {
                self.dirty.push_back(arena);
            }
        }
        self.fresh_bytes = 0;
    }

    /// Takes an empty arena, which is not on the shelf, out of all accounts.
    fn forget(&mut self, arena: Ref<Arena>) {
        invariant!(arena.is_empty());
        self.fresh_bytes -= arena.fresh_bytes();
        let dirty = arena.dirty_bytes();
        if arena.is_dirty() {
            self.dirty.remove(arena);
        }
        self.dirty_bytes -= dirty;
        self.released_bytes += dirty + HEADER;
        self.arenas -= 1;
        counters::count(Event::ArenaUnmapped);
    }

    /// Lets the tide see how much is open.
    fn watch(&mut self) {
        let looked_ms = self.tide.stands_at(self.open_bytes, os::now_ms);
        caches::set_open_bytes(self.open_bytes);
        self.tell_reserve();
        if let Some(now_ms) = looked_ms {
            runs::end_if_over(|| now_ms);
        }
    }

    fn tell_reserve(&mut self) {
        if TOLD.tell(&self.tide) {
            self.unmap_surplus();
        }
    }

    /// Unmaps the empty arenas on the shelf, but for one.
    #[cold]
    fn unmap_surplus(&mut self) {
        while let Some(arena) = self.shelf.emptiest().filter(|arena| arena.is_empty()) {
            self.shelf.remove(arena);
            if !self.is_surplus(arena) {
                return self.shelf.insert(arena);
            }
            self.forget(arena);
            // SAFETY: all its slices are free, and it has just left the lists.
            unsafe { Arena::unmap(arena) };
        }
    }

    /// Lets the reserve be no more than this from now on.
    pub(crate) fn limit_reserve(&mut self, bytes: usize) {
        self.tide.limit(bytes, os::now_ms());
        self.tell_reserve();
        self.give_back_excess();
    }

    /// Finds out whether the reserve has ended, and gives back what was kept for it.
    fn look(&mut self, now_ms: u64) {
        self.tide.look(now_ms);
        self.tell_reserve();
        self.give_back_excess();
    }

    /// Holds what is kept to the bounds, the reserve's among them.
    fn give_back_excess(&mut self) {
        self.sweep_spared();
        let unspared = self.tide.reserve().saturating_sub(sparse::spared_bytes());
        let reserve = unspared.min(self.tide.room());
        let bound = DIRTY_MIN.max(self.open_bytes / DIRTY_SHARE) + reserve;
        if self.dirty_bytes > bound {
            self.purge_down_to(bound - DIRTY_MIN);
        }
    }

    #[cold]
    fn purge_down_to(&mut self, bytes: usize) {
        while self.dirty_bytes > bytes
            && let Some(arena) = self.dirty.first()
        {
            self.shelf.remove(arena);
            if self.is_surplus(arena) {
                self.forget(arena);
                // SAFETY: all its slices are free, and it has just left the lists.
                unsafe { Arena::unmap(arena) };
                continue;
            }
            let given = arena.purge();
            counters::count(Event::Purge);
            self.shelf.insert(arena);
            self.dirty_bytes -= given;
            self.released_bytes += given;
            self.dirty.remove(arena);
            if arena.is_dirty() {
                // The kernel refuses: others have their turn the next time.
                self.dirty.push_back(arena);
                return;
            }
        }
    }

    /// Gives back all that is free here: every dirty slice and every empty arena.
    pub(crate) fn release(&mut self) {
        self.tide.forget();
        self.watch();
        self.sweep_abandoned(Which::All);
        self.settle_all();
        while let Some(arena) = self.shelf.emptiest().filter(|arena| arena.is_empty()) {
            self.shelf.remove(arena);
            self.forget(arena);
            // SAFETY: all its slices are free, and it has just left the lists.
            unsafe { Arena::unmap(arena) };
        }
        self.purge_down_to(0);
    }

    /// All bytes ever given back from arenas.
    pub(crate) fn released_bytes(&self) -> usize {
        self.released_bytes + sweep::swept_bytes()
    }

    /// The account of everything but the large blocks; of these, what threads have at hand.
    pub(crate) fn stats(&self) -> Stats {
        let mut stats = Stats {
            cached_bytes: self.dirty_bytes,
            free_slice_bytes: self.dirty_bytes,
            metadata_bytes: self.arenas * HEADER + self.heaps.metadata_bytes(),
            mapped_bytes: self.arenas * ARENA + self.heaps.mapped_bytes(),
            arenas: self.arenas,
            released_bytes: self.released_bytes(),
            ..Stats::default()
        };
        for arena in self.shelf.arenas() {
            stats.cached_bytes += arena.fresh_bytes();
            stats.free_slice_bytes += arena.fresh_bytes();
            for pool in arena.open_pools() {
                let used = pool.used() as usize * pool.block_size();
                stats.allocated_bytes += used;
                stats.cached_bytes += arena.resident_bytes(&pool).saturating_sub(used);
            }
        }
        // To its pool, what waits in a thread's cache is in use.
        let cached = self.heaps.in_use().map(|heap| heap.cached_bytes()).sum();
        stats.allocated_bytes = stats.allocated_bytes.saturating_sub(cached);
        stats.cached_bytes += cached;
        stats.free_large_bytes = self.heaps.in_use().map(|heap| heap.at_hand().bytes()).sum();
        stats
    }
}
