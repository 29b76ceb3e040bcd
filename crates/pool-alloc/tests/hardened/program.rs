//! A test as a program that is run with a fault and without.

use std::alloc::{GlobalAlloc, Layout};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};

use pool_alloc::PoolAlloc;

pub const POOL: PoolAlloc = PoolAlloc::new();

const PROGRAM: &str = "POOL_ALLOC_TEST_HARDENED";

/// Which of the two runs it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    Faulty,
    Sound,
}

/// How the faulty run ends.
#[derive(Clone, Copy, Debug)]
pub enum End<'a> {
    /// With this line, where `@` is the block that the program `shows`.
    Line(&'a str),
    /// Killed by the processor's doing, without a line.
    Fault,
}

/// Defines tests by their name, how the faulty run ends, and the program.
macro_rules! programs {
    ($($name:ident, $end:expr, $program:expr;)*) => {
        $(#[test]
        fn $name() {
            let name = concat!(module_path!(), "::", stringify!($name));
            $crate::program::check(name, $end, $program);
        })*
    };
}
pub(crate) use programs;

pub fn check(name: &str, end: End, program: fn(Run)) {
    match std::env::var(PROGRAM).as_deref() {
        Ok("faulty") => return program(Run::Faulty),
        Ok(_) => return program(Run::Sound),
        Err(_) => {}
    }
    // The harness knows a test by its path within the crate.
    let name = name.split_once("::").expect("a module's path").1;
    let sound = Outcome::of(name, "sound");
    assert!(sound.status.success(), "without a fault: {sound:?}");
    assert_eq!(sound.said, "", "without a fault");
    let faulty = Outcome::of(name, "faulty");
    match end {
        End::Line(line) => {
            let line = line.replace('@', &faulty.block);
            assert_eq!(faulty.status.signal(), Some(libc::SIGABRT), "{faulty:?}");
            assert_eq!(faulty.said, format!("pool-alloc: {line}\n"));
        }
        End::Fault => {
            assert_eq!(faulty.status.signal(), Some(libc::SIGSEGV), "{faulty:?}");
            assert_eq!(faulty.said, "");
        }
    }
}

#[derive(Debug)]
struct Outcome {
    status: ExitStatus,
    said: String,
    /// What the program showed.
    block: String,
}

impl Outcome {
    fn of(name: &str, run: &str) -> Self {
        let this = std::env::current_exe().expect("tests are files");
        let output = Command::new(this)
            .args(["--exact", name, "--nocapture"])
            .env(PROGRAM, run)
            .output()
            .expect("the test can start itself");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("running 1 test"), "{name}: {text}");
        let shown = text.lines().find_map(|line| line.split_once("block "));
        Self {
            status: output.status,
            said: String::from_utf8_lossy(&output.stderr).into_owned(),
            block: shown.map_or_else(String::new, |(_, block)| block.to_owned()),
        }
    }
}

/// Tells the other process which block the line is to be about; returns it.
pub fn shows(block: *mut u8) -> *mut u8 {
    println!("\nblock {block:p}");
    block
}

pub fn layout(size: usize) -> Layout {
    Layout::from_size_align(size, 8).expect("tests ask for valid layouts")
}

pub fn take(size: usize) -> *mut u8 {
    // SAFETY: the size is not zero.
    let block = unsafe { POOL.alloc(layout(size)) };
    assert!(!block.is_null());
    block
}

/// Frees a block, be it one or not: that is what is tested.
pub fn give(block: *mut u8, size: usize) {
    // SAFETY: none; then the process is there to die.
    unsafe { POOL.dealloc(block, layout(size)) };
}

/// As above, on another thread.
pub fn give_elsewhere(block: *mut u8, size: usize) {
    let address = block.expose_provenance();
    let free = move || give(std::ptr::with_exposed_provenance_mut(address), size);
    std::thread::spawn(free).join().expect("it does not fail");
}
