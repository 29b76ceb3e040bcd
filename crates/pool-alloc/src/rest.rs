//! Rest: which empty pools a heap keeps, so that a loop of one allocation and one free costs no lock.
//!
//! The current pool of a class begins to rest when its last block comes back. It goes on resting, at no cost, however
//! often it is used and emptied again, until it makes room for others or stops being current. Per heap:
//!
//! ```text
//! empty pools <= RESTING, each with at most RESTING_BYTES touched when its rest began
//! ```
//!
//! One that is several slices wide, and was filled since, holds up to 512 KiB then. To find that out each time would have it
//! closed and opened as its blocks come and go, which the tide would take for a loop: more would be kept, not less.

use crate::arena::SLICE;
use crate::class::{CLASSES, Class, SLOTS};
use crate::sync::Cell;

/// Empty pools that a heap keeps: more spares a thread that alternates between more sizes the lock, at up to
/// `RESTING_BYTES` each that stay after a drop.
pub(crate) const RESTING: usize = 8;

/// What an empty pool may have touched to be kept: all of a small pool, so that small ones always are.
pub(crate) const RESTING_BYTES: usize = SLICE;

const NO_CLASS: Class = Class::nth(SLOTS - 1);

const _: () = assert!(RESTING.is_power_of_two() && CLASSES < SLOTS);

/// The classes whose current pool began to rest, in that order from `next` on. A class may stand here twice, or though
/// its pool rests no more.
pub(crate) struct Rests {
    classes: [Cell<Class>; RESTING],
    next: Cell<usize>,
}

impl Rests {
    pub(crate) const fn new() -> Self {
        Self {
            classes: [const { Cell::new(NO_CLASS) }; RESTING],
            next: Cell::new(0),
        }
    }

    /// Enters a class as the last; returns the one that has to leave.
    pub(crate) fn enter(&self, class: Class) -> Option<Class> {
        let at = self.next.get();
        self.next.set((at + 1) % RESTING);
        let oldest = self.classes[at].replace(class);
        (oldest != NO_CLASS && oldest != class).then_some(oldest)
    }
}
