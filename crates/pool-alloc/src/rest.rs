//! Rest: which empty pools a heap keeps, so that a loop that asks for some blocks and frees them costs no lock.
//!
//! The current pool of a class begins to rest when its last block comes back. It goes on resting, at no cost, however
//! often it is used and emptied again, until it makes room for others or stops being current. Per heap:
//!
//! ```text
//! bytes touched of pools that rest <= RESTING, when one begins to;   of each of them <= RESTING_BYTES, when it began to
//! ```
//!
//! One that is several slices wide, and was filled since, holds up to 512 KiB then. To find that out each time would have it
//! closed and opened as its blocks come and go, which the tide would take for a loop: more would be kept, not less.

use crate::arena::SLICE;
use crate::class::{Class, SLOTS};
use crate::sync::Cell;

/// What a heap keeps in empty pools: more spares a thread that asks for blocks of many sizes at a time the lock, and stays after
/// a drop.
pub(crate) const RESTING: usize = 512 << 10;

/// What an empty pool may have touched to be kept: all of a small pool, so that small ones always are.
pub(crate) const RESTING_BYTES: usize = SLICE;

/// The classes whose current pool began to rest, in that order, each once; it may be that the pool rests no more.
pub(crate) struct Rests {
    /// The first `count` are there.
    classes: [Cell<Class>; SLOTS],
    count: Cell<usize>,
}

impl Rests {
    pub(crate) const fn new() -> Self {
        Self {
            classes: [const { Cell::new(Class::nth(0)) }; SLOTS],
            count: Cell::new(0),
        }
    }

    /// Enters a class as the last.
    pub(crate) fn enter(&self, class: Class) {
        if let Some(place) = self.iter().position(|other| other == class) {
            self.remove(place);
        }
        self.classes[self.count.get()].set(class);
        self.count.set(self.count.get() + 1);
    }

    /// Takes out the one that was entered first.
    pub(crate) fn leave(&self) -> Option<Class> {
        let first = self.iter().next()?;
        self.remove(0);
        Some(first)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Class> {
        self.classes[..self.count.get()].iter().map(Cell::get)
    }

    fn remove(&self, place: usize) {
        let behind = &self.classes[place..self.count.get()];
        for pair in behind.windows(2) {
            pair[0].set(pair[1].get());
        }
        self.count.set(self.count.get() - 1);
    }
}
