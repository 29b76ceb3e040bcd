//! `producer-consumer`: one thread allocates messages, another frees them, in turns.
//!
//! Does memory come back to a thread that never frees, or from one that never allocates?
//! microsoft/mimalloc#333 and #351: blocks that another thread frees wait in their owner's heap
//! until the owner next allocates. The consumer falls behind until it has `size` messages before
//! it, then works them off while the producer stands still with its next batch in hand.
//!
//! Under glibc the verdict would otherwise be that of where the heap happens to end. Without the batch
//! it would be trimmed in the drop down to the highest block in a thread's cache. And messages of up
//! to 128 bytes would be joined with the others only by `malloc_trim`, which does not give back the
//! free end of a thread's heap, up to 64 MiB: there are none.

use std::collections::VecDeque;
use std::hint::black_box;
use std::mem::take;

use fastrand::Rng;

use crate::turns::Worker;
use crate::{Object, Scenario, boxed};

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "producer-consumer",
    summary: "messages of 160 to 1,500 bytes, allocated by one thread and freed by another",
    question: "does memory come back when one thread only allocates and another only frees?",
    unit: "messages",
    default_size: 150_000,
    footprint_bytes: |size| {
        size.saturating_mul(MEAN_BYTES + 2 * REFERENCE_BYTES + 20)
            .saturating_add(BATCH * (MEAN_BYTES + 2 * REFERENCE_BYTES))
    },
    build: |size, seed| boxed(|| Backlog::build(size, seed)),
};

type Message = Box<[u8]>;

const REFERENCE_BYTES: u64 = size_of::<Message>() as u64;
const MEAN_BYTES: u64 = (160 + 1_500) / 2;

/// Messages handed over at a time.
const BATCH: u64 = 1_000;

struct Backlog {
    messages: VecDeque<Message>,
    producer: Worker<Desk>,
}

impl Backlog {
    /// Of every batch the consumer works off half, until the backlog is as long as it is to be.
    fn build(size: u64, seed: u64) -> Backlog {
        let rng = Rng::with_seed(seed);
        let producer = Worker::hire(Desk {
            rng,
            batch: Vec::new(),
        });
        let mut messages = VecDeque::with_capacity((size + BATCH) as usize);
        while (messages.len() as u64) < size {
            producer.work(Desk::produce);
            messages.extend(producer.desk(|desk| take(&mut desk.batch)));
            let longest = messages.len() as u64 - BATCH / 2;
            messages.drain(..messages.len() - longest.min(size) as usize);
        }
        producer.work(Desk::produce);
        Backlog { messages, producer }
    }
}

impl Object for Backlog {
    fn live_bytes(&self) -> u64 {
        let next = self.producer.desk(|desk| bytes_of(&desk.batch));
        let places = self.messages.capacity() as u64 + BATCH;
        bytes_of(&self.messages) + next + places * REFERENCE_BYTES
    }

    /// The backlog is worked off by this thread. The producer stays, and so does its next batch.
    fn drop_large(mut self: Box<Self>) -> Option<Box<dyn Object>> {
        self.messages = VecDeque::new();
        Some(self)
    }
}

/// What lies between the two: the producer's source of sizes, and the batch that it has made.
struct Desk {
    rng: Rng,
    batch: Vec<Message>,
}

impl Desk {
    fn produce(&mut self) {
        self.batch = (0..BATCH).map(|_| message(&mut self.rng)).collect();
    }
}

fn bytes_of<'a>(messages: impl IntoIterator<Item = &'a Message>) -> u64 {
    let bytes = messages.into_iter().map(|message| message.len() as u64);
    bytes.sum()
}

fn message(rng: &mut Rng) -> Message {
    black_box(vec![1; rng.usize(160..=1_500)].into_boxed_slice())
}
