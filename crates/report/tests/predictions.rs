//! What predictions look like, for a terminal and for Markdown.

mod support;

use afterdrop_report as report;
use afterdrop_report::Width;
use insta::assert_snapshot;
use model::{Entry, Layers, Moment, Prediction, Predictions, SCHEMA_VERSION, Waterfall};
use support::plain;

fn row(
    version: Option<&str>,
    checkpoint: Moment,
    predicted: i64,
    measured: Option<i64>,
) -> Prediction {
    Prediction {
        interpreter: version.map(|version| format!("/opt/python{version}")),
        version: version.map(str::to_owned),
        python: Some(match version {
            Some(_) => "3.13 64-bit".to_owned(),
            None => "2.4 32-bit".to_owned(),
        }),
        scenario: "python-int-list".to_owned(),
        size: 5_120_000,
        checkpoint,
        predicted_kib: Some(predicted),
        measured_kib: measured,
        difference_kib: measured.map(|measured| measured - predicted),
        within: measured.map(|measured| measured - predicted < 300),
        failure: None,
    }
}

fn failed(row: Prediction) -> Prediction {
    Prediction {
        failure: Some("killed by SIGKILL".to_owned()),
        ..row
    }
}

fn waterfall(python: &str, kept_kib: i64) -> Waterfall {
    let step = |checkpoint, kib, alive| {
        let layers = [("alive", alive), ("free pools", kib), ("nothing", 0)];
        let layers = layers.map(|(name, kib)| Entry {
            name: name.to_owned(),
            kib,
            source: String::new(),
        });
        Layers {
            checkpoint,
            kept_kib: kib + alive,
            layers: layers.into(),
        }
    };
    Waterfall {
        python: python.to_owned(),
        scenario: "python-int-list".to_owned(),
        size: 5_120_000,
        steps: vec![
            step(Moment::Built, 0, 200_000),
            step(Moment::Dropped, kept_kib, 0),
        ],
    }
}

fn document() -> Predictions {
    use Moment::{Built, Dropped};
    Predictions {
        schema_version: SCHEMA_VERSION,
        afterdrop_version: "0.1.0".to_owned(),
        command: "cargo xtask python".to_owned(),
        host: support::host(),
        rows: vec![
            row(None, Built, 80_490, None),
            row(None, Dropped, 60_490, None),
            row(Some("3.13.0"), Built, 200_604, Some(200_620)),
            row(Some("3.13.0"), Dropped, 888, Some(1_888)),
            failed(row(Some("3.13.1"), Built, 200_604, Some(200_000))),
            failed(row(Some("3.13.1"), Dropped, 888, None)),
        ],
        waterfalls: vec![
            waterfall("3.11 64-bit", 1024),
            waterfall("3.12 64-bit", 1024),
            waterfall("3.13 64-bit", 888),
        ],
        unchecked: vec!["Not checked: Python 2.4 32-bit.".to_owned()],
        interrupted: false,
    }
}

#[test]
fn on_a_terminal_each_interpreter_stands_beside_its_model() {
    assert_snapshot!(plain(&report::predictions(&document(), Width::Endless)));
}

#[test]
fn in_markdown_tables_stand_under_headings() {
    let text = report::predictions_in_markdown(&document());
    assert!(text.starts_with("### python-int-list, size 5,120,000\n\n| interpreter |"));
    assert!(
        text.contains("### python-int-list, size 5,120,000 in Python 3.11 64-bit and 3.12 64-bit")
    );
    assert!(text.ends_with("- Not checked: Python 2.4 32-bit.\n"));
}
