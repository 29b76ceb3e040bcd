//! Many large blocks: what is freed among them gives its memory back, and takes no mapping of the kernel's, of which a
//! process has only so many. Alone in its process.
#![cfg(all(target_os = "linux", not(feature = "hardened")))]

mod support;

use std::alloc::{GlobalAlloc, Layout};
use std::fs;

use pool_alloc::by_address;
use support::{POOL, alone};

/// So many are many, and half of them, too (`runs::table`).
const BLOCKS: usize = if cfg!(debug_assertions) { 240 } else { 40_000 };
/// From here on they are.
const MANY: usize = if cfg!(debug_assertions) { 64 } else { 8_192 };
const SIZE: usize = 300 << 10;
const PAGES: usize = SIZE / 4096;

fn mappings() -> usize {
    let maps = fs::read_to_string("/proc/self/maps").expect("Linux lists them");
    maps.lines().count()
}

/// Pages of the process: of addresses, and resident ones.
fn pages() -> (usize, usize) {
    let statm = fs::read_to_string("/proc/self/statm").expect("Linux counts them");
    let mut fields = statm
        .split(' ')
        .map(|field| field.parse().expect("a number"));
    let mut next = || fields.next().expect("there are seven");
    (next(), next())
}

/// How blocks are had, and freed.
struct Way {
    allocate: fn() -> *mut u8,
    free: unsafe fn(*mut u8),
    /// Mappings of so many blocks, about, until there are many.
    of_few: usize,
}

const LAYOUT: Layout = match Layout::from_size_align(SIZE, 8) {
    Ok(layout) => layout,
    Err(_) => unreachable!(),
};

const WAYS: [Way; 2] = [
    Way {
        // SAFETY: the size is not zero.
        allocate: || unsafe { POOL.alloc(LAYOUT) },
        // SAFETY: as promised by the caller.
        free: |block| unsafe { POOL.dealloc(block, LAYOUT) },
        of_few: 1,
    },
    Way {
        allocate: || by_address::allocate(SIZE, 16),
        // SAFETY: as promised by the caller.
        free: |block| unsafe { by_address::free(block) },
        of_few: MANY,
    },
];

/// A block, a word of which is written at either end.
fn block(way: &Way) -> *mut u8 {
    let block = (way.allocate)();
    assert!(!block.is_null());
    for at in [0, SIZE - size_of::<usize>()] {
        let word = block.wrapping_add(at).cast::<usize>();
        // SAFETY: the block has this word.
        let before = unsafe { word.read_unaligned() };
        assert_eq!(before, 0, "what is fresh, and what was hollow, is zero");
        // SAFETY: as above.
        unsafe { word.write_unaligned(word.addr()) };
    }
    block
}

fn drop_block(way: &Way, block: *mut u8) {
    for at in [0, SIZE - size_of::<usize>()] {
        let word = block.wrapping_add(at).cast::<usize>();
        // SAFETY: the block has this word.
        assert_eq!(unsafe { word.read_unaligned() }, word.addr());
    }
    // SAFETY: the block is in use, and this is its end.
    unsafe { (way.free)(block) };
}

#[test]
fn what_is_freed_among_many_blocks_takes_no_mapping_and_no_memory() {
    /// Beside the blocks, an arena or two and what the test itself has.
    const OTHERS: usize = 12;
    for way in &WAYS {
        alone(|| {
            let (before, (addresses_before, _)) = (mappings(), pages());
            let added = || mappings().saturating_sub(before);
            let blocks: Vec<_> = (0..BLOCKS).map(|_| block(way)).collect();
            assert!(added() <= way.of_few + OTHERS, "{}", added());

            let (_, resident) = pages();
            let halves = blocks.iter().enumerate();
            let (goes, stays): (Vec<_>, Vec<_>) = halves.partition(|(number, _)| number % 2 == 0);
            for &(_, block) in &goes {
                drop_block(way, *block);
            }
            assert!(added() <= way.of_few + OTHERS, "{}", added());
            let gone = resident.saturating_sub(pages().1);
            assert!(gone >= goes.len() * 3 / 2, "{gone} pages of two each");

            let (addresses, _) = pages();
            let again: Vec<_> = goes.iter().map(|_| block(way)).collect();
            let more = pages().0.saturating_sub(addresses);
            // What one of the first left is too short for one of those that touch.
            let most = goes.len() * PAGES / 4 + way.of_few * 512;
            assert!(more < most, "{more} pages more, though there was room");
            assert!(added() <= way.of_few + OTHERS, "{}", added());

            for (_, block) in stays {
                drop_block(way, *block);
            }
            for block in again {
                drop_block(way, block);
            }
            assert!(added() <= OTHERS, "{}", added());
            let left = pages().0.saturating_sub(addresses_before);
            assert!(left < BLOCKS * PAGES / 20, "{left} pages of addresses");
        });
    }
}

#[cfg(debug_assertions)]
#[test]
fn blocks_that_grow_and_shrink_among_many_keep_what_they_hold() {
    alone(|| {
        let mut blocks: Vec<_> = (0..BLOCKS)
            .map(|number| support::Held::new(SIZE, 8, number as u8))
            .collect();
        for (number, block) in blocks.iter_mut().enumerate() {
            let to = [SIZE / 4, SIZE * 2, SIZE - 5_000, SIZE * 3 / 2][number % 4];
            assert!(block.try_resize(to));
        }
        for round in 0..4 {
            let mut number = 0;
            blocks.retain(|_| {
                number += 1;
                number % 4 != round
            });
            for block in &mut blocks {
                assert!(block.try_resize(SIZE + round * 70_000));
            }
        }
    });
}
