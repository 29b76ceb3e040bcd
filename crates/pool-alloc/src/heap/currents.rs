//! The current pools of a heap, one for each class or none, and where its blocks come from first.
//!
//! That is the class's current pool, or while caches are open, its cache (`caches`). It stands here under the class and
//! under every step that the class serves (`class`): most requests are short enough to have a step, and find it with one
//! load and without a look at the classes; in exchange a pool that becomes current is entered up to eighteen times.

use super::NO_POOL_REF;
use crate::class::{Class, SLOTS, STEPS, Step};
use crate::list::Ref;
use crate::pool::Pool;
use crate::sync::Cell;

/// See the top of this file.
pub(super) struct Currents {
    first_by_step: [Cell<Ref<Pool>>; STEPS],
    first_by_class: [Cell<Ref<Pool>>; SLOTS],
    pools: [Cell<Ref<Pool>>; SLOTS],
}

impl Currents {
    /// None for any class.
    pub(super) const fn new() -> Self {
        Self {
            first_by_step: [const { Cell::new(NO_POOL_REF) }; STEPS],
            first_by_class: [const { Cell::new(NO_POOL_REF) }; SLOTS],
            pools: [const { Cell::new(NO_POOL_REF) }; SLOTS],
        }
    }

    /// Where blocks of this step come from first: a pool, a cache, or the pool that is always exhausted.
    #[inline(always)]
    pub(super) fn first_at(&self, step: Step) -> Ref<Pool> {
        self.first_by_step[step.index()].get()
    }

    /// The same of a class.
    #[inline(always)]
    pub(super) fn first_of(&self, class: Class) -> Ref<Pool> {
        self.first_by_class[class.index()].get()
    }

    /// Makes that another one.
    pub(super) fn lead(&self, class: Class, first: Ref<Pool>) {
        for step in &self.first_by_step[class.steps()] {
            step.set(first);
        }
        self.first_by_class[class.index()].set(first);
    }

    /// The current pool of a class, or the one that is always exhausted.
    #[inline(always)]
    pub(super) fn of(&self, class: Class) -> Ref<Pool> {
        self.pools[class.index()].get()
    }

    /// Makes another pool the current one of a class; returns the one that was. What comes first stays.
    pub(super) fn replace(&self, class: Class, pool: Ref<Pool>) -> Ref<Pool> {
        self.pools[class.index()].replace(pool)
    }
}
