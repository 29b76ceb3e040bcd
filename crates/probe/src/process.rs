//! One process seen from outside.
//!
//! Memory comes from `/proc/PID/smaps_rollup`, for which the kernel walks the page tables: exact,
//! at about a millisecond per 100 MiB. `statm` and `VmRSS` are cheaper and wrong by up to 64 pages
//! a thread. Where the machine offers no such walk, the resident counter stands in, and the
//! figures say so ([`MemorySource`]).

use model::{Memory, MemorySource};
use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;
use procfs::process::{ClearRefs, Process, SmapsRollup};
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

/// A process that cannot be looked at: it has gone, or it belongs to somebody else.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the kernel's account of process {pid}: {reason}")]
pub struct Unreadable {
    /// The process.
    pub pid: i32,
    /// What the system said.
    pub reason: String,
}

/// Watches one process from outside.
pub struct Probe {
    pid: i32,
    process: Option<Process>,
    source: MemorySource,
    cpu_clock: ClockId,
}

/// What a process has spent since it began.
#[derive(Clone, Copy, Debug)]
pub struct Spent {
    /// Minor page faults, where the machine counts them per process.
    pub minor_faults: Option<u64>,
    /// CPU time, user and system, in nanoseconds.
    pub cpu_ns: u64,
}

impl Probe {
    /// Begins to watch the process `pid`, which the caller keeps from being reaped.
    ///
    /// # Errors
    /// [`Unreadable`] if there is no such process.
    pub fn open(pid: u32) -> Result<Probe, Unreadable> {
        let pid = pid as i32;
        let cpu_clock =
            clock_getcpuclockid(Pid::from_raw(pid)).map_err(|reason| unreadable(pid, reason))?;
        let process = Process::new(pid).ok();
        // Chosen once: figures of two kinds must not be subtracted from each other.
        let walks = process.as_ref().is_some_and(|p| p.smaps_rollup().is_ok());
        Ok(Probe {
            pid,
            process,
            source: match walks {
                true => MemorySource::SmapsRollup,
                false => MemorySource::ResidentCounter,
            },
            cpu_clock,
        })
    }

    /// The process's memory now.
    ///
    /// # Errors
    /// [`Unreadable`] once the process has gone.
    pub fn memory(&self) -> Result<Memory, Unreadable> {
        match (self.source, &self.process) {
            (MemorySource::SmapsRollup, Some(process)) => self.walked(process),
            _ => self.counted(),
        }
    }

    /// Forgets the most that the process has had resident, which begins anew at what it has now.
    ///
    /// # Errors
    /// [`Unreadable`] once the process has gone, and where the machine does not allow it.
    pub fn set_peak_back(&self) -> Result<(), Unreadable> {
        let process = self.kernels()?;
        let cleared = process.clear_refs(ClearRefs::PeakRSS);
        cleared.map_err(|reason| unreadable(self.pid, reason))
    }

    /// The most that the process has had resident at once, in KiB, pages of files among it: a running
    /// counter's word, off by at most 64 pages a thread.
    ///
    /// # Errors
    /// [`Unreadable`] once the process has gone, and where the machine does not count it.
    pub fn peak_rss_kib(&self) -> Result<u64, Unreadable> {
        let status = self.kernels()?.status();
        let status = status.map_err(|reason| unreadable(self.pid, reason))?;
        let peak = status.vmhwm;
        peak.ok_or_else(|| unreadable(self.pid, "it has no peak"))
    }

    /// The process by way of `/proc`.
    fn kernels(&self) -> Result<&Process, Unreadable> {
        let process = self.process.as_ref();
        process.ok_or_else(|| unreadable(self.pid, "there is no /proc"))
    }

    /// What the process has spent since it began.
    ///
    /// # Errors
    /// [`Unreadable`] once the process has gone.
    pub fn spent(&self) -> Result<Spent, Unreadable> {
        let time = self
            .cpu_clock
            .now()
            .map_err(|reason| unreadable(self.pid, reason))?;
        let stat = self
            .process
            .as_ref()
            .and_then(|process| process.stat().ok());
        Ok(Spent {
            minor_faults: stat.map(|stat| stat.minflt),
            cpu_ns: time.tv_sec() as u64 * 1_000_000_000 + time.tv_nsec() as u64,
        })
    }

    /// The exact figures, by a walk over the page tables.
    fn walked(&self, process: &Process) -> Result<Memory, Unreadable> {
        let rollup = process
            .smaps_rollup()
            .map_err(|reason| unreadable(self.pid, reason))?;
        let stat = process
            .stat()
            .map_err(|reason| unreadable(self.pid, reason))?;
        let kib = |field: &str| field_kib(&rollup, field);
        match (kib("Rss"), kib("Anonymous")) {
            (Some(rss_kib), Some(anonymous_kib)) => Ok(Memory {
                anonymous_kib,
                lazy_kib: kib("LazyFree").unwrap_or(0), // a kernel without it has no MADV_FREE
                swap_kib: kib("Swap").unwrap_or(0),
                rss_kib,
                virtual_kib: stat.vsize / 1024,
                memory_source: MemorySource::SmapsRollup,
            }),
            // A process that has exited still has the file, and nothing in it.
            _ => Err(unreadable(self.pid, "the process has no memory any more")),
        }
    }

    /// The resident counter, for machines where the page tables cannot be walked.
    fn counted(&self) -> Result<Memory, Unreadable> {
        let pid = sysinfo::Pid::from(self.pid as usize);
        let mut system = System::new().map_err(|reason| unreadable(self.pid, reason))?;
        system.refresh_processes_specifics(
            ProcessesToUpdate::Some(&[pid]),
            true,
            ProcessRefreshKind::nothing().with_memory(),
        );
        let process = system
            .process(pid)
            .filter(|process| process.memory() > 0)
            .ok_or_else(|| unreadable(self.pid, "no such process"))?;
        let rss_kib = process.memory() / 1024;
        Ok(Memory {
            anonymous_kib: rss_kib,
            lazy_kib: 0,
            swap_kib: 0,
            rss_kib,
            virtual_kib: process.virtual_memory() / 1024,
            memory_source: MemorySource::ResidentCounter,
        })
    }
}

/// A field of the one entry that `smaps_rollup` has.
fn field_kib(rollup: &SmapsRollup, field: &str) -> Option<u64> {
    let map = rollup.memory_map_rollup.0.first()?;
    map.extension.map.get(field).map(|bytes| bytes / 1024)
}

fn unreadable(pid: i32, reason: impl ToString) -> Unreadable {
    Unreadable {
        pid,
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A child that stands still until it is killed, as a subject does between two commands.
    fn sleeper() -> std::process::Child {
        let child = std::process::Command::new("sleep").arg("600").spawn();
        let child = child.expect("sleep is on every machine");
        // Its memory grows until it is asleep, in its `nanosleep`.
        let process = Process::new(child.id() as i32).unwrap();
        while process.stat().unwrap().state != 'S' {
            std::thread::yield_now();
        }
        child
    }

    #[test]
    fn the_resident_counter_is_labelled_and_close() {
        let mut child = sleeper();
        let probe = Probe::open(child.id()).unwrap();
        let (exact, coarse) = (probe.memory().unwrap(), probe.counted().unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(exact.memory_source, MemorySource::SmapsRollup);
        assert_eq!(coarse.memory_source, MemorySource::ResidentCounter);
        // Off by at most 64 pages before Linux 6.2, and the square of the CPU count since.
        assert!(coarse.rss_kib.abs_diff(exact.rss_kib) < 4096);
    }

    #[test]
    fn a_process_that_has_gone_is_unreadable() {
        let mut child = sleeper();
        let probe = Probe::open(child.id()).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(probe.memory().is_err());
        assert!(probe.spent().is_err());
    }
}
