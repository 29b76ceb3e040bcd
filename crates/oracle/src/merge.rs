//! From several comparisons to one: the shards of a run (`shards`), or the results of several machines (`machines`).

#[path = "merge/machines.rs"]
mod machines;
#[path = "merge/shards.rs"]
mod shards;
#[cfg(test)]
#[path = "merge/tests.rs"]
mod tests;

use model::{Cell, Comparison, Host, LabCondition, Timings};

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
    let is_shard = |source: &&Source| source.comparison.shard.is_some();
    let shard = sources.iter().find(is_shard);
    let whole = sources.iter().find(|source| !is_shard(source));
    match (shard, whole) {
        (None, None) => Err("there is nothing to merge".to_owned()),
        (Some(shard), Some(whole)) => Err(format!(
            "{} is a shard and {} is none: merge the shards first",
            shard.name, whole.name
        )),
        (Some(_), None) => shards::of_one_run(sources),
        (None, Some(_)) => machines::side_by_side(sources),
    }
}

/// These cells with what is said of the whole; there is one source at least.
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

/// A condition held where it held on each machine.
fn held_everywhere(hosts: &[Host]) -> Vec<LabCondition> {
    let held = |name: &str| {
        hosts.iter().all(|host| {
            let condition = host.lab_conditions.iter().find(|c| c.name == name);
            condition.is_some_and(|condition| condition.held)
        })
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
