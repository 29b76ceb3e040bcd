//! Partial pools: in which order a heap turns to its pools that have free blocks.
//!
//! They wait in the order in which they came. The longer a pool waits, the more of its blocks come back, so the next one
//! is that which has waited longest: the heap needs it but once for many blocks.
//!
//! Where blocks come and go evenly, this alone would leave a heap as many pools as it ever had, each of them partly used.
//! So where many wait, and most blocks of the first are free, the heap turns to the one which has waited least. Those before
//! it go on draining, become empty, and go. What is still in use by then is on fewer pages.

use super::{Heap, NO_POOL_REF};
use crate::class::Class;
use crate::list::{List, Ref};
use crate::os::invariant;
use crate::pool::Pool;

/// How many pools a heap claims without needing one before it takes to looking at all of them in turns. More look less
/// where others empty them, fewer mix up pools that were about to be used in the order in which they filled.
const CLAIMS: u32 = 8;

/// More pools of a class than so many, with so many blocks each, are worth having fewer of. Less takes a heap to its pools
/// more often for the sake of a few pages.
const MANY: usize = 8;

impl Heap {
    /// Takes in a pool that this thread has claimed and that has a free block: as the last to be used, so that until
    /// then more of its blocks come back, and it does not go in and out for each.
    ///
    /// In exchange, the one that has waited longest is looked at, and goes if others have emptied it: a current pool may
    /// live on what others free in it, so that its heap needs none of the pools that it goes on claiming. Where it
    /// claims and needs none for a while, the next time it looks at another.
    pub(super) fn own_partial(&self, pool: Ref<Pool>) {
        invariant!(!self.is_none() && !pool.is_exhausted());
        pool.set_owner(Some(self.as_ref()));
        self.growth.ends(pool.class());
        let partial = &self.partial[pool.class().index()];
        if let Some(longest) = partial.first() {
            longest.collect();
            if longest.used() == 0 {
                self.emptied(longest);
            } else if self.claims.get() > CLAIMS {
                partial.remove(longest);
                partial.push_back(longest);
            }
        }
        self.claims.set(self.claims.get().saturating_add(1));
        partial.push_back(pool);
    }

    /// Takes out the partial pool of the class to be used next.
    pub(super) fn next_partial(&self, class: Class) -> Option<Ref<Pool>> {
        let partial = &self.partial[class.index()];
        match partial.first() {
            Some(_) => self.refilled(class),
            // Then there may be one.
            None => self.close_caches(),
        }
        let pool = self.choose(partial)?;
        partial.remove(pool);
        self.sparse.forget(pool);
        pool.spare_no_more();
        Some(pool)
    }

    fn choose(&self, partial: &List<Pool>) -> Option<Ref<Pool>> {
        let first = partial.first()?;
        first.collect();
        let (used, capacity) = (first.used() as usize, first.capacity());
        let drains = 2 * used < capacity && capacity >= MANY && partial.iter().nth(MANY).is_some();
        if !drains {
            return Some(first);
        }
        if used == 0 {
            self.emptied(first);
        }
        partial.last()
    }

    /// Where partial pools wait, the exhausted current one, whose row goes on, becomes the last of them, to be asked again
    /// before a page of it is touched; false where none does.
    pub(super) fn make_way(&self, pool: Ref<Pool>) -> bool {
        let class = pool.class();
        let partial = &self.partial[class.index()];
        if partial.first().is_none() {
            pool.find_next();
            return false;
        }
        pool.mark_partial();
        self.set_current(class, NO_POOL_REF);
        partial.push_back(pool);
        true
    }
}
