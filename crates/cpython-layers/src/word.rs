//! The width of a machine word, on which every size in CPython depends.
//!
//! The model runs on any machine: the word is the interpreter's, and a 32-bit interpreter is
//! modelled by the sizes its structures had.

/// The word size of the interpreter that is modelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// 32 bits, by the i386 ABI of Linux: a `double` is aligned to 4 bytes.
    Bits32,
    /// 64 bits.
    Bits64,
}

impl Word {
    /// Bytes of a pointer, of a `long` and of a `Py_ssize_t`.
    pub const fn bytes(self) -> usize {
        match self {
            Word::Bits32 => 4,
            Word::Bits64 => 8,
        }
    }
}

/// A figure that differs by word size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerWord<T> {
    /// On 32 bits.
    pub bits32: T,
    /// On 64 bits.
    pub bits64: T,
}

impl<T: Copy> PerWord<T> {
    /// The same on both.
    pub const fn both(figure: T) -> Self {
        PerWord {
            bits32: figure,
            bits64: figure,
        }
    }

    /// The figure for this word.
    pub const fn of(self, word: Word) -> T {
        match word {
            Word::Bits32 => self.bits32,
            Word::Bits64 => self.bits64,
        }
    }
}
