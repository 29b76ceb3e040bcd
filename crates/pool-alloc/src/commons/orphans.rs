//! After a `fork`: the pools of threads that exist in the parent alone become abandoned ones.
//!
//! The child's memory is that of the parent at one moment, at which those threads may have been anywhere. What only
//! changes under the lock is whole: the arenas, which slices are pools, the lists of abandoned ones. A thread's own
//! things may be half done: the lists of its heap, of which only its caches are looked at here, and its pools, one store
//! short of whole. Each of these stores leaves something safe:
//!
//! ```text
//! a block was taken but is not counted yet          nobody ever got to know it; it never comes back, and the pool
//!                                                   closes without it
//! a block was put back but is still counted         the pool never closes: up to its size is lost in the child
//! a block was taken out of a cache, or put there    it is there, or nobody ever got to know it: as above
//! what others freed was detached, not yet put back  as above
//! a row was begun, and not yet moved to its place   it is empty all the while
//! a row was dissolved, its blocks not yet listed    they are lost
//! ```
//!
//! Whether a pool is an orphan is told by its word: it has an owner, and the owner's heap is not the survivor's. Heaps
//! of the threads that are gone are not used again, so none is mistaken for a living one.
//!
//! This looks at each pool's header, about a microsecond per arena, and writes to those of orphans, each of whose
//! pages the child then has for itself. A process with one thread does nothing of it.

use super::{Commons, Unowned};
use crate::arena::Arena;
use crate::heap::Heap;
use crate::list::{List, Ref};
use crate::pool::{Owner, Pool};
use crate::remote::Freed;

impl Commons {
    /// Abandons all pools that have an owner other than `survivor`, the heap of the only thread.
    pub(crate) fn adopt_orphans(&mut self, survivor: Ref<Heap>) {
        if self.heaps.in_use().all(|heap| heap == survivor) {
            return;
        }
        // A pool may have been claimed and not yet be off its list. So these are listed anew.
        for list in &self.abandoned {
            while list.pop_front().is_some() {}
        }
        self.has_spared = true;
        for heap in self.heaps.in_use().filter(|heap| *heap != survivor) {
            free_cached(heap);
            heap.at_hand().forget();
        }
        let (empty, vacant) = (List::<Pool>::new(), List::<Pool>::new());
        for arena in self.shelf.arenas() {
            for pool in arena.open_pools().filter(|pool| !pool.is_of(survivor)) {
                self.settle(pool, &empty);
            }
            for pool in arena.vacant_pools().filter(|pool| !pool.is_of(survivor)) {
                vacant.push_front(pool);
            }
        }
        self.take_stock();
        // Closing changes the shelf, hence only now.
        while let Some(pool) = empty.pop_front() {
            let empty = self.close(pool);
            super::unmap(empty);
        }
        while let Some(pool) = vacant.pop_front() {
            pool.set_owner(Owner::NOBODY);
            let empty = self.reclaim(pool);
            super::unmap(empty);
        }
    }

    /// Puts a pool that is not the survivor's where it belongs.
    fn settle(&self, pool: Ref<Pool>, empty: &List<Pool>) {
        let abandoned = &self.abandoned[pool.class().index()];
        match pool.word().unowned() {
            Some(Unowned::Full) => {}
            Some(Unowned::Listed) => abandoned.push_front(pool),
            None => {
                let _turn = pool.word().take_up();
                pool.set_owner(Owner::NOBODY);
                pool.mark_full();
                pool.collect();
                if pool.used() == 0 {
                    empty.push_front(pool);
                } else if pool.is_exhausted() {
                    let _alone = pool.word().disown(Unowned::Full);
                } else {
                    let _alone = pool.word().disown(Unowned::Listed);
                    abandoned.push_front(pool);
                }
            }
        }
    }
}

/// Frees what a thread that is gone had in its caches. A pool that had no owner has one then, and becomes an orphan.
fn free_cached(heap: Ref<Heap>) {
    for (class, block) in heap.take_cached() {
        let block = block.as_ptr();
        // SAFETY: to its pool, which is of this class, the block is in use.
        let pool = unsafe { Arena::pool_of(block.cast(), class.span()) };
        // SAFETY: as above, and nobody else has it.
        if let Freed::Claimed(_) = unsafe { pool.word().free(block, |_| false) } {
            // SAFETY: the pool is the caller's now, and the block in its hand.
            let _drained = unsafe { pool.put(block) };
        }
    }
}
