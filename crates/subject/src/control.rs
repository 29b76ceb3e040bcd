//! What a subject must know of its allocator beyond `GlobalAlloc`.

use std::ffi::{CStr, c_char};

use model::Account;
use model::protocol::Command;

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

    /// Hears of each command before it is carried out. Allocators need not know; it is where a
    /// planted fault strikes.
    fn hear(&self, _command: &Command<'_>) {}

    /// Asks the allocator to give back whatever it can.
    fn release(&self);

    /// What the allocator says of itself; a figure that it does not keep stays `None`.
    fn account(&self) -> Account;
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
