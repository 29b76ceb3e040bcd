//! A large heap has huge pages, and what is given back of one stays away: from then on it is told to the kernel as pages
//! of the usual size, of which no thread of the kernel's makes a huge one again. A heap has none whose pools are about empty.
#![cfg(target_os = "linux")]

mod support;

use std::alloc::{GlobalAlloc, Layout};
use std::sync::Barrier;
use std::thread;

use support::{Held, POOL, alone, huge_pages, stats};

const MIB: usize = 1 << 20;
const ARENA: usize = 2 * MIB;

/// What the kernel says of the mapping around an address.
fn flags_around(address: usize) -> String {
    let maps = std::fs::read_to_string("/proc/self/smaps").expect("linux");
    let mut is_around = false;
    for line in maps.lines() {
        let range = line
            .split_whitespace()
            .next()
            .and_then(|word| word.split_once('-'));
        let hexadecimal = |digits| usize::from_str_radix(digits, 16).ok();
        if let Some((start, end)) = range
            && let (Some(start), Some(end)) = (hexadecimal(start), hexadecimal(end))
        {
            is_around = (start..end).contains(&address);
        } else if is_around && let Some(flags) = line.strip_prefix("VmFlags:") {
            return format!("{flags} ");
        }
    }
    panic!("{address:#x} is not mapped");
}

fn asks_for_huge_pages(block: &*mut u8) -> bool {
    flags_around(block.addr() & !(ARENA - 1)).contains(" hg ")
}

fn declines_huge_pages(block: &*mut u8) -> bool {
    flags_around(block.addr() & !(ARENA - 1)).contains(" nh ")
}

/// Whether the system gives huge pages to processes that ask for them, and to this one.
fn are_to_be_had() -> bool {
    // SAFETY: the call only reads.
    let disabled = unsafe { libc::prctl(libc::PR_GET_THP_DISABLE, 0, 0, 0, 0) };
    let modes = std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled");
    disabled == 0 && modes.is_ok_and(|modes| !modes.contains("[never]"))
}

#[test]
fn a_huge_page_of_which_some_was_swept_is_none_any_more() {
    alone(|| {
        huge_pages(true);
        sweep_some();
    });
}

fn sweep_some() {
    let layout = Layout::from_size_align(64, 8).expect("valid");
    // SAFETY: the size is not zero.
    let block = |_| unsafe { POOL.alloc(layout) };
    let blocks: Vec<_> = (0..64 * MIB / 64).map(block).collect();
    // The last may be the only block of an arena that has just begun.
    let some: Vec<_> = blocks.iter().copied().step_by(500).collect();
    let huge = some
        .iter()
        .filter(|block| asks_for_huge_pages(block))
        .count();
    if !are_to_be_had() {
        assert_eq!(huge, 0);
        return println!("not tested: this system gives no huge pages to those who ask");
    }
    assert!(huge > some.len() / 2, "{huge} of {}", some.len());
    assert!(
        !some.first().is_some_and(asks_for_huge_pages),
        "a small heap does not ask"
    );

    // Every five hundredth survives, so that no pool is closed.
    for (number, block) in blocks.into_iter().enumerate() {
        if number % 500 != 0 {
            // SAFETY: each block is held and freed once.
            unsafe { POOL.dealloc(block, layout) };
        }
    }
    let swept = some
        .iter()
        .filter(|block| declines_huge_pages(block))
        .count();
    assert!(swept > some.len() * 9 / 10, "{swept} of {}", some.len());
    POOL.release();
    assert!(some.iter().all(declines_huge_pages));
    let left = stats().cached_bytes;
    assert!(left < 12 * MIB, "{left}");
    for block in some {
        // SAFETY: as above.
        unsafe { POOL.dealloc(block, layout) };
    }
    POOL.release();
    assert_eq!(stats().allocated_bytes + stats().cached_bytes, 0);
}

/// As if they were resident as a whole, though of each pool there is little.
fn assert_usual(blocks: &[Held]) {
    let huge = blocks
        .iter()
        .map(|block| block.range().start & !(ARENA - 1))
        .filter(|arena| flags_around(*arena).contains(" hg "));
    assert_eq!(huge.count(), 0, "of {}", blocks.len());
}

#[test]
fn pools_that_many_threads_have_hardly_begun_are_on_no_huge_page() {
    const THREADS: usize = 40;
    alone(|| {
        huge_pages(true);
        let all_have = &Barrier::new(THREADS);
        let open = |_| {
            let sizes = (1..64).map(|nth| nth * 64);
            let blocks: Vec<Held> = sizes.map(|size| Held::new(size, 8, 1)).collect();
            all_have.wait(); // else each would have the pools of those before
            blocks
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|nth| scope.spawn(move || open(nth)))
                .collect();
            for thread in threads {
                assert_usual(&thread.join().expect("it does not fail"));
            }
        });
    });
}

#[test]
fn blocks_of_which_a_program_may_use_little_are_on_no_huge_page() {
    alone(|| {
        huge_pages(true);
        let blocks: Vec<Held> = (0..1_000).map(|_| Held::new(60 << 10, 8, 1)).collect();
        assert_usual(&blocks[..100]);
        assert_usual(&blocks[900..]);
    });
}
