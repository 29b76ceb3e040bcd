//! Census: each block of a pool is somewhere, and in one place only.
//!
//! ```text
//! used + free + purged + row = capacity              no free block is in the row or purged
//! ```
//!
//! A block that is lost does no harm that shows: its pool closes without it. So debug builds take the census wherever
//! many blocks have changed places at once. Not in a child of `fork`, which may have lost some (`fork`).

use crate::fork;
use crate::pool::Pool;

impl Pool {
    /// Whether the equation holds. Only for the owner.
    pub(crate) fn is_whole(&self) -> bool {
        let (size, capacity) = (self.block_size(), self.capacity());
        let is_elsewhere = |block: usize| {
            self.row().contains(&block)
                || self.purged_blocks().any(|purged| purged.contains(&block))
        };
        // A block that is listed twice makes the list a ring.
        let listed = || self.free_blocks().take(capacity + 1);
        let free = listed().count();
        let purged: usize = self.purged_blocks().map(|blocks| blocks.len() / size).sum();
        let row = self.row().len() / size;
        let all = self.used() as usize + free + purged + row;
        let is_whole = all == capacity && !listed().any(|block| is_elsewhere(block.addr()));
        is_whole || fork::is_child()
    }
}
