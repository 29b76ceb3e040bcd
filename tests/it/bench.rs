//! Workloads under every contestant of a benchmark: they run, they free everything, and the figures
//! about memory are the right way round. Nothing is said of time.

use std::path::PathBuf;
use std::time::Duration;

use driver::{Interrupt, Race, Timed};
use model::protocol::PEAK_LIVE_BYTES;
use model::{Catalogue, Knob};

use crate::lab::{ALLOCATORS, knob};

/// Small enough to be quick.
const DIVISOR: u64 = 100;

const COUNTING: &str = env!("CARGO_BIN_EXE_count-live");

fn race(executable: &str, workload: &str, knob: Knob) -> Race {
    Race {
        subject: PathBuf::from(executable),
        knob,
        workload: workload.to_owned(),
        divisor: DIVISOR,
        program_kib: None,
        limit: Duration::from_secs(120),
    }
}

/// A run that must not fail.
#[track_caller]
fn time(race: &Race) -> Timed {
    let interrupt = Interrupt::never().expect("a pair of descriptors");
    match driver::time(race, &interrupt) {
        Ok(timed) => timed,
        Err(failure) => panic!("{} of {}: {failure}", race.workload, race.subject.display()),
    }
}

/// The settings of this allocator that a benchmark runs by default.
fn settings(allocator: &str) -> Vec<Knob> {
    let path = format!("{}/knobs/{allocator}.toml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("a catalogue");
    let catalogue: Catalogue = toml::from_str(&text).expect("a catalogue of knobs");
    let benched = catalogue.knob.iter().filter(|knob| knob.benched);
    let benched = benched.map(|knob| knob.knob());
    [Knob::default_settings()]
        .into_iter()
        .chain(benched)
        .collect()
}

#[test]
fn every_workload_runs_under_every_default_contestant() {
    for (allocator, executable) in ALLOCATORS {
        for knob in settings(allocator) {
            for workload in workloads::ALL {
                let timed = time(&race(executable, workload.name, knob.clone()));
                assert!(timed.operations > 0, "{}", workload.name);
                assert_eq!(timed.introduction.allocator, allocator);
                let peak_kib = timed.peak_kib.expect("a peak");
                assert!(peak_kib >= timed.kept_kib, "{}", workload.name);
            }
        }
    }
}

#[test]
fn settings_that_give_back_at_once_race_beside_the_default_ones() {
    let names = |allocator| {
        let knobs = settings(allocator).into_iter();
        knobs.map(|knob| knob.name).collect::<Vec<_>>()
    };
    assert_eq!(names("system"), ["default"]);
    assert_eq!(names("jemalloc"), ["default", "decay-0"]);
    assert_eq!(names("mimalloc"), ["default", "purge-delay-0"]);
    assert_eq!(names("pool"), ["default"]);
}

/// The subject that counts: what a workload held, and what it left.
#[track_caller]
fn counted(workload: &str) -> (u64, u64) {
    let account = time(&race(COUNTING, workload, Knob::default_settings())).account;
    let mut counters = account.counters.iter();
    let peak = counters.find(|counter| counter.name == PEAK_LIVE_BYTES);
    let peak_bytes = peak.expect("what it counts for").value;
    (peak_bytes, account.allocated_bytes.expect("a count"))
}

#[test]
fn every_workload_frees_what_it_holds() {
    for workload in workloads::ALL {
        let (peak_bytes, left_bytes) = counted(workload.name);
        assert!(peak_bytes > 0, "{} holds nothing", workload.name);
        // What the standard library asks for once, for its first thread say, it keeps.
        assert!(left_bytes < 4096, "{}: {left_bytes} left", workload.name);
    }
}

#[test]
fn what_a_workload_holds_is_counted_to_the_byte() {
    let boxes = 5_120_000 / DIVISOR;
    let (peak_bytes, _) = counted("int-list");
    let pass = 16; // the box of the closure, at most
    let bytes = boxes * 32;
    assert!((bytes..=bytes + pass).contains(&peak_bytes), "{peak_bytes}");
    assert_eq!(counted("int-list").0, peak_bytes);
}

#[test]
fn the_peak_is_what_was_resident_while_the_pass_ran() {
    let executable = ALLOCATORS[0].1;
    let whole = Race {
        divisor: 4, // 51 MB, of which the system's malloc has 41 in blocks of 32 bytes
        ..race(executable, "int-list", Knob::default_settings())
    };
    let peak_kib = time(&whole).peak_kib.expect("a peak");
    let held_kib = 5_120_000 / 4 * 40 / 1024;
    // The mark is a running counter's and lags by some pages; a huge page may lie half unused.
    let off_kib = (peak_kib - held_kib).abs();
    assert!(off_kib < held_kib / 10, "{peak_kib} KiB");
}

#[test]
fn peak_and_kept_are_beyond_the_program() {
    let beyond = |program_kib| {
        time(&Race {
            program_kib,
            ..race(ALLOCATORS[0].1, "pair", Knob::default_settings())
        })
    };
    let (all, own) = (beyond(Some(0)), beyond(None));
    assert!(all.began_kib > 256, "{} KiB", all.began_kib);
    // Of two processes neither is quite like the other.
    let differ_kib = all.kept_kib - all.began_kib - own.kept_kib;
    assert!(differ_kib.abs() < 64, "{differ_kib} KiB");
    assert!(own.kept_kib < 128, "{} KiB", own.kept_kib);
    assert!(all.peak_kib.expect("a peak") >= all.kept_kib);
}

#[test]
fn a_setting_that_gives_back_at_once_keeps_less() {
    let executable = ALLOCATORS[2].1;
    let whole = |knob| Race {
        divisor: 4,
        ..race(executable, "int-list", knob)
    };
    let kept_kib = |knob| time(&whole(knob)).kept_kib;
    let at_once = knob("mimalloc", "purge-delay-0").expect("a knob");
    let late = Knob::variable("MIMALLOC_PURGE_DELAY", "3600000"); // however slow the machine is
    assert!(kept_kib(at_once) < kept_kib(late) / 2);
}

#[test]
fn what_no_subject_knows_is_refused() {
    let interrupt = Interrupt::never().expect("a pair of descriptors");
    let unknown = race(ALLOCATORS[0].1, "no-such", Knob::default_settings());
    let failure = driver::time(&unknown, &interrupt).expect_err("a refusal");
    assert_eq!(
        failure.to_string(),
        "refused to time no-such: no such workload in this subject"
    );
}
