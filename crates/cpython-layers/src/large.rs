//! What goes past the object allocator: requests above its threshold, and buffers before 3.6.
//!
//! Each is a `malloc` of its own, and its `free` is a `free`. What the C library does then is its
//! own affair.

use std::ops::Range;

use crate::aside::{Aside, Table};
use crate::raw::{Origin, Raw};

pub(crate) struct Large<H> {
    pieces: Table<Option<(H, usize)>>,
    vacant: Table<u32>,
}

impl<H> Large<H> {
    pub const EMPTY: Self = Large {
        pieces: Table::new_in(Aside),
        vacant: Table::new_in(Aside),
    };

    /// `malloc` of so many bytes, at least one, as CPython asks for none.
    pub fn allocate<R: Raw<Handle = H>>(&mut self, bytes: usize, raw: &mut R) -> Option<u32> {
        let bytes = bytes.max(1);
        let mut memory = raw.allocate(bytes, Origin::Malloc)?;
        raw.touch(&mut memory, 0..bytes);
        let piece = Some((memory, bytes));
        Some(match self.vacant.pop() {
            Some(number) => {
                self.pieces[number as usize] = piece;
                number
            }
            None => {
                self.pieces.push(piece);
                self.pieces.len() as u32 - 1
            }
        })
    }

    pub fn free<R: Raw<Handle = H>>(&mut self, number: u32, raw: &mut R) {
        let piece = self.pieces[number as usize].take();
        let (memory, bytes) = piece.expect("what is freed is live");
        raw.free(memory, bytes, Origin::Malloc);
        self.vacant.push(number);
    }

    /// Bytes of all that are live.
    pub fn bytes(&self) -> usize {
        self.pieces.iter().flatten().map(|(_, bytes)| bytes).sum()
    }

    /// Bytes of one that is live.
    pub fn bytes_of(&self, number: u32) -> usize {
        let piece = self.pieces[number as usize].as_ref();
        piece.expect("a live block has memory").1
    }

    pub fn address<R: Raw<Handle = H>>(&self, number: u32, raw: &R) -> Range<usize> {
        let piece = self.pieces[number as usize].as_ref();
        let (memory, bytes) = piece.expect("a live block has memory");
        let start = raw.address(memory);
        start..start + bytes
    }
}
