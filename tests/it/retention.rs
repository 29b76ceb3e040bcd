//! What each allocator gives back of each scenario, and when: two snapshots a cell.
//!
//! The *verdict* (`verdict@...`) holds on every machine. The *record* (`record@...`) is exact to
//! the page and holds under lab conditions on machines that agree in what its key names: the
//! allocator's version, the C library's, the architecture, the page size, and the compiler's version
//! (jemalloc seeds its decay ticker from the address of a thread-local). A machine with
//! another key asserts the verdict and says in one line how to make a record.
//!
//! Each cell has its negative control: a knob or a planted fault under which neither text may
//! come out the same.

use std::fmt::Write as _;
use std::path::Path;

use model::{Checkpoint, Knob};

use crate::lab::{executable, measure, negative_control, plan, say};

/// Two tests for each cell: `retention::int_list::jemalloc` and `retention::int_list::jemalloc_can_fail`.
macro_rules! cells {
    ($($module:ident = $scenario:literal: $($allocator:ident / $control:ident),+;)+) => {
        $(mod $module {
            $(
                #[test]
                fn $allocator() {
                    super::check($scenario, stringify!($allocator));
                }

                #[test]
                fn $control() {
                    super::check_can_fail($scenario, stringify!($allocator));
                }
            )+
        })+

        /// The scenarios that have snapshots.
        const SCENARIOS: &[&str] = &[$($scenario),+];
    };
}

cells! {
    int_list = "int-list": system / system_can_fail, jemalloc / jemalloc_can_fail,
        mimalloc / mimalloc_can_fail, pool / pool_can_fail;
    int_stream = "int-stream": system / system_can_fail, jemalloc / jemalloc_can_fail,
        mimalloc / mimalloc_can_fail, pool / pool_can_fail;
    byte_buffer = "byte-buffer": system / system_can_fail, jemalloc / jemalloc_can_fail,
        mimalloc / mimalloc_can_fail, pool / pool_can_fail;
    string_map = "string-map": system / system_can_fail, jemalloc / jemalloc_can_fail,
        mimalloc / mimalloc_can_fail, pool / pool_can_fail;
    tree = "tree": system / system_can_fail, jemalloc / jemalloc_can_fail,
        mimalloc / mimalloc_can_fail, pool / pool_can_fail;
}

#[test]
fn every_core_scenario_has_its_snapshots() {
    let core: Vec<&str> = scenarios::CORE
        .iter()
        .map(|scenario| scenario.name)
        .collect();
    assert_eq!(SCENARIOS, core);
}

/// Where insta keeps this module's snapshots.
const SNAPSHOTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/it/snapshots");

/// Set to make records and verdicts for a machine that has none yet.
const RECORD_VARIABLE: &str = "AFTERDROP_RECORD";

#[track_caller]
fn check(scenario: &str, allocator: &str) {
    let plan = plan(executable(allocator), scenario, Knob::default_settings());
    let (introduction, checkpoints) = measure(&plan);
    let cell = format!("{scenario}_{allocator}");
    let host = probe::host().expect("a machine");
    let glibc = host.glibc.unwrap_or_default();

    let verdict_key = match verdict_depends_on_glibc(allocator, &glibc) {
        true => format!("{cell}_glibc-{glibc}"),
        false => cell.clone(),
    };
    assert_known("verdict", &verdict_key, &verdict(&checkpoints));

    let version = introduction.version.split('-').next().unwrap_or_default();
    let record_key = format!(
        "{cell}_{version}_glibc-{glibc}_{}_{}_rustc-{}",
        host.architecture,
        host.page_size_bytes,
        rustc_version()
    );
    if introduction.upheld.named().iter().all(|(_, held)| *held) {
        assert_known("record", &record_key, &record(&checkpoints));
    } else {
        say(&format!(
            "{cell}: this machine forbids a lab condition ({:?}), only the verdict is asserted",
            introduction.upheld
        ));
    }
}

#[track_caller]
fn check_can_fail(scenario: &str, allocator: &str) {
    let control = negative_control(allocator, scenario);
    let text_of = |knob: &Knob| {
        let (_, checkpoints) = measure(&plan(control.executable, scenario, knob.clone()));
        (verdict(&checkpoints), record(&checkpoints))
    };
    let (usual, turned) = (text_of(&control.usual), text_of(&control.turned));
    let name = &control.turned.name;
    assert_ne!(usual.0, turned.0, "{name} leaves the verdict as it is");
    assert_ne!(usual.1, turned.1, "{name} leaves the record as it is");
}

/// Asserts against the snapshot of this key; where there is none, says how to make one.
#[track_caller]
fn assert_known(layer: &str, key: &str, text: &str) {
    let file = format!("{layer}@{key}.snap");
    if !Path::new(SNAPSHOTS).join(&file).exists() && std::env::var_os(RECORD_VARIABLE).is_none() {
        say(&format!(
            "no {file} for this machine yet: {RECORD_VARIABLE}=1 cargo test --package \
             afterdrop-subject --test it retention, then cargo insta review"
        ));
        return;
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_suffix(key);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(layer, text));
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

/// The part that holds on every machine.
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

/// The part that is exact to the page: what is kept, and what the allocator says is allocated. What
/// it says of its address space is left out: mimalloc draws its first address from that of a
/// static, so that another link order can cost it one more table of 64 KiB, which stays untouched.
fn record(checkpoints: &[Checkpoint]) -> String {
    let mut text = String::new();
    let header = ["kept KiB", "live KiB", "allocated"];
    let _ = writeln!(
        text,
        "{:19}{}",
        "checkpoint",
        columns(&header.map(String::from))
    );
    for checkpoint in checkpoints {
        let kib = |bytes: Option<u64>| bytes.map_or("-".to_owned(), |b| (b / 1024).to_string());
        let account = &checkpoint.account;
        let place = format!(
            "{} {} {}",
            checkpoint.name.name(),
            checkpoint.round,
            checkpoint.clock_ms
        );
        let figures = [
            checkpoint.kept_kib.to_string(),
            kib(Some(checkpoint.live_bytes)),
            kib(account.allocated_bytes),
        ];
        let _ = writeln!(text, "{place:19}{}", columns(&figures));
    }
    text
}

fn columns(cells: &[String]) -> String {
    cells.iter().map(|cell| format!("{cell:>11}")).collect()
}
