//! Spared pools of threads that are gone: swept when the reserve does not cover them any more.
//!
//! A loop whose threads come and go leaves sparse pools at the end of each round, and the next round's threads adopt
//! them. Where the loop has earned a reserve, they are spared as those of a living thread are (`sparse`). Nobody may
//! come to adopt them: then it is up to whoever next opens or closes a pool, or asks for all that is free.

use super::{Commons, unmap};
use crate::list::{List, Ref};
use crate::pool::Pool;
use crate::sparse;

impl Commons {
    /// Sweeps the abandoned pools that were spared, if more is spared than may be.
    pub(super) fn sweep_spared(&mut self) {
        if self.has_spared && sparse::is_overdrawn() {
            self.has_spared = false;
            self.sweep_abandoned();
        }
    }

    /// Owns all abandoned pools for a moment, but for those that a freeing thread has just claimed.
    #[cold]
    fn sweep_abandoned(&mut self) {
        let claimed = List::<Pool>::new();
        for abandoned in &self.abandoned {
            while let Some(pool) = abandoned.iter().find(|pool| pool.word().claim_listed()) {
                abandoned.remove(pool);
                claimed.push_back(pool);
            }
        }
        while let Some(pool) = claimed.pop_front() {
            pool.collect();
            if pool.spare_no_more() {
                pool.sweep_and_mark();
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
