//! Many large blocks: what is freed among them gives its memory back, and takes no mapping of the kernel's, of which a
//! process has only so many. Alone in its process.
#![cfg(all(target_os = "linux", not(feature = "hardened")))]

mod support;

use std::alloc::{GlobalAlloc, Layout};
use std::fs;

use pool_alloc::by_address;
use support::{POOL, alone, huge_pages};

/// So many are many, and half of them, too (`runs::table`).
const BLOCKS: usize = if cfg!(debug_assertions) { 240 } else { 40_000 };
/// From here on they are.
const MANY: usize = if cfg!(debug_assertions) { 96 } else { 8_192 };
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

/// Has the C library map no arena for another thread, whose addresses would be counted.
fn has_one_arena() {
    // SAFETY: the call has no conditions.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
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
    for way in &WAYS {
        alone(|| {
            has_one_arena();
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

/// Beside the blocks, an arena or two and what the test itself has.
const OTHERS: usize = 12;

#[test]
fn blocks_that_take_the_place_of_shorter_ones_take_no_mapping() {
    for way in &WAYS {
        alone(|| {
            has_one_arena();
            let before = mappings();
            let mut blocks: Vec<_> = (0..BLOCKS).map(|_| block(way)).collect();
            for held in &mut blocks {
                drop_block(way, *held);
                *held = by_address::allocate(10 * SIZE, 16);
                assert!(!held.is_null());
            }
            let added = mappings().saturating_sub(before);
            assert!(added <= MANY + OTHERS, "{added}");
            for block in blocks {
                // SAFETY: the block is in use, and this is its end.
                unsafe { by_address::free(block) };
            }
        });
    }
}

/// Until half of them have gone, many are many.
#[test]
fn where_there_are_a_few_less_than_many_nothing_takes_a_mapping() {
    alone(|| {
        has_one_arena();
        let before = mappings();
        let mut blocks: Vec<_> = (0..MANY).map(|_| block(&WAYS[0])).collect();
        for number in (0..MANY / 3).rev() {
            drop_block(&WAYS[0], blocks.swap_remove(3 * number));
        }
        let added = mappings().saturating_sub(before);
        assert!(added <= OTHERS, "{added}");
        blocks
            .into_iter()
            .for_each(|block| drop_block(&WAYS[0], block));
    });
}

#[test]
fn blocks_grow_into_what_was_freed_behind_them() {
    alone(|| {
        let mut blocks: Vec<_> = (0..2 * MANY).map(|_| block(&WAYS[0])).collect();
        blocks.sort();
        // Two that were had one after the other.
        let touch = |pair: &[*mut u8]| pair[1].addr() - pair[0].addr() < SIZE + 2 * 4096;
        let first = blocks.windows(2).position(touch).expect("most do");
        drop_block(&WAYS[0], blocks.remove(first + 1));
        let grows = blocks.remove(first);
        let layout = Layout::from_size_align(SIZE * 3 / 2, 8).expect("it is small enough");
        // SAFETY: the block is in use, and not used again.
        let grown = unsafe { POOL.realloc(grows, LAYOUT, layout.size()) };
        assert_eq!(grown, grows);
        // SAFETY: the block is in use, and this is its end.
        unsafe { POOL.dealloc(grown, layout) };
        blocks
            .into_iter()
            .for_each(|block| drop_block(&WAYS[0], block));
    });
}

/// Where addresses are all there is, those that wait for blocks of another size are given back.
#[test]
fn what_is_hollow_is_there_for_a_larger_block_where_memory_is_out() {
    alone(|| {
        let blocks: Vec<_> = (0..2 * MANY).map(|_| block(&WAYS[0])).collect();
        for block in blocks.iter().step_by(2) {
            drop_block(&WAYS[0], *block);
        }
        let bytes = (pages().0 * 4096 + SIZE) as libc::rlim_t;
        let limit = libc::rlimit {
            rlim_cur: bytes,
            rlim_max: bytes,
        };
        // SAFETY: the child calls nothing but the allocator, and what may be called in a signal handler.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // SAFETY: the limit is there to read.
            let is_limited = unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) } == 0;
            let has_room = !by_address::allocate(20 * SIZE, 16).is_null();
            // SAFETY: the child ends.
            unsafe { libc::_exit(i32::from(!is_limited) + 2 * i32::from(!has_room)) };
        }
        let mut status = 0;
        // SAFETY: the child was made above, and the status is ours to write.
        unsafe { libc::waitpid(child, &mut status, 0) };
        assert_eq!(status, 0);
        let kept = blocks.into_iter().skip(1).step_by(2);
        kept.for_each(|block| drop_block(&WAYS[0], block));
    });
}

/// What moves takes a mapping, so not many do; the others are copied, but for what was never touched of them.
#[test]
fn blocks_that_grow_take_some_mappings_and_little_memory() {
    /// Of which some may move.
    const BLOCKS: usize = if cfg!(debug_assertions) { 720 } else { 40_000 };
    alone(|| {
        has_one_arena();
        let before = mappings();
        const GROWN: usize = SIZE * 5 / 2;
        let mut blocks: Vec<_> = (0..BLOCKS).map(|_| block(&WAYS[0])).collect();
        let (_, resident) = pages();
        // Not side by side, as what moves together goes on touching.
        for number in 0..BLOCKS {
            let block = &mut blocks[number * 7 % BLOCKS];
            // SAFETY: the block is in use, and not used again.
            *block = unsafe { POOL.realloc(*block, LAYOUT, GROWN) };
            assert!(!block.is_null());
        }
        let more = pages().1.saturating_sub(resident);
        assert!(more < BLOCKS * PAGES / 8, "{more} pages more");
        let added = mappings().saturating_sub(before);
        assert!(added <= 4 * MANY + OTHERS, "{added}");
        let layout = Layout::from_size_align(GROWN, 8).expect("it is small enough");
        for block in blocks {
            // SAFETY: the block is in use, and this is its end.
            unsafe { POOL.dealloc(block, layout) };
        }
        POOL.release();
        let left = mappings().saturating_sub(before);
        assert!(left <= OTHERS, "{left}");
    });
}

/// The runs of blocks that are found by their address reach as far as to the next, which none has need of.
#[test]
fn zeroed_blocks_hold_no_more_memory_than_they_have() {
    alone(|| {
        let held: Vec<_> = (0..BLOCKS).map(|_| block(&WAYS[1])).collect();
        let (_, resident) = pages();
        let mut most = 0;
        for _ in 0..30 {
            let round: Vec<_> = (0..50).map(|_| by_address::allocate_zeroed(SIZE)).collect();
            most = most.max(pages().1);
            for block in round {
                // SAFETY: the block is in use, and this is its end.
                unsafe { by_address::free(block) };
            }
        }
        let more = most.saturating_sub(resident);
        assert!(more < 50 * PAGES * 3 / 2, "{more} pages more");
        held.into_iter()
            .for_each(|block| drop_block(&WAYS[1], block));
    });
}

/// Of a block whose run reaches to the next, what it has no need of any more goes back; and where one from before there were
/// many becomes shorter, its run does not become longer.
#[test]
fn blocks_that_shrink_give_memory_back_and_take_no_addresses() {
    alone(|| {
        has_one_arena();
        let resized = |block: *mut u8, size: usize| {
            // SAFETY: the block is in use, and not used again.
            let block = unsafe { by_address::resize(block, size) };
            assert!(!block.is_null());
            block
        };
        let filled = |_: usize| {
            let block = by_address::allocate(3 * SIZE, 16);
            assert!(!block.is_null());
            // SAFETY: the block has so many bytes.
            unsafe { block.write_bytes(1, 3 * SIZE) };
            block
        };
        let mut blocks: Vec<_> = (0..2 * MANY).map(filled).collect();
        let (addresses, resident) = pages();
        for block in &mut blocks {
            *block = resized(*block, SIZE);
        }
        let gone = resident.saturating_sub(pages().1);
        assert!(gone > blocks.len() * 3 * PAGES / 2, "{gone} pages");
        let more = pages().0.saturating_sub(addresses);
        assert!(more < PAGES, "{more} pages of addresses");
        for block in blocks {
            // SAFETY: the block is in use, and this is its end.
            unsafe { by_address::free(block) };
        }
    });
}

/// Those that asked for huge pages, as there were few yet, leave none behind.
#[test]
fn what_little_is_touched_of_a_block_is_no_huge_page() {
    const SIZE: usize = 4 << 20;
    const LAYOUT: Layout = match Layout::from_size_align(SIZE, 8) {
        Ok(layout) => layout,
        Err(_) => unreachable!(),
    };
    alone(|| {
        huge_pages(true);
        // SAFETY: the size is not zero.
        let allocate = || unsafe { POOL.alloc(LAYOUT) };
        // SAFETY: the block is in use, and this is its end.
        let free = |block: *mut u8| unsafe { POOL.dealloc(block, LAYOUT) };
        let held: Vec<_> = (0..2 * MANY).map(|_| allocate()).collect();
        held.iter().step_by(2).for_each(|block| free(*block));
        let (_, resident) = pages();
        let zeroed = (0..MANY / 2).map(|_| {
            // SAFETY: the size is not zero.
            unsafe { POOL.alloc_zeroed(LAYOUT) }
        });
        // Nor do others ask for any where there are many.
        let others = (0..MANY / 2).map(|_| allocate());
        let touched: Vec<_> = zeroed.chain(others).collect();
        for block in &touched {
            // SAFETY: it has a byte in the middle.
            unsafe { block.wrapping_add(SIZE / 2).write(1) };
        }
        let more = pages().1.saturating_sub(resident);
        assert!(more < MANY * 16, "{more} pages more");
        touched.into_iter().for_each(free);
        let kept = held.into_iter().skip(1).step_by(2);
        kept.for_each(free);
    });
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
