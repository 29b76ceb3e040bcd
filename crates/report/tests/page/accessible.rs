//! axe finds nothing serious in the page: in light and in dark, wide and narrow, with a story open and without.
//!
//! axe-core is a JavaScript library that `.ci/browser` installs; this test installs nothing by itself.

use std::path::PathBuf;

use afterdrop_report as report;
use serde_json::Value;

use crate::browser::{NARROW, WIDE, open, say};
use crate::sizes::many_with_knobs;
use crate::{earlier, with_knobs};

/// Where the library stands if the environment does not say otherwise.
const AXE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../target/axe/node_modules/axe-core/axe.min.js"
);

/// What it finds, of the impact that counts, and where.
const FINDINGS: &str =
    "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations
    .filter(v => ['serious', 'critical'].includes(v.impact))
    .map(v => [v.id, v.help, ...v.nodes.slice(0, 3).map(n => n.html.slice(0, 120))]))";

/// What is shut is not looked into.
const OPEN_DETAILS: &str = "document.querySelectorAll('details').forEach(d => d.open = true)";

/// The library's source; `None`, which is said, where it is not installed.
fn axe(test: &str) -> Option<String> {
    let path = std::env::var_os("AFTERDROP_AXE").map_or(PathBuf::from(AXE), PathBuf::from);
    match std::fs::read_to_string(&path) {
        Ok(source) => Some(source),
        Err(_) => {
            say(&format!(
                "no axe-core at {}: {test} is skipped",
                path.display()
            ));
            None
        }
    }
}

/// Whether axe has nothing to say of this page, nor of this story of it.
fn check(html: &str, story: &str, test: &str) {
    let Some(axe) = axe(test) else {
        return;
    };
    let Some(reader) = open(html, test) else {
        return;
    };
    for fragment in ["", story] {
        reader.go(fragment);
        reader.run(OPEN_DETAILS);
        reader.run(&axe);
        for scheme in ["light", "dark"] {
            reader.scheme(scheme);
            for width in [WIDE, NARROW] {
                reader.resize(width);
                let findings: Vec<Value> = reader.value(FINDINGS);
                let here = format!("{scheme}, {width} pixels wide, at {fragment:?}");
                assert_eq!(findings, Vec::<Value>::new(), "{here}");
            }
        }
    }
}

#[test]
fn axe_finds_nothing_serious_in_a_page() {
    let (comparison, tradeoffs) = with_knobs();
    let html = report::html(&comparison, &tradeoffs);
    check(&html, "#c0", "axe_finds_nothing_serious_in_a_page");
}

#[test]
fn axe_finds_nothing_serious_in_a_page_of_folds() {
    let (_, tradeoffs) = with_knobs();
    let html = report::html(&many_with_knobs(504), &tradeoffs);
    check(&html, "#c0", "axe_finds_nothing_serious_in_a_page_of_folds");
}

#[test]
fn axe_finds_nothing_serious_in_what_changed() {
    let (new, tradeoffs) = with_knobs();
    let old = earlier::before(&new);
    let baseline = report::Baseline {
        comparison: &old,
        differences: &earlier::differences(&old, &new),
    };
    let html = report::html_since(&new, &tradeoffs, baseline);
    check(&html, "#c0", "axe_finds_nothing_serious_in_what_changed");
}
