//! From several comparisons to one: the shards of a run, or the results of several machines.
//!
//! ```text
//! shards      every document is one, of the same number, and none is missing:  what one run would have written
//! otherwise   no two hold the same cell:                                      side by side, by experiment
//!             two do, and were made on different machines:                    side by side, each cell with its machine
//! ```
//!
//! A shard has of every so many cells one, so taking one from each in turn restores the order.

use std::collections::HashMap;

use model::{Cell, Comparison, Host, LabCondition, Machine, Timings};

use crate::difference::machine_facts;

/// A comparison to be merged, and what to call it in a fault: its file's name.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name.
    pub name: String,
    /// What it holds.
    pub comparison: Comparison,
}

/// One comparison of all these.
///
/// # Errors
/// Why they do not go together, in a line.
pub fn merge(sources: Vec<Source>) -> Result<Comparison, String> {
    let Some(first) = sources.first() else {
        return Err("there is nothing to merge".to_owned());
    };
    let shards = sources.iter().filter(|s| s.comparison.shard.is_some());
    match shards.count() {
        0 => side_by_side(sources),
        all if all == sources.len() => shards_of_one(sources),
        _ => {
            let is_shard = |s: &&Source| s.comparison.shard.is_some();
            let whole = sources.iter().find(|s| !is_shard(s)).unwrap_or(first);
            let shard = sources.iter().find(is_shard).unwrap_or(first);
            Err(format!(
                "{} is a shard and {} is none: merge the shards first",
                shard.name, whole.name
            ))
        }
    }
}

/// What one run would have written.
fn shards_of_one(mut sources: Vec<Source>) -> Result<Comparison, String> {
    let index = |source: &Source| source.comparison.shard.map_or(0, |shard| shard.index);
    sources.sort_by_key(index);
    let of = sources[0].comparison.shard.map_or(0, |shard| shard.of);
    for source in &sources {
        let shard = source.comparison.shard;
        if let Some(shard) = shard.filter(|shard| shard.of != of) {
            let first = &sources[0].name;
            return Err(format!(
                "{first} is one of {of} shards and {} one of {}: they are of different runs",
                source.name, shard.of
            ));
        }
        if source.comparison.interrupted {
            return Err(format!("{} was interrupted: run it again", source.name));
        }
    }
    for pair in sources.windows(2) {
        if index(&pair[0]) == index(&pair[1]) {
            return Err(format!(
                "{} and {} are both shard {}/{of}",
                pair[0].name,
                pair[1].name,
                index(&pair[0])
            ));
        }
        let unlike = |(a, b): &(Fact, Fact)| a != b;
        let facts = facts(&pair[0].comparison.host).into_iter();
        let mut pairs = facts.zip(facts_of(&pair[1]));
        if let Some((old, new)) = pairs.find(unlike) {
            return Err(format!(
                "{} and {} were measured with {} {} and {}: shards of one run need machines alike",
                pair[0].name,
                pair[1].name,
                old.0,
                old.1.unwrap_or_default(),
                new.1.unwrap_or_default()
            ));
        }
    }
    if let Some(missing) = (1..=of).find(|wanted| !sources.iter().any(|s| index(s) == *wanted)) {
        return Err(format!("shard {missing}/{of} is missing"));
    }
    let mut parts: Vec<_> = sources
        .iter_mut()
        .map(|source| std::mem::take(&mut source.comparison.cells).into_iter())
        .collect();
    let mut cells = Vec::new();
    for turn in 0.. {
        match parts[turn % of as usize].next() {
            Some(cell) => cells.push(cell),
            None => break,
        }
    }
    if let Some(short) = parts.iter().position(|part| part.len() > 0) {
        return Err(format!(
            "{} has more cells than its turn: the shards are of different runs",
            sources[short].name
        ));
    }
    Ok(joined(sources, cells))
}

type Fact = (&'static str, Option<String>);

/// What makes a machine give other figures under lab conditions.
fn facts(host: &Host) -> Vec<Fact> {
    let facts = machine_facts(host).into_iter();
    facts
        .filter(|(name, _)| ["glibc", "architecture", "page size"].contains(name))
        .collect()
}

fn facts_of(source: &Source) -> Vec<Fact> {
    facts(&source.comparison.host)
}

/// The cells of all, one document's after the other's.
fn side_by_side(mut sources: Vec<Source>) -> Result<Comparison, String> {
    if let Some(source) = sources.iter().find(|s| !s.comparison.machines.is_empty()) {
        return Err(format!(
            "{} was merged of several machines: merge what it was made from",
            source.name
        ));
    }
    let common = common_cell(&sources);
    let mut machines = Vec::new();
    if let Some((one, other, cell)) = common {
        let (one, other) = (&sources[one], &sources[other]);
        let facts = |source: &Source| machine_facts(&source.comparison.host);
        if facts(one) == facts(other) {
            return Err(format!(
                "{} and {} both hold {cell}, from machines that are alike: leave one out",
                one.name, other.name
            ));
        }
        machines = named_machines(&mut sources)?;
    }
    let cells = sources
        .iter_mut()
        .flat_map(|source| std::mem::take(&mut source.comparison.cells));
    let cells = by_experiment(cells.collect());
    Ok(Comparison {
        machines,
        ..joined(sources, cells)
    })
}

/// The cells of one experiment together, these in the order in which they first come.
fn by_experiment(mut cells: Vec<Cell>) -> Vec<Cell> {
    let experiment = |cell: &Cell| (cell.experiment(), cell.size);
    let mut places = HashMap::new();
    for cell in &cells {
        let next = places.len();
        places.entry(experiment(cell)).or_insert(next);
    }
    cells.sort_by_key(|cell| places[&experiment(cell)]);
    cells
}

/// Two documents that hold the same cell, and which.
fn common_cell(sources: &[Source]) -> Option<(usize, usize, String)> {
    let mut seen = HashMap::new();
    for (number, source) in sources.iter().enumerate() {
        for cell in &source.comparison.cells {
            if let Some(earlier) = seen.insert(cell.key(), number) {
                return Some((earlier, number, spelled(cell)));
            }
        }
    }
    None
}

fn spelled(cell: &Cell) -> String {
    format!("{} under {}", cell.experiment(), cell.allocator)
}

/// Gives each cell the machine that it was measured on, by the document's name.
fn named_machines(sources: &mut [Source]) -> Result<Vec<Machine>, String> {
    let mut machines: Vec<Machine> = Vec::new();
    for source in sources {
        if machines.iter().any(|machine| machine.name == source.name) {
            return Err(format!(
                "two files are called {}, and their machines would be: rename one",
                source.name
            ));
        }
        for cell in &mut source.comparison.cells {
            cell.machine = Some(source.name.clone());
        }
        machines.push(Machine {
            name: source.name.clone(),
            command: source.comparison.command.clone(),
            host: source.comparison.host.clone(),
        });
    }
    Ok(machines)
}

/// These cells with what is said of the whole.
fn joined(sources: Vec<Source>, cells: Vec<Cell>) -> Comparison {
    let mut timings = Timings::default();
    for source in &sources {
        timings.add(&source.comparison.timings);
    }
    let interrupted = sources.iter().any(|source| source.comparison.interrupted);
    let hosts: Vec<Host> = sources.iter().map(|s| s.comparison.host.clone()).collect();
    let mut sources = sources.into_iter();
    let first = sources.next().map(|source| source.comparison);
    let first = first.expect("there is one at least");
    Comparison {
        command: without_shard(&first.command),
        host: Host {
            available_kib: hosts.iter().map(|h| h.available_kib).min().unwrap_or(0),
            lab_conditions: held_everywhere(&hosts),
            ..first.host.clone()
        },
        cells,
        interrupted,
        timings,
        shard: None,
        ..first
    }
}

/// The command line that measures all shards at once.
fn without_shard(command: &str) -> String {
    let mut words = Vec::new();
    let mut all = command.split(' ');
    while let Some(word) = all.next() {
        match word {
            "--shard" => drop(all.next()),
            _ if word.starts_with("--shard=") => {}
            _ => words.push(word),
        }
    }
    words.join(" ")
}

/// A condition held where it held on each machine.
fn held_everywhere(hosts: &[Host]) -> Vec<LabCondition> {
    let held = |name: &str| {
        let mut everywhere = hosts.iter().map(|host| {
            let condition = host.lab_conditions.iter().find(|c| c.name == name);
            condition.is_some_and(|condition| condition.held)
        });
        everywhere.all(|held| held)
    };
    let named = hosts.iter().flat_map(|host| &host.lab_conditions);
    let mut conditions: Vec<LabCondition> = Vec::new();
    for LabCondition { name, .. } in named {
        if !conditions.iter().any(|known| known.name == *name) {
            conditions.push(LabCondition {
                name: name.clone(),
                held: held(name),
            });
        }
    }
    conditions
}

#[cfg(test)]
mod tests {
    use model::Shard;
    use proptest::prelude::*;

    use super::*;
    use crate::fixture::{cell, comparison};

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
            part.command = format!("cargo xtask compare --shard {shard} --size 3");
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
}
