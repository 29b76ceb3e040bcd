//! Links: what stands in the first word of a free block, so that it cannot be overwritten unnoticed.
//!
//! ```text
//! link = rotated((next ^ mask) * factor) ^ (at * place)          mask, factor and place are secret, two of them odd
//! next = 0, or in the same arena behind its header, and a multiple of 8
//! ```
//!
//! Encoding is a permutation of the 64-bit words, another one at each place. A link that was overwritten decodes to
//! some word, of which 2^18 of 2^64 could be a `next`. The product carries a change upwards only; the rotation between
//! takes what stands above to below, so that each bit of a link takes part in the upper half of what it decodes to,
//! where the arena's address is.

use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::faults;
use crate::arena::{ARENA, HEADER};
use crate::os;
use crate::pool::Block;

/// The secret, in one line of the cache. Written once, before there is a block.
#[repr(align(64))]
struct Secret {
    mask: AtomicU64,
    factor: AtomicU64,
    /// `factor * inverse = 1` modulo 2^64.
    inverse: AtomicU64,
    place: AtomicU64,
}

static SECRET: Secret = Secret {
    mask: AtomicU64::new(0),
    factor: AtomicU64::new(0),
    inverse: AtomicU64::new(0),
    place: AtomicU64::new(0),
};

/// What to write at `at` for a link to `next`.
#[inline]
pub(crate) fn encode(next: *mut Block, at: *mut Block) -> *mut Block {
    let next = next.expose_provenance() as u64 ^ SECRET.mask.load(Relaxed);
    let word = next.wrapping_mul(SECRET.factor.load(Relaxed));
    ptr::without_provenance_mut((word.rotate_left(32) ^ key(at)) as usize)
}

/// Where the link at `at` leads; ends the process where nothing of the kind was written there.
#[inline]
pub(crate) fn decode(link: *mut Block, at: *mut Block) -> *mut Block {
    let word = (link.addr() as u64 ^ key(at)).rotate_right(32);
    let next = word.wrapping_mul(SECRET.inverse.load(Relaxed)) ^ SECRET.mask.load(Relaxed);
    let next = next as usize;
    if next != 0 && !could_follow(next, at.addr()) {
        faults::overwritten(at.cast());
    }
    ptr::with_exposed_provenance_mut(next)
}

#[inline]
fn key(at: *mut Block) -> u64 {
    (at.addr() as u64).wrapping_mul(SECRET.place.load(Relaxed))
}

#[inline]
fn could_follow(next: usize, at: usize) -> bool {
    (next ^ at) < ARENA && next.is_multiple_of(align_of::<Block>()) && next & (ARENA - 1) >= HEADER
}

/// Draws the secret, once. The caller holds the lock under which arenas are mapped.
pub(super) fn draw_secret() {
    if SECRET.factor.load(Relaxed) != 0 {
        return;
    }
    let [one, two] = os::random();
    let factor = mixed(one ^ mixed(two)) | 1;
    SECRET.mask.store(mixed(two ^ mixed(!one)), Relaxed);
    SECRET
        .place
        .store(mixed(one.wrapping_add(two)) | 1, Relaxed);
    SECRET.inverse.store(inverse(factor), Relaxed);
    SECRET.factor.store(factor, Relaxed);
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood, 2014): each bit of the result depends on each of the argument.
fn mixed(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

/// By Newton's iteration, which doubles the bits that are right: three are at first, since odd * odd = 1 modulo 8.
fn inverse(odd: u64) -> u64 {
    let better = |guess: u64| guess.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(guess)));
    (0..5).fold(odd, |guess, _| better(guess))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Links from one place, with a secret.
    fn places() -> (*mut Block, [*mut Block; 3]) {
        draw_secret();
        let at = |offset: usize| ptr::without_provenance_mut((1 << 40) + HEADER + offset);
        (at(64), [ptr::null_mut(), at(0), at(4_096)])
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let (at, nexts) = places();
        for next in nexts {
            assert_eq!(decode(encode(next, at), at), next);
            assert_ne!(encode(next, at), next);
        }
    }

    /// As `decode` sees it, which ends the process.
    fn passes(link: usize, at: *mut Block) -> bool {
        let word = (link as u64 ^ key(at)).rotate_right(32);
        let next = word.wrapping_mul(SECRET.inverse.load(Relaxed)) ^ SECRET.mask.load(Relaxed);
        next == 0 || could_follow(next as usize, at.addr())
    }

    #[test]
    fn no_change_of_a_bit_or_of_the_place_passes_for_a_link() {
        let (at, nexts) = places();
        for next in nexts {
            let link = encode(next, at).addr();
            assert!(passes(link, at), "as it is");
            for bit in 0..64 {
                assert!(!passes(link ^ (1 << bit), at), "bit {bit}");
            }
            for moved in [8, 16, 4_096, 65_536] {
                assert!(!passes(link, at.wrapping_byte_add(moved)), "by {moved}");
            }
            for plain in [0, at.addr(), next.addr(), usize::MAX] {
                assert!(!passes(plain, at), "{plain:#x}");
            }
        }
    }

    #[test]
    fn the_inverse_is_one() {
        for odd in [1, 3, 0xBF58_476D_1CE4_E5B9, u64::MAX] {
            assert_eq!(odd.wrapping_mul(inverse(odd)), 1);
        }
    }
}
