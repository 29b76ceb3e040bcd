//! Churn: what one thread builds another drops, at one level. What goes is not fetched anew each time.

mod support;

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use support::{Held, POOL, alone, fetched_pages};

/// Blocks that the other thread keeps, each for as long as chance will have it.
const KEPT: usize = 800;

/// Builds so many blocks of 1 to 64 KiB for the other thread, small ones as often as large ones.
fn build(count: usize, other: &SyncSender<Held>) {
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..count {
        let most = 2 << random.u32(10..16);
        let block = Held::new(random.usize(most / 2..most), 8, 1);
        other.send(block).expect("it listens");
    }
}

fn keep_some(blocks: &Receiver<Held>) {
    let mut random = fastrand::Rng::with_seed(2);
    let mut kept: Vec<Held> = blocks.iter().take(KEPT).collect();
    for block in blocks {
        kept[random.usize(..KEPT)] = block;
    }
}

/// Pages for 20,000 blocks, when it has gone on for as long.
fn pages_of_what_is_handed_over() -> usize {
    let (send, receive) = sync_channel(64);
    thread::scope(|scope| {
        scope.spawn(move || keep_some(&receive));
        build(20_000, &send);
        let pages = fetched_pages(|| build(20_000, &send));
        drop(send);
        pages
    })
}

#[test]
fn what_goes_is_not_fetched_anew() {
    alone(|| {
        POOL.limit_reserve(0);
        let each_time = pages_of_what_is_handed_over();
        POOL.limit_reserve(usize::MAX);
        let pages = pages_of_what_is_handed_over();
        assert!(pages * 16 < each_time, "{pages} of {each_time}");
    });
}
