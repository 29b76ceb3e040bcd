//! Cells made by hand, for the tests of this crate.

use model::{
    Account, Cell, Checkpoint, Comparison, Conditions, Host, Memory, Moment, SCHEMA_VERSION,
    Status, Timings, TriedKnob,
};

/// A checkpoint of which only this much matters.
pub(crate) fn checkpoint(name: Moment, round: u32, clock_ms: u64, kept_kib: i64) -> Checkpoint {
    Checkpoint {
        name,
        round,
        clock_ms,
        kept_kib,
        memory: Memory::default(),
        minor_faults: Some(0),
        cpu_ms: 0.0,
        live_bytes: 0,
        account: Account::default(),
        ledger: Vec::new(),
    }
}

/// A judged cell of two rounds that occupied and kept so many MiB at each, at this cost in all.
pub(crate) fn cell(occupied_mib: f64, kept_mib: f64, cpu_ms: f64, minor_faults: u64) -> Cell {
    let kib = |mib: f64| (mib * 1024.0) as i64;
    let mut checkpoints = Vec::new();
    for round in [1, 2] {
        checkpoints.push(checkpoint(Moment::Built, round, 0, kib(occupied_mib)));
        checkpoints.push(checkpoint(Moment::Dropped, round, 0, kib(kept_mib)));
    }
    checkpoints[0].cpu_ms = cpu_ms;
    checkpoints[0].minor_faults = Some(minor_faults);
    Cell {
        allocator: "a".to_owned(),
        allocator_title: None,
        allocator_version: None,
        scenario: "s".to_owned(),
        python: None,
        machine: None,
        size: 1,
        seed: 1,
        knob: "default".to_owned(),
        turned: None,
        chosen: None,
        conditions: Conditions::Lab,
        upheld: None,
        release_call: None,
        status: Status::Measured,
        failure: None,
        parts: Vec::new(),
        verdict: crate::judge(&checkpoints),
        cause: None,
        checkpoints,
    }
}

/// These cells, measured on some machine.
pub(crate) fn comparison(cells: Vec<Cell>) -> Comparison {
    Comparison {
        schema_version: SCHEMA_VERSION,
        afterdrop_version: "0".to_owned(),
        command: "cargo xtask compare".to_owned(),
        host: Host {
            os: None,
            kernel: None,
            glibc: Some("2.36".to_owned()),
            architecture: "x86_64".to_owned(),
            cpu_count: 2,
            page_size_bytes: 4096,
            memory_kib: 0,
            available_kib: 0,
            huge_pages: None,
            lab_conditions: Vec::new(),
        },
        machines: Vec::new(),
        shard: None,
        cells,
        interrupted: false,
        timings: Timings::default(),
    }
}

/// A knob tried on `default`, whose object it lets keep so much, at this cost in all.
pub(crate) fn knob(
    default: &Cell,
    name: &str,
    kept_mib: f64,
    cpu_ms: f64,
    minor_faults: u64,
) -> TriedKnob {
    let occupied_mib = default.checkpoints[0].kept_kib as f64 / 1024.0;
    let turned = Cell {
        knob: name.to_owned(),
        ..cell(occupied_mib, kept_mib, cpu_ms, minor_faults)
    };
    TriedKnob {
        does: String::new(),
        default: String::new(),
        cost: String::new(),
        how: name.to_owned(),
        price: crate::price(default, &turned),
        cell: turned,
    }
}
