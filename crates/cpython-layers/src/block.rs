//! What the program holds: a block, by where it lies.
//!
//! It is of a pointer's size, so that a list of blocks takes what a list of pointers does:
//!
//! ```text
//! bits   0-1     2-3     4-35             36-45            46-55             63
//!        place   owner   pool or number   index in pool    bytes asked for   set
//! ```
//!
//! No block is 0, so that an `Option` of one takes no more.

use std::num::NonZeroU64;

/// One object or buffer. It cannot be copied, so that it is given back once at most; one that is
/// dropped without that leaks, as in CPython.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a block that is not given back leaks"]
pub struct Block(NonZeroU64);

const _: () = assert!(size_of::<Option<Block>>() == size_of::<u64>());

/// Whose free list a dead one is offered to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Ints,
    Floats,
    Lists,
    Nobody,
}

/// Where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a pool, and of how many bytes it was asked for.
    Pool { pool: u32, index: u16, bytes: u16 },
    /// In its type's own blocks.
    Slot(u32),
    /// In a piece of memory of its own from the C library.
    Large(u32),
    /// Nowhere: a small int is one object however often it is asked for.
    Shared,
}

const SET: NonZeroU64 = NonZeroU64::new(1 << 63).unwrap();
const INDEX_BITS: u32 = 10;
const INDEX_MASK: u64 = (1 << INDEX_BITS) - 1;

impl Block {
    pub(crate) fn new(owner: Owner, place: Place) -> Block {
        let (tag, number, index, bytes) = match place {
            Place::Pool { pool, index, bytes } => (0, pool, index, bytes),
            Place::Slot(number) => (1, number, 0, 0),
            Place::Large(number) => (2, number, 0, 0),
            Place::Shared => (3, 0, 0, 0),
        };
        let (index, bytes) = (u64::from(index), u64::from(bytes));
        assert!(index <= INDEX_MASK && bytes <= INDEX_MASK);
        let in_pool = index | bytes << INDEX_BITS;
        let bits = tag | (owner as u64) << 2 | u64::from(number) << 4 | in_pool << 36;
        Block(SET | bits)
    }

    pub(crate) fn owner(&self) -> Owner {
        match self.0.get() >> 2 & 3 {
            0 => Owner::Ints,
            1 => Owner::Floats,
            2 => Owner::Lists,
            _ => Owner::Nobody,
        }
    }

    pub(crate) fn place(&self) -> Place {
        let bits = self.0.get();
        let number = (bits >> 4) as u32;
        let in_pool = bits >> 36;
        match bits & 3 {
            0 => Place::Pool {
                pool: number,
                index: (in_pool & INDEX_MASK) as u16,
                bytes: (in_pool >> INDEX_BITS) as u16,
            },
            1 => Place::Slot(number),
            2 => Place::Large(number),
            _ => Place::Shared,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_says_what_it_was_made_of() {
        let pool = |pool, index, bytes| Place::Pool { pool, index, bytes };
        let places = [
            pool(0, 0, 1),
            pool(u32::MAX, 1020, 512),
            Place::Slot(u32::MAX),
            Place::Large(7),
            Place::Shared,
        ];
        for place in places {
            for owner in [Owner::Ints, Owner::Floats, Owner::Lists, Owner::Nobody] {
                let block = Block::new(owner, place);
                assert_eq!((block.owner(), block.place()), (owner, place));
            }
        }
    }
}
