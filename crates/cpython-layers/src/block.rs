//! What the program holds: a block, by where it lies.

/// One object or buffer. It cannot be copied, so that it is given back once at most; one that is
/// dropped without that leaks, as in CPython.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a block that is not given back leaks"]
pub struct Block {
    pub(crate) owner: Owner,
    pub(crate) place: Place,
}

/// Whose free list a dead one is offered to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Ints,
    Floats,
    Lists,
    Nobody,
}

/// Where it lies.
#[derive(Debug, PartialEq, Eq)]
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
