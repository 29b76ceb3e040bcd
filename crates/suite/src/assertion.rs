//! What is asserted: two texts about a cell, which must come out as they stand on record.

use std::fmt::Write as _;

use model::{Checkpoint, Returns};

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

    /// The file of the snapshot of what `key` names, in `tests/it/snapshots`.
    pub fn file(self, key: &str) -> String {
        format!("{}@{key}.snap", self.name())
    }

    /// What this assertion notices between a usual run and another one, in a line: the change that
    /// says most. `None` where the text is the same, and holds of both.
    pub fn change(self, usual: &[Checkpoint], turned: &[Checkpoint]) -> Option<String> {
        let in_text = || first_change(&self.text(usual), &self.text(turned));
        match self {
            Assertion::Verdict => in_text(),
            Assertion::Record => largest_change(usual, turned).or_else(in_text),
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

/// When the memory comes back, as the text of a verdict or its snapshot says; `None` of what is neither.
pub fn asserted(verdict: &str) -> Option<Returns> {
    let name = verdict
        .lines()
        .find_map(|line| line.strip_prefix(RETURNS))?;
    Returns::ALL
        .into_iter()
        .find(|returns| returns.name() == name)
}

/// What the line of a verdict that says so begins with.
const RETURNS: &str = "returns: ";

/// The first line that differs, as it was and as it has become.
fn first_change(usual: &str, turned: &str) -> Option<String> {
    let mut lines = usual.lines().zip(turned.lines());
    let (was, is) = lines.find(|(was, is)| was != is)?;
    let words = |line| str::split_whitespace(line).collect::<Vec<_>>();
    let (was, is) = (words(was), words(is));
    let shared = was.iter().zip(&is).take_while(|(was, is)| was == is);
    Some(format!(
        "{} -> {}",
        was.join(" "),
        is[shared.count()..].join(" ")
    ))
}

/// The checkpoint at which what is kept differs most. What the allocator says of itself comes after
/// it: a knob may change that from the first line on, and the memory not at all.
fn largest_change(usual: &[Checkpoint], turned: &[Checkpoint]) -> Option<String> {
    let differs = |(was, is): &(&Checkpoint, &Checkpoint)| was.kept_kib.abs_diff(is.kept_kib);
    let pairs = usual.iter().zip(turned);
    let (was, is) = pairs.filter(|pair| differs(pair) > 0).max_by_key(differs)?;
    let (place, was, is) = (place(was), was.kept_kib, is.kept_kib);
    Some(format!("{place}: {was} -> {is} KiB kept"))
}

fn verdict(checkpoints: &[Checkpoint]) -> String {
    let verdict = oracle::judge(checkpoints).expect("a whole run has a verdict");
    let last_round = checkpoints.last().map(|checkpoint| checkpoint.round);
    let after = match verdict.after_ms {
        Some(ms) => format!("{ms} ms"),
        None if Some(verdict.round) < last_round => "another round".to_owned(),
        None => "never".to_owned(),
    };
    let reuse = match verdict.reuse {
        None => "nothing to reuse",
        Some(part) if part >= 0.5 => "most of it",
        Some(part) if part >= 0.1 => "some of it",
        Some(_) => "none of it",
    };
    let holder = oracle::holder(checkpoints, &verdict);
    let holder = holder.as_deref().unwrap_or("nothing");
    format!(
        "{RETURNS}{}\nafter: {after}\nreused by the second build: {reuse}\nmost kept in: {holder}\n",
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
        let place = place(checkpoint);
        let figures = [
            checkpoint.kept_kib.to_string(),
            kib(Some(checkpoint.live_bytes)),
            kib(checkpoint.account.allocated_bytes),
        ];
        let _ = writeln!(text, "{place:19}{}", columns(&figures));
    }
    text
}

fn place(checkpoint: &Checkpoint) -> String {
    let Checkpoint {
        name,
        round,
        clock_ms,
        ..
    } = checkpoint;
    format!("{} {round} {clock_ms}", name.name())
}

fn columns(cells: &[String]) -> String {
    cells.iter().map(|cell| format!("{cell:>11}")).collect()
}

#[cfg(test)]
mod tests {
    use model::{Account, Memory, Moment};

    use super::*;

    /// A run that keeps so much after its drop, and says that so much is allocated.
    fn run(kept_kib: i64, allocated_bytes: u64) -> Vec<Checkpoint> {
        let at = |name, kept_kib| Checkpoint {
            name,
            round: 1,
            clock_ms: 0,
            kept_kib,
            memory: Memory::default(),
            minor_faults: None,
            cpu_ms: 0.0,
            live_bytes: 0,
            account: Account {
                allocated_bytes: Some(allocated_bytes),
                ..Account::default()
            },
            ledger: Vec::new(),
        };
        vec![at(Moment::Built, 9_000), at(Moment::Dropped, kept_kib)]
    }

    #[track_caller]
    fn check(turned: &[Checkpoint], verdict: Option<&str>, record: Option<&str>) {
        let change = |assertion: Assertion| assertion.change(&run(0, 2048), turned);
        assert_eq!(change(Assertion::Verdict).as_deref(), verdict);
        assert_eq!(change(Assertion::Record).as_deref(), record);
    }

    #[test]
    fn nothing_is_noticed_where_nothing_changes() {
        check(&run(0, 2048), None, None);
    }

    #[test]
    fn the_verdict_and_the_record_notice_what_is_kept() {
        let (verdict, record) = (
            "returns: at-once -> never",
            "dropped 1 0: 0 -> 9000 KiB kept",
        );
        check(&run(9_000, 1024), Some(verdict), Some(record));
    }

    #[test]
    fn a_verdict_can_be_read_again() {
        let verdict = Assertion::Verdict.text(&run(0, 0));
        assert_eq!(asserted(&format!("---\n{verdict}")), Some(Returns::AtOnce));
        assert_eq!(asserted(&Assertion::Record.text(&run(0, 0))), None);
    }

    #[test]
    fn the_record_notices_a_page_and_a_false_account() {
        check(&run(4, 2048), None, Some("dropped 1 0: 0 -> 4 KiB kept"));
        check(&run(0, 1024), None, Some("built 1 0 9000 0 2 -> 1"));
    }
}
