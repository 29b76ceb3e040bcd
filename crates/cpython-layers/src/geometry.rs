//! Sizes of blocks, pools and arenas, derived from a version's row.
//!
//! ```text
//! class(n)    = (n - 1) / alignment                     1 <= n <= threshold
//! block(c)    = (c + 1) * alignment
//! capacity(c) = (pool - header) / block(c)              whole blocks
//! pool        = header + capacity(c) * block(c) + tail(c)
//! arena       = lost to alignment + pools * pool        pools: as many as fit whole
//! ```

use std::ops::Range;

use crate::policy::Version;
use crate::word::Word;

/// Pages of memory are taken to be of 4 KiB.
pub(crate) const PAGE_BYTES: usize = 4096;

/// The sizes of one object allocator.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    pub alignment: usize,
    pub threshold: usize,
    pub pool_bytes: usize,
    pub arena_bytes: usize,
    pub header_bytes: usize,
    pub word_bytes: usize,
}

impl Geometry {
    pub fn of(version: &Version, word: Word) -> Self {
        let alignment = version.alignment.of(word);
        let pool_bytes = version.pool_bytes.of(word);
        // Four pointers and four unsigned ints: struct pool_header, the same since 2.3.
        let header = 4 * word.bytes() + 4 * 4;
        let geometry = Geometry {
            alignment,
            threshold: version.threshold,
            pool_bytes,
            arena_bytes: version.arena_bytes.of(word),
            header_bytes: header.next_multiple_of(alignment),
            word_bytes: word.bytes(),
        };
        // The pools' life relies on it: a pool is never at once empty and full.
        assert!(geometry.capacity(geometry.classes() - 1) >= 2);
        // What is resident relies on it: a pool's last block lies on its last page.
        assert!(2 * geometry.threshold <= PAGE_BYTES);
        assert!(pool_bytes.is_multiple_of(PAGE_BYTES));
        assert!(geometry.arena_bytes.is_multiple_of(pool_bytes));
        geometry
    }

    pub fn classes(&self) -> usize {
        self.threshold / self.alignment
    }

    /// The size class of a request, if the object allocator serves it.
    pub fn class(&self, bytes: usize) -> Option<usize> {
        (1..=self.threshold)
            .contains(&bytes)
            .then(|| (bytes - 1) / self.alignment)
    }

    pub fn block_bytes(&self, class: usize) -> usize {
        (class + 1) * self.alignment
    }

    /// Blocks that a pool of this class has room for.
    pub fn capacity(&self, class: usize) -> usize {
        (self.pool_bytes - self.header_bytes) / self.block_bytes(class)
    }

    /// Where a block lies in its pool.
    pub fn block_range(&self, class: usize, index: usize) -> Range<usize> {
        let start = self.header_bytes + index * self.block_bytes(class);
        start..start + self.block_bytes(class)
    }

    /// Pools of an arena that begins on a multiple of their size; one fewer where it does not.
    pub fn pools_per_arena(&self) -> usize {
        self.arena_bytes / self.pool_bytes
    }
}
