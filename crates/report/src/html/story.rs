//! One cell's story: the verdict, its figures, why, where each KiB was, how to measure it again.

use model::{Cell, Verdict};

use super::changes::Changed;
use super::matrix::{class, title, word};
use crate::charts::ledger::Ledger;
use crate::figures::{duration, mebibytes, percent};
use crate::rows::name;
use crate::sentences::sentence;

pub(super) struct Story<'a> {
    pub(super) cell: &'a Cell,
    /// The cell's place in the comparison.
    pub(super) index: usize,
    pub(super) contestant: String,
    pub(super) title: String,
    pub(super) class: &'static str,
    pub(super) word: String,
    pub(super) sentence: String,
    /// What is not as it was.
    pub(super) changes: Vec<String>,
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) ledger: Ledger<'a>,
    pub(super) command: String,
}

impl<'a> Story<'a> {
    /// `command` is the one that measures the cell again.
    pub(super) fn of(
        cell: &'a Cell,
        index: usize,
        command: String,
        changes: Option<&Changed>,
    ) -> Story<'a> {
        Story {
            cell,
            index,
            contestant: name(cell),
            title: title(cell),
            class: class(cell),
            word: word(cell),
            sentence: sentence(&[cell]),
            changes: changes.map_or_else(Vec::new, Changed::sentences),
            facts: cell.verdict.as_ref().map_or_else(Vec::new, facts),
            ledger: Ledger::of(cell),
            command,
        }
    }
}

/// The figures of a verdict that say anything here.
fn facts(verdict: &Verdict) -> Vec<(&'static str, String)> {
    let survivors = (verdict.survivors_kib > 0).then_some(verdict.survivors_kib);
    let rebound = verdict.rebound_kib.filter(|kib| *kib != 0);
    let lazily = (verdict.lazily > 0.0).then_some(verdict.lazily);
    let facts = [
        ("occupied", Some(mebibytes(verdict.occupied_kib))),
        ("clock from the last drop", verdict.after_ms.map(duration)),
        (
            "moments of traffic",
            verdict.traffic_moments.map(|n| n.to_string()),
        ),
        ("outlives the object", survivors.map(mebibytes)),
        (
            "kept for each KiB of that",
            verdict.pin_amplification.map(|kib| format!("{kib:.1} KiB")),
        ),
        ("freed lazily", lazily.map(percent)),
        ("came back after the request", rebound.map(mebibytes)),
        (
            "page faults spared the second build",
            verdict.reuse.map(percent),
        ),
        (
            "unexplained at most",
            verdict
                .unexplained
                .map(|part| format!("{:.2} %", part * 100.0)),
        ),
    ];
    let said = facts.into_iter();
    said.filter_map(|(name, figure)| Some((name, figure?)))
        .collect()
}
