//! What changed between two results, for a terminal and for Markdown.

mod support;

use afterdrop_report as report;
use afterdrop_report::Width;
use insta::assert_snapshot;
use model::{
    At, CellDifferences, CellKey, Change, Circumstance, Conditions, Differences, Moment, Origin,
    Returns, SCHEMA_VERSION, Status,
};
use support::plain;

fn origin(command: &str) -> Origin {
    Origin {
        command: command.to_owned(),
        afterdrop_version: "0.0.0".to_owned(),
        host: support::host(),
    }
}

fn cell(allocator: &str, knob: &str, changes: Vec<Change>) -> CellDifferences {
    CellDifferences {
        cell: CellKey {
            scenario: "int-list".to_owned(),
            python: None,
            size: 5_120_000,
            seed: 1,
            allocator: allocator.to_owned(),
            knob: knob.to_owned(),
            conditions: Conditions::Lab,
            machine: None,
        },
        nth: 0,
        exact: true,
        changes,
    }
}

fn kept(name: Moment, old_kib: i64, new_kib: i64, noise: bool) -> Change {
    let at = At {
        name,
        round: 2,
        clock_ms: 0,
    };
    Change::Kept {
        at,
        old_kib,
        new_kib,
        noise,
    }
}

fn some() -> Differences {
    let version = |version: &str| Some(version.to_owned());
    let verdict = Change::Verdict {
        old: Returns::OnActivity,
        new: Returns::AtOnce,
    };
    let failed = Change::Status {
        old: Status::Measured,
        new: Status::Failed,
        failure: Some("the subject died of signal 11".to_owned()),
    };
    let faults = Change::Faults {
        old: 104_855,
        new: 51,
        noise: false,
    };
    let mimalloc = vec![
        Change::Version {
            old: version("3.3.2"),
            new: version("3.4.0"),
        },
        verdict,
        kept(Moment::Dropped, 200_704, 0, false),
        kept(Moment::Dropped, 200_708, 0, false),
        kept(Moment::Idle, 200_704, -4, false),
        faults,
    ];
    Differences {
        schema_version: SCHEMA_VERSION,
        old: origin("cargo xtask compare"),
        new: origin("cargo xtask compare --scenario int-list"),
        circumstances: vec![Circumstance {
            name: "kernel".to_owned(),
            old: None,
            new: version("6.18"),
        }],
        same: 3,
        cells: vec![
            cell("mimalloc", "default", mimalloc),
            cell("system", "default", vec![failed]),
            cell("jemalloc", "decay-0", vec![Change::Gone]),
            cell("pool", "default", vec![kept(Moment::Idle, 4, 8, true)]),
        ],
    }
}

#[test]
fn what_changed_is_two_lines_a_cell_and_a_line_for_the_rest() {
    assert_snapshot!(plain(&report::differences(&some(), Width::Endless)));
}

#[test]
fn the_same_in_markdown() {
    assert_snapshot!(report::differences_markdown(&some()));
}

#[test]
fn nothing_changed_is_one_line() {
    let nothing = Differences {
        circumstances: Vec::new(),
        cells: Vec::new(),
        ..some()
    };
    let text = plain(&report::differences(&nothing, Width::Endless));
    assert_eq!(
        text.lines().last(),
        Some("no cell of 3 changed; 3 are the same")
    );
}

#[test]
fn names_do_not_become_markup() {
    let hostile = "<script>|`*_[x](y)\n# h";
    let cells = vec![cell(hostile, "default", vec![Change::Added])];
    let differences = Differences { cells, ..some() };
    let markdown = report::differences_markdown(&differences);
    let shown = r"\<script\>\|\`\*\_\[x\](y)\\n\# h";
    assert!(markdown.contains(shown), "{markdown}");
}
