//! Random plans against a model: what is held keeps its contents, alignment and place, whatever else happens.

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use support::alone;
use support::plan::{Op, Order, Plan, Step, run};

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

/// Mostly one; at times enough to fill a pool of small blocks.
fn any_count() -> impl Strategy<Value = usize> {
    prop_oneof![6 => Just(1_usize), 2 => 2_usize..=16, 1 => 17_usize..=600]
}

fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (any_size(), any_align(), any::<bool>(), any_count()).prop_map(
            |(size, align, zeroed, count)| Op::Allocate { size, align, zeroed, count }
        ),
        3 => (any::<usize>(), any_size()).prop_map(|(which, size)| Op::Resize { which, size }),
        6 => any::<usize>().prop_map(|which| Op::Free { which }),
        1 => any::<bool>().prop_map(|odd| Op::FreeHalf { odd }),
        1 => (1_usize..=8).prop_map(|eighths| Op::FreeInOrder { eighths }),
        1 => Just(Op::Release),
        1 => Just(Op::End),
    ]
}

fn any_plan(threads: std::ops::Range<usize>, order: Order) -> impl Strategy<Value = Plan> {
    let step = (any::<usize>(), any_op()).prop_map(|(thread, op)| Step { thread, op });
    (threads, vec(step, 1..200)).prop_map(move |(threads, steps)| Plan {
        threads,
        order,
        steps,
    })
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
    fn blocks_keep_contents_alignment_and_place(plan in any_plan(1..2, Order::InTurns)) {
        alone(|| run(&plan));
    }

    #[test]
    fn blocks_survive_threads_that_free_for_each_other_in_turns_and_end(
        plan in any_plan(2..5, Order::InTurns),
    ) {
        alone(|| run(&plan));
    }

    #[test]
    fn blocks_survive_threads_that_free_for_each_other_at_once_and_end(
        plan in any_plan(2..5, Order::AtOnce),
    ) {
        alone(|| run(&plan));
    }
}
