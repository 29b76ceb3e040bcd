//! A cell run twice gives the same KiB at every checkpoint.

use model::{Checkpoint, Knob, Memory};

use crate::lab::{executable, measure, plan, say};

/// How often each cell is run.
const RUNS: usize = 20;

/// Everything about a run that must repeat. Not CPU time; and not what follows from the state of the
/// page cache: after a new link the kernel maps more or fewer pages of the executable's file at a
/// fault, which `rss_kib` and the faults count, and nothing else does.
fn exact(checkpoints: Vec<Checkpoint>) -> Vec<Checkpoint> {
    checkpoints
        .into_iter()
        .map(|checkpoint| Checkpoint {
            cpu_ms: 0.0,
            minor_faults: None,
            memory: Memory {
                rss_kib: 0,
                ..checkpoint.memory
            },
            ..checkpoint
        })
        .collect()
}

#[track_caller]
fn check(allocator: &str) {
    let plan = plan(executable(allocator), "int-list", Knob::default_settings());
    let (introduction, first) = measure(&plan);
    if introduction.upheld.named().iter().any(|(_, held)| !held) {
        say(&format!(
            "exactness of {allocator}: this machine forbids a lab condition ({:?})",
            introduction.upheld
        ));
        return;
    }
    let first = exact(first);
    for run in 1..RUNS {
        assert_eq!(
            first,
            exact(measure(&plan).1),
            "run {run} differs from run 0"
        );
    }
}

#[test]
fn twenty_runs_under_system_are_the_same() {
    check("system");
}

#[test]
fn twenty_runs_under_jemalloc_are_the_same() {
    check("jemalloc");
}

#[test]
fn twenty_runs_under_mimalloc_are_the_same() {
    check("mimalloc");
}

#[test]
fn twenty_runs_under_pool_are_the_same() {
    check("pool");
}

#[test]
fn another_seed_is_another_run() {
    let run = |seed| {
        let mut plan = plan(executable("system"), "tree", Knob::default_settings());
        plan.seed = seed;
        exact(measure(&plan).1)
    };
    assert_ne!(
        run(1),
        run(2),
        "the comparison above would not notice a difference"
    );
}

/// What is kept at each checkpoint where the executable stands in a folder of so long a name.
fn kept_from_afar(length: usize) -> Vec<i64> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let far = folder.path().join("a".repeat(length));
    std::fs::create_dir(&far).expect("a folder of a long name");
    let copy = far.join("with-system");
    std::fs::copy(executable("system"), &copy).expect("a copy");
    let plan = plan(
        copy.to_str().expect("text"),
        "tree",
        Knob::default_settings(),
    );
    let (_, checkpoints) = measure(&plan);
    checkpoints
        .iter()
        .map(|checkpoint| checkpoint.kept_kib)
        .collect()
}

/// Far longer ones do: the C library reads the list of the process's maps at the start, into a buffer
/// that it allocates as long as the longest line.
#[test]
fn the_length_of_the_executables_path_does_not_show() {
    assert_eq!(kept_from_afar(1), kept_from_afar(120));
}
