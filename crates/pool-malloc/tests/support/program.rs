//! A program that exists already, run twice: as it is, and on the library. Both must say and return the same.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::{folder, library, said};

/// What is run, and what is compared.
pub struct Program {
    /// Names the run, and its folder.
    pub name: String,
    command: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(&'static str, &'static str)>,
    address_space: Option<u64>,
    compares_output: bool,
}

impl Program {
    /// A command with arguments, of which `{folder}` stands for an empty folder of the run's own.
    pub fn new(name: &str, command: impl AsRef<Path>, arguments: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            command: command.as_ref().to_owned(),
            arguments: arguments
                .iter()
                .map(|argument| (*argument).to_owned())
                .collect(),
            environment: Vec::new(),
            address_space: None,
            compares_output: true,
        }
    }

    pub fn with(mut self, variable: &'static str, value: &'static str) -> Self {
        self.environment.push((variable, value));
        self
    }

    /// Limits the bytes that the program may map.
    pub fn within(mut self, bytes: u64) -> Self {
        self.address_space = Some(bytes);
        self
    }

    /// For programs that tell how long they took.
    pub fn says_times(mut self) -> Self {
        self.compares_output = false;
        self
    }

    /// Runs it twice; false where the machine does not have it.
    pub fn is_the_same_on_the_library(&self) -> bool {
        let Some(plain) = self.run(|_| {}) else {
            return false;
        };
        let log = folder(&format!("{}-bindings", self.name));
        let preloaded = self
            .run(|command| {
                command
                    .env("LD_PRELOAD", library())
                    .env("LD_DEBUG", "bindings")
                    .env("LD_DEBUG_OUTPUT", log.join("of"));
            })
            .expect("it could be run before");
        let same_output = plain.stdout == preloaded.stdout;
        assert!(
            plain.status == preloaded.status && (same_output || !self.compares_output),
            "{}: {}\n--- on the library:\n{}",
            self.name,
            said(&plain),
            said(&preloaded)
        );
        assert!(binds_malloc(&log), "{} did not use the library", self.name);
        true
    }

    fn run(&self, prepare: impl Fn(&mut Command)) -> Option<Output> {
        let folder = folder(&self.name).to_string_lossy().into_owned();
        let mut command = Command::new(&self.command);
        command
            .args(
                self.arguments
                    .iter()
                    .map(|a| a.replace("{folder}", &folder)),
            )
            .envs(self.environment.iter().copied())
            .current_dir(&folder)
            .stdin(Stdio::null());
        prepare(&mut command);
        if let Some(bytes) = self.address_space {
            limit(&mut command, bytes);
        }
        match command.output() {
            Ok(output) => Some(output),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => panic!("{}: {error}", self.name),
        }
    }
}

fn limit(command: &mut Command, bytes: u64) {
    let limit = libc::rlimit {
        rlim_cur: bytes,
        rlim_max: bytes,
    };
    let set = move || {
        // SAFETY: the limit is only read.
        match unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    };
    // SAFETY: one system call, which may be made between fork and exec.
    unsafe { command.pre_exec(set) };
}

/// Whether the dynamic linker, by its own account of some process of the run, bound the family to the library. A
/// program that is linked statically, or brings its own malloc, would not.
fn binds_malloc(log: &Path) -> bool {
    let files = std::fs::read_dir(log).expect("the folder was made for it");
    files.flatten().any(|file| {
        let text = std::fs::read(file.path()).unwrap_or_default();
        String::from_utf8_lossy(&text).lines().any(|line| {
            line.contains("libpool_malloc.so") && line.contains("normal symbol `malloc'")
        })
    })
}
