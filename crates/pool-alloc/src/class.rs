//! Size classes: which block serves which request.
//!
//! Everything here is a pure function of a request's size and alignment. That is what lets `dealloc`, which is
//! handed both again, tell a pool's block from a large one without looking anything up.
//!
//! ```text
//! need(size, align)  = size rounded up to a multiple of align
//! block sizes        = 8, 16, 24, ... 128, then four per doubling: 160, 192, 224, 256, 320, ... 256 KiB
//! class(size, align) = the least class whose block size is at least need(size, align)
//! ```
//!
//! A block's address is a multiple of the lowest bit set in its block size, because its pool starts at such a
//! multiple. Rounding the need up to the alignment is therefore all that alignment takes:
//!
//! ```text
//! align divides block_size(class(size, align))
//! ```
//!
//! For the block sizes between 2^k and 2^(k+1) are the multiples of 2^(k-2). Where `align` is at most 2^(k-2), it
//! divides all of them; where it is greater, the need is itself a multiple of 2^(k-2), so it is a block size.
//!
//! Above 128 bytes a block exceeds its need by less than a quarter of the need.

use std::ops::Range;

use crate::arena::{ARENA, SLICE};

/// The distance of the lowest block sizes, and the least alignment of a block: a free block must hold one link.
const STEP: usize = 8;

/// Up to here block sizes lie `STEP` apart. More would cost a heap one more list per step.
const LINEAR_MAX: usize = 128;

/// Block sizes per doubling above `LINEAR_MAX`: 4 bounds the waste inside a block by 1/4, 8 would by 1/8 and
/// double the number of pools that a thread holds partly used.
const PER_DOUBLING: usize = 4;

/// The largest block of a small pool, which is one slice.
pub(crate) const SMALL_MAX: usize = SLICE / BLOCKS;

/// The largest block of any pool: two fit the largest pool. Anything greater is mapped by itself.
pub(crate) const MEDIUM_MAX: usize = 256 << 10;

/// Blocks that a pool is to hold at least, as far as the widest span reaches. More leave more of a small heap's pools
/// unused, fewer take a heap to the commons more often.
const BLOCKS: usize = 4;

/// Slots for classes; a power of two, so that a masked index needs no bounds check.
pub(crate) const SLOTS: usize = 64;

/// How many classes there are.
pub(crate) const CLASSES: usize = Class::computed(MEDIUM_MAX - 1).index() + 1;

/// How many of them, the last ones, have pools of more than one slice.
pub(crate) const WIDE_CLASSES: usize = CLASSES - Class::computed(SMALL_MAX).index();

/// One size class, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub(crate) struct Class(u8);

impl Class {
    /// The class that serves this request, or `None` where it is large.
    #[inline(always)]
    pub(crate) const fn of(size: usize, align: usize) -> Option<Self> {
        Need::of(size, align).class()
    }

    /// The class of a need of one more than `below`.
    const fn computed(below: usize) -> Self {
        if below < LINEAR_MAX {
            return Self((below / STEP) as u8);
        }
        // 2^doubling <= below < 2^(doubling + 1), cut into PER_DOUBLING parts.
        let doubling = below.ilog2() as usize;
        let part = (below >> (doubling - PER_DOUBLING.ilog2() as usize)) & (PER_DOUBLING - 1);
        let first = LINEAR_MAX / STEP;
        Self((first + (doubling - LINEAR_MAX.ilog2() as usize) * PER_DOUBLING + part) as u8)
    }

    /// The class with this number, which is below `CLASSES`.
    pub(crate) const fn nth(number: usize) -> Self {
        Self(number as u8)
    }

    /// Its number, below `SLOTS`.
    #[inline(always)]
    pub(crate) const fn index(self) -> usize {
        self.0 as usize & (SLOTS - 1)
    }

    /// The set of classes that it is alone in.
    pub(crate) const fn as_set(self) -> u64 {
        1 << self.index()
    }

    /// Bytes in each of its blocks.
    pub(crate) const fn block_size(self) -> usize {
        let number = self.index();
        let linear = LINEAR_MAX / STEP;
        if number < linear {
            return (number + 1) * STEP;
        }
        let doubling = LINEAR_MAX << ((number - linear) / PER_DOUBLING);
        doubling + ((number - linear) % PER_DOUBLING + 1) * (doubling / PER_DOUBLING)
    }

    /// The steps that it serves, by their numbers; none for what is beyond the last step.
    pub(crate) fn steps(self) -> Range<usize> {
        let first = match self.index() {
            0 => 0,
            number => Self::nth(number - 1).block_size() / STEP,
        };
        first.min(STEPS)..(self.block_size() / STEP).min(STEPS)
    }

    /// What every block's address is a multiple of.
    pub(crate) const fn natural_align(self) -> usize {
        let size = self.block_size();
        size & size.wrapping_neg()
    }

    /// Whether a pool of its blocks is more than one slice.
    #[inline(always)]
    pub(crate) const fn is_wide(self) -> bool {
        self.index() >= CLASSES - WIDE_CLASSES
    }

    /// How many slices make a pool of its blocks.
    #[inline(always)]
    pub(crate) const fn span(self) -> Span {
        SPAN_OF_CLASS[self.index()]
    }
}

/// How many slices make a pool: 1, 2, 4 or 8, as a binary logarithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span(u8);

impl Span {
    /// That of small pools.
    pub(crate) const ONE: Self = Self(0);

    const WIDEST: Self = Self(3);

    /// The least that holds `BLOCKS` of this size, or the widest.
    const fn holding(block_size: usize) -> Self {
        let mut span = Self::ONE;
        while span.0 < Self::WIDEST.0 && span.bytes() < BLOCKS * block_size {
            span.0 += 1;
        }
        span
    }

    /// Its slices.
    #[inline(always)]
    pub(crate) const fn slices(self) -> usize {
        1 << self.0
    }

    /// Bytes of such a pool.
    pub(crate) const fn bytes(self) -> usize {
        SLICE << self.0
    }
}

static SPAN_OF_CLASS: [Span; SLOTS] = {
    let mut table = [Span::ONE; SLOTS];
    let mut number = 0;
    while number < CLASSES {
        table[number] = Span::holding(Class::nth(number).block_size());
        number += 1;
    }
    table
};

/// What a request needs of its block: its size, rounded up to a multiple of its alignment.
#[derive(Clone, Copy)]
pub(crate) struct Need {
    /// One less. A size of zero, which nobody may ask for, is large.
    below: usize,
}

impl Need {
    #[inline(always)]
    pub(crate) const fn of(size: usize, align: usize) -> Self {
        // The alignment is a power of two: rounding up is what sets the bits below it, one further down.
        let below = size.wrapping_sub(1) | (align - 1);
        Self { below }
    }

    /// Its step, where it has one.
    #[inline(always)]
    pub(crate) const fn step(self) -> Option<Step> {
        if self.below < STEPS * STEP {
            Some(Step(self.below / STEP))
        } else {
            None
        }
    }

    /// The class that serves it, or `None` where it is large.
    #[inline(always)]
    const fn class(self) -> Option<Class> {
        if let Some(step) = self.step() {
            Some(step.class())
        } else if self.below < MEDIUM_MAX {
            Some(Class::computed(self.below))
        } else {
            None
        }
    }

    /// Whether a block of at most so many bytes serves it.
    #[inline(always)]
    pub(crate) const fn is_below(self, bytes: usize) -> bool {
        self.below < bytes
    }
}

/// The needs up to 1 KiB in steps of 8 bytes, by their numbers: step `k` is what needs more than `8 * k` bytes and at
/// most `8 * (k + 1)`. What is asked for most is found through tables of them: sizes come in no order that a processor
/// could foresee, so each branch on them is paid for.
#[derive(Clone, Copy)]
pub(crate) struct Step(usize);

/// How many steps there are.
pub(crate) const STEPS: usize = (1 << 10) / STEP;

impl Step {
    /// Its number, below `STEPS`.
    #[inline(always)]
    pub(crate) const fn index(self) -> usize {
        self.0
    }

    /// The class that serves it.
    #[inline(always)]
    pub(crate) const fn class(self) -> Class {
        CLASS_OF_STEP[self.0]
    }
}

static CLASS_OF_STEP: [Class; STEPS] = {
    let mut table = [Class(0); STEPS];
    let mut step = 0;
    while step < table.len() {
        table[step] = Class::computed(step * STEP);
        step += 1;
    }
    table
};

const _: () = {
    assert!(STEP == size_of::<*mut u8>(), "a free block holds one link");
    assert!(
        CLASSES < SLOTS,
        "one slot stays unused: heaps need a number that is no class"
    );
    assert!(Class::computed(SMALL_MAX - 1).block_size() == SMALL_MAX);
    assert!(Class::computed(MEDIUM_MAX - 1).block_size() == MEDIUM_MAX);
    assert!(Span::WIDEST.bytes() >= 2 * MEDIUM_MAX && Span::WIDEST.bytes() < ARENA);
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_sizes_ascend_and_each_is_its_own_class() {
        for number in 0..CLASSES {
            let class = Class::nth(number);
            assert_eq!(Class::of(class.block_size(), 1), Some(class));
            assert_eq!(class.is_wide(), class.span() > Span::ONE);
            if number > 0 {
                assert!(Class::nth(number - 1).block_size() < class.block_size());
            }
        }
    }

    #[test]
    fn twenty_four_bytes_are_a_class_of_their_own() {
        assert_eq!(Class::of(24, 8).map(Class::block_size), Some(24));
        assert_eq!(Class::of(24, 16).map(Class::block_size), Some(32));
    }

    #[test]
    fn every_request_gets_the_least_class_that_holds_and_aligns_it() {
        for align in (0..=20).map(|bit| 1 << bit) {
            for size in 1..=MEDIUM_MAX + 1 {
                let need = size.next_multiple_of(align);
                let Some(class) = Class::of(size, align) else {
                    assert!(need > MEDIUM_MAX);
                    continue;
                };
                let block = class.block_size();
                assert!(block >= size && block >= need);
                assert_eq!(block % align, 0, "size {size}, align {align}");
                assert!(class.natural_align() >= align);
                assert!(class.index() == 0 || Class::nth(class.index() - 1).block_size() < need);
                assert!(need <= LINEAR_MAX || (block - need) * 4 < need);
            }
        }
    }

    #[test]
    fn every_step_is_in_the_steps_of_the_class_that_serves_it() {
        let served: Vec<usize> = (0..CLASSES)
            .flat_map(|number| Class::nth(number).steps())
            .collect();
        assert_eq!(served, Vec::from_iter(0..STEPS));
        for size in 1..=STEPS * STEP + 1 {
            let step = Need::of(size, 1).step();
            assert_eq!(step.is_some(), size <= STEPS * STEP);
            if let Some(step) = step {
                assert!(step.class().steps().contains(&step.index()), "size {size}");
            }
        }
    }

    #[test]
    fn sizes_near_the_end_of_the_address_space_are_large() {
        let most = isize::MAX as usize;
        assert_eq!(Class::of(most, 1), None);
        assert_eq!(Class::of(1, 1 << 62), None);
        assert_eq!(Class::of(most - 4095, 4096), None);
    }
}
