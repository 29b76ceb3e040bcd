//! The C library's own function behind one that this executable replaces.
//!
//! A function that the executable exports under the name of a C library's is found first by
//! whoever is linked into the executable. The one behind it is still there to be asked for.

use std::ffi::{CStr, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// The next function of a name in the dynamic linker's search order, looked up once.
pub(crate) struct Next {
    name: &'static CStr,
    found: AtomicPtr<c_void>,
}

impl Next {
    pub(crate) const fn new(name: &'static CStr) -> Next {
        Next {
            name,
            found: AtomicPtr::new(null_mut()),
        }
    }

    /// Its address. Two threads that look at once find the same.
    pub(crate) fn address(&self) -> *mut c_void {
        let found = self.found.load(Relaxed);
        if !found.is_null() {
            return found;
        }
        // SAFETY: the name is nul-terminated, and the search changes nothing.
        let found = unsafe { libc::dlsym(libc::RTLD_NEXT, self.name.as_ptr()) };
        if found.is_null() {
            std::process::abort(); // replaced in an executable that has no C library behind it
        }
        self.found.store(found, Relaxed);
        found
    }
}
