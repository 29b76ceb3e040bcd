//! Over real memory, what the model calls resident is what the kernel finds resident.
//!
//! Each version in a process of its own, so that nothing is left of another.

use std::process::Command;

use cpython_layers::{Block, Heap, Interpreter, Kind, Word, version};

/// Anonymous memory of this process that is resident.
fn anonymous_kib() -> usize {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").expect("Linux 4.14 or newer");
    let line = text.lines().find(|line| line.starts_with("Anonymous:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.expect("a figure").parse().expect("KiB")
}

/// Names the version in the process that measures it.
const ROW: &str = "CPYTHON_LAYERS_ROW";

#[test]
fn what_the_model_calls_resident_is_and_what_it_only_holds_is_not() {
    if let Ok(name) = std::env::var(ROW) {
        return measure(&name);
    }
    // A kernel without huge pages refuses, and needs it not.
    let _ = nix::sys::prctl::set_thp_disable(true);
    let program = std::env::current_exe().expect("a test is a program");
    for name in ["2.4", "2.7", "3.9", "3.13"] {
        let run = Command::new(&program).env(ROW, name).output();
        let run = run.expect("it starts");
        let text = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success(), "{text}");
    }
}

fn measure(name: &str) {
    let row = version(name).unwrap_or_else(|| panic!("a row for {name}"));
    let new = || Interpreter::new(row, Word::Bits64, Heap).expect("there is memory");
    // Written beforehand, so that it does not count.
    let mut blocks: Vec<Option<Block>> = Vec::new();
    blocks.resize_with(1_000_000, || None);
    let before = anonymous_kib();

    let mut python = new();
    for (value, place) in (1000..).zip(&mut blocks) {
        *place = Some(python.alloc(Kind::Int(value)).expect("there is memory"));
    }
    // Each of these holds an arena, and has written next to nothing of it.
    let mut pythons = [(); 40].map(|()| new());
    let objects = pythons
        .each_mut()
        .map(|python| python.alloc(Kind::Object(64)));
    assert!(objects.iter().all(Result::is_ok));

    let all = || pythons.iter().chain([&python]);
    let held = all().map(Interpreter::held).sum::<usize>() / 1024;
    let modelled = all().map(Interpreter::resident).sum::<usize>() / 1024;
    let measured = anonymous_kib() - before;
    let what = format!("{name}: {modelled} KiB modelled, {measured} measured, {held} held");
    // The C library's chunk headers, and what the model itself needs for its lists.
    let allowed = modelled / 5;
    assert!((modelled..modelled + allowed).contains(&measured), "{what}");
    let (arena, touched) = (row.arena_bytes.of(Word::Bits64) / 1024, 64);
    assert!(held >= modelled + 40 * (arena - touched), "{what}");
}
