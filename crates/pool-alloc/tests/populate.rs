//! A heap that grows gets the pages of its next pool all at once, and gives back those that it did not come to use.
//! Alone in its process: the classes used here are used by nobody else.
#![cfg(target_os = "linux")]

mod support;

use std::alloc::{GlobalAlloc, Layout};

use support::{POOL, alone};

/// Bytes of a pool, and the boundary that it lies at.
const POOL_BYTES: usize = 64 << 10;

/// So many pools of a class are filled before the next one comes whole.
const EARNED: usize = 128;

/// Bytes of the pool around `block` that are resident.
fn resident_bytes(block: *mut u8) -> usize {
    // SAFETY: the call only reads.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
    let start = block.map_addr(|at| at & !(POOL_BYTES - 1));
    let mut pages = vec![0; POOL_BYTES / page];
    // SAFETY: the pool lies within a mapping, and there is an entry for each of its pages.
    let outcome = unsafe { libc::mincore(start.cast(), POOL_BYTES, pages.as_mut_ptr()) };
    assert_eq!(outcome, 0);
    pages.iter().filter(|page| **page & 1 != 0).count() * page
}

/// Fills pools with blocks until so many others were begun; the blocks, and for each pool begun what was resident of it
/// with its first block.
fn grow(layout: Layout, pools: usize) -> (Vec<*mut u8>, Vec<usize>) {
    let (mut blocks, mut resident) = (Vec::new(), Vec::new());
    let mut last = 0;
    while resident.len() < pools {
        // SAFETY: the layout's size is not zero.
        let block = unsafe { POOL.alloc(layout) };
        // SAFETY: the block has room for a byte.
        unsafe { block.write(1) };
        blocks.push(block);
        let pool = block.addr() / POOL_BYTES;
        if std::mem::replace(&mut last, pool) != pool {
            resident.push(resident_bytes(block));
        }
    }
    (blocks, resident)
}

fn free(blocks: &[*mut u8], layout: Layout) {
    for block in blocks {
        // SAFETY: each block is held and freed once.
        unsafe { POOL.dealloc(*block, layout) };
    }
}

/// Linux before 5.14 cannot.
fn kernel_can_populate() -> bool {
    let mut page = [0u8; 1];
    // SAFETY: a length of zero asks whether the advice is known, and does nothing.
    unsafe {
        libc::madvise(
            page.as_mut_ptr().map_addr(|at| at & !0xffff).cast(),
            0,
            libc::MADV_POPULATE_WRITE,
        ) == 0
    }
}

#[test]
fn a_class_that_grows_gets_whole_pools() {
    if !kernel_can_populate() {
        return eprintln!("skipped: this kernel has no MADV_POPULATE_WRITE");
    }
    alone(|| {
        let layout = Layout::from_size_align(48, 8).expect("a layout");
        let (blocks, resident) = grow(layout, EARNED + 3);
        assert!(
            resident[..EARNED]
                .iter()
                .all(|bytes| *bytes < POOL_BYTES / 2),
            "{resident:?}"
        );
        // One at an arena's start shares its 64 KiB with the header of the arena, which nobody asked for whole.
        let (whole, rest) = (POOL_BYTES, POOL_BYTES / 2);
        let came = &resident[EARNED..];
        assert!(came.iter().all(|bytes| *bytes > rest), "{resident:?}");
        assert!(
            came.iter().filter(|bytes| **bytes == whole).count() >= 2,
            "{resident:?}"
        );

        // What it never came to use goes when it is asked for.
        let last = *blocks.last().expect("a block");
        assert!(POOL.release() >= POOL_BYTES / 2);
        assert!(resident_bytes(last) < POOL_BYTES / 2);
        // SAFETY: the block is held.
        assert_eq!(unsafe { last.read() }, 1);

        // Once one was emptied, it has to be earned again.
        free(&blocks, layout);
        POOL.release();
        let (blocks, resident) = grow(layout, EARNED);
        assert!(
            resident[..EARNED]
                .iter()
                .all(|bytes| *bytes < POOL_BYTES / 2),
            "{resident:?}"
        );
        free(&blocks, layout);
    });
}

#[test]
fn what_a_thread_that_grew_never_came_to_use_goes_with_it() {
    if !kernel_can_populate() {
        return eprintln!("skipped: this kernel has no MADV_POPULATE_WRITE");
    }
    alone(|| {
        let layout = Layout::from_size_align(48, 8).expect("a layout");
        let work = || {
            let (mut blocks, _) = grow(layout, EARNED + 3);
            // A quarter of the last one is in use, so that nobody takes it for sparse.
            // SAFETY: the layout's size is not zero.
            blocks.extend((0..POOL_BYTES / 4 / 48).map(|_| unsafe { POOL.alloc(layout) }));
            let addresses = blocks.into_iter().map(|block| block.expose_provenance());
            addresses.collect::<Vec<_>>()
        };
        let left = std::thread::scope(|scope| scope.spawn(work).join().expect("it does not fail"));
        let blocks = left.into_iter().map(std::ptr::with_exposed_provenance_mut);
        let blocks: Vec<*mut u8> = blocks.collect();
        let last = *blocks.last().expect("a block");
        assert!(resident_bytes(last) < POOL_BYTES / 2);
        free(&blocks, layout);
    });
}

#[test]
fn pools_of_medium_blocks_never_do() {
    alone(|| {
        let layout = Layout::from_size_align(10 << 10, 8).expect("a layout");
        let (blocks, resident) = grow(layout, 8 * (EARNED + 3));
        assert!(
            resident.iter().all(|bytes| *bytes < POOL_BYTES),
            "{resident:?}"
        );
        free(&blocks, layout);
    });
}
