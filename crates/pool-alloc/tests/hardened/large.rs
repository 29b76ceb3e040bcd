//! Large blocks: what is freed that is none, or with a size that is not its own; and the guards on both sides.

use std::alloc::{GlobalAlloc, Layout};

use pool_alloc::by_address;

use crate::program::End::{Fault, Line};
use crate::program::Run::{self, Faulty};
use crate::program::{POOL, give, layout, programs, shows, take};

const PAGE: usize = 4096;
const SIZE: usize = 100 * PAGE;

programs! {
    a_second_free_of_a_large_block_is_a_double_free,
    Line("double free: @ is where a large block was, which is free"), second_free;

    a_free_with_the_size_of_other_pages_has_the_wrong_layout,
    Line("wrong layout: @ is a large block of 409600 bytes, and was said to have 409601"), free_as_larger;

    a_free_of_a_large_block_as_a_small_one_has_the_wrong_layout,
    Line("wrong layout: @ is a large block, and was said to have 24"), free_as_small;

    a_free_of_a_page_of_a_large_block_is_invalid,
    Line("invalid free: @ is in no memory of the allocator's"), free_inside;

    a_resize_of_a_free_large_block_is_a_use_after_free,
    Line("use after free: @ is where a large block was, which is free"), resize_after_free;

    a_resize_of_a_large_block_with_another_size_has_the_wrong_layout,
    Line("wrong layout: @ is a large block of 409600 bytes, and was said to have 600000"), resize_as_larger;

    the_old_place_of_a_large_block_that_moved_is_free,
    Line("double free: @ is where a large block was, which is free"), free_of_the_old_place;

    a_second_free_of_a_large_block_by_address_is_a_double_free,
    Line("double free: @ is where a large block was, which is free"), second_free_by_address;

    a_write_behind_a_large_block_faults, Fault, write_behind;
    a_write_before_a_large_block_faults, Fault, write_before;
    a_read_before_a_large_block_faults, Fault, read_before;
    a_write_behind_an_aligned_block_faults, Fault, write_behind_aligned;
    a_write_behind_a_block_that_grew_faults, Fault, write_behind_grown;
    a_write_behind_a_block_that_shrank_faults, Fault, write_behind_shrunk;
    a_write_behind_a_large_block_by_address_faults, Fault, write_behind_by_address;
    a_write_behind_a_block_resized_by_address_faults, Fault, write_behind_resized_by_address;
}

fn second_free(run: Run) {
    let block = take(SIZE);
    give(shows(block), SIZE);
    if run == Faulty {
        give(block, SIZE);
    }
}

fn free_as_larger(run: Run) {
    // The sound run names another size of as many pages.
    let other = if run == Faulty { SIZE + 1 } else { SIZE - 1 };
    give(shows(take(SIZE)), other);
}

fn free_as_small(run: Run) {
    give(shows(take(SIZE)), if run == Faulty { 24 } else { SIZE });
}

fn free_inside(run: Run) {
    let block = take(3 << 20);
    let inside = block.wrapping_add(2 << 20);
    give(if run == Faulty { shows(inside) } else { block }, 3 << 20);
}

fn resized(block: *mut u8, old: usize, new: usize) -> *mut u8 {
    // SAFETY: the block is held with this layout, in the sound runs.
    unsafe { POOL.realloc(block, layout(old), new) }
}

fn resize_after_free(run: Run) {
    let mut block = take(SIZE);
    if run == Faulty {
        give(shows(block), SIZE);
    }
    block = resized(block, SIZE, 2 * SIZE);
    give(block, 2 * SIZE);
}

fn resize_as_larger(run: Run) {
    let block = shows(take(SIZE));
    let block = resized(block, if run == Faulty { 600_000 } else { SIZE }, 2 * SIZE);
    give(block, 2 * SIZE);
}

fn free_of_the_old_place(run: Run) {
    let old = shows(take(SIZE));
    let new = resized(old, SIZE, 2 * SIZE);
    assert_ne!(old, new);
    if run == Faulty {
        give(old, SIZE);
    }
    give(new, 2 * SIZE);
}

fn second_free_by_address(run: Run) {
    let block = by_address::allocate(SIZE, 8);
    // SAFETY: the block is in use.
    unsafe { by_address::free(shows(block)) };
    if run == Faulty {
        // SAFETY: none.
        unsafe { by_address::free(block) };
    }
}

/// Writes a byte of the block, or in a faulty run, the one next to it.
fn write(run: Run, byte: *mut u8, next: *mut u8) {
    let at = if run == Faulty { next } else { byte };
    // SAFETY: the byte is the block's, in a sound run.
    unsafe { at.write_volatile(1) };
}

fn write_last(run: Run, block: *mut u8, size: usize) {
    let behind = block.wrapping_add(size);
    write(run, behind.wrapping_sub(1), behind);
}

fn write_behind(run: Run) {
    let block = take(SIZE);
    write_last(run, block, SIZE);
    give(block, SIZE);
}

fn write_before(run: Run) {
    let block = take(SIZE);
    write(run, block, block.wrapping_sub(1));
    give(block, SIZE);
}

fn read_before(run: Run) {
    let block = take(SIZE);
    let at = if run == Faulty {
        block.wrapping_sub(PAGE)
    } else {
        block
    };
    // SAFETY: a new block's bytes are there, in a sound run.
    assert_eq!(unsafe { at.read_volatile() }, 0);
    give(block, SIZE);
}

fn write_behind_aligned(run: Run) {
    let aligned = Layout::from_size_align(PAGE, 8 << 20).expect("valid");
    // SAFETY: the size is not zero.
    let block = unsafe { POOL.alloc(aligned) };
    assert_eq!(block.addr() % aligned.align(), 0);
    write_last(run, block, PAGE);
    // SAFETY: the block is held with this layout.
    unsafe { POOL.dealloc(block, aligned) };
}

fn write_behind_grown(run: Run) {
    let block = resized(take(SIZE), SIZE, 3 * SIZE);
    write_last(run, block, 3 * SIZE);
    give(block, 3 * SIZE);
}

fn write_behind_shrunk(run: Run) {
    let block = resized(take(3 * SIZE), 3 * SIZE, SIZE);
    write_last(run, block, SIZE);
    give(block, SIZE);
}

fn write_behind_by_address(run: Run) {
    let block = by_address::allocate(SIZE, 8);
    write_last(run, block, SIZE);
    // SAFETY: the block is in use.
    unsafe { by_address::free(block) };
}

fn write_behind_resized_by_address(run: Run) {
    let block = by_address::allocate(SIZE, 8);
    // SAFETY: the block is in use; of the old pointer nothing is used after that.
    let block = unsafe { by_address::resize(block, 2 * SIZE) };
    write_last(run, block, 2 * SIZE);
    // SAFETY: the block is in use.
    unsafe { by_address::free(block) };
}
