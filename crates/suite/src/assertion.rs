//! What is asserted: two texts about a cell, which must come out as they stand on record.

use std::fmt::Write as _;

use model::Checkpoint;

/// One of the texts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Assertion {
    /// When the object comes back, in words that hold on every machine.
    Verdict,
    /// What is kept at each checkpoint, exact to the page: holds where versions and machine agree.
    Record,
}

impl Assertion {
    /// Both of them.
    pub const ALL: [Assertion; 2] = [Assertion::Verdict, Assertion::Record];

    /// The name, which begins that of the snapshot's file.
    pub fn name(self) -> &'static str {
        match self {
            Assertion::Verdict => "verdict",
            Assertion::Record => "record",
        }
    }

    /// The text about a cell with these checkpoints, those of a whole run.
    pub fn text(self, checkpoints: &[Checkpoint]) -> String {
        match self {
            Assertion::Verdict => verdict(checkpoints),
            Assertion::Record => record(checkpoints),
        }
    }
}

/// The first line in which a text differs from the usual one, as it was and as it has become; `None`
/// where no line does, and an assertion of the one would hold of the other.
///
/// ```
/// let change = suite::first_change("after: 0 ms\nreturns: at-once\n", "after: 0 ms\nreturns: never\n");
/// assert_eq!(change.as_deref(), Some("returns: at-once -> never"));
/// assert_eq!(suite::first_change("the same\n", "the same\n"), None);
/// ```
pub fn first_change(usual: &str, turned: &str) -> Option<String> {
    if usual == turned {
        return None;
    }
    let mut lines = usual.lines().zip(turned.lines());
    let (was, is) = lines.find(|(was, is)| was != is).unwrap_or((usual, turned));
    let words = |line| str::split_whitespace(line).collect::<Vec<_>>();
    let (was, is) = (words(was), words(is));
    let shared = was
        .iter()
        .zip(&is)
        .take_while(|(was, is)| was == is)
        .count();
    Some(format!("{} -> {}", was.join(" "), is[shared..].join(" ")))
}

fn verdict(checkpoints: &[Checkpoint]) -> String {
    let verdict = oracle::judge(checkpoints).expect("a whole run has a verdict");
    let after = verdict
        .after_ms
        .map_or("never".to_owned(), |ms| format!("{ms} ms"));
    let reuse = match verdict.reuse {
        None => "nothing to reuse",
        Some(part) if part >= 0.5 => "most of it",
        Some(part) if part >= 0.1 => "some of it",
        Some(_) => "none of it",
    };
    format!(
        "returns: {}\nafter: {after}\nreused by the second build: {reuse}\n",
        verdict.returns.name(),
    )
}

/// What is kept, and what the allocator says is allocated. What it says of its address space is left
/// out: mimalloc draws its first address from that of a static, so that another link order can cost
/// it one more table of 64 KiB, which stays untouched.
fn record(checkpoints: &[Checkpoint]) -> String {
    let mut text = String::new();
    let header = ["kept KiB", "live KiB", "allocated"].map(String::from);
    let _ = writeln!(text, "{:19}{}", "checkpoint", columns(&header));
    for checkpoint in checkpoints {
        let kib = |bytes: Option<u64>| bytes.map_or("-".to_owned(), |b| (b / 1024).to_string());
        let place = format!(
            "{} {} {}",
            checkpoint.name.name(),
            checkpoint.round,
            checkpoint.clock_ms
        );
        let figures = [
            checkpoint.kept_kib.to_string(),
            kib(Some(checkpoint.live_bytes)),
            kib(checkpoint.account.allocated_bytes),
        ];
        let _ = writeln!(text, "{place:19}{}", columns(&figures));
    }
    text
}

fn columns(cells: &[String]) -> String {
    cells.iter().map(|cell| format!("{cell:>11}")).collect()
}
