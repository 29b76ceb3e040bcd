//! Random histories against a model: what is held keeps its contents, alignment and place, whatever else happens.

mod support;

use std::collections::BTreeMap;
use std::sync::mpsc;

use proptest::collection::vec;
use proptest::prelude::*;
use support::{Held, alone, kept_bytes, stats};

/// One step of a history. Numbers that choose a block are taken modulo the number of blocks held.
#[derive(Clone, Debug)]
enum Step {
    Allocate {
        size: usize,
        align: usize,
        zeroed: bool,
    },
    Resize {
        which: usize,
        size: usize,
    },
    Free {
        which: usize,
    },
    FreeHalf {
        odd: bool,
    },
    /// With threads only: whoever holds the block sends it to another thread, which frees it.
    Send {
        which: usize,
        to: usize,
    },
}

fn any_size() -> impl Strategy<Value = usize> {
    prop_oneof![
        8 => 1_usize..=128,
        4 => 129_usize..=2048,
        3 => 2049_usize..=(16 << 10),
        2 => (16_usize << 10)..=(300 << 10),
        1 => (300_usize << 10)..=(3 << 20),
        // On and around the borders of the classes.
        2 => (3_u32..=20, 0_usize..=2).prop_map(|(bit, off)| (1 << bit) + off - 1),
    ]
}

fn any_align() -> impl Strategy<Value = usize> {
    prop_oneof![
        10 => (0_u32..=4).prop_map(|bit| 1 << bit),
        3 => (5_u32..=16).prop_map(|bit| 1 << bit),
        1 => (17_u32..=23).prop_map(|bit| 1 << bit),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (any_size(), any_align(), any::<bool>())
            .prop_map(|(size, align, zeroed)| Step::Allocate { size, align, zeroed }),
        3 => (any::<usize>(), any_size()).prop_map(|(which, size)| Step::Resize { which, size }),
        4 => any::<usize>().prop_map(|which| Step::Free { which }),
        1 => any::<bool>().prop_map(|odd| Step::FreeHalf { odd }),
        2 => (any::<usize>(), any::<usize>()).prop_map(|(which, to)| Step::Send { which, to }),
    ]
}

/// The blocks that a thread holds, and what a step does to them. `Send` hands the block to `away`.
#[derive(Default)]
struct Holder {
    blocks: Vec<Held>,
    count: usize,
}

impl Holder {
    fn step(&mut self, step: &Step, away: impl FnOnce(Held, usize)) {
        let chosen = |which: usize| (!self.blocks.is_empty()).then(|| which % self.blocks.len());
        match *step {
            Step::Allocate {
                size,
                align,
                zeroed,
            } => {
                self.count += 1;
                let seed = self.count as u8;
                self.blocks.push(match zeroed {
                    true => Held::new_zeroed(size, align, seed),
                    false => Held::new(size, align, seed),
                });
            }
            Step::Resize { which, size } => {
                if let Some(which) = chosen(which) {
                    self.blocks[which].resize(size);
                }
            }
            Step::Free { which } => drop(chosen(which).map(|which| self.blocks.swap_remove(which))),
            Step::FreeHalf { odd } => {
                let mut number = 0;
                self.blocks.retain(|_| {
                    number += 1;
                    (number % 2 == 0) == odd
                });
            }
            Step::Send { which, to } => {
                if let Some(which) = chosen(which) {
                    away(self.blocks.swap_remove(which), to);
                }
            }
        }
    }

    fn check(&self) {
        self.blocks.iter().for_each(Held::check);
        let places: BTreeMap<usize, usize> = self
            .blocks
            .iter()
            .map(|block| (block.range().start, block.range().end))
            .collect();
        assert_eq!(
            places.len(),
            self.blocks.len(),
            "two blocks begin at one place"
        );
        for (one, next) in places.iter().zip(places.iter().skip(1)) {
            assert!(one.1 <= next.0, "blocks overlap: {one:x?} {next:x?}");
        }
    }
}

/// After everything is freed, a release leaves nothing but the heaps and what is behind their pages.
fn nothing_is_left() {
    support::POOL.release();
    let stats = stats();
    assert_eq!(stats.allocated_bytes, 0, "{stats:?}");
    assert_eq!(stats.cached_bytes, 0, "{stats:?}");
    assert_eq!(stats.arenas, 0, "{stats:?}");
    assert!(kept_bytes() < 64 << 10, "{stats:?}");
}

/// Few cases, so that the whole is a matter of seconds; `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 64;
    }
    config.failure_persistence = None;
    config
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn blocks_keep_contents_alignment_and_place(steps in vec(any_step(), 1..200)) {
        alone(|| {
        let mut holder = Holder::default();
        for step in &steps {
            holder.step(step, |block, _| drop(block));
            stats();
        }
        holder.check();
        drop(holder);
        nothing_is_left();
        });
    }

    #[test]
    fn blocks_survive_threads_that_free_for_each_other_and_exit(
        histories in vec(vec(any_step(), 1..80), 2..5),
    ) {
        alone(|| {
        let (ports, boxes): (Vec<_>, Vec<_>) = histories.iter().map(|_| mpsc::channel::<Held>()).unzip();
        let threads: Vec<_> = histories
            .into_iter()
            .zip(boxes)
            .map(|(history, inbox)| {
                let ports = ports.clone();
                std::thread::spawn(move || {
                    let mut holder = Holder::default();
                    for (number, step) in history.iter().enumerate() {
                        let away = |block, to: usize| {
                            // A thread that has ended does not take it; then the error frees it here.
                            let _ = ports[to % ports.len()].send(block);
                        };
                        holder.step(step, away);
                        // Some of what was sent here is freed, some is kept and freed later.
                        for (late, block) in inbox.try_iter().enumerate() {
                            if (late + number) % 2 == 0 {
                                holder.blocks.push(block);
                            }
                        }
                    }
                    holder.check();
                    // The thread ends while its blocks live.
                    (holder, inbox)
                })
            })
            .collect();
        drop(ports);
        let rest: Vec<_> = threads.into_iter().map(|thread| thread.join().expect("no thread fails")).collect();
        stats();
        let mut all = Holder::default();
        for (holder, inbox) in rest {
            all.blocks.extend(holder.blocks);
            all.blocks.extend(inbox);
        }
        all.check();
        drop(all);
        nothing_is_left();
        });
    }
}
