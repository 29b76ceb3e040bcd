//! Bytes thrown at the allocator: any bytes are a plan (`support::bytes`), and none may break it.
//!
//! ```text
//! cargo test -p pool-alloc --test fuzz                                    10 s, or 60 s where CI is set
//! POOL_ALLOC_FUZZ_SECONDS=600 cargo test -p pool-alloc --test fuzz        longer
//! POOL_ALLOC_FUZZ_SEED=7 ...                                              from a seed that was printed
//! ```
//!
//! Bytes are drawn at random, or made from earlier ones by changing, cutting, repeating and joining; nothing is known
//! of what they cover (`fuzz/` does that, on nightly). They run in a process of their own, since a broken invariant
//! ends the process. What was running then is in a file, which is named: put it into `tests/regressions`, and it is
//! replayed in every run.

mod support;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, fs};

use support::faults::{self, FAULTS};
use support::{alone, bytes, plan};

const SECONDS: &str = "POOL_ALLOC_FUZZ_SECONDS";
const SEED: &str = "POOL_ALLOC_FUZZ_SEED";
/// Set for the process that does the work: the file for the bytes that it runs.
const WORKER: &str = "POOL_ALLOC_FUZZ_WORKER";
/// Set where a fault is to be found: its place in `FAULTS`.
const FAULT: &str = "POOL_ALLOC_FUZZ_FAULT";

/// The seed of the controls, which therefore do the same in every run.
const CONTROL_SEED: u64 = 1;

/// So many kept inputs are what new ones are made from.
const CORPUS: usize = 64;
const MOST_BYTES: usize = 512;

#[test]
fn no_bytes_break_the_allocator() {
    if let Some(file) = env::var_os(WORKER) {
        return work(Path::new(&file));
    }
    let seed = number(SEED).unwrap_or_else(any_seed);
    let in_ci = env::var_os("CI").is_some();
    let seconds = number(SECONDS).unwrap_or(if in_ci { 60 } else { 10 });
    let file = file("running");
    let child = start(&file, seed, seconds, None);
    let (ended_well, told) = wait(child, seconds);
    println!("seed {seed}: {told}");
    assert!(
        ended_well,
        "{SEED}={seed} broke it, with the bytes in {}, to be put into tests/regressions:\n{told}",
        file.display(),
    );
}

#[test]
fn bytes_that_once_broke_it_do_so_no_more() {
    for (name, bytes) in regressions() {
        println!("{}", name.display());
        alone(|| plan::run(&bytes::plan(&bytes)));
    }
}

/// Each planted fault makes the same process fail, and it says why.
#[test]
fn planted_faults_are_found() {
    for (number, (fault, told_by)) in FAULTS.iter().enumerate() {
        let child = start(&file(&format!("{fault:?}")), CONTROL_SEED, 20, Some(number));
        let (ended_well, told) = wait(child, 20);
        assert!(!ended_well, "{fault:?} goes unseen: {told}");
        assert!(told.contains(told_by), "{fault:?}: {told}");
    }
}

fn number(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{variable} is a number")),
    )
}

fn any_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("it is after 1970").as_nanos() as u64
}

fn file(name: &str) -> PathBuf {
    let name = format!("fuzz-{name}-{}.bytes", std::process::id());
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn regressions() -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/regressions");
    let files = fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<_> = files
        .map(|file| file.expect("it can be read").path())
        .collect();
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "bytes")
    });
    files.sort();
    assert!(!files.is_empty());
    let read = |file: PathBuf| {
        let bytes = fs::read(&file).expect("it can be read");
        (file, bytes)
    };
    files.into_iter().map(read).collect()
}

fn start(file: &Path, seed: u64, seconds: u64, fault: Option<usize>) -> Child {
    let mut command = Command::new(env::current_exe().expect("tests are files"));
    command
        .args(["--exact", "no_bytes_break_the_allocator", "--nocapture"])
        .env(WORKER, file)
        .env(SEED, seed.to_string())
        .env(SECONDS, seconds.to_string())
        .env("RUST_BACKTRACE", "0")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(fault) = fault {
        command.env(FAULT, fault.to_string());
    }
    command.spawn().expect("the test can start itself")
}

/// Whether the process ended well, and what it told. One that goes on for ever is ended.
fn wait(mut child: Child, seconds: u64) -> (bool, String) {
    let patience = Instant::now() + Duration::from_secs(seconds * 10 + 120);
    while child.try_wait().expect("it is our child").is_none() {
        if Instant::now() > patience {
            child.kill().expect("it is our child");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().expect("it has ended");
    let mut told = String::from_utf8_lossy(&output.stdout).into_owned();
    told.push_str(&String::from_utf8_lossy(&output.stderr));
    (output.status.success(), told)
}

fn work(file: &Path) {
    let seed = number(SEED).expect("the test sets it");
    let until = Instant::now() + Duration::from_secs(number(SECONDS).expect("the test sets it"));
    if let Some(fault) = number(FAULT) {
        faults::plant(FAULTS[fault as usize].0);
    }
    let mut source = Source::new(seed);
    let (mut plans, mut steps) = (0, 0);
    while Instant::now() < until {
        let bytes = source.next();
        fs::write(file, &bytes).expect("the folder is cargo's");
        let plan = bytes::plan(&bytes);
        steps += plan.steps.len();
        plan::run(&plan);
        plans += 1;
    }
    fs::remove_file(file).expect("it was written");
    println!("{plans} plans, {steps} steps");
}

/// Where bytes come from: the same for the same seed.
struct Source {
    random: fastrand::Rng,
    corpus: Vec<Vec<u8>>,
}

impl Source {
    fn new(seed: u64) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            corpus: regressions().into_iter().map(|(_, bytes)| bytes).collect(),
        }
    }

    fn next(&mut self) -> Vec<u8> {
        let bytes = match self.random.u8(..4) {
            0 => self.fresh(),
            _ => self.changed(),
        };
        match self.corpus.len() {
            CORPUS => {
                let place = self.random.usize(..CORPUS);
                self.corpus[place].clone_from(&bytes);
            }
            _ => self.corpus.push(bytes.clone()),
        }
        bytes
    }

    fn fresh(&mut self) -> Vec<u8> {
        let len = self.random.usize(1..=MOST_BYTES);
        std::iter::repeat_with(|| self.random.u8(..))
            .take(len)
            .collect()
    }

    fn any(&mut self) -> Vec<u8> {
        let which = self.random.usize(..self.corpus.len());
        self.corpus[which].clone()
    }

    /// A place in `bytes`, or just behind it.
    fn place(&mut self, bytes: &[u8]) -> usize {
        self.random.usize(..=bytes.len())
    }

    fn changed(&mut self) -> Vec<u8> {
        let mut bytes = self.any();
        for _ in 0..self.random.usize(1..=4) {
            let (one, other) = (self.place(&bytes), self.place(&bytes));
            let part = one.min(other)..one.max(other);
            match self.random.u8(..5) {
                0 => drop(bytes.drain(part)),
                1 => {
                    let part = bytes[part].to_vec();
                    bytes.splice(one..one, part);
                }
                2 => {
                    let tail = self.any();
                    let from = self.place(&tail);
                    bytes.truncate(one);
                    bytes.extend_from_slice(&tail[from..]);
                }
                _ => {
                    for byte in bytes[part].iter_mut().take(4) {
                        *byte = self.random.u8(..);
                    }
                }
            }
            bytes.truncate(MOST_BYTES);
        }
        bytes
    }
}
