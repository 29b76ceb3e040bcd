//! Live CPythons: which there are, which one is meant, and how it is started as a subject.
//!
//! An interpreter is asked for its version before anything is measured. One that cannot be asked, or is
//! too old for the script, is measured all the same in the sense that its cell is there, and failed.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use scenarios::python::Build;

use crate::matrix::Subject;
use crate::names::ALL;
use crate::stop::Stop;

/// The name of the catalogue of their knobs.
pub(crate) const CATALOGUE: &str = "cpython";

/// The script that is the subject, whatever the interpreter.
const SCRIPT: &str = include_str!("../../crates/subject/python/with-cpython.py");

/// No bytecode is written, and neither the user's nor the site's own modules are looked for.
const OPTIONS: [&str; 4] = ["-B", "-s", "-S", "-c"];

/// The order of a set has a seed of its own in each process, but for this.
const NO_HASH_SEED: (&str, &str) = ("PYTHONHASHSEED", "0");

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
               struct.calcsize('P') * 8, alignment, kind, getattr(sys, 'abiflags', ''),
               sys.executable):
    sys.stdout.write(str(answer) + '\\n')
";

/// A CPython that can be measured.
#[derive(Clone, Debug)]
pub(crate) struct Interpreter {
    /// Its own executable, behind whatever script the user named.
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

/// What became of a name: an interpreter, or why it is none.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// As the user typed it, or the path where it was found.
    pub(crate) name: String,
    pub(crate) looked: Result<Interpreter, String>,
}

impl Interpreter {
    /// Whether it came before this version, such as `3.13`.
    pub(crate) fn is_older_than(&self, version: &str) -> bool {
        numbers(&self.version) < numbers(version)
    }
}

impl Named {
    /// What is started and measured. Its cells are called `cpython-3.13.0`, or what the user typed where
    /// that is no interpreter.
    pub(crate) fn subject(&self) -> Subject {
        let script = OPTIONS.into_iter().chain([SCRIPT]);
        let (name, executable) = match &self.looked {
            Ok(Interpreter {
                version,
                flags,
                executable,
                ..
            }) => (format!("cpython-{version}{flags}"), executable.clone()),
            Err(_) => (self.name.clone(), PathBuf::new()),
        };
        Subject {
            name,
            executable,
            arguments: script.map(str::to_owned).collect(),
            variables: vec![(NO_HASH_SEED.0.to_owned(), NO_HASH_SEED.1.to_owned())],
            unfit: self.looked.as_ref().err().cloned(),
        }
    }

    /// Which Python it is, such as `3.13 64-bit`; `None` of what is none.
    pub(crate) fn python(&self) -> Option<String> {
        let Interpreter {
            series: (major, minor),
            bits,
            ..
        } = self.looked.as_ref().ok()?;
        Some(format!("{major}.{minor} {bits}-bit"))
    }

    /// The Python of the model that is nearest to it: of the same width and alignment, and of a version as
    /// near as there is.
    pub(crate) fn build(&self) -> Build {
        let Ok(interpreter) = &self.looked else {
            return Build::newest();
        };
        let bits = interpreter.bits;
        let builds = Build::all().filter_map(|build| {
            let name = build.version.name;
            let build: Build = format!("{name}-{bits}").parse().ok()?;
            let alignment = build.version.alignment.of(build.word);
            let (major, minor) = interpreter.series;
            let numbers = numbers(name);
            let apart = (numbers[0].abs_diff(major), numbers[1].abs_diff(minor));
            Some((
                (apart.0, alignment != interpreter.alignment, apart.1),
                build,
            ))
        });
        let nearest = builds.min_by_key(|(distance, _)| *distance);
        nearest.map_or_else(Build::newest, |(_, build)| build)
    }

    /// A sentence, where it is no build that the model knows.
    pub(crate) fn not_modelled(&self) -> Option<String> {
        let (python, build) = (self.python()?, self.build());
        let Interpreter {
            alignment, flags, ..
        } = self.looked.as_ref().ok()?;
        let own: Option<Build> = python.parse().ok();
        let as_modelled = own.map(|own| own.version.alignment.of(own.word) == *alignment);
        let what = match (flags.as_str(), as_modelled) {
            ("", Some(true)) => return None,
            ("", None) => format!("the model does not know Python {python}"),
            ("", Some(false)) => format!(
                "it aligns blocks to {alignment} bytes, which Python {python} does not as it comes"
            ),
            (flags, _) => format!("the model does not know builds with the flags {flags:?}"),
        };
        let name = self.subject().name;
        Some(format!(
            "{name} is predicted as Python {build}, the nearest: {what}."
        ))
    }
}

/// The interpreters of these names and paths, each once, and for `all` those that are found.
///
/// # Errors
/// [`Stop::BadInput`] where `all` finds none.
pub(crate) fn chosen(names: &[String]) -> Result<Vec<Named>, Stop> {
    let mut chosen: Vec<Named> = Vec::new();
    for name in names {
        if name == ALL {
            let found = found();
            if found.is_empty() {
                return Err(Stop::BadInput(
                    "there is no CPython from 2.7 on, neither on the PATH nor under pyenv: give the \
                     path of one with --interpreter"
                        .to_owned(),
                ));
            }
            chosen.extend(found);
        } else {
            let looked = look(name);
            chosen.push(Named {
                name: name.clone(),
                looked,
            });
        }
    }
    let mut seen = BTreeSet::new();
    chosen.retain(|named| match &named.looked {
        Ok(interpreter) => seen.insert(interpreter.executable.clone()),
        Err(_) => seen.insert(named.name.clone().into()),
    });
    Ok(chosen)
}

/// Those that can be measured, on the PATH and under pyenv, by version. Of several paths to one
/// executable the first is taken.
pub(crate) fn found() -> Vec<Named> {
    let pyenv = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let home = || Some(std::env::home_dir()?.join(".pyenv"));
    let pyenv = pyenv.or_else(home).unwrap_or_default();
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Its shims are scripts that lead to what is under versions.
    let folders = std::env::split_paths(&path).filter(|folder| *folder != pyenv.join("shims"));
    let versions = entries(&pyenv.join("versions")).into_iter();
    let folders = folders.chain(versions.map(|version| version.join("bin")));
    let candidates = folders.flat_map(|folder| {
        let programs = entries(&folder);
        programs
            .into_iter()
            .filter(|program| is_named_python(program))
    });
    let executables: BTreeSet<PathBuf> = candidates.filter_map(|p| p.canonicalize().ok()).collect();
    let named = executables.into_iter().map(|path| Named {
        name: path.display().to_string(),
        looked: look(&path.to_string_lossy()),
    });
    let mut found: Vec<Named> = named.filter(|named| named.looked.is_ok()).collect();
    found.sort_by_key(|named| {
        let version = named.looked.iter().map(|i| numbers(&i.version)).next();
        (version, named.name.clone())
    });
    found
}

/// Asks the interpreter of this name or path which it is.
fn look(name: &str) -> Result<Interpreter, String> {
    let way_out = "give the path of a CPython, or the name of one on the PATH";
    let answer = ask(name).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("there is no {name}: {way_out}"),
        _ => format!("cannot start {name}: {error}; {way_out}"),
    })?;
    let mut lines = answer.lines();
    let mut line = || lines.next().unwrap_or_default();
    if line() != "python" {
        let first = answer.lines().next().unwrap_or_default();
        let said = match first {
            "" => "it said nothing".to_owned(),
            first => format!("it said {:?}", first.chars().take(60).collect::<String>()),
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
    let executable = match line() {
        "" => PathBuf::from(name),
        path => PathBuf::from(path),
    };
    Ok(Interpreter {
        executable: executable.canonicalize().unwrap_or(executable),
        version,
        series,
        bits,
        alignment,
        flags,
    })
}

/// What a program prints when it is given the question; nothing of one that does not end.
fn ask(name: &str) -> io::Result<String> {
    let mut child = Command::new(name)
        .args(["-c", QUESTION])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let deadline = Instant::now() + LOOK_LIMIT;
    while child.try_wait()?.is_none() {
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(String::new());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let mut answer = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(4096).read_to_end(&mut answer)?;
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// `python`, `python2.7`, `python3`, `python3.13`; not `python3-config`.
fn is_named_python(program: &Path) -> bool {
    let name = program.file_name().and_then(|name| name.to_str());
    let version = name.and_then(|name| name.strip_prefix("python"));
    version.is_some_and(|v| v.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

/// `3.13.0` as numbers, to sort by.
fn numbers(version: &str) -> Vec<u32> {
    let parts = version.split(|c: char| !c.is_ascii_digit());
    parts.filter_map(|part| part.parse().ok()).collect()
}
