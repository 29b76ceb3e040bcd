//! What threads left that are gone: pools that nobody may ever come to adopt.
//!
//! A loop whose threads come and go leaves sparse pools at the end of each round, and the next round's threads adopt
//! them. Where the loop has earned a reserve, they are spared as those of a living thread are (`sparse`). When the
//! reserve does not cover them any more, it is up to whoever next opens or closes a pool to sweep them, and to whoever
//! asks for all that is free to sweep all others as well.

use super::{Commons, unmap};
use crate::list::{List, Ref};
use crate::pool::Pool;
use crate::sparse;

/// Which of the abandoned pools are swept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// Spared ones, as long as more is spared than may be.
    Overdrawn,
    /// All of them.
    All,
}

impl Commons {
    /// Sweeps abandoned pools that were spared, if more is spared than may be.
    pub(super) fn sweep_spared(&mut self) {
        if self.has_spared && sparse::is_overdrawn() {
            self.sweep_abandoned(Which::Overdrawn);
        }
    }

    /// Owns all abandoned pools for a moment, but for those that a freeing thread has just claimed.
    #[cold]
    pub(super) fn sweep_abandoned(&mut self, which: Which) {
        self.has_spared = false;
        let claimed = List::<Pool>::new();
        for abandoned in &self.abandoned {
            while let Some(pool) = abandoned.iter().find(|pool| pool.word().claim_listed()) {
                self.unlist_abandoned(pool);
                claimed.push_back(pool);
            }
        }
        while let Some(pool) = claimed.pop_front() {
            pool.collect();
            match which {
                _ if pool.used() == 0 => {}
                Which::All => {
                    pool.spare_no_more();
                    pool.sweep();
                }
                Which::Overdrawn if sparse::is_overdrawn() && pool.spare_no_more() => {
                    pool.sweep_and_mark();
                }
                Which::Overdrawn => {}
            }
            self.leave(pool);
        }
    }

    /// Lists a pool again, unless others have emptied it meanwhile.
    fn leave(&mut self, pool: Ref<Pool>) {
        while pool.used() > 0 {
            if self.list_abandoned(pool) {
                return;
            }
            pool.collect();
        }
        unmap(self.close(pool));
    }
}
