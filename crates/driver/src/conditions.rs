//! Lab conditions: what the driver sets before the subject's `exec`.
//!
//! Address-space randomisation off, transparent huge pages off, one processor, an environment of
//! the knob's variables alone. The clock and the randomness are the subject's own to stand still.
//! What a machine forbids is left as it is: the subject looks which conditions it finds itself
//! under, and the result records it.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use model::protocol::CONDITIONS_VARIABLE;
use model::{Conditions, Knob};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::personality::{self, Persona};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

/// Makes `command` start under these conditions, with this knob turned.
pub(crate) fn impose(command: &mut Command, conditions: Conditions, knob: &Knob) {
    let one_cpu = match conditions {
        Conditions::Lab => {
            command.env_clear();
            next_cpu()
        }
        Conditions::Host => {
            command.env(CONDITIONS_VARIABLE, conditions.name());
            None
        }
    };
    command.envs(knob.variables.iter().map(|(name, value)| (name, value)));

    let driver = Pid::this();
    let before_exec = move || -> io::Result<()> {
        // Should this process be killed with no time to tidy up, the kernel kills the subject.
        prctl::set_pdeathsig(Signal::SIGKILL)?;
        if Pid::parent() != driver {
            return Err(io::ErrorKind::Interrupted.into()); // it has been killed in the meantime
        }
        if conditions == Conditions::Lab {
            let _ = personality::get()
                .and_then(|persona| personality::set(persona | Persona::ADDR_NO_RANDOMIZE));
            let _ = prctl::set_thp_disable(true);
            if let Some(cpu) = &one_cpu {
                let _ = sched_setaffinity(Pid::from_raw(0), cpu);
            }
        }
        Ok(())
    };
    // SAFETY: between fork and exec only system calls are made; nothing is allocated or locked.
    unsafe { command.pre_exec(before_exec) };
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
