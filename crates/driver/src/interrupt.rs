//! Being told to stop: Ctrl-C and its relatives, as a descriptor that becomes readable.
//!
//! A driver that waits for a subject waits for this descriptor too, so that it hears at once.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level::pipe};

/// Whether somebody told this process to stop.
pub struct Interrupt {
    bell: UnixStream,
    ringer: UnixStream, // kept open, so that the bell is silent rather than closed
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// Never interrupted: signals keep their usual meaning.
    ///
    /// # Errors
    /// When no descriptor can be had.
    pub fn never() -> io::Result<Interrupt> {
        let (bell, ringer) = UnixStream::pair()?;
        Ok(Interrupt {
            bell,
            ringer,
            signal: Arc::default(),
        })
    }

    /// From now on SIGINT, SIGTERM and SIGHUP interrupt the run under way instead of this process.
    ///
    /// # Errors
    /// When no descriptor can be had or a handler cannot be set.
    pub fn on_signals() -> io::Result<Interrupt> {
        let interrupt = Interrupt::never()?;
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let number = Arc::clone(&interrupt.signal);
            flag::register_usize(signal, number, signal as usize)?;
            pipe::register(signal, interrupt.ringer.try_clone()?)?;
        }
        Ok(interrupt)
    }

    /// The signal that interrupted, if one did.
    pub fn signal(&self) -> Option<i32> {
        match self.signal.load(SeqCst) {
            0 => None,
            signal => Some(signal as i32),
        }
    }
}

impl AsFd for Interrupt {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}
