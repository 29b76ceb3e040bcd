//! A pool: pages that are cut into blocks of one size class.
//!
//! ```text
//!           first block asked of it            last block freed
//!  uncut ---------------------------> used <---------------------> empty
//!                                     |  ^        taken again
//!                    last block given v  | any block freed
//!                                     full
//! ```
//!
//! Blocks are cut off one by one, from the header up, and each only when all before it are out or
//! have been. So there is always one that is cut and not yet given, until all are: its first word is
//! written to link it.
//!
//! ```text
//! capacity = live + free + uncut       free: blocks on the list
//! full  <=>  free list empty           it is refilled before it runs out, while blocks are uncut
//! empty <=>  live = 0                  the list is kept, for the case that the class is wanted again
//! touched  = pages up to the highest byte ever written, until the arena goes back
//! ```

use crate::aside::{Aside, Table};
use crate::geometry::{Geometry, PAGE_BYTES};

pub(crate) const NONE: u32 = u32::MAX;

#[derive(Clone, Debug)]
pub(crate) struct Pool {
    /// The size class of its blocks, or of those it last had.
    pub class: Option<u16>,
    pub live: u16,
    /// The free blocks, the one to be given next last.
    free: Table<u16>,
    /// How many blocks have been cut off.
    cut: u16,
    /// Its first so many pages have been written.
    pub touched: u8,
    /// Its neighbours among the used pools of its class.
    pub previous: u32,
    pub next: u32,
}

impl Pool {
    /// Never used since its arena came.
    pub const UNCUT: Pool = Pool {
        class: None,
        live: 0,
        free: Table::new_in(Aside),
        cut: 0,
        touched: 0,
        previous: NONE,
        next: NONE,
    };

    /// Takes the pool, empty or uncut, into use for this class and gives its first block.
    pub fn open(&mut self, class: u16, geometry: &Geometry) -> u16 {
        assert_eq!(self.live, 0, "only an empty pool changes hands");
        self.live = 1;
        if self.class == Some(class) {
            return self
                .free
                .pop()
                .expect("all blocks of an empty pool are free");
        }
        self.class = Some(class);
        self.free.clear();
        self.free.push(1);
        self.cut = 2;
        self.write(geometry);
        0
    }

    /// Gives a block of a used pool. The pool may be full then.
    pub fn give(&mut self, geometry: &Geometry) -> u16 {
        let index = self.free.pop().expect("a used pool has a free block");
        self.live += 1;
        if self.free.is_empty() && usize::from(self.cut) < self.capacity(geometry) {
            self.free.push(self.cut);
            self.cut += 1;
        }
        self.write(geometry);
        index
    }

    /// Takes a block back. The pool may be empty then.
    pub fn take_back(&mut self, index: u16) {
        self.live -= 1;
        self.free.push(index);
    }

    pub fn is_full(&self) -> bool {
        self.free.is_empty() && self.class.is_some()
    }

    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    pub fn capacity(&self, geometry: &Geometry) -> usize {
        self.class
            .map_or(0, |class| geometry.capacity(class.into()))
    }

    /// The program fills the blocks it is given, the allocator has linked the one that is cut last.
    /// Once that is given, too, it ends on the page it begins on: no block is cut behind it, so that
    /// it lies in the pool's last kilobyte.
    fn write(&mut self, geometry: &Geometry) {
        let class = usize::from(self.class.expect("a pool in use has a class"));
        let last_cut = geometry.block_range(class, usize::from(self.cut) - 1);
        let linked = last_cut.start + geometry.word_bytes;
        let pages = linked.div_ceil(PAGE_BYTES);
        self.touched = self.touched.max(pages as u8);
    }
}
