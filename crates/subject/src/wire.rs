//! Lines in and out, over raw file descriptors and fixed buffers.

use std::io;
use std::os::fd::RawFd;

use model::protocol::LONGEST_LINE;

/// The subject's end of the conversation.
pub(crate) struct Wire {
    input: RawFd,
    output: RawFd,
    line: [u8; LONGEST_LINE],
}

impl Wire {
    pub(crate) fn new(input: RawFd, output: RawFd) -> Wire {
        Wire {
            input,
            output,
            line: [0; LONGEST_LINE],
        }
    }

    /// The next line without its newline; `None` at the end of the input. A driver has one
    /// command under way at a time, so that what `read` gives up to the newline is all there is.
    ///
    /// # Errors
    /// What `read` reports, or [`io::ErrorKind::InvalidData`] for a line that does not fit.
    pub(crate) fn receive(&mut self) -> io::Result<Option<&[u8]>> {
        let mut length = 0;
        loop {
            let space = &mut self.line[length..];
            if space.is_empty() {
                return Err(io::ErrorKind::InvalidData.into());
            }
            // SAFETY: `space` is valid for the write of its length.
            let count = unsafe { libc::read(self.input, space.as_mut_ptr().cast(), space.len()) };
            match count {
                0 => return Ok(None),
                1.. => length += count as usize,
                _ => {
                    let error = io::Error::last_os_error();
                    if error.kind() != io::ErrorKind::Interrupted {
                        return Err(error);
                    }
                }
            }
            if length > 0 && self.line[length - 1] == b'\n' {
                return Ok(Some(&self.line[..length - 1]));
            }
        }
    }

    /// Writes one line.
    ///
    /// # Errors
    /// What `write` reports.
    pub(crate) fn send(&self, mut line: &[u8]) -> io::Result<()> {
        while !line.is_empty() {
            // SAFETY: `line` is valid for the read of its length.
            let count = unsafe { libc::write(self.output, line.as_ptr().cast(), line.len()) };
            match count {
                0.. => line = &line[count as usize..],
                _ => {
                    let error = io::Error::last_os_error();
                    if error.kind() != io::ErrorKind::Interrupted {
                        return Err(error);
                    }
                }
            }
        }
        Ok(())
    }
}
