//! Hardened: with the feature of that name, misuse of the allocator ends the process, with one line that says why.
//!
//! Rust's own rules keep safe code from all of this. The feature is for programs with unsafe code, or with code in
//! other languages, that would rather pay and stop than go on with a heap that somebody may have in hand. Without it
//! this module is its twin (`hardened/off.rs`), of which nothing is left in the code that is generated.
//!
//! Three things are known then that are not known otherwise:
//!
//! ```text
//! a bit for each multiple of 8 in an arena (`live`)       set  <=>  a block in use begins there
//! a state for each 2 MiB of the address space (`units`)   Arena, Large (a block in use begins there), Gone, Unknown
//! a secret of the process (`links`)                       link = encoded(next, where it stands, secret)
//! ```
//!
//! The bit is set when a block goes out and cleared by the step that takes it back, each in one atomic step that says
//! what the bit was. So of two frees of a block one finds it clear, whichever threads they come from, and no address
//! but the beginning of a block in use has it set: one question answers for double frees, for addresses inside of
//! blocks, untouched or free ones, and in free slices.
//!
//! **Always noticed**, before anything is changed:
//!
//! - a free of an address that no block in use begins at: freed before, inside of a block, never handed out, on the
//!   stack, of another allocator. `realloc` and `usable_size` of one, too.
//! - a free or `realloc` with a layout of another class; for large blocks, of another number of pages.
//! - an access to the page before a large block, or to the page behind its last one: the processor faults, and the
//!   line is that of the system.
//! - a block that the free list would hand out although it is in use.
//!
//! **Usually noticed**: a link that is overwritten after a free, when the allocator next follows it. Decoding takes it
//! to an arbitrary word then, which passes for a link in one case of 2^43 or fewer. Who does not know the secret
//! cannot do better, neither by changing some of the bits nor by copying a link from elsewhere. What stood at the same
//! place before does pass; the block that it leads to goes out once, and if it is in use, not at all.
//!
//! **Not noticed**: another layout of the same class; a second free after the block was handed out again, which frees
//! the new owner's; a write to a free block behind its first word, or to one whose link is not followed any more; an overrun
//! from block to block in a pool, or within the last page of a large block; reads of free blocks. A link that was read,
//! with the addresses of both of its ends, tells something of the secret: the encoding stops blind writes, not
//! cryptanalysis.
//!
//! **Prices**: two locked instructions for each block, 32 KiB of bits for an arena (touched as its blocks are), four
//! mappings of the kernel's for each large block, of which a process may have 65,530, and no reserve of large ones;
//! 16 MiB of address space for the table (32 where addresses have 48 bits).

#[cfg(feature = "hardened")]
#[path = "hardened/on.rs"]
mod way;
#[cfg(not(feature = "hardened"))]
#[path = "hardened/off.rs"]
mod way;

pub(crate) use way::*;

/// What the program asks of a block when it is found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// To take it back.
    Free,
    /// To resize it, or to tell its size.
    Use,
}
