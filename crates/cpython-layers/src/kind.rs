//! What a program asks CPython for, and how many bytes each takes, by version and word.
//!
//! ```text
//! object header = reference count + type        = 2 words
//! int,   2.x    = header + one C long           = 3 words: 12 or 24 bytes
//! int,   3.x    = header + a word + digits      = 28 bytes on 64 bits for one digit
//! float         = header + 8                    = 16 or 24 bytes
//! list          = collector's head + 5 words    (its items are a buffer of their own)
//! str           = a version's header + a byte for each character
//! ```

use crate::policy::{IntLayout, Version};
use crate::word::Word;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An int of this value. Small ints are shared: they take no memory.
    Int(i64),
    /// A float.
    Float,
    /// A list without its items, which are a [`Kind::Buffer`].
    List,
    /// A string of so many characters, all of them ASCII.
    Str(usize),
    /// An object of any other type, `PyObject_Malloc()` of this many bytes.
    Object(usize),
    /// Memory that is no object, `PyMem_Malloc()` of this many bytes: a list's items, for one.
    Buffer(usize),
}

/// Bytes of a float object.
pub(crate) const fn float_bytes(word: Word) -> usize {
    2 * word.bytes() + 8
}

/// Bytes of a list object with the collector's head before it.
pub(crate) const fn list_bytes(version: &Version, word: Word) -> usize {
    version.gc_head_bytes.of(word) + 5 * word.bytes()
}

/// Whether this value is an int. In 2.x a larger one than a C `long` is a `long`, another type.
pub(crate) fn is_int(version: &Version, word: Word, value: i64) -> bool {
    version.int != IntLayout::Long || word == Word::Bits64 || i32::try_from(value).is_ok()
}

/// An int's size in bytes and its digits; one of 2.x is never of more than one.
///
/// # Panics
///
/// Where the value is no int.
pub(crate) fn int_size(version: &Version, word: Word, value: i64) -> (usize, u32) {
    let bits = match version.int {
        IntLayout::Long => {
            assert!(
                is_int(version, word, value),
                "{value} is no int of a 32-bit Python {}",
                version.name
            );
            return (3 * word.bytes(), 1);
        }
        IntLayout::Digits { bits } => bits.of(word),
    };
    let magnitude = u64::BITS - value.unsigned_abs().leading_zeros();
    let digits = magnitude.div_ceil(bits).max(1);
    // A digit of 15 bits is a C short, one of 30 bits a C int.
    let digit_bytes = if bits > 16 { 4 } else { 2 };
    (3 * word.bytes() + digits as usize * digit_bytes, digits)
}
