//! `survivors-...`: nearly all blocks are dropped, a few stay. What do the few keep from going?
//!
//! gperftools/gperftools#1073 and facebook/jemalloc#46: one block in 33 was still alive, and
//! nearly every page with it. A page goes back when nothing on it is alive, a heap that grows
//! upwards when nothing above is: it is not how many survive that counts, but where. Hence the
//! same blocks each time, and another choice of those that stay:
//!
//! - one in 33: on three pages in four; one in 1,000: on one in forty; one in 16,384: on hardly any
//! - the last hundredth: as many as one in 100, but side by side
//! - the last one alone, above all others

use crate::block::{BYTES_PER_BLOCK, Block, block, bytes_of};
use crate::{Object, Scenario, boxed};

pub(crate) const ONE_IN_33: Scenario = Scenario {
    name: "survivors-33",
    summary: "160-byte blocks, dropped but for one in 33",
    question: "what do survivors keep when there is one on nearly every page?",
    unit: "blocks",
    default_size: 600_000,
    footprint_bytes: |size| size.saturating_mul(BYTES_PER_BLOCK),
    build: |size, _seed| Survivors::build(size, |index| index % 33 == 0),
};

pub(crate) const ONE_IN_1000: Scenario = Scenario {
    name: "survivors-1000",
    summary: "160-byte blocks, dropped but for one in 1,000",
    question: "what does a survivor every 160 KB keep?",
    build: |size, _seed| Survivors::build(size, |index| index % 1_000 == 0),
    ..ONE_IN_33
};

pub(crate) const ONE_IN_16384: Scenario = Scenario {
    name: "survivors-16384",
    summary: "160-byte blocks, dropped but for one in 16,384",
    question: "what does a survivor every 2.6 MB keep?",
    build: |size, _seed| Survivors::build(size, |index| index % 16_384 == 0),
    ..ONE_IN_33
};

pub(crate) const AT_END: Scenario = Scenario {
    name: "survivors-at-end",
    summary: "160-byte blocks, dropped but for the last hundredth",
    question: "what do survivors keep that were allocated last, side by side?",
    build: |size, _seed| Survivors::build(size, |index| index >= size - size.div_ceil(100)),
    ..ONE_IN_33
};

pub(crate) const AT_TOP: Scenario = Scenario {
    name: "survivor-at-top",
    summary: "160-byte blocks, dropped but for the very last",
    question: "what does a single block keep that was allocated after all others?",
    build: |size, _seed| Survivors::build(size, |index| index == size - 1),
    ..ONE_IN_33
};

struct Survivors {
    large: Vec<Block>,
    kept: Vec<Block>,
}

impl Survivors {
    /// Whatever outlives the drop besides the blocks is asked for before them, and lies below
    /// them where a heap grows upwards: nothing is pinned but by the blocks that are to pin.
    fn build(size: u64, survives: impl Fn(u64) -> bool) -> Box<dyn Object> {
        let kept = (0..size).filter(|&index| survives(index)).count();
        boxed(|| {
            let mut object = Survivors {
                large: Vec::with_capacity(size as usize - kept),
                kept: Vec::with_capacity(kept),
            };
            for index in 0..size {
                if survives(index) {
                    object.kept.push(block());
                } else {
                    object.large.push(block());
                }
            }
            object
        })
    }
}

impl Object for Survivors {
    fn live_bytes(&self) -> u64 {
        bytes_of(&self.large) + bytes_of(&self.kept)
    }

    fn drop_large(mut self: Box<Self>) -> Option<Box<dyn Object>> {
        self.large = Vec::new();
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The blocks that survive of 33,000, from the bytes of what is left.
    #[track_caller]
    fn check(scenario: &Scenario, expected: u64) {
        let left = (scenario.build)(33_000, 1).drop_large();
        let left = left.expect("survivors").live_bytes();
        assert_eq!(left, expected * BYTES_PER_BLOCK, "{}", scenario.name);
    }

    #[test]
    fn as_many_survive_as_the_name_says() {
        check(&ONE_IN_33, 1_000);
        check(&ONE_IN_1000, 33);
        check(&ONE_IN_16384, 3);
        check(&AT_END, 330);
        check(&AT_TOP, 1);
    }
}
