//! The allocator's account of itself.

/// Where the bytes are that the allocator has from the system. All figures are bytes unless they say otherwise, and
/// `allocated_bytes + cached_bytes + metadata_bytes <= mapped_bytes`; what is missing are addresses without memory.
///
/// The figures are exact while no other thread allocates or frees. Three things they cannot know: a block that another
/// thread freed counts as allocated until the owner of its pool collects it, or the pool is empty; pages that the program never wrote
/// to, or that the system swapped out, count like the others; and pages of pools in use that the system refused to take
/// count as given back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// In blocks that the program holds, each with the size of its class; large ones with their whole pages.
    pub allocated_bytes: usize,
    /// Free, and possibly resident: free blocks of pools in use that were handed out before, and free slices that
    /// were not given back yet.
    pub cached_bytes: usize,
    /// The part of `cached_bytes` that is in free slices, which no pool stands on.
    pub free_slice_bytes: usize,
    /// Headers of arenas, and heaps.
    pub metadata_bytes: usize,
    /// Address space mapped from the system: arenas, large blocks, heaps. Not what many large blocks have left, which has
    /// addresses and no memory.
    pub mapped_bytes: usize,
    /// The part of `allocated_bytes` (and of `mapped_bytes`) that is in large blocks.
    pub large_bytes: usize,
    /// The part of `cached_bytes` that is in free runs of pages, which wait for the next large block.
    pub free_large_bytes: usize,
    /// Arenas mapped, in number.
    pub arenas: usize,
    /// Given back from arenas since the start of the process; only grows. Large blocks are not counted.
    pub released_bytes: usize,
}
