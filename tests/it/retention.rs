//! What each allocator gives back of each scenario, and when: two snapshots a cell.
//!
//! The *verdict* (`verdict@...`) holds on every machine. The *record* (`record@...`) is exact to
//! the page and holds under lab conditions on machines that agree in what its key names: the
//! allocator's version, the C library's, the architecture, the page size, and the compiler's version
//! (jemalloc seeds its decay ticker from the address of a thread-local). A machine with
//! another key asserts the verdict and says in one line how to make a record.
//!
//! What the two say stands in `crates/suite`, as does each cell's negative control: a knob or a
//! planted fault under which neither text may come out the same. And of every cell the ledgers must
//! leave next to nothing unexplained.

use std::path::Path;

use driver::Plan;
use model::{Checkpoint, Knob, Part};
use suite::{Assertion, Cell, ledger};

use crate::lab::{self, executable, measure, say};

/// A test for each cell: `retention::tree::jemalloc`.
macro_rules! cells {
    ($($module:ident = $scenario:literal),+ $(,)?) => {
        $(mod $module {
            cells! { @under system, jemalloc, mimalloc, pool; $scenario }
        })+

        /// The scenarios that have tests.
        const SCENARIOS: &[&str] = &[$($scenario),+];
    };
    (@under $($allocator:ident),+; $scenario:literal) => {
        $(#[test]
        fn $allocator() {
            super::check($scenario, stringify!($allocator), super::DEFAULT);
        })+
    };
}

cells! {
    int_list = "int-list",
    int_stream = "int-stream",
    byte_buffer = "byte-buffer",
    string_map = "string-map",
    tree = "tree",
    blocks_forwards = "blocks-forwards",
    blocks_backwards = "blocks-backwards",
    blocks_shuffled = "blocks-shuffled",
    survivors_33 = "survivors-33",
    survivors_1000 = "survivors-1000",
    survivors_16384 = "survivors-16384",
    survivors_at_end = "survivors-at-end",
    survivor_at_top = "survivor-at-top",
    buffer_again = "buffer-again",
    pushed_bytes = "pushed-bytes",
    threads_freed_in_main = "threads-freed-in-main",
    threads_freed_by_both = "threads-freed-by-both",
    threads_exited = "threads-exited",
    threads_own_arenas = "threads-own-arenas",
    tasks_awaited = "tasks-awaited",
    tasks_detached = "tasks-detached",
    producer_consumer = "producer-consumer",
    size_drift = "size-drift",
    churn = "churn",
    cache = "cache",
    json_document = "json-document",
    c_library = "c-library",
}

/// A test for each knob, over every scenario that the suite turns it on.
macro_rules! knobs {
    ($($test:ident = $allocator:literal $knob:literal),+ $(,)?) => {
        mod turned {
            $(#[test]
            fn $test() {
                super::check_turned($allocator, $knob);
            })+
        }

        /// The knobs that have tests, each with its allocator.
        const KNOBS: &[(&str, &str)] = &[$(($allocator, $knob)),+];
    };
}

knobs! {
    system_caches_off = "system" "caches-off",
    system_trim_after_drop = "system" "trim-after-drop",
    jemalloc_decay_0 = "jemalloc" "decay-0",
    jemalloc_purge_after_drop = "jemalloc" "purge-after-drop",
    mimalloc_purge_delay_0 = "mimalloc" "purge-delay-0",
    mimalloc_collect_after_drop = "mimalloc" "collect-after-drop",
    pool_release_after_drop = "pool" "release-after-drop",
}

/// A test for each scenario of Python's in a version, over the allocators that the suite has for it.
macro_rules! pythons {
    ($($test:ident = $scenario:literal $python:literal),+ $(,)?) => {
        mod python {
            $(#[test]
            fn $test() {
                super::check_python($scenario, $python);
            })+
        }

        /// Those that have tests, each with its version.
        const PYTHONS: &[(&str, &str)] = &[$(($scenario, $python)),+];
    };
}

pythons! {
    int_list_2_4_of_32_bits = "python-int-list" "2.4-32",
    int_list_2_7 = "python-int-list" "2.7",
    int_list_3_13 = "python-int-list" "3.13",
    float_list_2_5 = "python-float-list" "2.5",
    float_list_2_7 = "python-float-list" "2.7",
    float_list_3_13 = "python-float-list" "3.13",
    int_stream_2_4_of_32_bits = "python-int-stream" "2.4-32",
    objects_2_4 = "python-objects" "2.4",
    objects_3_13 = "python-objects" "3.13",
    strings_of_100_in_2_5 = "python-strings-100" "2.5",
    strings_of_100_in_3_13 = "python-strings-100" "3.13",
    strings_of_400_in_2_5 = "python-strings-400" "2.5",
    strings_of_400_in_2_7 = "python-strings-400" "2.7",
    strings_of_1000_in_3_13 = "python-strings-1000" "3.13",
}

const DEFAULT: &str = Knob::DEFAULT;

/// Where insta keeps this module's snapshots.
const SNAPSHOTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/it/snapshots");

/// Set to make records and verdicts that there are none of yet.
const RECORD_VARIABLE: &str = "AFTERDROP_RECORD";

/// Set to `no` to leave the controls out: two thirds of the time, for who repeats the suite.
const CONTROLS_VARIABLE: &str = "AFTERDROP_CONTROLS";

/// How to make the snapshots of a cell, new ones and those of another machine.
const HOW_TO_RECORD: &str = "AFTERDROP_RECORD=1 cargo test --package afterdrop-subject --test it \
                             retention, then cargo insta review";

#[test]
fn every_scenario_is_asserted() {
    for scenario in scenarios::RUST {
        let name = scenario.name;
        assert!(
            suite::SCENARIOS.iter().any(|(known, _)| *known == name) && SCENARIOS.contains(&name),
            "nothing is asserted of {name} yet: give it a row in crates/suite/src/cells.rs and a \
             line in `cells!` of tests/it/retention.rs, then {HOW_TO_RECORD}"
        );
    }
    assert_eq!(SCENARIOS.len(), scenarios::RUST.len());
    assert_eq!(suite::SCENARIOS.len(), scenarios::RUST.len());
}

#[test]
fn every_scenario_of_pythons_is_asserted() {
    let pythons = suite::PYTHON.map(|(scenario, python, _)| (scenario, python));
    assert_eq!(PYTHONS, pythons);
    for scenario in scenarios::PYTHON {
        let name = scenario.name;
        assert!(
            pythons.iter().any(|(asserted, _)| *asserted == name),
            "nothing is asserted of {name} yet: give it a row in crates/suite/src/cells.rs"
        );
    }
}

#[test]
fn every_allocator_and_every_knob_of_the_suite_is_asserted() {
    assert_eq!(suite::ALLOCATORS, lab::ALLOCATORS.map(|(name, _)| name));
    let knobs = suite::KNOBS.map(|(allocator, knob, _)| (allocator, knob));
    assert_eq!(KNOBS, knobs);
}

#[test]
fn every_snapshot_is_of_a_cell() {
    let cells: Vec<String> = suite::cells().iter().map(Cell::key).collect();
    for file in std::fs::read_dir(SNAPSHOTS).expect("the snapshots") {
        let name = file.expect("a file").file_name();
        let name = name.to_str().expect("text");
        let (_, key) = name.split_once('@').expect("a layer and a key");
        // What may follow the cell: nothing, the C library's version, the allocator's.
        let of_cell = |cell: &String| match key.strip_prefix(cell).map(str::as_bytes) {
            Some([b'.', ..] | [b'_', b'0'..=b'9', ..]) => true,
            Some(rest) => rest.starts_with(b"_glibc-"),
            None => false,
        };
        assert!(cells.iter().any(of_cell), "{name} is of no cell: delete it");
    }
}

/// The cell comes out as it stands on record, and otherwise with its control.
#[track_caller]
fn check(scenario: &str, allocator: &str, knob: &str) {
    let cells = suite::cells();
    let cell = cells
        .iter()
        .find(|c| (c.scenario, c.allocator, c.knob) == (scenario, allocator, knob));
    let cell = cell.unwrap_or_else(|| panic!("{scenario} has no row in crates/suite/src/cells.rs"));
    check_cell(cell);
}

#[track_caller]
fn check_cell(cell: &Cell) {
    let usual = assert_recorded(cell);
    if std::env::var_os(CONTROLS_VARIABLE).is_none_or(|set| set != "no") {
        assert_can_fail(cell, usual);
    }
}

#[track_caller]
fn check_turned(allocator: &str, knob: &str) {
    let cells = suite::cells();
    let turned = |cell: &&Cell| (cell.allocator, cell.knob) == (allocator, knob);
    for cell in cells.iter().filter(turned) {
        check(cell.scenario, allocator, knob);
    }
}

#[track_caller]
fn check_python(scenario: &str, python: &str) {
    let cells = suite::cells();
    let of = |cell: &&Cell| (cell.scenario, cell.python) == (scenario, Some(python));
    cells.iter().filter(of).for_each(check_cell);
}

/// What `cargo xtask compare` plans for this cell by default, with this knob.
fn plan(executable: &str, cell: &Cell, knob: Knob) -> Plan {
    Plan {
        python: cell.python.map(str::to_owned),
        ..lab::plan(executable, cell.scenario, knob)
    }
}

/// Asserts both texts of the cell against their snapshots; its checkpoints.
#[track_caller]
fn assert_recorded(cell: &Cell) -> Vec<Checkpoint> {
    let knob = lab::knob(cell.allocator, cell.knob).expect("a knob of the catalogue");
    let plan = plan(executable(cell.allocator), cell, knob);
    let (introduction, checkpoints) = measure(&plan);
    let host = probe::host().expect("a machine");
    let glibc = host.glibc.unwrap_or_default();

    let key = cell.key();
    let verdict_key = match verdict_depends_on_glibc(cell.allocator, &glibc) {
        true => format!("{key}_glibc-{glibc}"),
        false => key.clone(),
    };
    assert_known(Assertion::Verdict, &verdict_key, &checkpoints);
    assert_explained(cell, &introduction.parts, &checkpoints);

    let version = introduction.version.split('-').next().unwrap_or_default();
    let record_key = format!(
        "{key}_{version}_glibc-{glibc}_{}_{}_rustc-{}",
        host.architecture,
        host.page_size_bytes,
        rustc_version()
    );
    if introduction.upheld.named().iter().all(|(_, held)| *held) {
        assert_known(Assertion::Record, &record_key, &checkpoints);
    } else {
        say(&format!(
            "{key}: this machine forbids a lab condition ({:?}), only the verdict is asserted",
            introduction.upheld
        ));
    }
    checkpoints
}

/// Asserts that the ledgers leave nothing unexplained, and that an account which keeps something back
/// would show.
#[track_caller]
fn assert_explained(cell: &Cell, parts: &[Part], checkpoints: &[Checkpoint]) {
    let Some(share) = oracle::unexplained(checkpoints) else {
        return; // it occupied nothing
    };
    let key = cell.key();
    assert!(share <= ledger::UNEXPLAINED, "{key}: {share} unexplained");
    let change = ledger::change(parts, checkpoints);
    assert!(change.is_some(), "{key}: a false account does not show");
}

/// Asserts that neither text survives the cell's control.
#[track_caller]
fn assert_can_fail(cell: &Cell, usual: Vec<Checkpoint>) {
    let pair = cell.pair(cell.control, |name| lab::knob(cell.allocator, name));
    let pair = pair.expect("knobs of the catalogue");
    let of = |executable, knob: &Knob| measure(&plan(executable, cell, knob.clone())).1;
    let (usual, turned) = match pair.planted {
        false => (usual, of(executable(cell.allocator), &pair.turned)),
        true => (
            of(lab::PLANTED, &pair.usual),
            of(lab::PLANTED, &pair.turned),
        ),
    };
    for assertion in Assertion::ALL {
        let change = assertion.change(&usual, &turned);
        let (what, control) = (assertion.name(), cell.control.name());
        assert!(
            change.is_some(),
            "{control} leaves the {what} of {} as it is",
            cell.key()
        );
    }
}

/// Asserts against the snapshot of this key; where there is none, says how to make one. A verdict
/// that is to hold on every machine must be there.
#[track_caller]
fn assert_known(assertion: Assertion, key: &str, checkpoints: &[Checkpoint]) {
    let layer = assertion.name();
    let file = assertion.file(key);
    if !Path::new(SNAPSHOTS).join(&file).exists() && std::env::var_os(RECORD_VARIABLE).is_none() {
        let portable = assertion == Assertion::Verdict && !key.contains("glibc");
        assert!(!portable, "there is no {file} yet: {HOW_TO_RECORD}");
        say(&format!("no {file} for this machine yet: {HOW_TO_RECORD}"));
        return;
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_suffix(key);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(layer, assertion.text(checkpoints)));
}

/// From 2.42 on glibc has another tcache, and what it keeps is asserted version by version.
fn verdict_depends_on_glibc(allocator: &str, glibc: &str) -> bool {
    let minor = glibc
        .split('.')
        .nth(1)
        .and_then(|minor| minor.parse::<u32>().ok());
    allocator == "system" && minor.is_none_or(|minor| minor >= 42)
}

/// Of the compiler that cargo uses in this folder.
fn rustc_version() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = std::process::Command::new(rustc).arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let version = text
        .ok()
        .and_then(|text| text.split(' ').nth(1).map(str::to_owned));
    version.unwrap_or_else(|| "unknown".to_owned())
}
