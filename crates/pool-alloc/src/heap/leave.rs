//! How pools leave a heap: one by one as their blocks come back, or all of them.
//!
//! ```text
//! few blocks in use    the pool waits among the sparse ones, and is swept or spared when its turn has come (`sparse`)
//! none in use          closed, unless it is current and small enough to rest (`rest`)
//! all wait in the word taken up and closed
//! the thread asks      closed or swept, whatever it is
//! the thread ends      closed or abandoned
//! ```

use super::{Heap, NO_POOL_REF};
use crate::class::{CLASSES, Class};
use crate::commons;
use crate::list::{List, Ref};
use crate::os::{self, invariant};
use crate::pool::{EMPTY, NEVER, Pool};
use crate::rest::{RESTING, RESTING_BYTES};
use crate::sparse;
use crate::sync::Cell;

impl Heap {
    /// Decides about a pool of this heap that has fewer blocks in use than its alarm says.
    #[inline(never)]
    pub(super) fn drained(&self, pool: Ref<Pool>) {
        let _errno = os::ErrnoKept::now();
        let (class, has_drained) = (pool.class(), pool.is_nearly_empty());
        match pool.used() {
            0 => self.emptied(pool),
            _ if pool.is_emptied_by_others() => self.visit(pool, |_| ()),
            used if used < pool.mark().into() => self.becomes_sparse(pool),
            // It was raised before the pool was taken up.
            _ if self.current.of(class) == pool => pool.reset_alarm(),
            // Whoever raised it is about to push, and will have to look again.
            _ => self.visit(pool, |_| ()),
        }
        if has_drained && !class.is_wide() {
            self.has_drained(class);
        }
    }

    /// Decides about a pool of this heap that has few blocks in use.
    fn becomes_sparse(&self, pool: Ref<Pool>) {
        invariant!(self.current.of(pool.class()) != pool);
        let turn_has_come = Cell::new(None);
        // Visited, since whoever is about to push may rely on the alarm as it was.
        self.visit(pool, |_| {
            pool.set_mark(EMPTY);
            turn_has_come.set(self.sparse.enter(pool));
        });
        let Some(waited) = turn_has_come.get() else {
            return;
        };
        self.visit(waited, |waited| {
            waited.sweep_or_spare();
            self.has_spared.set(true);
        });
        if sparse::is_overdrawn() && self.has_spared.take() {
            self.sweep_spared();
        }
    }

    /// Sweeps what the reserve does not cover any more.
    #[cold]
    fn sweep_spared(&self) {
        let pools = self.partial.iter().flat_map(List::iter);
        for pool in pools.filter(|pool| pool.is_spared()) {
            self.visit(pool, |pool| {
                pool.spare_no_more();
                pool.sweep_and_mark();
            });
        }
    }

    /// Decides about a pool of this heap whose last block has come back.
    pub(super) fn emptied(&self, pool: Ref<Pool>) {
        let class = pool.class();
        self.growth.ends(class);
        if class.is_wide() {
            self.wide_came_back(class);
        }
        if self.current.of(class) != pool {
            self.forget(pool);
            return commons::close(pool);
        }
        // In a loop that has earned it, what is left of others stays for others.
        let rests = pool.touched() <= RESTING_BYTES
            || !commons::TOLD.has_reserve() && pool.trims_to(RESTING_BYTES);
        if !rests {
            return self.close_current(class);
        }
        self.rest(class);
    }

    /// Lets the current pool of `class` rest, and closes those that have to make room, the longest resting first.
    #[cold]
    fn rest(&self, class: Class) {
        self.current.of(class).set_mark(NEVER);
        self.rests.enter(class);
        while self.resting_bytes() > RESTING
            && let Some(oldest) = self.rests.leave()
        {
            let pool = self.current.of(oldest);
            if pool.mark() == NEVER {
                pool.set_mark(EMPTY);
                if pool.used() == 0 {
                    self.close_current(oldest);
                }
            }
        }
    }

    /// What pools that rest have touched, those that are in use at the moment included.
    fn resting_bytes(&self) -> usize {
        let pools = self.rests.iter().map(|class| self.current.of(class));
        let resting = pools.filter(|pool| pool.mark() == NEVER);
        resting.map(|pool| pool.touched()).sum()
    }

    #[cold]
    fn close_current(&self, class: Class) {
        let pool = self.set_current(class, NO_POOL_REF);
        commons::close(pool);
    }

    /// Collects what other threads freed here, closes all pools that are empty then, and sweeps the others.
    pub(crate) fn give_back(&self) {
        self.close_caches();
        self.close_wide_caches();
        for class in (0..CLASSES).map(Class::nth) {
            let current = self.current.of(class);
            if current != NO_POOL_REF {
                current.collect();
                match current.used() {
                    0 => self.close_current(class),
                    _ => current.sweep(),
                }
            }
            let partial = &self.partial[class.index()];
            for pool in partial.iter() {
                self.visit(pool, |pool| {
                    pool.spare_no_more();
                    pool.sweep();
                });
            }
        }
    }

    /// Parts with all pools: the heap is as new afterwards.
    pub(crate) fn abandon(&self) {
        self.at_hand.give_back();
        self.close_caches();
        self.close_wide_caches();
        for class in (0..CLASSES).map(Class::nth) {
            self.growth.ends(class);
            let pool = self.set_current(class, NO_POOL_REF);
            if pool != NO_POOL_REF {
                commons::abandon(pool);
            }
            while let Some(pool) = self.partial[class.index()].first() {
                self.forget(pool);
                commons::abandon(pool);
            }
        }
        self.forget_drops();
    }
}
