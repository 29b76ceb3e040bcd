//! A subject's executable, by a name that is the same for all of them.
//!
//! The name that a program is executed by lies on its stack, as its arguments and its environment
//! do, and the loader keeps copies. So that a longer path does not move the stack, a subject is
//! executed as `/proc/self/fd/100`, which is its file, opened by the driver. A script keeps its own
//! path: its interpreter opens it anew, and it may look for things beside itself. So does an interpreter
//! that is started with a script, for its library lies beside it.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::IntoRawFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::fcntl::OFlag;
use nix::unistd::dup3_raw;

/// High enough to be nobody else's.
const DESCRIPTOR: i32 = 100;

/// A command that executes this file with these arguments.
///
/// # Errors
/// What keeps the file from being opened and read.
pub(crate) fn command(path: &Path, arguments: &[String]) -> io::Result<Command> {
    let mut file = File::open(path)?;
    let mut beginning = Vec::new();
    file.by_ref().take(2).read_to_end(&mut beginning)?;
    if beginning == b"#!" || !arguments.is_empty() {
        let mut command = Command::new(path);
        command.args(arguments);
        return Ok(command);
    }
    let mut command = Command::new(format!("/proc/self/fd/{DESCRIPTOR}"));
    command.arg0("subject");
    let before_exec = move || -> io::Result<()> {
        // SAFETY: nobody owns the descriptor, which is open in this child alone and until `exec`.
        let copy = unsafe { dup3_raw(&file, DESCRIPTOR, OFlag::O_CLOEXEC) }?;
        let _ = copy.into_raw_fd(); // not to be closed before
        Ok(())
    };
    // SAFETY: between fork and exec only a system call is made; nothing is allocated or locked.
    unsafe { command.pre_exec(before_exec) };
    Ok(command)
}
