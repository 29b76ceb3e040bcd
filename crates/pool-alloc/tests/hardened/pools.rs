//! Frees and resizes of what is no block in use of a pool, and of blocks in use with a layout that is not theirs.

use std::alloc::GlobalAlloc;

use pool_alloc::by_address;

use crate::program::End::Line;
use crate::program::Run::{self, Faulty};
use crate::program::{POOL, give, give_elsewhere, layout, programs, shows, take};

const ARENA: usize = 2 << 20;

programs! {
    a_second_free_is_a_double_free,
    Line("double free: @ is a free block of 24 bytes"), second_free;

    a_second_free_by_another_thread_is_a_double_free,
    Line("double free: @ is a free block of 24 bytes"), second_free_elsewhere;

    a_second_free_of_what_waits_for_its_owner_is_a_double_free,
    Line("double free: @ is a free block of 24 bytes"), both_frees_elsewhere;

    of_two_frees_at_once_one_is_a_double_free,
    Line("double free: @ is a free block of 24 bytes"), frees_at_once;

    a_second_free_is_noticed_when_the_pool_is_closed,
    Line("invalid free: @ is where no pool is, or is any more"), second_free_in_a_free_slice;

    a_second_free_is_noticed_when_the_arena_is_unmapped,
    Line("invalid free: @ is in an arena that was given back"), second_free_in_no_arena;

    a_free_of_the_inside_of_a_block_is_invalid,
    Line("invalid free: @ is 16 bytes into a block of 24 bytes"), free_inside;

    a_free_of_a_byte_of_a_block_is_invalid,
    Line("invalid free: @ is 1 bytes into a block of 24 bytes"), free_unaligned;

    a_free_of_an_untouched_block_is_invalid,
    Line("invalid free: @ is a block of 24 bytes that was never in use"), free_untouched;

    a_free_of_a_header_is_invalid,
    Line("invalid free: @ is in the header of an arena"), free_header;

    a_free_of_the_stack_is_invalid,
    Line("invalid free: @ is in no memory of the allocator's"), free_stack;

    a_free_as_a_larger_block_has_the_wrong_layout,
    Line("wrong layout: @ is a block of 24 bytes, and was said to have 32"), free_as_larger;

    a_free_as_a_block_of_the_other_kind_has_the_wrong_layout,
    Line("wrong layout: @ is a block of 24 bytes, and was said to have 100000"), free_as_medium;

    a_free_as_a_large_block_has_the_wrong_layout,
    Line("wrong layout: @ is a block of 24 bytes, and was said to have 1000000"), free_as_large;

    a_free_as_a_block_of_a_smaller_class_has_the_wrong_layout,
    Line("wrong layout: @ is a block of 1024 bytes, and was said to have 896"), free_as_smaller;

    a_resize_of_a_free_block_is_a_use_after_free,
    Line("use after free: @ is a free block of 24 bytes"), resize_after_free;

    a_resize_with_another_layout_has_the_wrong_layout,
    Line("wrong layout: @ is a block of 24 bytes, and was said to have 48"), resize_as_larger;

    a_second_free_by_address_is_a_double_free,
    Line("double free: @ is a free block of 32 bytes"), second_free_by_address;

    a_free_by_address_of_the_inside_of_a_block_is_invalid,
    Line("invalid free: @ is 16 bytes into a block of 32 bytes"), free_inside_by_address;

    a_look_at_a_free_block_is_a_use_after_free,
    Line("use after free: @ is a free block of 32 bytes"), look_after_free;
}

fn second_free(run: Run) {
    let (kept, block) = (take(24), take(24));
    give(shows(block), 24);
    if run == Faulty {
        give(block, 24);
    }
    give(kept, 24);
}

fn second_free_elsewhere(run: Run) {
    let (kept, block) = (take(24), take(24));
    give(shows(block), 24);
    if run == Faulty {
        give_elsewhere(block, 24);
    }
    give(kept, 24);
}

fn both_frees_elsewhere(run: Run) {
    let (kept, block) = (take(24), take(24));
    give_elsewhere(shows(block), 24);
    if run == Faulty {
        give_elsewhere(block, 24);
    }
    give(kept, 24);
}

fn frees_at_once(run: Run) {
    let (kept, block) = (take(24), shows(take(24)).expose_provenance());
    let start = std::sync::Barrier::new(2);
    let free = |address: usize| {
        start.wait();
        give(std::ptr::with_exposed_provenance_mut(address), 24);
    };
    let other = if run == Faulty {
        block
    } else {
        take(24).expose_provenance()
    };
    std::thread::scope(|scope| {
        scope.spawn(|| free(block));
        scope.spawn(|| free(other));
    });
    give(kept, 24);
}

fn second_free_in_a_free_slice(run: Run) {
    let block = take(100_000);
    give(shows(block), 100_000);
    if run == Faulty {
        give(block, 100_000);
    }
}

fn second_free_in_no_arena(run: Run) {
    let block = take(100_000);
    give(shows(block), 100_000);
    POOL.release();
    if run == Faulty {
        give(block, 100_000);
    }
}

fn free_inside(run: Run) {
    let block = take(24);
    if run == Faulty {
        give(shows(block.wrapping_add(16)), 24);
    }
    give(block, 24);
}

fn free_unaligned(run: Run) {
    let block = take(24);
    if run == Faulty {
        give(shows(block.wrapping_add(1)), 24);
    }
    give(block, 24);
}

fn free_untouched(run: Run) {
    let block = take(24);
    // With another taken, the address is that of a block in use.
    let next = if run == Faulty {
        block.wrapping_add(24)
    } else {
        take(24)
    };
    assert_eq!(next, block.wrapping_add(24));
    give(shows(next), 24);
    give(block, 24);
}

fn free_header(run: Run) {
    let block = take(24);
    let header = block.map_addr(|at| (at & !(ARENA - 1)) + 64);
    give(if run == Faulty { shows(header) } else { block }, 24);
}

fn free_stack(run: Run) {
    let block = take(24);
    let mut local = 0_u64;
    let local = (&raw mut local).cast::<u8>();
    give(if run == Faulty { shows(local) } else { block }, 24);
}

fn free_as_larger(run: Run) {
    // The sound run frees with another size of the same class.
    give(shows(take(24)), if run == Faulty { 32 } else { 17 });
}

fn free_as_medium(run: Run) {
    give(shows(take(24)), if run == Faulty { 100_000 } else { 24 });
}

fn free_as_large(run: Run) {
    give(shows(take(24)), if run == Faulty { 1_000_000 } else { 24 });
}

fn free_as_smaller(run: Run) {
    let block = shows(take(1_024));
    // What was resized within its class is where it was.
    // SAFETY: the block is held with this layout.
    let same = unsafe { POOL.realloc(block, layout(1_024), 897) };
    assert_eq!(same, block);
    give(block, if run == Faulty { 896 } else { 897 });
}

fn resize_after_free(run: Run) {
    let (kept, mut block) = (take(24), take(24));
    if run == Faulty {
        give(shows(block), 24);
    }
    // SAFETY: the block is held with this layout, in the sound run.
    block = unsafe { POOL.realloc(block, layout(24), 100) };
    give(block, 100);
    give(kept, 24);
}

fn resize_as_larger(run: Run) {
    let block = shows(take(24));
    let old = if run == Faulty { 48 } else { 24 };
    // SAFETY: the block is held with this layout, in the sound run.
    let block = unsafe { POOL.realloc(block, layout(old), 100) };
    give(block, 100);
}

/// Frees by its address what may be a block.
fn give_by_address(block: *mut u8) {
    // SAFETY: none, in a faulty run.
    unsafe { by_address::free(block) };
}

fn second_free_by_address(run: Run) {
    let (kept, block) = (by_address::allocate(24, 8), by_address::allocate(24, 8));
    give_by_address(shows(block));
    if run == Faulty {
        give_by_address(block);
    }
    give_by_address(kept);
}

fn free_inside_by_address(run: Run) {
    let block = by_address::allocate(24, 8);
    if run == Faulty {
        give_by_address(shows(block.wrapping_add(16)));
    }
    give_by_address(block);
}

fn look_after_free(run: Run) {
    let (kept, block) = (by_address::allocate(24, 8), by_address::allocate(24, 8));
    if run == Faulty {
        give_by_address(shows(block));
    }
    // SAFETY: the block is in use, in the sound run.
    assert_eq!(unsafe { by_address::usable_size(block) }, 32);
    give_by_address(block);
    give_by_address(kept);
}
