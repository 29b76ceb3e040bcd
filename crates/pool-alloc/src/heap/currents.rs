//! The current pools of a heap: one for each class, or none.
//!
//! Each stands here twice: under its class, and under every step that the class serves (`class`). Most requests are
//! short enough to have a step, and find their pool by it with one load and without a look at the classes; in exchange
//! a pool that becomes current is entered up to seventeen times.

use super::NO_POOL_REF;
use crate::class::{Class, SLOTS, STEPS, Step};
use crate::list::Ref;
use crate::pool::Pool;
use crate::sync::Cell;

/// See the top of this file.
pub(super) struct Currents {
    by_step: [Cell<Ref<Pool>>; STEPS],
    by_class: [Cell<Ref<Pool>>; SLOTS],
}

impl Currents {
    /// None for any class.
    pub(super) const fn new() -> Self {
        Self {
            by_step: [const { Cell::new(NO_POOL_REF) }; STEPS],
            by_class: [const { Cell::new(NO_POOL_REF) }; SLOTS],
        }
    }

    /// Where blocks of this step come from first: the pool of the class that serves it, or its cache (`caches`), or
    /// the pool that is always exhausted.
    #[inline(always)]
    pub(super) fn at(&self, step: Step) -> Ref<Pool> {
        self.by_step[step.index()].get()
    }

    /// The pool of a class, or the one that is always exhausted.
    #[inline(always)]
    pub(super) fn of(&self, class: Class) -> Ref<Pool> {
        self.by_class[class.index()].get()
    }

    /// Makes another pool the one of a class; returns the one that was. Its steps lead where they did.
    pub(super) fn replace(&self, class: Class, pool: Ref<Pool>) -> Ref<Pool> {
        self.by_class[class.index()].replace(pool)
    }

    /// Leads the steps of a class to this pool.
    pub(super) fn lead(&self, class: Class, pool: Ref<Pool>) {
        for step in &self.by_step[class.steps()] {
            step.set(pool);
        }
    }
}
