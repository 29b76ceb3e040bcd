//! A block of any size, written to when it is made, and where sizes come from.

use std::hint::black_box;
use std::mem::MaybeUninit;

use fastrand::Rng;

/// A block of the allocator's.
pub(crate) type Block = Box<[MaybeUninit<u8>]>;

/// The least that a block holds: the word that is written to.
pub(crate) const LEAST_BYTES: usize = 8;

/// What is touched of a large block: a byte in so many.
pub(crate) const PAGE_BYTES: usize = 4096;

/// A block of this size, out of the optimiser's sight. Its first cache line is written, or its first
/// word where it is smaller than that: constant sizes, so that the writes are stores and no call. Of
/// a block of more than a page each page is touched: what a program asks for, it uses.
#[inline]
pub(crate) fn block(bytes: usize) -> Block {
    let mut block = Box::new_uninit_slice(bytes);
    if let Some(line) = block.first_chunk_mut::<64>() {
        *line = [MaybeUninit::new(1); 64];
    } else if let Some(word) = block.first_chunk_mut::<LEAST_BYTES>() {
        *word = [MaybeUninit::new(1); LEAST_BYTES];
    }
    if let Some(pages) = block.get_mut(PAGE_BYTES..) {
        touch(pages);
    }
    black_box(block)
}

/// Writes a byte of each page, and the last one: the block need not begin at a page's boundary.
#[inline]
fn touch(block: &mut [MaybeUninit<u8>]) {
    for page in block.chunks_mut(PAGE_BYTES) {
        page[0].write(1);
    }
    if let Some(last) = block.last_mut() {
        last.write(1);
    }
}

/// Two numbers, below `a` and below `b`, out of one of the generator's: a multiplication each.
#[inline]
pub(crate) fn two_below(rng: &mut Rng, a: usize, b: usize) -> (usize, usize) {
    let bits = rng.u64(..);
    let below = |half: u64, bound: usize| ((half * bound as u64) >> 32) as usize;
    (below(bits >> 32, a), below(bits & 0xffff_ffff, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_below_their_bounds() {
        let mut rng = Rng::with_seed(1);
        for _ in 0..1_000 {
            let (a, b) = two_below(&mut rng, 7, 1);
            assert!(a < 7 && b == 0);
        }
    }
}
