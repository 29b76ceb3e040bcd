//! Growth: which classes of a heap grow, so that their next pool comes with all of its pages at once (`Pool::populate`).
//!
//! A page costs more when it comes alone, by a fault, than in company; but what comes unasked may never be needed. So
//! that is for pools that follow on others which were all filled, and of which this thread has freed nothing since:
//!
//! ```text
//! untouched pools opened for the class, with no block of the class come back to the heap in between > EARNED
//! ```
//!
//! Then what may be wasted, most of one pool, is less than one part in `EARNED` of what the class has in use: unless
//! other threads free what this one builds, and the memory has gone back before this one needs it.

use crate::class::{Class, SLOTS};
use crate::sync::Cell;

/// How many pools that is, 8 MiB: fewer keep more after a drop, more cost a large heap more faults on its way up.
const EARNED: u8 = 128;

/// The largest block of such a pool: few programs write to all of a large buffer.
const BLOCK_MAX: usize = 8 << 10;

/// See the top of this file.
pub(super) struct Growth {
    opened: [Cell<u8>; SLOTS],
}

impl Growth {
    pub(super) const fn new() -> Self {
        Self {
            opened: [const { Cell::new(0) }; SLOTS],
        }
    }

    /// An untouched pool was opened for the class, after all others were full. Returns whether it will most likely be
    /// filled, too.
    pub(super) fn goes_on(&self, class: Class) -> bool {
        let opened = &self.opened[class.index()];
        let before = opened.get();
        opened.set(before.saturating_add(1));
        class.block_size() <= BLOCK_MAX && before >= EARNED
    }

    /// Blocks of the class have come back, or their memory is there already.
    pub(super) fn ends(&self, class: Class) {
        self.opened[class.index()].set(0);
    }
}
