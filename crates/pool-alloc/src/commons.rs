//! What all threads have in common, under one lock: the arenas, the abandoned pools, the heaps that nobody uses.
//!
//! A thread comes here when it needs a pool or has emptied one, which is once in many blocks, so one lock does; it is
//! held for a few list operations and the system calls that map an arena, or one that purges for each run of an arena's
//! dirty slices; but where a reserve has ended or all is to go, empty arenas are unmapped and what threads left is swept,
//! too (`commons::abandoned`). What of it goes back, and when, is in `commons::excess`.

#[path = "commons/abandoned.rs"]
mod abandoned;
#[path = "commons/churn.rs"]
mod churn;
#[path = "commons/excess.rs"]
mod excess;
#[path = "commons/orphans.rs"]
mod orphans;
#[path = "commons/wants.rs"]
mod wants;

use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;

use crate::arena::{ARENA, Arena, BY_AGE, Dirt, HEADER, Opened, Place};
use crate::begin;
use crate::class::{Class, SLOTS, Span};
use crate::counters::{self, Event};
use crate::list::{List, Ref};
use crate::os;
use crate::pool::{Owner, Pool};
use crate::remote::{Turn, Unowned};
use crate::shelf::Shelf;
use crate::stats::Stats;
use crate::sweep;
use crate::sync::{AtomicHint, Mutex, MutexGuard};
use crate::thread::Heaps;
use crate::tide::{Tide, Told};
use churn::Churn;
pub(crate) use excess::DIRTY_MIN;

/// Bytes in filled pools for each byte of a fresh slice. An arena asks for a huge page when so much is filled, and settles
/// when less is: more costs a small heap more faults on its way up, less wastes more in one that stops growing.
const EARNED: usize = 8;

/// Arenas with dirty slices, the longest dirty first, that are looked at for a place in a loop. More find one more often.
const DIRTY_TRIED: usize = 8;

/// The one instance.
pub(crate) static COMMONS: Mutex<Commons> = Mutex::new(Commons::new());

/// What its tide tells.
pub(crate) static TOLD: Told = Told::new();

/// How many abandoned pools there are of each class. To those who do not hold the lock it is a hint.
static STOCK: [AtomicHint; SLOTS] = [const { AtomicHint::new(0) }; SLOTS];

/// How many pools of each class are open. To those who do not hold the lock it is a hint, too.
static OPEN: [AtomicHint; SLOTS] = [const { AtomicHint::new(0) }; SLOTS];

/// How many pools of this class are open.
pub(crate) fn open_pools(class: Class) -> usize {
    OPEN[class.index()].load(Relaxed) as usize
}

/// More abandoned pools of a class are not asked of heaps that have many. Fewer are gone before these look again, and pools are
/// opened; more are more that a free may meet, which then takes the lock.
const STOCKED: u32 = 64;

/// Whether heaps that need a pool of this class, and have none of their own, may soon have to have one opened.
pub(crate) fn lacks(class: Class) -> bool {
    STOCK[class.index()].load(Relaxed) < STOCKED
}

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
    /// Of those of one slice.
    narrow_bytes: usize,
    /// Of those of one slice that followed on one that was filled: so much is about what such pools have handed out.
    filled_bytes: usize,
    dirty_bytes: usize,
    fresh_bytes: usize,
    released_bytes: usize,
    tide: Tide,
    churn: Churn,
}

// SAFETY: its pointers lead to mapped memory that belongs to no thread, reached only under the lock.
unsafe impl Send for Commons {}

/// Takes the lock. It cannot be poisoned: nothing panics while holding it.
pub(crate) fn lock() -> MutexGuard<'static, Commons> {
    begin::once();
    COMMONS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Hands a pool without blocks in use back to its arena. The caller owned it and does not touch it again.
pub(crate) fn close(pool: Ref<Pool>) {
    let _errno = os::ErrnoKept::now();
    pool.set_owner(Owner::NOBODY);
    let empty = lock().close(pool);
    unmap(empty);
}

/// Takes back the last block of a pool that another heap has laid aside, if it is the last one: what is in the pool is
/// nobody's from then on, and its owner's is but to find that out. If it is not, it is still to be freed.
#[cold]
pub(crate) fn free_last(pool: Ref<Pool>) -> bool {
    let _errno = os::ErrnoKept::now();
    let mut commons = lock();
    let is_last = pool.word().vacate(|blocks| pool.uses(blocks));
    if is_last {
        counters::count(Event::PoolVacated);
        commons.vacate(pool);
        commons.give_back_excess();
    }
    is_last
}

/// Takes up a pool that its heap has laid aside. `None` where it is vacant: then the caller has it no more, who forgets it.
pub(crate) fn take_up(pool: Ref<Pool>, forget: impl Fn()) -> Option<Turn> {
    loop {
        let turn = pool.word().take_up();
        if turn.is_some() || part_with_vacant(pool, &forget) {
            return turn;
        }
    }
}

/// Parts with a pool that is vacant and the caller's; false where that was a mistake (see `remote`).
#[cold]
fn part_with_vacant(pool: Ref<Pool>, forget: impl FnOnce()) -> bool {
    let mut commons = lock();
    if !pool.word().is_vacant() {
        return false;
    }
    forget();
    pool.set_owner(Owner::NOBODY);
    let empty = commons.reclaim(pool);
    drop(commons);
    unmap(empty);
    true
}

/// Unmaps the arena that `Commons::reclaim` returned.
fn unmap(empty: Option<Ref<Arena>>) {
    if let Some(arena) = empty {
        // SAFETY: `Commons::reclaim` found all slices free and took the arena off the lists.
        unsafe { Arena::unmap(arena) };
    }
}

/// Ends the ownership of a pool that the caller will not use again: closes it if it is empty, otherwise leaves it to
/// whoever first frees one of its blocks or wants a pool of its class.
#[cold]
pub(crate) fn abandon(pool: Ref<Pool>) {
    if take_up(pool, || ()).is_none() {
        return;
    }
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
            narrow_bytes: 0,
            filled_bytes: 0,
            dirty_bytes: 0,
            fresh_bytes: 0,
            released_bytes: 0,
            tide: Tide::new(),
            churn: Churn::new(),
        }
    }

    /// A pool of `class` with a block to hand out, owned by the caller: an abandoned one, else a fresh one. `follows` where it
    /// follows on one that the caller's heap has filled.
    pub(crate) fn obtain(&mut self, class: Class, follows: bool) -> Option<Ref<Pool>> {
        if let Some(pool) = self.adopt(class) {
            return Some(pool);
        }
        let span = class.span();
        let found = self.place(span).or_else(|| {
            let arena = self.new_arena(span);
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
        OPEN[class.index()].fetch_add(1, Relaxed);
        if span == Span::ONE {
            self.narrow_bytes += span.bytes();
            if follows {
                arena.note_follower(&pool);
                self.filled_bytes += span.bytes();
            }
        }
        counters::count(Event::PoolOpened);
        self.churn.opens(span.bytes(), self.open_bytes, os::now_ms);
        self.watch();
        self.give_back_excess();
        Some(pool)
    }

    /// Where to open a pool of this span: where the shelf says, or, in a loop, where slices are dirty, else the loop's memory
    /// becomes more than it had at its height, and all that is beyond goes back.
    fn place(&self, span: Span) -> Option<(Ref<Arena>, Place)> {
        let place = self.shelf.place(span)?;
        if span > Span::ONE || place.1.dirt == Dirt::All || self.tide.reserve() == 0 {
            return Some(place);
        }
        let dirty = self.dirty.iter().take(DIRTY_TRIED);
        let mut dirty = dirty.filter_map(|arena| Some((arena, arena.place(span)?)));
        Some(
            dirty
                .find(|(_, other)| other.dirt == Dirt::All)
                .unwrap_or(place),
        )
    }

    /// An abandoned pool of `class`. Those that a freeing thread has just claimed are on their way off the list by
    /// its hand.
    fn adopt(&mut self, class: Class) -> Option<Ref<Pool>> {
        let list = &self.abandoned[class.index()];
        let pool = list.iter().find(|pool| pool.word().claim_listed())?;
        self.unlist_abandoned(pool);
        pool.spare_no_more();
        pool.find_next();
        counters::count(Event::PoolAdopted);
        Some(pool)
    }

    /// Puts a pool with free blocks on the list of abandoned ones and disowns it; false where blocks came in, and
    /// the caller owns it as before.
    fn list_abandoned(&mut self, pool: Ref<Pool>) -> bool {
        let (class, is_spared) = (pool.class(), pool.is_spared());
        let gone = pool.word().disown(Unowned::Listed);
        if gone {
            self.has_spared |= is_spared;
            // Whoever claims it by freeing a block takes the lock to unlist it, hence after this.
            self.abandoned[class.index()].push_front(pool);
            STOCK[class.index()].fetch_add(1, Relaxed);
        }
        gone
    }

    /// Counts the abandoned pools anew.
    fn take_stock(&self) {
        for (stock, list) in STOCK.iter().zip(&self.abandoned) {
            stock.store(list.len() as u32, Relaxed);
        }
    }

    /// Takes a pool off the list of abandoned ones, for whoever claimed it.
    pub(crate) fn unlist_abandoned(&self, pool: Ref<Pool>) {
        self.abandoned[pool.class().index()].remove(pool);
        STOCK[pool.class().index()].fetch_sub(1, Relaxed);
    }

    /// Makes an empty pool free slices. Returns its arena where that is now to be unmapped by the caller, who does
    /// it without the lock.
    #[must_use]
    fn close(&mut self, pool: Ref<Pool>) -> Option<Ref<Arena>> {
        self.vacate(pool);
        self.reclaim(pool)
    }

    /// Makes what is in the slices of a pool without blocks in use nobody's.
    fn vacate(&mut self, pool: Ref<Pool>) {
        pool.spare_no_more();
        let arena = Arena::of(&pool);
        let was_dirty = arena.is_dirty();
        let bytes = pool.class().span().bytes();
        self.open_bytes -= bytes;
        OPEN[pool.class().index()].fetch_sub(1, Relaxed);
        if pool.class().span() == Span::ONE {
            self.narrow_bytes -= bytes;
            if arena.forget_follower(&pool) {
                self.filled_bytes -= bytes;
            }
        }
        self.dirty_bytes += arena.vacate(&pool);
        counters::count(Event::PoolClosed);
        if !was_dirty && arena.is_dirty() {
            self.dirty.push_back(arena);
        }
        self.watch();
    }

    /// Makes the slices of a vacant pool, which no heap has any more, free ones. Returns its arena as `close` does.
    #[must_use]
    fn reclaim(&mut self, pool: Ref<Pool>) -> Option<Ref<Arena>> {
        let arena = Arena::of(&pool);
        self.shelf.remove(arena);
        pool.word().end();
        arena.reclaim(&pool);
        let goes = !self.keeps_arenas() && self.is_surplus(arena);
        if goes {
            self.forget(arena);
        } else {
            self.shelf.insert(arena);
        }
        // Also where the arena goes: it may be now that a reserve has ended.
        self.give_back_excess();
        goes.then_some(arena)
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
