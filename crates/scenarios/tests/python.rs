//! What the allocator below a Python is asked for: what CPython asks its C library for, and nothing for
//! the model's own sake.
//!
//! This test's global allocator counts, for the thread that asks, how many blocks of each size are
//! out, in the buckets that the claims are about.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use afterdrop_scenarios::python::{self, Build};
use afterdrop_scenarios::{Object, find};

struct Counting;

/// Blocks that are out, and those of the bytes that [`INT_BLOCK`] has apart from all others.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Out {
    int_blocks: isize,
    other_blocks: isize,
    other_bytes: isize,
}

thread_local! {
    static OUT: Cell<Out> = const { Cell::new(Out { int_blocks: 0, other_blocks: 0, other_bytes: 0 }) };
}

/// A pointer and 41 ints of 24 bytes.
const INT_BLOCK: usize = 8 + 41 * 24;

#[global_allocator]
static GLOBAL: Counting = Counting;

fn count(layout: Layout, blocks: isize) {
    let mut out = OUT.get();
    if layout.size() == INT_BLOCK {
        out.int_blocks += blocks;
    } else {
        out.other_blocks += blocks;
        out.other_bytes += blocks * layout.size() as isize;
    }
    OUT.set(out);
}

// SAFETY: every call goes to the system allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout, 1);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(layout, -1);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(block, layout) }
    }
}

const INTS: u64 = 100_000;

/// The list's items, a pointer each.
const ITEMS: Out = Out {
    int_blocks: 0,
    other_blocks: 1,
    other_bytes: 8 * INTS as isize,
};

/// What is out more than before, built, dropped and collected.
fn walk(python: &str) -> [Out; 3] {
    let scenario = find("python-int-list").expect("a scenario");
    let build: Build = python.parse().expect("a version of the table");
    python::start(build, scenario, INTS);
    let before = OUT.get();
    let more = || {
        let out = OUT.get();
        Out {
            int_blocks: out.int_blocks - before.int_blocks,
            other_blocks: out.other_blocks - before.other_blocks,
            other_bytes: out.other_bytes - before.other_bytes,
        }
    };
    let object: Box<dyn Object> = (scenario.build)(INTS, 1);
    let built = more();
    assert!(object.drop_large().is_none());
    let dropped = more();
    python::collect();
    [built, dropped, more()]
}

/// One test, since there is one program at a time.
#[test]
fn a_list_of_ints_asks_for_its_items_and_in_python_2_for_blocks_of_41_ints() {
    let [built, dropped, collected] = walk("2.7");
    let blocks = python::look(|python| python.int_blocks().expect("it has such").blocks);
    // The small ints are shared; the first block may have room for some.
    let at_least = (INTS as isize - 257) / 41;
    assert!((at_least..=at_least + 1).contains(&built.int_blocks));
    assert_eq!(
        Out {
            int_blocks: 0,
            ..built
        },
        ITEMS
    );
    let of_ints_alone = Out {
        int_blocks: built.int_blocks,
        ..Out::default()
    };
    assert_eq!(dropped, of_ints_alone, "the free list keeps all of them");
    assert_eq!(collected, Out::default());
    // Seven have the 262 small ints.
    assert_eq!(blocks, Some(7));

    // Arenas are mapped, and the small ints are shared.
    assert_eq!(walk("3.13"), [ITEMS, Out::default(), Out::default()]);
}
