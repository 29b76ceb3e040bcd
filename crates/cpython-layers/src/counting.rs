//! An allocator below that has no memory: it gives out addresses and counts.
//!
//! ```text
//! chunk(n)    = max(minimum, (n + header) rounded up to the granule)
//! outstanding = sum of the bytes asked for and not yet freed
//! chunk_bytes = sum of their chunks
//! ```
//!
//! The chunk is what glibc's malloc takes for a request. An address is never given out twice, so
//! that a test sees at once when two blocks overlap.

use std::ops::Range;

use crate::raw::{Origin, Raw};

/// glibc takes requests from here on directly from the kernel (`M_MMAP_THRESHOLD`, as it starts).
const MMAP_THRESHOLD: usize = 128 << 10;
const PAGE_BYTES: usize = 4096;
/// Above every alignment that the model looks at: pools of 16 KiB.
const ALIGNED: usize = 64 << 10;

/// Counts what is asked of it.
#[derive(Clone, Debug)]
pub struct Counting {
    chunk: Chunk,
    map_offset: usize,
    next_address: usize,
    budget: usize,
    /// Bytes that were asked for and are not yet freed, by `malloc` and by `mmap`.
    pub outstanding: usize,
    /// The largest that `outstanding` has been.
    pub peak: usize,
    /// The same as `outstanding`, of what came by `malloc` alone, in chunks.
    pub chunk_bytes: usize,
}

/// How the C library rounds a request.
#[derive(Clone, Copy, Debug)]
pub struct Chunk {
    /// Bytes before each chunk that are its own.
    pub header: usize,
    /// Chunks are a multiple of this.
    pub granule: usize,
    /// The smallest chunk.
    pub minimum: usize,
}

impl Chunk {
    /// glibc on x86_64: malloc/malloc.c, `SIZE_SZ` 8, `MALLOC_ALIGNMENT` 16, `MINSIZE` 32.
    pub const GLIBC_64: Chunk = Chunk {
        header: 8,
        granule: 16,
        minimum: 32,
    };
    /// glibc on i386 before 2.26, which raised the alignment to 16: 4, 8 and 16.
    pub const GLIBC_32: Chunk = Chunk {
        header: 4,
        granule: 8,
        minimum: 16,
    };

    /// Bytes that a request takes.
    pub const fn bytes(self, request: usize) -> usize {
        let chunk = (request + self.header).next_multiple_of(self.granule);
        if chunk < self.minimum {
            self.minimum
        } else {
            chunk
        }
    }
}

impl Counting {
    /// Counts in these chunks; what is mapped lies on a multiple of 64 KiB.
    pub fn new(chunk: Chunk) -> Self {
        Counting {
            chunk,
            map_offset: 0,
            next_address: ALIGNED,
            budget: usize::MAX,
            outstanding: 0,
            peak: 0,
            chunk_bytes: 0,
        }
    }

    /// What is mapped lies `pages` pages of 4 KiB behind a multiple of 64 KiB, as the kernel may
    /// well place it.
    pub fn mapping_off_by(mut self, pages: usize) -> Self {
        self.map_offset = pages * PAGE_BYTES;
        self
    }

    /// Has only so many bytes to give.
    pub fn with_budget(mut self, bytes: usize) -> Self {
        self.budget = bytes;
        self
    }

    fn place(&mut self, bytes: usize, origin: Origin) -> usize {
        let (alignment, offset) = match origin {
            Origin::Map => (ALIGNED, self.map_offset),
            Origin::Malloc if bytes >= MMAP_THRESHOLD => (PAGE_BYTES, 2 * self.chunk.header),
            Origin::Malloc => (self.chunk.granule, 2 * self.chunk.header),
        };
        let address = self.next_address.next_multiple_of(alignment) + offset;
        self.next_address = address + bytes;
        address
    }
}

impl Raw for Counting {
    type Handle = usize;

    fn allocate(&mut self, bytes: usize, origin: Origin) -> Option<usize> {
        if bytes > self.budget - self.outstanding {
            return None;
        }
        self.outstanding += bytes;
        self.peak = self.peak.max(self.outstanding);
        if origin == Origin::Malloc {
            self.chunk_bytes += self.chunk.bytes(bytes);
        }
        Some(self.place(bytes, origin))
    }

    fn free(&mut self, _: usize, bytes: usize, origin: Origin) {
        self.outstanding -= bytes;
        if origin == Origin::Malloc {
            self.chunk_bytes -= self.chunk.bytes(bytes);
        }
    }

    fn address(&self, handle: &usize) -> usize {
        *handle
    }

    fn touch(&mut self, _: &mut usize, _: Range<usize>) {}
}
