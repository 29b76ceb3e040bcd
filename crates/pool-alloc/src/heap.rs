//! A heap: the pools that one thread owns, and the paths that a block takes through them.
//!
//! For each class a heap has a *current* pool, from which it hands out blocks, and a list of *partial* pools, each
//! with a block to hand out (`partial`). A pool leaves its heap when it has nothing more to hand out (*full*) or nothing in use
//! (*empty*), and it comes to a heap when that heap's thread frees a block of a pool that nobody owns:
//!
//! ```text
//! a pool's owner is heap h   <=>   the pool is current or partial in h
//! ```
//!
//! So a heap never has to watch full pools, and a block that any thread frees in one brings the pool to that thread:
//! a thread that builds and another that drops need no help from the first to give the memory back. Nor where the first has
//! freed a block of each pool, so that it owns them all: partial pools are laid aside, and who frees the last block of one
//! gives back what it holds (`remote`).
//!
//! Before them may stand *caches*, where a thread that goes on allocating and freeing has its last blocks (`caches`).
//!
//! An empty pool is closed at once, unless it is current: then it may rest (see `rest`), so that a loop of one
//! allocation and one free does not open and close a pool each time.

#[path = "heap/back.rs"]
mod back;
#[path = "heap/cache.rs"]
mod cache;
#[path = "heap/caches.rs"]
pub(crate) mod caches;
#[path = "heap/currents.rs"]
mod currents;
#[path = "heap/growth.rs"]
mod growth;
#[path = "heap/leave.rs"]
mod leave;
#[path = "heap/partial.rs"]
mod partial;
#[path = "heap/wide.rs"]
mod wide;

use std::ptr::NonNull;

pub(crate) use back::free;
use caches::Caches;
use currents::Currents;
use growth::Growth;

use crate::arena::Arena;
use crate::class::{Class, SLOTS, Step};
use crate::commons;
use crate::counters::{self, Blocks, Event};
use crate::list::{Linked, Links, List, Ref};
use crate::os::invariant;
use crate::pool::{EMPTY, Owner, Pool};
use crate::remote::Unowned;
use crate::rest::Rests;
use crate::runs::AtHand;
use crate::sparse::Sparse;
use crate::sync::Cell;
use crate::thread;

/// See the top of this file. Only its thread touches it, except while it is on the commons' list of spare heaps.
pub(crate) struct Heap {
    /// What its pools have as their owner.
    as_owner: Owner,
    current: Currents,
    caches: Caches,
    growth: Growth,
    partial: [List<Pool>; SLOTS],
    rests: Rests,
    sparse: Sparse,
    /// Whether some of its pools may be spared.
    has_spared: Cell<bool>,
    /// Pools claimed since one was needed.
    claims: Cell<u32>,
    at_hand: AtHand,
    blocks: Blocks,
    links: Links<Self>,
}

impl Linked<0> for Heap {
    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

/// A static that no thread writes to.
#[repr(transparent)]
pub(crate) struct Constant<T>(pub(crate) T);

// SAFETY: `NO_POOL` hands out nothing and takes nothing back, and `NO_HEAP` and `ENDED` own no pool and are never
// given one: nothing writes to any of them.
unsafe impl<T> Sync for Constant<T> {}

static NO_POOL: Constant<Pool> = Constant(Pool::none());
static ENDED: Constant<Heap> = Constant(Heap::new());
pub(crate) static NO_HEAP: Constant<Heap> = Constant(Heap::new());

/// Where a heap has no pool: a pool that is always exhausted, so that the hot path asks one question only.
const NO_POOL_REF: Ref<Pool> = Ref::of_static(&NO_POOL.0);

/// Where a thread has no heap: a heap whose pools are all exhausted, for the same reason.
pub(crate) const NO_HEAP_REF: Ref<Heap> = Ref::of_static(&NO_HEAP.0);

/// Where a thread has no heap any more: as above. It gets no other (see `thread`).
pub(crate) const ENDED_REF: Ref<Heap> = Ref::of_static(&ENDED.0);

impl Heap {
    /// A heap without pools, which is no thread's.
    pub(crate) const fn new() -> Self {
        Self {
            as_owner: Owner::NONE_OF_THEM,
            current: Currents::new(),
            caches: Caches::new(),
            growth: Growth::new(),
            partial: [const { List::new() }; SLOTS],
            rests: Rests::new(),
            sparse: Sparse::new(),
            has_spared: Cell::new(false),
            claims: Cell::new(0),
            at_hand: AtHand::new(),
            blocks: Blocks::new(),
            links: Links::new(),
        }
    }

    /// Makes the `nth` heap that a thread can have, from 1 on.
    ///
    /// # Safety
    /// There is room for a heap, aligned and nobody's.
    pub(crate) unsafe fn make(at: NonNull<Self>, nth: usize) {
        // It is a copy of the one that no thread has: a value of its own may be put together on the stack first, and
        // what a thread's stack once touched, it keeps.
        // SAFETY: nothing writes to the static, and there is room, as promised by the caller.
        unsafe { at.copy_from_nonoverlapping(NonNull::from(&NO_HEAP.0), 1) };
        // SAFETY: there is a heap now.
        let as_owner = unsafe { &raw mut (*at.as_ptr()).as_owner };
        // SAFETY: nobody else has seen it.
        unsafe { as_owner.write(Owner::nth(nth)) };
    }

    /// What its pools have as their owner.
    #[inline(always)]
    pub(crate) fn as_owner(&self) -> Owner {
        self.as_owner
    }

    /// A block for what needs no more than this step, or null where memory is out.
    #[inline(always)]
    pub(crate) fn allocate_short(&self, step: Step) -> *mut u8 {
        let block = self.current.first_at(step).take();
        if !block.is_null() {
            self.blocks.handed_out();
            return block;
        }
        self.allocate_short_slowly(step)
    }

    #[cold]
    #[inline(never)]
    fn allocate_short_slowly(&self, step: Step) -> *mut u8 {
        self.allocate_slowly(step.class())
    }

    /// A block of `class`, or null where memory is out.
    #[inline(always)]
    pub(crate) fn allocate(&self, class: Class) -> *mut u8 {
        let block = self.current.first_of(class).take();
        if !block.is_null() {
            self.blocks.handed_out();
            return block;
        }
        self.allocate_slowly(class)
    }

    #[cold]
    #[inline(never)]
    fn allocate_slowly(&self, class: Class) -> *mut u8 {
        if self.has_ended() {
            return thread::allocate_after_end(class);
        }
        let block = self.take_uncached(class);
        if !block.is_null() {
            self.blocks.handed_out();
            return block;
        }
        match self.refill(class) {
            Some(pool) => {
                // It may have been made just now.
                thread::heap().blocks.handed_out();
                pool.take()
            }
            None => std::ptr::null_mut(),
        }
    }

    /// A block of `class` whose first `size` bytes are zero, or null. Memory that is zero already stays untouched.
    pub(crate) fn allocate_zeroed(&self, class: Class, size: usize) -> *mut u8 {
        let mut pool = self.current.of(class);
        let cached = self.take_wide_cached(class);
        if !cached.is_null() {
            // SAFETY: a block of the class holds at least `size` bytes, and nobody else has it.
            unsafe { cached.write_bytes(0, size) };
            return cached;
        }
        if pool.next_is_missing() {
            if self.has_ended() {
                return thread::allocate_zeroed_after_end(class);
            }
            match self.refill(class) {
                Some(refilled) => pool = refilled,
                None => return std::ptr::null_mut(),
            }
        }
        let is_zero = pool.next_is_zero();
        thread::heap().blocks.handed_out();
        let block = pool.take();
        if !is_zero {
            // SAFETY: a block of the class holds at least `size` bytes, and nobody else has it.
            unsafe { block.write_bytes(0, size) };
        }
        block
    }

    /// Makes a pool with a block to hand out current, and returns it. The current one is exhausted.
    #[cold]
    fn refill(&self, class: Class) -> Option<Ref<Pool>> {
        if self.is_none() {
            // A new heap has to refill, too, once.
            return thread::heap_or_new()?.refill(class);
        }
        if class.is_wide() {
            self.refills_wide(class);
        }
        let follows = self.current.of(class) != NO_POOL_REF;
        if self.keep_or_leave_current(class) {
            return Some(self.current.of(class));
        }
        self.claims.set(0);
        self.at_hand.give_back_if_over();
        if !class.is_wide() {
            self.pass_wide_by();
        }
        counters::count(Event::Refill);
        let pool = match self.next_partial(class) {
            Some(pool) => pool,
            None => {
                let pool = self.obtain(class, follows)?;
                if !Arena::of(&pool).is_untouched(&pool) {
                    self.growth.ends(class);
                } else if self.growth.goes_on(class) {
                    pool.populate();
                }
                pool
            }
        };
        invariant!(!pool.is_exhausted());
        pool.set_owner(self.as_owner());
        pool.set_mark(EMPTY);
        if pool.next_is_missing() {
            pool.collect();
            pool.find_next();
        }
        invariant!(pool.is_whole() && !pool.is_spared());
        self.set_current(class, pool);
        Some(pool)
    }

    /// A pool of the commons. Where there is none, it may be that the slices for one are those of this heap's own vacant pools.
    fn obtain(&self, class: Class, follows: bool) -> Option<Ref<Pool>> {
        let pool = commons::lock().obtain(class, follows);
        pool.or_else(|| {
            self.give_back();
            commons::lock().obtain(class, follows)
        })
    }

    /// Makes another pool the current one of a class; returns the one that was.
    fn set_current(&self, class: Class, pool: Ref<Pool>) -> Ref<Pool> {
        if !self.leads_to_cache(class) {
            self.current.lead(class, pool);
        }
        self.current.replace(class, pool)
    }

    /// Collects what others freed in the current pool, which has nothing to hand out; true where that gave it blocks.
    /// Otherwise the pool is full, and nobody's from now on; or it has blocks on pages that are not resident, and makes way
    /// for partial pools that have others.
    fn keep_or_leave_current(&self, class: Class) -> bool {
        let pool = self.current.of(class);
        if pool == NO_POOL_REF {
            return false;
        }
        loop {
            pool.collect();
            if !pool.next_is_missing() {
                invariant!(pool.mark() <= EMPTY);
                self.growth.ends(class);
                if !class.is_wide() {
                    self.refilled_by_others(class);
                }
                return true;
            }
            if !pool.is_exhausted() {
                return !self.make_way(pool);
            }
            pool.mark_full();
            pool.set_owner(Owner::NOBODY);
            if pool.word().disown(Unowned::Full) {
                self.set_current(class, NO_POOL_REF);
                return false;
            }
            pool.set_owner(self.as_owner());
            pool.set_mark(EMPTY);
        }
    }

    /// The runs of large blocks that its thread has at hand.
    pub(crate) fn at_hand(&self) -> &AtHand {
        &self.at_hand
    }

    /// What it has counted.
    #[cfg(feature = "stats")]
    pub(crate) fn blocks(&self) -> &Blocks {
        &self.blocks
    }

    /// Whether this is what a thread without a heap has instead of one.
    pub(crate) fn is_none(&self) -> bool {
        std::ptr::eq(self, NO_HEAP_REF.as_ptr()) || self.has_ended()
    }

    /// Whether this is what a thread has that had a heap.
    fn has_ended(&self) -> bool {
        std::ptr::eq(self, ENDED_REF.as_ptr())
    }

    fn as_ref(&self) -> Ref<Self> {
        let at = NonNull::from_ref(self);
        // SAFETY: heaps live in memory that is never given back.
        unsafe { Ref::new(at) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rest::RESTING;

    /// So many bytes of each class allocated, a block at least, and freed, on a thread of its own; then which classes have a
    /// current pool.
    fn classes_with_a_pool_after(classes: &[Class], bytes: usize) -> Vec<Class> {
        let work = || {
            let heap = thread::heap_or_new().expect("the machine has memory for a heap");
            for class in classes {
                let count = (bytes / class.block_size()).max(1);
                let blocks: Vec<*mut u8> = (0..count).map(|_| heap.allocate(*class)).collect();
                for block in blocks {
                    // SAFETY: the block was allocated above, from a pool of this class.
                    let pool = unsafe { Arena::pool_of(block, class.span()) };
                    // SAFETY: as above, and it is not used again.
                    unsafe { free(block, pool) };
                }
            }
            let has_pool = |class: &Class| heap.current.of(*class) != NO_POOL_REF;
            (0..SLOTS).map(Class::nth).filter(has_pool).collect()
        };
        std::thread::scope(|scope| scope.spawn(work).join().expect("the thread does not fail"))
    }

    #[test]
    fn the_pools_last_emptied_rest_as_far_as_they_touched_little() {
        let some: Vec<Class> = (0..5).map(Class::nth).collect();
        assert_eq!(classes_with_a_pool_after(&some.repeat(3), 1), some);
        let many: Vec<Class> = (0..30).map(Class::nth).collect();
        assert_eq!(classes_with_a_pool_after(&many, 1 << 10), many);
        let resting = classes_with_a_pool_after(&many, 56 << 10);
        assert!(many.ends_with(&resting), "{resting:?}");
        // Others are touched in larger pages.
        let fit = RESTING / (56 << 10);
        let is_usual = crate::os::page_size() == 4 << 10;
        assert!(
            resting.len() == fit || !is_usual && resting.len() + 2 >= fit,
            "{resting:?}"
        );
        let twice = [Class::nth(7), Class::nth(7)];
        assert_eq!(classes_with_a_pool_after(&twice, 1), twice[..1]);
    }

    #[test]
    fn a_pool_with_much_touched_does_not_rest() {
        let of = |size| Class::of(size, 8).expect("it is not large");
        assert_eq!(
            classes_with_a_pool_after(&[of(20 << 10)], 1),
            [of(20 << 10)]
        );
        assert_eq!(classes_with_a_pool_after(&[of(200 << 10)], 1), []);
        // With larger ones it is on as many pages as a smaller pool may have.
        if crate::os::page_size() == 4 << 10 {
            assert_eq!(classes_with_a_pool_after(&[of(100 << 10)], 1), []);
        }
    }
}
