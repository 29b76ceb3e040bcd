//! What all threads have in common, under one lock: the arenas, the abandoned pools, the heaps that nobody uses.
//!
//! A thread comes here when it needs a pool or has emptied one, which is once in many blocks, so one lock does; it is
//! held for a few list operations and at most one system call that maps or purges.
//!
//! **Giving back** happens here, at the moment that a pool becomes empty, and needs no clock:
//!
//! ```text
//! empty arenas kept          <= 1 of each kind                (the next one is unmapped)
//! bytes of dirty slices      <= max(DIRTY_MIN, bytes of open pools / DIRTY_SHARE)
//! ```
//!
//! When the second is exceeded, arenas are purged, the longest dirty first, down to half of the bound: a big drop in
//! order then costs one `madvise` per half a bound and one `munmap` per arena, and a loop that lives within the bound
//! none at all. Both bounds hold whenever the lock is free, unless the kernel refuses to take pages.

use std::sync::PoisonError;

use crate::arena::{ARENA, Arena, BY_AGE, HEADER};
use crate::class::{Class, Kind, SLOTS};
use crate::list::{List, Ref};
use crate::os::{self, invariant};
use crate::pool::Pool;
use crate::remote::Unowned;
use crate::shelf::Shelf;
use crate::stats::Stats;
use crate::sync::{Mutex, MutexGuard};
use crate::thread::Heaps;

/// Dirty bytes that are always kept. More makes small steady loops cheaper (a fault per 4 KiB that a loop needs
/// beyond it, about 0.25 us each), less keeps less after a drop: at 1 MiB, under 1 % of what occupied 100 MiB.
const DIRTY_MIN: usize = 1 << 20;

/// Beyond that, one part in so many of the bytes in open pools.
const DIRTY_SHARE: usize = 128;

const _: () = assert!(
    DIRTY_MIN / 2 >= Kind::Medium.pool_size(),
    "a pool is not purged by its own closing"
);

/// The one instance.
static COMMONS: Mutex<Commons> = Mutex::new(Commons::new());

/// See the top of this file.
pub(crate) struct Commons {
    shelves: [Shelf; 2],
    dirty: List<Arena, BY_AGE>,
    abandoned: [List<Pool>; SLOTS],
    pub(crate) heaps: Heaps,
    arenas: usize,
    open_bytes: usize,
    dirty_bytes: usize,
    released_bytes: usize,
}

// SAFETY: its pointers lead to mapped memory that belongs to no thread, reached only under the lock.
unsafe impl Send for Commons {}

/// Takes the lock. It cannot be poisoned: nothing panics while holding it.
pub(crate) fn lock() -> MutexGuard<'static, Commons> {
    COMMONS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Hands a pool without blocks in use back to its arena. The caller owned it and does not touch it again.
pub(crate) fn close(pool: Ref<Pool>) {
    pool.set_owner(None);
    let empty = lock().close(pool);
    if let Some(arena) = empty {
        // SAFETY: `Commons::close` found all slices free and took the arena off the lists.
        unsafe { Arena::unmap(arena) };
    }
}

/// Ends the ownership of a pool that the caller will not use again: closes it if it is empty, otherwise leaves it to
/// whoever first frees one of its blocks or wants a pool of its class.
#[cold]
pub(crate) fn abandon(pool: Ref<Pool>) {
    pool.set_resting(false);
    loop {
        pool.collect();
        if pool.used() == 0 {
            return close(pool);
        }
        pool.set_owner(None);
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
            shelves: [const { Shelf::new() }; 2],
            dirty: List::new(),
            abandoned: [const { List::new() }; SLOTS],
            heaps: Heaps::new(),
            arenas: 0,
            open_bytes: 0,
            dirty_bytes: 0,
            released_bytes: 0,
        }
    }

    /// A pool of `class` with a block to hand out, owned by the caller: an abandoned one, else a fresh one.
    pub(crate) fn obtain(&mut self, class: Class) -> Option<Ref<Pool>> {
        if let Some(pool) = self.adopt(class) {
            return Some(pool);
        }
        let shelf = &mut self.shelves[class.kind() as usize];
        let arena = match shelf.fullest() {
            Some(arena) => {
                shelf.remove(arena);
                arena
            }
            None => {
                let arena = Arena::map(class.kind())?;
                self.arenas += 1;
                arena
            }
        };
        let was_dirty = arena.is_dirty();
        let pool = arena.open(class);
        shelf.insert(arena);
        self.dirty_bytes -= pool.stale();
        if was_dirty && !arena.is_dirty() {
            self.dirty.remove(arena);
        }
        self.open_bytes += class.kind().pool_size();
        Some(pool)
    }

    /// An abandoned pool of `class`. Those that a freeing thread has just claimed are on their way off the list by
    /// its hand.
    fn adopt(&mut self, class: Class) -> Option<Ref<Pool>> {
        let list = &self.abandoned[class.index()];
        let pool = list.iter().find(|pool| pool.word().claim_listed())?;
        list.remove(pool);
        Some(pool)
    }

    /// Puts a pool with free blocks on the list of abandoned ones and disowns it; false where blocks came in, and
    /// the caller owns it as before.
    fn list_abandoned(&mut self, pool: Ref<Pool>) -> bool {
        let class = pool.class();
        let gone = pool.word().disown(Unowned::Listed);
        if gone {
            // Whoever claims it by freeing a block takes the lock to unlist it, hence after this.
            self.abandoned[class.index()].push_front(pool);
        }
        gone
    }

    /// Takes a pool off the list of abandoned ones, for the thread that claimed it by freeing a block.
    pub(crate) fn unlist_abandoned(&mut self, pool: Ref<Pool>) {
        self.abandoned[pool.class().index()].remove(pool);
    }

    /// Makes an empty pool a free slice. Returns its arena where that is now to be unmapped by the caller, who does
    /// it without the lock.
    #[must_use]
    fn close(&mut self, pool: Ref<Pool>) -> Option<Ref<Arena>> {
        let arena = Arena::of(&pool);
        let shelf = &mut self.shelves[arena.kind() as usize];
        shelf.remove(arena);
        let was_dirty = arena.is_dirty();
        self.dirty_bytes += arena.close(&pool);
        self.open_bytes -= arena.kind().pool_size();
        if !was_dirty && arena.is_dirty() {
            self.dirty.push_back(arena);
        }
        if arena.is_empty() && shelf.emptiest().is_some_and(|other| other.is_empty()) {
            self.forget(arena);
            return Some(arena);
        }
        shelf.insert(arena);
        self.purge_excess();
        None
    }

    /// Takes an empty arena, which is on no shelf, out of all accounts.
    fn forget(&mut self, arena: Ref<Arena>) {
        invariant!(arena.is_empty());
        let dirty = arena.dirty_bytes();
        if arena.is_dirty() {
            self.dirty.remove(arena);
        }
        self.dirty_bytes -= dirty;
        self.released_bytes += dirty + HEADER;
        self.arenas -= 1;
    }

    fn purge_excess(&mut self) {
        let bound = DIRTY_MIN.max(self.open_bytes / DIRTY_SHARE);
        if self.dirty_bytes > bound {
            self.purge_down_to(bound / 2);
        }
    }

    #[cold]
    fn purge_down_to(&mut self, bytes: usize) {
        while self.dirty_bytes > bytes
            && let Some(arena) = self.dirty.first()
        {
            let given = arena.purge();
            self.dirty_bytes -= given;
            self.released_bytes += given;
            if arena.is_dirty() {
                return;
            }
            self.dirty.remove(arena);
        }
    }

    /// Gives back all that is free here: every dirty slice and every empty arena.
    pub(crate) fn release(&mut self) {
        for kind in [Kind::Small, Kind::Medium] {
            while let Some(arena) = self.shelves[kind as usize]
                .emptiest()
                .filter(|arena| arena.is_empty())
            {
                self.shelves[kind as usize].remove(arena);
                self.forget(arena);
                // SAFETY: all its slices are free, and it has just left the lists.
                unsafe { Arena::unmap(arena) };
            }
        }
        self.purge_down_to(0);
    }

    /// All bytes ever given back from arenas.
    pub(crate) fn released_bytes(&self) -> usize {
        self.released_bytes
    }

    /// The account of everything but the large blocks.
    pub(crate) fn stats(&self) -> Stats {
        let mut stats = Stats {
            cached_bytes: self.dirty_bytes,
            free_slice_bytes: self.dirty_bytes,
            metadata_bytes: self.arenas * HEADER + self.heaps.metadata_bytes(),
            mapped_bytes: self.arenas * ARENA + self.heaps.mapped_bytes(),
            arenas: self.arenas,
            released_bytes: self.released_bytes,
            ..Stats::default()
        };
        for arena in self.shelves.iter().flat_map(Shelf::arenas) {
            for pool in arena.open_pools() {
                let used = pool.used() as usize * pool.block_size();
                stats.allocated_bytes += used;
                stats.cached_bytes += os::whole_pages(pool.touched()).saturating_sub(used);
            }
        }
        stats
    }
}
