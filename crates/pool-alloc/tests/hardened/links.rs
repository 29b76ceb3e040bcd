//! Writes to free blocks, which the allocator notices when it follows the link that stood there.

use crate::program::End::Line;
use crate::program::Run::{self, Faulty};
use crate::program::{POOL, give, give_elsewhere, programs, shows, take};

programs! {
    a_link_that_was_cleared_is_noticed,
    Line("overwritten link: @ is a free block of 24 bytes, and was written to after it was freed"), cleared;

    a_link_to_a_block_cannot_be_written,
    Line("overwritten link: @ is a free block of 24 bytes, and was written to after it was freed"), aimed;

    a_link_with_its_low_byte_changed_is_noticed,
    Line("overwritten link: @ is a free block of 24 bytes, and was written to after it was freed"), nudged;

    a_link_from_another_block_is_noticed,
    Line("overwritten link: @ is a free block of 24 bytes, and was written to after it was freed"), copied;

    a_link_is_noticed_where_it_waits_for_the_owner,
    Line("overwritten link: @ is a free block of 24 bytes, and was written to after it was freed"), remote;

    a_link_that_stood_there_before_hands_out_no_block_in_use,
    Line("broken free list: @ is a block of 24 bytes, and was about to be handed out again"), replayed;
}

fn first_word(block: *mut u8) -> u64 {
    // SAFETY: the memory of a block stays mapped while others of its pool are in use.
    unsafe { block.cast::<u64>().read() }
}

/// Writes to a block, in use or not.
fn set_first_word(block: *mut u8, word: u64) {
    // SAFETY: as above; that nobody else uses it is what the faulty runs break.
    unsafe { block.cast::<u64>().write(word) };
}

/// Frees two blocks and writes `word` into the one freed last, in a faulty run before it goes out again, in the other
/// one after.
fn with_written(run: Run, word: impl Fn([*mut u8; 3]) -> u64) {
    let blocks @ [kept, first, last] = [take(24), take(24), take(24)];
    give(first, 24);
    give(last, 24);
    if run == Faulty {
        set_first_word(shows(last), word(blocks));
    }
    let again = [take(24), take(24)];
    assert_eq!(again, [last, first]);
    if run != Faulty {
        set_first_word(last, word(blocks));
    }
    again
        .into_iter()
        .chain([kept])
        .for_each(|block| give(block, 24));
}

fn cleared(run: Run) {
    with_written(run, |_| 0);
}

fn aimed(run: Run) {
    with_written(run, |[kept, ..]| kept.addr() as u64);
}

fn nudged(run: Run) {
    with_written(run, |[.., last]| first_word(last) ^ 0x18);
}

fn copied(run: Run) {
    with_written(run, |[_, first, _]| first_word(first));
}

/// Takes 24 bytes until the pool's untouched blocks have run out, and with them the reason not to collect.
fn remote(run: Run) {
    let block = take(24);
    let mut all = vec![take(24)];
    give_elsewhere(shows(block), 24);
    if run == Faulty {
        set_first_word(block, 1);
    }
    while all.last() != Some(&block) {
        all.push(take(24));
    }
    all.into_iter().for_each(|block| give(block, 24));
    POOL.release();
}

/// The link to `first` is put back where it stood, when `first` is in use.
fn replayed(run: Run) {
    let [kept, first, last] = [take(24), take(24), take(24)];
    give(first, 24);
    give(last, 24);
    let link = first_word(last);
    assert_eq!([take(24), take(24)], [last, first]);
    give(last, 24);
    if run == Faulty {
        shows(first);
        set_first_word(last, link);
    }
    let more = [take(24), take(24)];
    assert_eq!(more[0], last);
    more.into_iter()
        .chain([kept, first])
        .for_each(|block| give(block, 24));
}
