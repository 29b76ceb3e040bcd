//! The machine: what a number must carry to be compared with another.

use std::fs;

use model::Host;
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

/// The machine as it is now. `lab_conditions` are the subjects' to tell and stay empty.
///
/// # Errors
/// What keeps the machine from being looked at, such as a `/proc` that is not mounted.
pub fn host() -> Result<Host, sysinfo::Error> {
    let system = System::new_with_specifics(
        RefreshKind::nothing()
            .with_memory(MemoryRefreshKind::nothing().with_ram())
            .with_cpu(CpuRefreshKind::nothing()),
    )?;
    Ok(Host {
        os: System::long_os_version().ok(),
        kernel: System::kernel_version().ok(),
        glibc: glibc(),
        architecture: std::env::consts::ARCH.to_owned(),
        cpu_count: system.cpus().len(),
        page_size_bytes: procfs::page_size(),
        memory_kib: system.total_memory() / 1024,
        available_kib: available_bytes(&system) / 1024,
        huge_pages: huge_pages(),
        lab_conditions: Vec::new(),
    })
}

/// What can be allocated without swapping: what the machine has left or this container has,
/// whichever is less.
fn available_bytes(system: &System) -> u64 {
    let machine = system.available_memory();
    match system.cgroup_limits() {
        Some(container) if container.total_memory > 0 => machine.min(container.free_memory),
        _ => machine,
    }
}

/// The version of the C library that this process shares with the subjects.
#[cfg(target_env = "gnu")]
fn glibc() -> Option<String> {
    // SAFETY: the call has no precondition.
    let version = unsafe { nix::libc::gnu_get_libc_version() };
    // SAFETY: a string constant of the C library.
    let version = unsafe { std::ffi::CStr::from_ptr(version) };
    version.to_str().ok().map(str::to_owned)
}

/// Another C library, without a version to ask for.
#[cfg(not(target_env = "gnu"))]
fn glibc() -> Option<String> {
    None
}

/// The bracketed word of `always [madvise] never`.
fn huge_pages() -> Option<String> {
    let modes = fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").ok()?;
    let (_, chosen) = modes.split_once('[')?;
    let (chosen, _) = chosen.split_once(']')?;
    Some(chosen.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_plausible() {
        let host = host().unwrap();
        assert!(host.cpu_count > 0);
        assert!(host.page_size_bytes.is_power_of_two());
        assert!(0 < host.available_kib && host.available_kib <= host.memory_kib);
    }
}
