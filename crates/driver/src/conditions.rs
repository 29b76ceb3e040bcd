//! Lab conditions: what the driver sets before the subject's `exec`.
//!
//! Address-space randomisation off, transparent huge pages off, one processor, an environment of
//! the knob's variables alone. The clock and the randomness are the subject's own to stand still.
//! What a machine forbids is left as it is: the subject looks which conditions it finds itself
//! under, and the result records it.
//!
//! Without randomisation, where a mapping lies follows from those before it. Two things that differ
//! from machine to machine come before all of them, and are made alike: the stack's limit, below which
//! the kernel places the first, and the list of libraries `/etc/ld.so.cache`, which the loader maps to
//! find the C library, and which grows with every package that is installed.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use model::protocol::CONDITIONS_VARIABLE;
use model::{Conditions, Knob};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::personality::{self, Persona};
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

/// Makes `command` start under these conditions, with this knob turned.
pub(crate) fn impose(command: &mut Command, conditions: Conditions, knob: &Knob) {
    let one_cpu = match conditions {
        Conditions::Lab => {
            command.env_clear();
            // Where the loader looks first: it does not come to its list.
            if let Some(folder) = libraries() {
                command.env("LD_LIBRARY_PATH", folder);
            }
            next_cpu()
        }
        Conditions::Host => {
            command.env(CONDITIONS_VARIABLE, conditions.name());
            None
        }
    };
    command.envs(knob.variables.iter().map(|(name, value)| (name, value)));

    end_with_this_process(command);
    let before_exec = move || -> io::Result<()> {
        if conditions == Conditions::Lab {
            let _ = personality::get()
                .and_then(|persona| personality::set(persona | Persona::ADDR_NO_RANDOMIZE));
            let _ = prctl::set_thp_disable(true);
            let _ = getrlimit(Resource::RLIMIT_STACK).and_then(|(_, most)| {
                setrlimit(Resource::RLIMIT_STACK, STACK_BYTES.min(most), most)
            });
            if let Some(cpu) = &one_cpu {
                let _ = sched_setaffinity(Pid::from_raw(0), cpu);
            }
        }
        Ok(())
    };
    // SAFETY: between fork and exec only system calls are made; nothing is allocated or locked.
    unsafe { command.pre_exec(before_exec) };
}

/// Has the kernel kill what `command` starts, should this process be killed with no time to tidy up.
pub fn end_with_this_process(command: &mut Command) {
    let this = Pid::this();
    let before_exec = move || -> io::Result<()> {
        prctl::set_pdeathsig(Signal::SIGKILL)?;
        if Pid::parent() != this {
            return Err(io::ErrorKind::Interrupted.into()); // it has been killed in the meantime
        }
        Ok(())
    };
    // SAFETY: between fork and exec only system calls are made; nothing is allocated or locked.
    unsafe { command.pre_exec(before_exec) };
}

/// The stack's limit, in bytes: what most systems give.
const STACK_BYTES: u64 = 8 << 20;

/// The folder that this process has its C library from; `None` where it has none of its own, and where
/// the folder's name is not to be written into a list of folders.
fn libraries() -> Option<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let path = |line: &str| Some(line.find('/').map(|at| Path::new(&line[at..]))?.to_owned());
    let libc = |path: &PathBuf| path.ends_with("libc.so.6");
    let libc = maps.lines().filter_map(path).find(libc)?;
    let folder = libc.parent()?;
    is_one_of_a_list(folder).then(|| folder.to_owned())
}

/// Whether the loader takes this name for itself: at `:` and `;` it begins another, and `$` stands for
/// what it puts there.
fn is_one_of_a_list(folder: &Path) -> bool {
    let name = folder.as_os_str().as_encoded_bytes();
    !name.iter().any(|byte| b":;$".contains(byte))
}

/// One of the processors that this process may run on, another one each time, so that subjects
/// which run side by side do not share one.
fn next_cpu() -> Option<CpuSet> {
    static TURN: AtomicUsize = AtomicUsize::new(0);

    let allowed = sched_getaffinity(Pid::from_raw(0)).ok()?;
    let cpus = (0..CpuSet::count()).filter(|&cpu| allowed.is_set(cpu).unwrap_or(false));
    let cpus: Vec<usize> = cpus.collect();
    let cpu = cpus.get(TURN.fetch_add(1, Relaxed) % cpus.len().max(1))?;
    let mut one = CpuSet::new();
    one.set(*cpu).ok()?;
    Some(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the loader says of its search for libraries.
    fn search(conditions: Conditions) -> String {
        let mut command = Command::new("/bin/true");
        let knob = Knob {
            variables: [("LD_DEBUG".to_owned(), "libs".to_owned())].into(),
            ..Knob::default()
        };
        impose(&mut command, conditions, &knob);
        let said = command.output().expect("it starts").stderr;
        String::from_utf8_lossy(&said).into_owned()
    }

    #[test]
    fn in_the_lab_the_loader_does_without_the_machines_list_of_libraries() {
        let lab = search(Conditions::Lab);
        assert!(lab.contains("libc.so.6"), "{lab}");
        assert!(!lab.contains("ld.so.cache"), "{lab}");
        // A loader that never looked there, or does not say so, would pass as well.
        let host = search(Conditions::Host);
        assert!(host.contains("ld.so.cache"), "{host}");
    }

    #[test]
    fn a_folder_that_the_loader_would_take_for_two_is_left_out() {
        assert!(is_one_of_a_list(Path::new("/lib/x86_64-linux-gnu")));
        for name in ["/opt/a:b", "/opt/a;b", "/opt/$LIB"] {
            assert!(!is_one_of_a_list(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn in_the_lab_the_stack_has_the_usual_limit() {
        let (_, most) = getrlimit(Resource::RLIMIT_STACK).expect("there is a limit");
        let limit_kib = |conditions| {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", "ulimit -s"]);
            let another = move || Ok(setrlimit(Resource::RLIMIT_STACK, 1 << 20, most)?);
            // SAFETY: between fork and exec one system call is made.
            unsafe { command.pre_exec(another) };
            impose(&mut command, conditions, &Knob::default());
            let said = command.output().expect("it starts").stdout;
            String::from_utf8_lossy(&said).trim().parse().ok()
        };
        assert_eq!(
            limit_kib(Conditions::Lab),
            Some(STACK_BYTES.min(most) / 1024)
        );
        assert_eq!(limit_kib(Conditions::Host), Some(1024));
    }
}
