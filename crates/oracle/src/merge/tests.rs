//! Shards in whatever order, machines alike and unlike, and what is refused.

use model::{Cell, Comparison, Shard};
use proptest::prelude::*;

use crate::fixture::{cell, comparison};
use crate::merge::{Source, merge};

/// So many cells, of which each can be told from the others.
fn whole(count: u64) -> Comparison {
    let numbered = |size| Cell {
        size,
        ..cell(1.0, 0.0, 0.0, 0)
    };
    let mut whole = comparison((1..=count).map(numbered).collect());
    whole.command = "cargo xtask compare --size 3".to_owned();
    whole
}

fn shards(whole: &Comparison, of: u32) -> Vec<Source> {
    let shard = |index| {
        let shard = Shard { index, of };
        let cells = whole.cells.iter().enumerate();
        let mut part = whole.clone();
        part.cells = cells
            .filter(|(place, _)| shard.has(*place))
            .map(|(_, cell)| cell.clone())
            .collect();
        part.shard = Some(shard);
        part.command = format!("cargo xtask compare --shard {shard} --size 3 --out {index}.json");
        Source {
            name: format!("{index}.json"),
            comparison: part,
        }
    };
    (1..=of).map(shard).collect()
}

proptest! {
    #[test]
    fn shards_make_the_whole_in_whatever_order(count in 0..40_u64, of in 1..8_u32, seed: u64) {
        let whole = whole(count);
        let mut shards = shards(&whole, of);
        let turn = seed as usize % shards.len();
        shards.rotate_left(turn);
        prop_assert_eq!(merge(shards), Ok(whole));
    }

    #[test]
    fn a_shard_less_or_twice_is_refused(of in 2..8_u32, seed: u64) {
        let shards = shards(&whole(20), of);
        let one = seed as usize % shards.len();
        let mut less = shards.clone();
        less.remove(one);
        let missing = format!("shard {}/{of} is missing", one + 1);
        prop_assert_eq!(merge(less), Err(missing));
        let mut twice = shards.clone();
        twice.push(shards[one].clone());
        prop_assert!(merge(twice).is_err_and(|line| line.contains("are both shard")));
    }
}

fn sources(named: [(&str, Comparison); 2]) -> Vec<Source> {
    let source = |(name, comparison): (&str, Comparison)| Source {
        name: name.to_owned(),
        comparison,
    };
    named.map(source).into()
}

#[test]
fn different_cells_stand_side_by_side() {
    let mut other = whole(2);
    other.cells.iter_mut().for_each(|cell| cell.seed = 2);
    let merged = merge(sources([("a", whole(2)), ("b", other)])).expect("they go together");
    let seeds: Vec<u64> = merged.cells.iter().map(|cell| cell.seed).collect();
    assert_eq!(seeds, [1, 2, 1, 2]);
    assert!(merged.machines.is_empty());
    assert!(merged.cells.iter().all(|cell| cell.machine.is_none()));
}

#[test]
fn the_same_cells_of_two_machines_keep_their_machine() {
    let mut other = whole(1);
    other.host.glibc = Some("2.41".to_owned());
    let both = [("a", whole(1)), ("b", other.clone())];
    let merged = merge(sources(both)).expect("they go together");
    let machines = merged.cells.iter().map(|cell| cell.machine.as_deref());
    assert_eq!(machines.collect::<Vec<_>>(), [Some("a"), Some("b")]);
    assert_eq!(merged.machines[1].host.glibc.as_deref(), Some("2.41"));

    let refused = |named| merge(sources(named)).expect_err("they do not go together");
    let alike = refused([("a", whole(1)), ("b", whole(1))]);
    assert_eq!(
        alike,
        "a and b both hold s under a, from machines that are alike: leave one out"
    );
    let twins = refused([("a", whole(1)), ("a", other)]);
    assert!(twins.starts_with("two files are called a"), "{twins}");
}

#[test]
fn shards_of_machines_unlike_and_of_other_runs_are_refused() {
    let refused = |change: fn(&mut Comparison)| {
        let mut shards = shards(&whole(4), 2);
        change(&mut shards[1].comparison);
        merge(shards).expect_err("they do not go together")
    };
    assert_eq!(
        refused(|shard| shard.host.glibc = Some("2.41".to_owned())),
        "1.json and 2.json were measured with glibc 2.36 and 2.41: shards of one run need machines alike"
    );
    let other = refused(|shard| shard.shard = Some(Shard { index: 2, of: 3 }));
    assert!(other.ends_with("they are of different runs"), "{other}");
    let longer = refused(|shard| shard.cells.extend(whole(3).cells));
    assert!(longer.ends_with("of different runs"), "{longer}");
    let whole = refused(|shard| shard.shard = None);
    assert_eq!(
        whole,
        "1.json is a shard and 2.json is none: merge the shards first"
    );
    let interrupted = refused(|shard| shard.interrupted = true);
    assert_eq!(interrupted, "2.json was interrupted: run it again");
}

#[test]
fn shards_of_another_command_or_version_are_refused() {
    let refused = |change: fn(&mut Comparison)| {
        let mut shards = shards(&whole(4), 2);
        change(&mut shards[1].comparison);
        merge(shards).expect_err("they do not go together")
    };
    let other =
        "1.json and 2.json are of different runs: cargo xtask compare --size 3 (afterdrop 0), and ";
    assert_eq!(
        refused(|shard| shard.command = "cargo xtask compare --shard=2/2 --seed 7".to_owned()),
        format!("{other}cargo xtask compare --seed 7 (afterdrop 0)")
    );
    assert_eq!(
        refused(|shard| shard.afterdrop_version = "9".to_owned()),
        format!("{other}cargo xtask compare --size 3 (afterdrop 9)")
    );
}

#[test]
fn different_cells_of_machines_unlike_have_their_machine_too() {
    let mut other = whole(2);
    other.cells.iter_mut().for_each(|cell| cell.seed = 2);
    other.host.glibc = Some("2.41".to_owned());
    let merged = merge(sources([("a", whole(2)), ("b", other.clone())])).expect("they go together");
    assert_eq!(merged.machines.len(), 2);
    assert!(merged.cells.iter().all(|cell| cell.machine.is_some()));

    // A third file that is like the first.
    let mut all = sources([("a", whole(2)), ("b", other)]);
    all.extend(
        sources([("c", whole(2)), ("d", whole(0))])
            .into_iter()
            .take(1),
    );
    let alike = merge(all).expect_err("they do not go together");
    assert!(alike.starts_with("a and c both hold s under a"), "{alike}");
}
