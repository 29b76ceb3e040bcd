//! What the allocator promises, one claim a test.

mod support;

use std::alloc::{GlobalAlloc, Layout};
use std::collections::HashSet;

use support::{Held, POOL, alone, kept_bytes, list, stats, touched_by_freeing};

const ARENA: usize = 2 << 20;

/// What a large block has in use beside its own pages.
const HEADER: usize = if cfg!(feature = "hardened") { 4096 } else { 0 };

#[test]
fn freed_arena_returns_to_os() {
    alone(|| {
        let blocks = list(20 * ARENA / 4096, 4096);
        let built = stats();
        assert!(built.arenas >= 20, "{built:?}");
        drop(blocks);
        let dropped = stats();
        assert!(dropped.arenas <= 2, "{dropped:?}");
        assert!(
            dropped.mapped_bytes + 18 * ARENA <= built.mapped_bytes,
            "{dropped:?}"
        );
    });
}

#[test]
fn drop_of_a_large_list_keeps_under_one_percent() {
    alone(|| {
        let before = kept_bytes();
        let layout = Layout::new::<[u64; 3]>();
        // SAFETY: the layout's size is not zero.
        let blocks: Vec<_> = (0..5_120_000)
            .map(|_| unsafe { POOL.alloc(layout) })
            .collect();
        let occupied = stats().allocated_bytes;
        assert_eq!(
            occupied,
            5_120_000 * 24,
            "24 bytes are a class of their own"
        );
        for block in blocks {
            // SAFETY: each block is held and freed once.
            unsafe { POOL.dealloc(block, layout) };
        }
        let kept = kept_bytes().saturating_sub(before);
        assert!(
            kept * 100 <= occupied,
            "{kept} of {occupied}: {:?}",
            stats()
        );
    });
}

#[test]
fn order_of_frees_does_not_decide_what_is_kept() {
    alone(|| {
        for stride in [1, 7, 4_099, 99_991] {
            let count = 400_000;
            let layout = Layout::new::<[u64; 32]>();
            // SAFETY: the layout's size is not zero.
            let blocks: Vec<_> = (0..count).map(|_| unsafe { POOL.alloc(layout) }).collect();
            let occupied = stats().allocated_bytes;
            for number in 0..count {
                // SAFETY: the stride and the count have no common factor, so each block is freed once.
                unsafe { POOL.dealloc(blocks[number * stride % count], layout) };
            }
            let kept = kept_bytes();
            assert!(
                kept <= occupied / 100 + (128 << 10),
                "stride {stride}: {kept} of {occupied}"
            );
        }
    });
}

#[test]
fn free_pools_go_back_though_their_arena_lives() {
    alone(|| {
        let mut blocks = list(8 * ARENA / 2048, 2048);
        let built = stats();
        // One block in each arena stays.
        let mut number = 0;
        blocks.retain(|_| {
            number += 1;
            number % (ARENA / 2048) == 0
        });
        let dropped = stats();
        assert!(dropped.arenas >= 8, "{dropped:?}");
        assert!(
            dropped.released_bytes > built.released_bytes + 8 * ARENA / 2,
            "{dropped:?}"
        );
        assert!(
            dropped.cached_bytes <= (128 << 10) + 9 * (64 << 10),
            "{dropped:?}"
        );
    });
}

/// Drops all of 400,000 blocks of 160 bytes but each `nth`; returns the survivors and what is kept beside them.
fn survivors(nth: usize) -> (Vec<Held>, usize) {
    let mut blocks = list(400_000, 160);
    let mut number = 0;
    blocks.retain(|_| {
        number += 1;
        number % nth == 0
    });
    let kept = stats().cached_bytes;
    (blocks, kept)
}

#[test]
fn survivors_hold_their_pages_and_no_others() {
    const SPARSE: usize = 5 * (64 << 10); // pools that were not swept yet, and the one that is current
    const DIRTY: usize = 128 << 10;
    alone(|| {
        for nth in [1_000, 5_000] {
            let (few, kept) = survivors(nth);
            assert!(
                kept <= few.len() * 4096 + SPARSE + DIRTY,
                "{kept} for {} survivors",
                few.len()
            );
        }
        // The same measure tells when they are everywhere.
        let (many, kept) = survivors(20);
        assert!(kept > 30 << 20, "{kept} for {} survivors", many.len());
    });
}

#[test]
fn swept_pages_are_used_again() {
    alone(|| {
        let (few, _) = survivors(1_000);
        let swept = stats();
        let more = list(380_000, 160);
        let filled = stats();
        assert!(
            filled.mapped_bytes <= swept.mapped_bytes + 8 * ARENA,
            "{swept:?} {filled:?}"
        );
        drop(few);
        drop(more);
        assert_eq!(stats().allocated_bytes, 0);
    });
}

#[test]
fn release_gives_back_what_the_policy_kept() {
    alone(|| {
        drop(list(1_000, 512));
        let kept = stats();
        assert!(
            kept.cached_bytes >= 64 << 10,
            "a steady loop finds its memory again: {kept:?}"
        );
        assert!(POOL.release() >= kept.cached_bytes);
        let released = stats();
        assert_eq!(
            (released.cached_bytes, released.arenas),
            (0, 0),
            "{released:?}"
        );
        assert_eq!(POOL.release(), 0);
    });
}

#[test]
fn stats_add_up() {
    alone(|| {
        let empty = stats();
        assert_eq!(empty.allocated_bytes, 0);
        let sizes: [(usize, usize); 4] =
            [(24, 24), (100, 104), (5_000, 5_120), (200 << 10, 224 << 10)];
        let mut expected = 0;
        let mut blocks = Vec::new();
        for (size, class) in sizes {
            blocks.push(Held::new(size, 8, 3));
            expected += class;
            assert_eq!(
                stats().allocated_bytes,
                expected,
                "{size} bytes take a block of {class}"
            );
        }
        blocks.push(Held::new(1_000_000, 8, 3));
        assert_eq!(stats().large_bytes, 1_003_520 + HEADER, "245 pages");
        assert_eq!(stats().allocated_bytes, expected + 1_003_520 + HEADER);
        drop(blocks);
        assert_eq!((stats().allocated_bytes, stats().large_bytes), (0, 0));
    });
}

#[test]
#[cfg_attr(
    feature = "hardened",
    ignore = "the ends of blocks with guards are at the end of a page"
)]
fn large_blocks_begin_at_different_lines_and_take_no_page_more() {
    let begin = |size: usize, align: usize| {
        let blocks: Vec<_> = (0..64).map(|_| Held::new(size, align, 1)).collect();
        assert_eq!(stats().large_bytes, 64 * size.next_multiple_of(4096));
        let places = blocks.iter().map(|block| block.range().start % 4096);
        places.collect::<HashSet<_>>()
    };
    alone(|| {
        let lines = begin(300_000, 8);
        assert!(lines.len() > 16, "{lines:?}");
        assert!(lines.iter().all(|place| place % 64 == 0));
        // Where the last page has no room for that, or the alignment is greater, all are at a page's beginning.
        assert_eq!(begin(75 * 4096, 8), HashSet::from([0]));
        assert_eq!(begin(300_000, 128), HashSet::from([0]));
    });
}

#[test]
#[cfg_attr(feature = "hardened", ignore = "as above")]
fn a_large_block_keeps_its_line_when_it_is_resized_and_has_the_pages_for_that() {
    const PAGE: usize = 4096;
    alone(|| {
        let of = |size| Layout::from_size_align(size, 8).expect("valid");
        // SAFETY: the size is not zero.
        let blocks = [(); 16].map(|()| unsafe { POOL.alloc(of(300_000)) });
        for block in blocks {
            let before = stats().large_bytes;
            let line = block.addr() % PAGE;
            // SAFETY: the block is held with this layout, and the new size is not zero.
            let grown = unsafe { POOL.realloc(block, of(300_000), 80 * PAGE) };
            let pages = 80 + usize::from(line > 0);
            assert_eq!(grown.addr() % PAGE, line);
            assert_eq!(stats().large_bytes, before + (pages - 74) * PAGE);
            // SAFETY: the block has so many bytes.
            unsafe { grown.write_bytes(1, 80 * PAGE) };
            // SAFETY: it is held with this layout.
            unsafe { POOL.dealloc(grown, of(80 * PAGE)) };
            assert_eq!(stats().large_bytes, before - 74 * PAGE);
        }
        assert_eq!(stats().large_bytes, 0);
        assert!(blocks.iter().any(|block| block.addr() % PAGE > 0));
    });
}

#[test]
fn untouched_memory_stays_untouched() {
    alone(|| {
        let layout = Layout::from_size_align(100 << 10, 8).expect("valid");
        // SAFETY: the size is not zero.
        let blocks: Vec<_> = (0..64)
            .map(|_| unsafe { POOL.alloc_zeroed(layout) })
            .collect();
        let resident: usize = blocks
            .iter()
            .map(|block| resident_pages(*block, layout.size()))
            .sum();
        assert_eq!(
            resident, 0,
            "zeroed memory that is zero already is not written"
        );
        for block in blocks {
            // SAFETY: each block is held and freed once.
            unsafe { POOL.dealloc(block, layout) };
        }
    });
}

/// Pages between the block's first and last that are resident.
fn resident_pages(block: *mut u8, size: usize) -> usize {
    let start = (block.addr() + 4095) & !4095;
    let pages = (block.addr() + size - start) / 4096;
    let mut resident = vec![0_u8; pages];
    let start = block.with_addr(start).cast();
    // SAFETY: the range is mapped, and the vector has a byte for each page.
    let status = unsafe { libc::mincore(start, pages * 4096, resident.as_mut_ptr()) };
    assert_eq!(status, 0);
    resident.iter().filter(|page| **page & 1 != 0).count()
}

#[test]
fn large_blocks_go_back_at_once_and_move_without_copying() {
    alone(|| {
        let before = stats();
        let mut block = Held::new(1 << 20, 8, 9);
        assert_eq!(stats().large_bytes, (1 << 20) + HEADER);
        block.resize(40 << 20);
        assert_eq!(stats().large_bytes, (40 << 20) + HEADER);
        block.resize(300 << 10);
        assert_eq!(stats().large_bytes, (300 << 10) + HEADER);
        drop(block);
        assert_eq!(stats(), before);
    });
}

#[test]
fn alignment_up_to_a_gibibyte_is_kept() {
    alone(|| {
        for bit in 0..=30 {
            for size in [1, 100, 70_000, 600_000] {
                let mut block = Held::new(size, 1 << bit, bit);
                block.resize(size * 3);
                block.resize(size);
            }
        }
    });
}

#[test]
fn impossible_sizes_give_null() {
    alone(|| {
        let most = isize::MAX as usize;
        for (size, align) in [
            (most, 1),
            (most - 4095, 4096),
            (most & !0xffff, 1 << 16),
            (1 << 61, 1 << 61),
            (8, 1 << 62),
        ] {
            let layout = Layout::from_size_align(size, align).expect("valid, if large");
            // SAFETY: the size is not zero.
            assert!(unsafe { POOL.alloc(layout) }.is_null());
            // SAFETY: the size is not zero.
            assert!(unsafe { POOL.alloc_zeroed(layout) }.is_null());
        }
        let mut block = Held::new(4096, 8, 5);
        block.check();
        let layout = Layout::from_size_align(1 << 20, 8).expect("valid");
        // SAFETY: the size is not zero.
        let large = unsafe { POOL.alloc(layout) };
        // SAFETY: the block is held with this layout.
        assert!(unsafe { POOL.realloc(large, layout, most - 4095) }.is_null());
        // SAFETY: a realloc that failed left it as it was.
        unsafe { POOL.dealloc(large, layout) };
        block.resize(8192);
    });
}

#[test]
fn blocks_freed_in_order_are_not_touched() {
    alone(|| {
        // Where misuse is to be found out, all have links.
        let touched = |count| {
            if cfg!(feature = "hardened") {
                1_000
            } else {
                count
            }
        };
        assert_eq!(touched_by_freeing(|_in_order| {}), touched(0));
        // A control: others get a link each.
        assert_eq!(touched_by_freeing(|blocks| blocks.reverse()), 1_000);
        // The first one begins a row that the next one does not continue.
        assert_eq!(
            touched_by_freeing(|blocks| blocks[1..].reverse()),
            touched(999)
        );
    });
}

/// One that lay at no multiple of 2 MiB would be taken for a pool's when it is freed.
#[test]
fn no_large_block_is_at_an_alignment_that_is_no_power_of_two() {
    assert!(pool_alloc::by_address::allocate(1 << 20, 3 << 20).is_null());
}
