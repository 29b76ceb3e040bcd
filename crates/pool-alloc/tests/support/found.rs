//! Blocks that are found by their address, and check themselves at every turn as `Held` ones do.

use pool_alloc::by_address;

/// A block of `by_address`, a word of each of its pages written with that word's address, or with what it was at first.
pub struct Found {
    at: *mut u8,
    size: usize,
    /// Where the block was when its words were written.
    was_at: usize,
}

/// From one word that is written to the next; it differs from page to page.
const STEP: usize = 4096 - 8;

impl Found {
    pub fn new(size: usize, align: usize) -> Self {
        Self::try_new(size, align).expect("the machine has memory for the tests")
    }

    pub fn try_new(size: usize, align: usize) -> Option<Self> {
        Self::write_new(by_address::allocate(size, align), size, align)
    }

    pub fn new_zeroed(size: usize) -> Self {
        Self::try_new_zeroed(size).expect("the machine has memory for the tests")
    }

    pub fn try_new_zeroed(size: usize) -> Option<Self> {
        let at = by_address::allocate_zeroed(size);
        if !at.is_null() {
            // SAFETY: the block is new, holds this much, and all of it is zero.
            let bytes = unsafe { std::slice::from_raw_parts(at, size) };
            assert!(bytes.iter().all(|byte| *byte == 0), "{size} bytes");
        }
        Self::write_new(at, size, by_address::MIN_ALIGN)
    }

    fn write_new(at: *mut u8, size: usize, align: usize) -> Option<Self> {
        if at.is_null() {
            return None;
        }
        assert_eq!(at.addr() % align, 0, "{size} bytes at {at:p}");
        let block = Self {
            at,
            size,
            was_at: at.addr(),
        };
        block.write(0);
        Some(block)
    }

    /// Its address.
    pub fn place(&self) -> usize {
        self.at.addr()
    }

    /// False where there is no memory for it; the block is as it was.
    pub fn try_resize(&mut self, size: usize) -> bool {
        self.check();
        // SAFETY: the block is in use, and if the result is null, goes on being so.
        let at = unsafe { by_address::resize(self.at, size) };
        if !at.is_null() {
            let written = self.places(0).count();
            (self.at, self.size) = (at, self.size.min(size));
            self.check();
            self.size = size;
            self.write(written * STEP);
        }
        self.check();
        !at.is_null()
    }

    pub fn address(&self) -> usize {
        self.at.addr()
    }

    pub fn check(&self) {
        // SAFETY: the block is in use.
        let usable = unsafe { by_address::usable_size(self.at) };
        assert!(usable >= self.size, "{usable} of {}", self.size);
        for place in self.places(0) {
            // SAFETY: the block has this word.
            let word = unsafe { self.word(place).read_unaligned() };
            assert_eq!(word, self.was_at + place, "byte {place} of {}", self.size);
        }
    }

    fn write(&self, from: usize) {
        for place in self.places(from) {
            // SAFETY: as above.
            unsafe { self.word(place).write_unaligned(self.was_at + place) };
        }
    }

    fn places(&self, from: usize) -> impl Iterator<Item = usize> + use<> {
        let end = self.size.saturating_sub(size_of::<usize>() - 1);
        (from..end).step_by(STEP)
    }

    fn word(&self, place: usize) -> *mut usize {
        self.at.wrapping_add(place).cast()
    }
}

impl Drop for Found {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.check();
        }
        // SAFETY: the block is in use, and this is its end.
        unsafe { by_address::free(self.at) };
    }
}
