//! Bytes thrown at whoever reads documents: any bytes are one (`support::bytes`), and none may end in a panic or go on
//! for ever.
//!
//! ```text
//! cargo test -p afterdrop-report --test fuzz                               the same thousand documents each time
//! REPORT_FUZZ_SECONDS=600 cargo test -p afterdrop-report --test fuzz       longer, and others each time
//! REPORT_FUZZ_SEED=7 ...                                                   from a seed that was printed
//! ```
//!
//! Bytes are drawn at random, without knowing what they cover; `fuzz/` does that, on nightly. Those that broke it
//! are in a file, which is named: put it into `tests/regressions`, and it is replayed in every run.

#[path = "support/bytes.rs"]
mod bytes;
#[path = "support/readings.rs"]
mod readings;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, fs, thread};

const SECONDS: &str = "REPORT_FUZZ_SECONDS";
const SEED: &str = "REPORT_FUZZ_SEED";

/// After so long a document counts as one that hangs.
const PATIENCE: Duration = Duration::from_secs(120);
const MOST_BYTES: usize = 256;

/// So many documents where no time is given.
const USUALLY: u64 = 1_000;

#[test]
fn no_document_breaks_its_readers() {
    // Whoever runs the suite again has the same documents; who looks for others gives it time.
    let time = number(SECONDS).map(Duration::from_secs);
    let seed = number(SEED).unwrap_or_else(|| time.map_or(1, |_| any_seed()));
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("document-{seed}.bytes"));
    let (beats, heard) = mpsc::channel();
    let path = file.clone();
    let worker = thread::spawn(move || work(&path, seed, time, &beats));
    let hangs = loop {
        match heard.recv_timeout(PATIENCE) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => break true,
            Err(RecvTimeoutError::Disconnected) => break false,
        }
    };
    let put = format!(
        "with the bytes in {}, to be put into tests/regressions",
        file.display()
    );
    assert!(!hangs, "{SEED}={seed} hangs it, {put}");
    let Ok((documents, read)) = worker.join() else {
        panic!("{SEED}={seed} broke it, {put}");
    };
    println!("seed {seed}: {documents} documents, {read} of them read and drawn");
    assert!(read > 0, "nothing was tried");
}

#[test]
fn bytes_that_once_broke_it_do_so_no_more() {
    for file in regressions() {
        println!("{}", file.display());
        readings::read(&bytes::document(&fs::read(file).expect("it can be read")));
    }
}

/// How many documents there were, and how many were read.
fn work(file: &Path, seed: u64, time: Option<Duration>, beats: &Sender<()>) -> (u64, u64) {
    let start = Instant::now();
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut documents, mut read) = (0, 0);
    while time.map_or(documents < USUALLY, |time| start.elapsed() < time) {
        let bytes = fresh(&mut random);
        fs::write(file, &bytes).expect("the folder is cargo's");
        read += u64::from(readings::read(&bytes::document(&bytes)));
        documents += 1;
        let _ = beats.send(());
    }
    fs::remove_file(file).expect("it was written");
    (documents, read)
}

/// Few edits mostly: each may be the one that is refused.
fn fresh(random: &mut fastrand::Rng) -> Vec<u8> {
    let edits = match random.u8(..8) {
        0 => random.usize(..MOST_BYTES / 4),
        _ => random.usize(1..=4),
    };
    let mut bytes: Vec<u8> = std::iter::repeat_with(|| random.u8(..))
        .take(1 + 4 * edits)
        .collect();
    if random.u8(..8) > 0 {
        bytes[0] |= 2; // edits alone
        // That keep the type, mostly.
        let keeps = |edit: &mut [u8]| edit[2] |= 8;
        bytes[1..].chunks_exact_mut(4).for_each(keeps);
    }
    bytes
}

fn number(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok()?;
    let number = value.parse();
    Some(number.unwrap_or_else(|_| panic!("{variable} is a number")))
}

fn any_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("it is after 1970").as_nanos() as u64
}

fn regressions() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/regressions");
    let files = fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<_> = files
        .map(|file| file.expect("it can be read").path())
        .collect();
    files.sort();
    files
}
