//! The shards of one run: what one run would have written.
//!
//! A shard has of every so many cells one, so taking one from each in turn restores the order. They are of one run
//! where the same command was given to the same version of afterdrop on machines alike, and none is missing.

use std::vec::IntoIter;

use model::{Cell, Comparison, Host};

use super::{Source, joined};
use crate::difference::machine_facts;

/// One comparison of all shards.
pub(super) fn of_one_run(mut sources: Vec<Source>) -> Result<Comparison, String> {
    sources.sort_by_key(index);
    refuse_what_is_none(&sources)?;
    let parts = sources.iter_mut();
    let parts = parts.map(|source| std::mem::take(&mut source.comparison.cells).into_iter());
    let Some(cells) = in_turn(parts.collect()) else {
        return Err("a shard has more cells than its turns: they are of different runs".to_owned());
    };
    let command = run_of(&sources[0]);
    Ok(Comparison {
        command,
        ..joined(sources, cells)
    })
}

fn index(source: &Source) -> u32 {
    source.comparison.shard.map_or(0, |shard| shard.index)
}

/// Whether these, in their order, are the shards of one run.
fn refuse_what_is_none(sources: &[Source]) -> Result<(), String> {
    let first = &sources[0];
    let of = first.comparison.shard.map_or(0, |shard| shard.of);
    for source in sources {
        let theirs = source.comparison.shard.map_or(0, |shard| shard.of);
        let version = |source: &Source| source.comparison.afterdrop_version.clone();
        let (name, first_name) = (&source.name, &first.name);
        if theirs != of {
            return Err(format!(
                "{first_name} is one of {of} shards and {name} one of {theirs}: they are of different runs"
            ));
        }
        if version(source) != version(first) || run_of(source) != run_of(first) {
            return Err(format!(
                "{first_name} and {name} are of different runs: {} (afterdrop {}), and {} (afterdrop {})",
                run_of(first),
                version(first),
                run_of(source),
                version(source)
            ));
        }
        let unlike = facts(first).into_iter().zip(facts(source));
        if let Some((ours, theirs)) = unlike.into_iter().find(|(ours, theirs)| ours != theirs) {
            return Err(format!(
                "{first_name} and {name} were measured with {} {} and {}: shards of one run need machines alike",
                ours.0,
                ours.1.unwrap_or_default(),
                theirs.1.unwrap_or_default()
            ));
        }
        if source.comparison.interrupted {
            return Err(format!("{name} was interrupted: run it again"));
        }
    }
    refuse_gaps(sources, of)
}

/// Whether each shard is there, once.
fn refuse_gaps(sources: &[Source], of: u32) -> Result<(), String> {
    let twice = sources
        .windows(2)
        .find(|pair| index(&pair[0]) == index(&pair[1]));
    if let Some([one, other]) = twice {
        let index = index(one);
        return Err(format!(
            "{} and {} are both shard {index}/{of}",
            one.name, other.name
        ));
    }
    match (1..=of).find(|wanted| !sources.iter().any(|source| index(source) == *wanted)) {
        Some(missing) => Err(format!("shard {missing}/{of} is missing")),
        None => Ok(()),
    }
}

/// One cell of each part in turn, until all are through; `None` where one then has cells left.
fn in_turn(mut parts: Vec<IntoIter<Cell>>) -> Option<Vec<Cell>> {
    let mut cells = Vec::new();
    'turns: loop {
        for part in &mut parts {
            match part.next() {
                Some(cell) => cells.push(cell),
                None => break 'turns,
            }
        }
    }
    parts.iter().all(|part| part.len() == 0).then_some(cells)
}

/// What makes a machine give other figures under lab conditions.
fn facts(source: &Source) -> Vec<(&'static str, Option<String>)> {
    let host: &Host = &source.comparison.host;
    let facts = machine_facts(host).into_iter();
    facts
        .filter(|(name, _)| ["glibc", "architecture", "page size"].contains(name))
        .collect()
}

/// The command line that measures all shards at once, and writes where it does by default.
fn run_of(source: &Source) -> String {
    let own = ["--shard", "--out"];
    let mut words = Vec::new();
    let mut all = source.comparison.command.split(' ');
    while let Some(word) = all.next() {
        let is_joined = own.iter().any(|option| {
            let value = word.strip_prefix(option);
            value.is_some_and(|value| value.starts_with('='))
        });
        if own.contains(&word) {
            all.next();
        } else if !is_joined {
            words.push(word);
        }
    }
    words.join(" ")
}
