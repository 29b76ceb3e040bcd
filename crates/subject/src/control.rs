//! What a subject must know of its allocator beyond `GlobalAlloc`.

use std::ffi::{CStr, c_char};

use model::protocol::Command;
use model::{Account, Part};

use crate::Process;

/// An allocator's name, its account of itself and its way to give memory back.
///
/// No method may allocate through the global allocator: all are called while the process is
/// being measured.
pub trait Control {
    /// The name by which the subject introduces itself: that of the binary without `with-`.
    fn name(&self) -> &str;

    /// What the allocator is called in a sentence.
    fn title(&self) -> &str {
        self.name()
    }

    /// The version that the allocator itself reports, not the one that was asked for.
    fn version(&self) -> &str;

    /// The call behind [`release`](Control::release), as one would write it; `None` for an
    /// allocator that has none, which is then never asked.
    fn release_call(&self) -> Option<&str> {
        None
    }

    /// Hears of each command before it is carried out. Allocators need not know; it is where a
    /// planted fault strikes.
    fn hear(&self, _command: &Command<'_>) {}

    /// Asks the allocator to give back whatever it can.
    fn release(&self) {}

    /// What the parts of its account are, beyond those of any process (the C library's malloc,
    /// stacks); none, where it tells nothing of where its bytes are.
    fn parts(&self) -> &'static [Part] {
        &[]
    }

    /// What the allocator says of itself; a figure that it does not keep stays `None`. `process`
    /// tells what of the process's memory is resident and not the C library's.
    fn account(&self, _process: &Process) -> Account {
        Account::default()
    }
}

/// The control of an allocator of which no more is known than what it is called, and perhaps how
/// it is asked for memory back.
///
/// ```
/// use afterdrop_subject::{Control, Plain};
///
/// let control = Plain::named("my-alloc", "1.0").released_by("my_trim()", || ());
/// assert_eq!(control.release_call(), Some("my_trim()"));
/// ```
pub struct Plain {
    name: &'static str,
    version: &'static str,
    release: Option<(&'static str, fn())>,
}

impl Plain {
    /// An allocator that cannot be asked for memory back.
    pub const fn named(name: &'static str, version: &'static str) -> Plain {
        Plain {
            name,
            version,
            release: None,
        }
    }

    /// The same, asked by `release`, which one would write as `call`.
    pub const fn released_by(self, call: &'static str, release: fn()) -> Plain {
        Plain {
            release: Some((call, release)),
            ..self
        }
    }
}

impl Control for Plain {
    fn name(&self) -> &str {
        self.name
    }

    fn version(&self) -> &str {
        self.version
    }

    fn release_call(&self) -> Option<&str> {
        self.release.map(|(call, _)| call)
    }

    fn release(&self) {
        if let Some((_, release)) = self.release {
            release();
        }
    }
}

/// The text of a string that C code owns and never frees or changes; `?` where there is none.
///
/// # Safety
/// `text` is null, or points to a nul-terminated string that lives as long as the process.
pub unsafe fn c_string(text: *const c_char) -> &'static str {
    if text.is_null() {
        return "?";
    }
    // SAFETY: not null, and the caller promises the rest.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().unwrap_or("?")
}
