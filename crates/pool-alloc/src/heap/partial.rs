//! Partial pools: in which order a heap turns to its pools that have free blocks.
//!
//! They wait in the order in which they came. The longer a pool waits, the more of its blocks come back, so the next one
//! is that which has waited longest: the heap needs it but once for many blocks.
//!
//! Where blocks come and go evenly, this alone would leave a heap as many pools as it ever had, each of them partly used.
//! So where many wait, and most blocks of the first are free, the heap turns to the one which has waited least. Those before
//! it go on draining, become empty, and go. What is still in use by then is on fewer pages.
//!
//! Where threads free each other's blocks, who comes to own a pool is chance. So would it be how much free memory each heap has
//! of a class: now one would have pools opened while another had many, now the other, and there would be ever more. So a
//! heap that has many leaves some to whoever needs them, as if its thread had ended (`share`).

use super::{Heap, NO_POOL_REF};
use crate::class::Class;
use crate::commons;
use crate::list::{List, Ref};
use crate::os::invariant;
use crate::pool::{EMPTY, Pool};
use crate::remote::Turn;
use crate::thread;

/// How many pools a heap claims without needing one before it takes to looking at all of them in turns. More look less
/// where others empty them, fewer mix up pools that were about to be used in the order in which they filled.
const CLAIMS: u32 = 8;

/// More pools of a class than so many, with so many blocks each, are worth having fewer of. Less takes a heap to its pools
/// more often for the sake of a few pages.
const MANY: usize = 8;

/// Pools that are passed over at a time because all they have is a row. Fewer touch a page sooner than need be, where a
/// heap has many of them.
const PASSED: usize = 4;

/// Vacant pools that a heap parts with at a time, when it needs one of their class: their slices will do. More let one
/// allocation take longer.
const PARTED_WITH: usize = 8;

/// A heap may have its even share of a class's pools as partial ones, within these bounds; more it shares with other heaps. Fewer
/// have a thread's frees meet pools that it has shared, which takes the lock; more let heaps open pools where others have
/// room.
const KEPT_LEAST: usize = 4;
const KEPT_MOST: usize = 32;

/// Pools that a heap shares at a time. More let one free take longer.
const SHARED_WITH: usize = 8;

impl Heap {
    /// Takes in a pool that this thread has claimed and that has a free block: as the last to be used, so that until
    /// then more of its blocks come back, and it does not go in and out for each.
    ///
    /// In exchange, the one that has waited longest is looked at, and goes if it has been emptied: a current pool may
    /// live on what others free in it, so that its heap needs none of the pools that it goes on claiming. Where it
    /// claims and needs none for a while, the next time it looks at another.
    pub(super) fn own_partial(&self, pool: Ref<Pool>) {
        invariant!(!self.is_none() && !pool.is_exhausted());
        pool.set_owner(self.as_owner());
        pool.spare_no_more();
        self.growth.ends(pool.class());
        if pool.class().is_wide() {
            self.wide_came_back(pool.class());
        }
        let partial = &self.partial[pool.class().index()];
        if let Some(longest) = partial.first() {
            if longest.is_emptied_by_others() {
                self.visit(longest, |_| ());
            } else if self.claims.get() > CLAIMS {
                partial.remove(longest);
                partial.push_back(longest);
            }
        }
        self.claims.set(self.claims.get().saturating_add(1));
        partial.push_back(pool);
        self.share(pool.class());
    }

    /// Where other heaps may lack pools of a class, and this one has many, leaves them some, those that have waited longest.
    fn share(&self, class: Class) {
        let (heaps, partial) = (thread::heaps(), &self.partial[class.index()]);
        if heaps < 2 || !commons::lacks(class) {
            return;
        }
        let even = commons::open_pools(class) / heaps;
        let kept = even.clamp(KEPT_LEAST, KEPT_MOST);
        for _ in 0..SHARED_WITH {
            let Some(longest) = partial.first().filter(|_| partial.len() > kept) else {
                return;
            };
            self.forget(longest);
            commons::abandon(longest);
        }
    }

    /// Takes up a pool, which goes if it is empty; else it is a partial one, there is some work on it, and it is laid aside
    /// again.
    pub(super) fn visit(&self, pool: Ref<Pool>, work: impl FnOnce(&Pool)) {
        let Some(turn) = self.take_up(pool) else {
            return;
        };
        pool.collect();
        pool.reset_alarm();
        if pool.used() > 0 {
            work(&pool);
        }
        while pool.used() > 0 {
            if pool.word().lay_aside(turn.next()) {
                return;
            }
            pool.collect();
        }
        self.emptied(pool);
    }

    /// Takes up a partial pool; `None` where it is vacant, and the heap has it no more.
    fn take_up(&self, pool: Ref<Pool>) -> Option<Turn> {
        commons::take_up(pool, || self.forget(pool))
    }

    /// Takes out the partial pool of the class to be used next.
    pub(super) fn next_partial(&self, class: Class) -> Option<Ref<Pool>> {
        let partial = &self.partial[class.index()];
        match partial.first() {
            _ if class.is_wide() => {}
            Some(_) => self.refilled(class),
            // Then there may be one.
            None => self.close_caches(),
        }
        for _ in 0..PARTED_WITH {
            self.pass_over_rows(partial);
            let pool = self.choose(partial)?;
            if self.take_up(pool).is_some() {
                self.forget(pool);
                return Some(pool);
            }
        }
        None
    }

    /// Takes a partial pool out of all that the heap has of it.
    pub(super) fn forget(&self, pool: Ref<Pool>) {
        self.partial[pool.class().index()].remove(pool);
        self.sparse.forget(pool);
        pool.spare_no_more();
    }

    fn choose(&self, partial: &List<Pool>) -> Option<Ref<Pool>> {
        let first = partial.first()?;
        let capacity = first.capacity();
        if capacity < MANY || partial.len() <= MANY {
            return Some(first);
        }
        if first.is_emptied_by_others() {
            self.visit(first, |_| ());
            return partial.last();
        }
        let used = first.used() - first.word().waiting();
        match 2 * (used as usize) < capacity {
            true => partial.last(),
            false => Some(first),
        }
    }

    /// Puts pools last that would have to touch a page, a few of them; true where the first one then has a free block.
    fn pass_over_rows(&self, partial: &List<Pool>) -> bool {
        for _ in 0..PASSED {
            let Some(first) = partial.first() else {
                return false;
            };
            if !first.next_is_missing() || first.word().waiting() > 0 {
                return true;
            }
            partial.remove(first);
            partial.push_back(first);
        }
        false
    }

    /// The current pool, which has blocks on pages only that are not resident, goes on, or becomes the last of the partial
    /// ones where these have free blocks; returns whether it does.
    pub(super) fn make_way(&self, pool: Ref<Pool>) -> bool {
        let class = pool.class();
        let partial = &self.partial[class.index()];
        let makes_way = self.pass_over_rows(partial);
        if !makes_way {
            if pool.has_purged_blocks() {
                self.growth.ends(class);
            }
            pool.find_next();
            return false;
        }
        pool.mark_partial();
        if !pool.word().lay_aside(Turn::FIRST) {
            // Others have just freed some.
            pool.set_mark(EMPTY);
            pool.collect();
            return false;
        }
        self.set_current(class, NO_POOL_REF);
        partial.push_back(pool);
        true
    }
}

#[cfg(test)]
#[path = "partial/tests.rs"]
mod tests;
