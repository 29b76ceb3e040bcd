//! Excess: what the commons keep of free memory, and what goes back, at the moment that a pool becomes empty.
//!
//! ```text
//! empty arenas kept          <= 1 while there is no reserve, nor churn with room for more     (the next one is unmapped)
//! bytes of dirty slices      <= max(DIRTY_MIN, bytes of open pools / DIRTY_SHARE)
//!                                 + max(the tide's room, with churn bytes of open pools / CHURN_SHARE)
//! ```
//!
//! When the second is exceeded, arenas are purged, the longest dirty first, to `DIRTY_MIN` below the bound: a big
//! drop in order then costs one `madvise` per so many bytes and one `munmap` per arena, and a loop that lives within
//! the bound none at all. A loop that does not is given a reserve after some rounds (see `tide`). Both bounds hold
//! whenever the lock is free, unless the kernel refuses to take pages.

use super::abandoned::Which;
use super::{Commons, EARNED, TOLD};
use crate::arena::{ARENA, Arena, HEADER};
use crate::counters::{self, Event};
use crate::heap::caches;
use crate::list::Ref;
use crate::os::{self, invariant};
use crate::runs;
use crate::sparse;

/// Dirty bytes that are always kept. More keeps more after a drop; less costs a large drop more calls of the system,
/// of which there is one for so many bytes.
pub(crate) const DIRTY_MIN: usize = 128 << 10;

/// Beyond that, one part in so many of the bytes in open pools.
const DIRTY_SHARE: usize = 128;

/// While there is churn, one part in so many of these. More keeps more, less has pages go that are needed at once.
const CHURN_SHARE: usize = 4;

impl Commons {
    /// Whether an arena, not on the shelf at the moment, is empty and not the only one.
    pub(super) fn is_surplus(&self, arena: Ref<Arena>) -> bool {
        let emptiest = self.shelf.emptiest();
        arena.is_empty() && emptiest.is_some_and(|other| other.is_empty())
    }

    /// Counts fresh slices as dirty where the heap is not, or no longer, as large as they call for.
    fn settle_excess(&mut self) {
        if self.fresh_bytes * EARNED > self.filled_bytes {
            self.settle_all();
        }
    }

    /// Counts all fresh slices as dirty. They are where most slices are free, and a heap of many arenas need not be gone through.
    fn settle_all(&mut self) {
        let mut arenas = self.shelf.arenas();
        while self.fresh_bytes > 0
            && let Some(arena) = arenas.next()
        {
            self.fresh_bytes -= arena.fresh_bytes();
            let was_dirty = arena.is_dirty();
            self.dirty_bytes += arena.settle();
            if !was_dirty && arena.is_dirty() {
                self.dirty.push_back(arena);
            }
        }
    }

    /// Takes an empty arena, which is not on the shelf, out of all accounts.
    pub(super) fn forget(&mut self, arena: Ref<Arena>) {
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

    /// Unmaps an empty arena, which is not on the shelf.
    fn unmap(&mut self, arena: Ref<Arena>) {
        self.forget(arena);
        // SAFETY: all its slices are free, and it has just left the lists.
        unsafe { Arena::unmap(arena) };
    }

    /// Lets the tide see how much is open.
    pub(super) fn watch(&mut self) {
        let looked_ms = self.tide.stands_at(self.open_bytes, os::now_ms);
        caches::set_narrow_bytes(self.narrow_bytes);
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
            self.unmap(arena);
        }
    }

    /// Lets the reserve be no more than this from now on.
    pub(crate) fn limit_reserve(&mut self, bytes: usize) {
        self.tide.limit(bytes, os::now_ms());
        self.tell_reserve();
        self.give_back_excess();
    }

    /// Finds out whether the reserve has ended, and gives back what was kept for it.
    pub(super) fn look(&mut self, now_ms: u64) {
        self.tide.look(now_ms);
        self.tell_reserve();
        self.give_back_excess();
    }

    /// Whether more may be kept because of churn. Where it has ended, arenas go that were kept for it.
    pub(super) fn churns(&mut self) -> bool {
        if self.churn.ends(os::now_ms) {
            self.unmap_surplus();
        }
        self.churn.is_there()
    }

    /// Whether empty arenas stay: all of them while there is a reserve, and with churn as long as no more is mapped than may be
    /// kept.
    pub(super) fn keeps_arenas(&mut self) -> bool {
        if self.tide.reserve() > 0 {
            return true;
        }
        let keeps = self.churns() && self.arenas * ARENA <= self.open_bytes + self.kept_for_churn();
        if !keeps && self.churn.is_there() {
            self.unmap_surplus();
        }
        keeps
    }

    /// What may be free beside what is open while there is churn.
    fn kept_for_churn(&self) -> usize {
        (self.open_bytes / CHURN_SHARE).min(self.tide.limited_to())
    }

    /// Holds what is kept to the bounds, the reserve's among them.
    pub(super) fn give_back_excess(&mut self) {
        self.settle_excess();
        self.sweep_spared();
        let unspared = self.tide.reserve().saturating_sub(sparse::spared_bytes());
        let reserve = unspared.min(self.tide.room());
        let reserve = match self.churns() {
            true => reserve.max(self.kept_for_churn()),
            false => reserve,
        };
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
                self.unmap(arena);
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
        self.churn.forget();
        self.watch();
        self.sweep_abandoned(Which::All);
        self.settle_all();
        while let Some(arena) = self.shelf.emptiest().filter(|arena| arena.is_empty()) {
            self.shelf.remove(arena);
            self.unmap(arena);
        }
        self.purge_down_to(0);
    }
}
