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

use crate::knobs::Documented;
use crate::matrix::Subject;
use crate::names::ALL;
use crate::stop::Stop;

/// The name of the catalogue of their knobs.
pub(crate) const CATALOGUE: &str = "cpython";

/// The script that is the subject, whatever the interpreter.
const SCRIPT: &str = concat!(
    include_str!("../../crates/subject/python/scenarios.py"),
    include_str!("../../crates/subject/python/settled.py"),
    include_str!("../../crates/subject/python/account.py"),
    include_str!("../../crates/subject/python/subject.py"),
);

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
               struct.calcsize('P') * 8, alignment, kind, getattr(sys, 'abiflags', '')):
    sys.stdout.write(str(answer) + '\\n')
";

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

/// What became of a name: an interpreter, or why it is none.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// As the user typed it, or the path where it was found.
    pub(crate) name: String,
    pub(crate) looked: Result<Interpreter, String>,
}

impl Named {
    /// Looks which interpreter this name or path is.
    pub(crate) fn look(name: &str) -> Named {
        Named {
            name: name.to_owned(),
            looked: look(name),
        }
    }

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
            python: self.python(),
            variables: vec![(NO_HASH_SEED.0.to_owned(), NO_HASH_SEED.1.to_owned())],
            unfit: self.looked.as_ref().err().cloned(),
        }
    }

    /// Whether it is new enough for this knob; what is no interpreter fails before it comes to that.
    pub(crate) fn knows(&self, knob: &Documented) -> bool {
        match (&self.looked, &knob.since) {
            (Ok(interpreter), Some(since)) => numbers(&interpreter.version) >= numbers(since),
            _ => true,
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
            chosen.push(Named::look(name));
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
    let candidates = folders().into_iter().flat_map(|folder| {
        let programs = entries(&folder);
        programs
            .into_iter()
            .filter(|program| is_named_python(program))
    });
    let executables: BTreeSet<PathBuf> = candidates.filter_map(|p| p.canonicalize().ok()).collect();
    let named = executables.into_iter();
    let named = named.map(|path| Named::look(&path.to_string_lossy()));
    let mut found: Vec<Named> = named.filter(|named| named.looked.is_ok()).collect();
    found.sort_by_key(|named| {
        let version = named.looked.iter().map(|i| numbers(&i.version)).next();
        (version, named.name.clone())
    });
    found
}

/// Where interpreters are: the folders of the PATH, and then those of pyenv's versions, newest first,
/// instead of its shims, which know only the versions that are switched on.
fn folders() -> Vec<PathBuf> {
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

/// Asks the interpreter of this name or path which it is.
fn look(name: &str) -> Result<Interpreter, String> {
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

/// What a program prints when it is given the question, and the last line it writes to standard error;
/// nothing of one that does not end.
fn ask(program: &Path) -> io::Result<(String, String)> {
    let mut child = Command::new(program)
        .args(["-c", QUESTION])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let deadline = Instant::now() + LOOK_LIMIT;
    while child.try_wait()?.is_none() {
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(Default::default());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let said = text(child.stdout.take())?;
    let errors = text(child.stderr.take())?;
    let last = errors.lines().rfind(|line| !line.trim().is_empty());
    Ok((said, last.unwrap_or_default().to_owned()))
}

/// What is in a pipe whose writer has ended, and no more than a pipe holds.
fn text(pipe: Option<impl Read>) -> io::Result<String> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(1 << 16).read_to_end(&mut bytes)?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_speaks_the_protocol_of_this_driver() {
        let line = format!("\nPROTOCOL = {}\n", model::protocol::VERSION);
        assert!(SCRIPT.contains(&line), "no {line:?} in subject.py");
        let longest = format!(
            "\nLONGEST_LINE = {} * 1024\n",
            model::protocol::LONGEST_LINE / 1024
        );
        assert!(SCRIPT.contains(&longest), "no {longest:?} in subject.py");
    }

    #[test]
    fn versions_are_in_the_order_of_their_numbers() {
        assert!(numbers("3.9.18") < numbers("3.10.1"));
        assert!(numbers("3.13.0rc1") >= numbers("3.13"));
    }

    #[test]
    fn every_scenario_of_the_model_is_one_of_the_script_s() {
        for scenario in scenarios::PYTHON {
            assert!(
                SCRIPT.contains(&format!("\"{}\":", scenario.name)),
                "{}",
                scenario.name
            );
        }
    }
}
