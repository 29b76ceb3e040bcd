//! What a version of CPython can differ in: the columns of the table in `versions.rs`.

use std::ops::Range;

use crate::word::PerWord;

/// What one version of CPython does with memory.
#[derive(Clone, Debug)]
pub struct Version {
    /// `"2.7"`: the series. The row is of the release named in `sources`.
    pub name: &'static str,
    /// Size classes are this many bytes apart, and so are blocks.
    pub alignment: PerWord<usize>,
    /// The largest request in bytes that the object allocator serves itself.
    pub threshold: usize,
    /// Bytes of a pool.
    pub pool_bytes: PerWord<usize>,
    /// Bytes of an arena.
    pub arena_bytes: PerWord<usize>,
    /// Where arenas come from.
    pub arenas_from: ArenasFrom,
    /// What becomes of an arena whose pools are all free.
    pub empty_arenas: EmptyArenas,
    /// Where `PyMem_Malloc()`, and so a list's items, comes from.
    pub buffers: Buffers,
    /// How an int is laid out.
    pub int: IntLayout,
    /// Which ints are made once and shared, and where they live.
    pub small_ints: (Range<i64>, SmallInts),
    /// What becomes of a dead int.
    pub dead_ints: FreeList,
    /// What becomes of a dead float.
    pub dead_floats: FreeList,
    /// What becomes of a dead list, its items apart.
    pub dead_lists: FreeList,
    /// Bytes that a string of ASCII characters takes beyond them, the closing zero included.
    pub str_header_bytes: PerWord<usize>,
    /// Bytes that the cyclic garbage collector has before each object it knows.
    pub gc_head_bytes: PerWord<usize>,
    /// Where this was read or measured.
    pub sources: &'static [&'static str],
}

/// The call that arenas come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArenasFrom {
    /// The C library's `malloc`: not on a page's boundary, so that one pool is lost.
    Malloc,
    /// `mmap`.
    Map,
}

/// What becomes of an arena whose pools are all free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmptyArenas {
    /// It stays for good. Its pools serve any size class, the last one freed first.
    Stay,
    /// It is given back at once. Pools are taken from the fullest arena that has any.
    GivenBack,
    /// The same, but one that is last among the arenas with free pools stays.
    GivenBackButTheLast,
}

/// Where memory that is no object comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buffers {
    /// The C library's `malloc`, whatever the size.
    Malloc,
    /// The object allocator, up to its threshold.
    ObjectAllocator,
}

/// How an int is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntLayout {
    /// One C `long`.
    Long,
    /// As many digits of `bits` bits as its magnitude needs.
    Digits {
        /// Bits of a digit.
        bits: PerWord<u32>,
    },
}

/// Where the ints that are made once live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmallInts {
    /// Among all others: they are allocated when the interpreter starts, and never freed.
    Allocated,
    /// In the interpreter's static data.
    Static,
}

/// What becomes of a dead object of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FreeList {
    /// It goes back to the object allocator.
    None,
    /// Its type has blocks of its own, from `malloc`, and an unbounded free list of their slots.
    Blocks(Collected),
    /// So many are kept, the others go back to the object allocator.
    Bounded(usize, Collected),
}

/// Whether a full garbage collection clears a free list: whatever it can give back, it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collected {
    /// It does.
    Cleared,
    /// It does not: the free list is immortal.
    Kept,
}
