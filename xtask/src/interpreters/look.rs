//! Looking which interpreter a name or a path is: it is asked, and what does not answer is none.

use std::fs;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

/// A CPython that can be measured.
#[derive(Clone, Debug)]
pub(crate) struct Interpreter {
    /// What the user named, be it a script that sets an interpreter up.
    pub(crate) executable: PathBuf,
    /// `3.13.0`
    pub(crate) version: String,
    /// `(3, 13)`
    pub(crate) series: (u32, u32),
    /// The width of its words: 32 or 64.
    pub(crate) bits: u32,
    /// Bytes that its blocks' addresses are a multiple of: 8 or 16.
    pub(crate) alignment: usize,
    /// Letters that tell its build from an ordinary one: `t` without the global lock, `d` for debugging.
    pub(crate) flags: String,
}

/// What the script is written for.
const OLDEST: (u32, u32) = (2, 7);

/// How long an interpreter may take to say which it is.
const LOOK_LIMIT: Duration = Duration::from_secs(10);

/// Every Python since 2.0 understands it: a line for each of what an [`Interpreter`] is made from. How far
/// apart blocks of 40 bytes are tells the alignment, which patched builds may have of another version.
const QUESTION: &str = "
import struct, sys
other = hasattr(sys, 'pypy_version_info') and 'PyPy'
kind = getattr(getattr(sys, 'implementation', None), 'name', other or 'cpython')
alignment = 0
if kind == 'cpython' and sys.version_info >= (2, 7):
    size = 40 - sys.getsizeof(''.encode())
    blocks = [bytes(bytearray(size)) for _ in range(999)]
    places = sorted([id(block) for block in blocks])
    alignment = min([b - a for a, b in zip(places, places[1:])]) % 16 and 8 or 16
for answer in ('python', sys.version.split()[0], sys.version_info[0], sys.version_info[1],
               struct.calcsize('P') * 8, alignment, kind, getattr(sys, 'abiflags', '')):
    sys.stdout.write(str(answer) + '\\n')
";

/// Asks the interpreter of this name or path which it is.
pub(super) fn look(name: &str) -> Result<Interpreter, String> {
    let way_out = "give the path of a CPython, or the name of one on the PATH";
    let path = path_of(name);
    let (answer, last_words) = ask(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("there is no {name}: {way_out}"),
        _ => format!("cannot start {name}: {error}; {way_out}"),
    })?;
    let mut lines = answer.lines();
    let mut line = || lines.next().unwrap_or_default();
    if line() != "python" {
        let first = answer.lines().next().unwrap_or_default();
        let quoted =
            |line: &str| format!("it said {:?}", line.chars().take(80).collect::<String>());
        let said = match (first, &*last_words) {
            ("", "") => "it said nothing".to_owned(),
            ("", last) => quoted(last),
            (first, _) => quoted(first),
        };
        return Err(format!(
            "{name} is no Python: {said} when asked for its version; {way_out}"
        ));
    }
    let version = line().to_owned();
    let mut number = || line().parse().unwrap_or_default();
    let (series, bits, alignment) = ((number(), number()), number(), number() as usize);
    if line() != "cpython" {
        return Err(format!(
            "{name} is another Python {version} than CPython, whose layers these are; {way_out}"
        ));
    }
    if series < OLDEST {
        return Err(format!(
            "{name} is Python {version}, and the script needs 2.7 or later: of an older one there is \
             the model, --python 2.4"
        ));
    }
    let flags = line().replace('m', ""); // which every build had, once
    Ok(Interpreter {
        executable: std::path::absolute(&path).unwrap_or(path),
        version,
        series,
        bits,
        alignment,
        flags,
    })
}

/// Whether there is anything of this name or path.
pub(super) fn is_there(name: &str) -> bool {
    path_of(name).exists()
}

/// What a program prints when it is given the question, and the last line it writes to standard error;
/// nothing of one that does not end. What it leaves behind ends with it.
fn ask(program: &Path) -> io::Result<(String, String)> {
    let mut command = Command::new(program);
    command
        .args(["-c", QUESTION])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    driver::end_with_this_process(&mut command);
    let mut child = command.spawn()?;
    let group = Pid::from_raw(child.id() as i32);
    let ended = ends_within(group, LOOK_LIMIT);
    // Before it is reaped: then its number may become somebody else's.
    let _ = killpg(group, Signal::SIGKILL); // fails where all of them are dead already
    child.wait()?;
    if !ended? {
        return Ok(Default::default());
    }
    let said = text(child.stdout.take())?;
    let errors = text(child.stderr.take())?;
    let last = errors.lines().rfind(|line| !line.trim().is_empty());
    Ok((said, last.unwrap_or_default().to_owned()))
}

/// Whether this child ends in time. It is not reaped.
fn ends_within(child: Pid, limit: Duration) -> io::Result<bool> {
    let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    let deadline = Instant::now() + limit;
    while waitid(Id::Pid(child), look)? == WaitStatus::StillAlive {
        if Instant::now() >= deadline {
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(true)
}

/// What is in a pipe, and no more than a pipe holds. Its writer has ended, and whoever else may still hold
/// the other end is not waited for.
fn text(pipe: Option<impl Read + AsFd>) -> io::Result<String> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        fcntl(&pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        match pipe.take(1 << 16).read_to_end(&mut bytes) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Where interpreters are: the folders of the PATH, and then those of pyenv's versions, newest first,
/// instead of its shims, which know only the versions that are switched on.
pub(super) fn folders() -> Vec<PathBuf> {
    let pyenv = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let home = || Some(std::env::home_dir()?.join(".pyenv"));
    let pyenv = pyenv.or_else(home).unwrap_or_default();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let of_path = std::env::split_paths(&path).filter(|folder| *folder != pyenv.join("shims"));
    let mut versions = entries(&pyenv.join("versions"));
    versions.sort_by_key(|version| numbers(&version.to_string_lossy()));
    let of_pyenv = versions
        .into_iter()
        .rev()
        .map(|version| version.join("bin"));
    of_path.chain(of_pyenv).collect()
}

/// The path that this name stands for, where it is one on the PATH or pyenv's.
fn path_of(name: &str) -> PathBuf {
    let known = folders().into_iter().map(|folder| folder.join(name));
    let mut known = known.filter(|path| !name.contains('/') && path.is_file());
    known.next().unwrap_or_else(|| PathBuf::from(name))
}

pub(super) fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// `3.13.0` as numbers, to sort by.
pub(super) fn numbers(version: &str) -> Vec<u32> {
    let parts = version.split(|c: char| !c.is_ascii_digit());
    parts.filter_map(|part| part.parse().ok()).collect()
}
