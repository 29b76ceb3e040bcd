//! Growth: which classes of a heap grow, so that their next pool comes with all of its pages at once (`Pool::populate`).
//!
//! A page costs more when it comes alone, by a fault, than in company; but what comes unasked may never be needed. So
//! that is for pools that follow on others which were all filled:
//!
//! ```text
//! pools of the class filled since one was last emptied >= EARNED
//! ```
//!
//! Then what may be wasted, most of one pool, is less than one part in `EARNED` of what the class has in use.

use crate::class::{Class, Kind, SLOTS};
use crate::sync::Cell;

/// How many pools that is, 8 MiB: fewer keep more after a drop, more cost a large heap more faults on its way up.
const EARNED: u8 = 128;

/// See the top of this file.
pub(super) struct Growth {
    filled: [Cell<u8>; SLOTS],
}

impl Growth {
    pub(super) const fn new() -> Self {
        Self {
            filled: [const { Cell::new(0) }; SLOTS],
        }
    }

    /// A pool of the class has no block left.
    pub(super) fn filled(&self, class: Class) {
        let filled = &self.filled[class.index()];
        filled.set(filled.get().saturating_add(1));
    }

    /// A pool of the class has no block in use.
    pub(super) fn emptied(&self, class: Class) {
        self.filled[class.index()].set(0);
    }

    /// Whether the next pool of the class will most likely be filled. One of medium blocks may be without being touched:
    /// few programs write to all of a large buffer.
    pub(super) fn has_earned_pages(&self, class: Class) -> bool {
        class.kind() == Kind::Small && self.filled[class.index()].get() >= EARNED
    }
}
