//! Real interpreters: where they are, and what they say of their memory.

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use cpython_layers::Version;

/// A class of 32 bytes, which ints of one digit are in.
pub const INT_CLASS: usize = 32;

/// An interpreter that is installed here.
pub struct Python {
    program: PathBuf,
}

/// `mark` writes the statistics behind a line of its own, by calls that allocate next to nothing; once
/// in advance, for what is allocated the first time.
const PRELUDE: &str = "
import posix, sys
def mark():
    posix.write(2, b'@@\\n')
    fd = posix.open('/proc/self/smaps_rollup', 0)
    posix.write(2, posix.read(fd, 4096))
    posix.close(fd)
    sys._debugmallocstats()
L = K = M = None
mark()
";

impl Python {
    /// The newest interpreter of this series under pyenv; says so if there is none.
    pub fn find(row: &Version) -> Option<Python> {
        let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
        let home = || Some(std::env::home_dir()?.join(".pyenv"));
        let versions = root.or_else(home).unwrap_or_default().join("versions");
        let patch = |name: &str| {
            let patch = name.strip_prefix(row.name)?.strip_prefix('.')?;
            patch.parse::<u32>().ok()
        };
        let entries = std::fs::read_dir(&versions).into_iter().flatten().flatten();
        let series = entries.filter_map(|entry| {
            let patch = patch(entry.file_name().to_str()?)?;
            Some((patch, entry.path().join("bin/python")))
        });
        let series = series.filter(|(_, program)| program.exists());
        let newest = series.max().map(|(_, program)| Python { program });
        if newest.is_none() {
            say(&format!(
                "no CPython {} in {}: skipped",
                row.name,
                versions.display()
            ));
        }
        newest
    }

    /// Standard output and standard error of a script.
    pub fn output(&self, options: &[&str], script: &str) -> (String, String) {
        // The interpreter inherits it: a huge page would be resident where nothing was written. A
        // kernel without huge pages refuses, and needs it not.
        let _ = nix::sys::prctl::set_thp_disable(true);
        let mut command = Command::new(&self.program);
        let run = command
            .env_clear()
            .args(options)
            .args(["-c", script])
            .output();
        let run = run.expect("the interpreter starts");
        let text = |bytes| String::from_utf8(bytes).expect("it writes text");
        let (out, err) = (text(run.stdout), text(run.stderr));
        assert!(run.status.success(), "{}: {err}", self.program.display());
        (out, err)
    }

    /// The statistics at each `mark()` of a script.
    pub fn statistics(&self, script: &str) -> Vec<Stats> {
        let script = format!("{PRELUDE}{script}");
        let (_, text) = self.output(&["-s", "-S"], &script);
        text.split("@@\n").skip(2).map(Stats::parse).collect()
    }
}

/// Past the test harness, which would swallow what a passing test prints.
pub fn say(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// What the statistics say, as far as the model says it too.
#[derive(Debug, Default)]
pub struct Stats {
    pub arenas_allocated: usize,
    pub arenas_reclaimed: usize,
    pub arenas_highwater: usize,
    pub unused_pools: usize,
    /// Bytes of arenas that do not begin on a multiple of the pool's size.
    pub lost_to_alignment: usize,
    /// Pools, blocks in use and free blocks of the class of 32 bytes.
    pub ints: [usize; 3],
    pub free_floats: usize,
    pub free_lists: usize,
    /// By the kernel: anonymous memory that is resident.
    pub anonymous_kib: usize,
}

impl Stats {
    pub fn arenas(&self) -> usize {
        self.arenas_allocated - self.arenas_reclaimed
    }

    fn parse(text: &str) -> Stats {
        let mut stats = Stats::default();
        for line in text.lines() {
            let words = line.split_whitespace();
            let numbers: Vec<usize> = words
                .filter_map(|word| word.replace(',', "").parse().ok())
                .collect();
            let Some((first, last)) = numbers.first().zip(numbers.last()) else {
                continue;
            };
            let has = |words: &str| line.contains(words);
            if has("arenas allocated total") {
                stats.arenas_allocated = *last;
            } else if has("arenas reclaimed") {
                stats.arenas_reclaimed = *last;
            } else if has("arenas highwater") {
                stats.arenas_highwater = *last;
            } else if has("bytes lost to arena alignment") {
                stats.lost_to_alignment = *last;
            } else if has("unused pools") {
                stats.unused_pools = *first;
            } else if has("free PyFloatObjects") {
                stats.free_floats = *first;
            } else if has("free PyListObjects") {
                stats.free_lists = *first;
            } else if line.starts_with("Anonymous:") {
                stats.anonymous_kib = *first;
            } else if let [_, INT_CLASS, pools, in_use, free] = numbers[..] {
                // The table of classes: number, size, pools, blocks in use, free blocks.
                stats.ints = [pools, in_use, free];
            }
        }
        stats
    }
}
