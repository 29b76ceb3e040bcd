//! What a subject must know of its allocator beyond `GlobalAlloc`.

use std::ffi::{CStr, c_char};

use model::{Account, Part};

use crate::Process;

/// An allocator's name, its account of itself and its way to give memory back.
///
/// No method may allocate through the global allocator: all are called while the process is
/// being measured.
pub trait Control {
    /// The name on the command line and in the JSON: that of the binary without `with-`.
    fn name(&self) -> &str;

    /// What the allocator is called in a sentence.
    fn title(&self) -> &str;

    /// The version that the allocator itself reports, not the one that was asked for.
    fn version(&self) -> &str;

    /// The call behind [`release`](Control::release), as one would write it.
    fn release_call(&self) -> &str;

    /// Asks the allocator to give back whatever it can.
    fn release(&self);

    /// What the parts of its account are, beyond those of any process (the C library's malloc,
    /// stacks); none, where it tells nothing of where its bytes are.
    fn parts(&self) -> &'static [Part] {
        &[]
    }

    /// What the allocator says of itself; a figure that it does not keep stays `None`. `process`
    /// tells what of the process's memory is resident and not the C library's.
    fn account(&self, process: &Process) -> Account;
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
