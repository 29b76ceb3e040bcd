//! The kernel's account of the process, beside the allocator's. Alone in its process, so that nothing else moves.
#![cfg(target_os = "linux")]

mod support;

use std::alloc::{GlobalAlloc, Layout};

use support::{POOL, alone, stats};

/// Bytes of anonymous memory that are resident: exact, since the kernel walks the page tables.
fn anonymous_bytes() -> usize {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").expect("linux");
    let line = rollup
        .lines()
        .find(|line| line.starts_with("Anonymous:"))
        .expect("a line of the rollup");
    let kib: usize = line
        .split_whitespace()
        .nth(1)
        .expect("a number")
        .parse()
        .expect("a number");
    kib << 10
}

#[test]
fn the_kernel_agrees_with_the_stats() {
    alone(|| {
        const COUNT: usize = 2_000_000;
        const NOISE: usize = 256 << 10;
        let layout = Layout::new::<[u64; 3]>();
        let mut blocks = vec![std::ptr::null_mut(); COUNT];
        blocks.fill(std::ptr::dangling_mut());
        let baseline = anonymous_bytes();
        for block in &mut blocks {
            // SAFETY: the layout's size is not zero.
            *block = unsafe { POOL.alloc(layout) };
            // SAFETY: the block is as large as the array.
            unsafe { block.cast::<[u64; 3]>().write([1, 2, 3]) };
        }
        let built = anonymous_bytes() - baseline;
        let account = stats().allocated_bytes + stats().cached_bytes + stats().metadata_bytes;
        assert!(
            built.abs_diff(account) <= NOISE,
            "kernel {built}, allocator {account}"
        );
        for block in &blocks {
            // SAFETY: each block is held and freed once.
            unsafe { POOL.dealloc(*block, layout) };
        }
        let kept = anonymous_bytes().saturating_sub(baseline);
        let account = stats().cached_bytes + stats().metadata_bytes;
        assert!(
            kept <= account + NOISE,
            "kernel {kept}, allocator {account}"
        );
        assert!(kept <= built / 100 + (1 << 20), "kept {kept} of {built}");
        POOL.release();
        let left = anonymous_bytes().saturating_sub(baseline);
        assert!(left <= NOISE, "{left} left");
    });
}
