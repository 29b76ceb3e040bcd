//! `fork`: what a child of a process with several threads finds.
//!
//! Only the forking thread lives on in the child. Two things must not depend on those that do not:
//!
//! - **The lock.** Another thread could hold it at that moment, and in the child nobody would ever let it go. So the
//!   forking thread takes it before, and lets it go after, in the parent and in the child. What the lock protects is
//!   whole in the child, therefore.
//! - **Their pools.** The child gives them up as if the threads had ended (`commons/orphans.rs`).
//!
//! The handlers are registered when the process makes its first heap, which behind malloc is before the constructors
//! of any library. Handlers to prepare run in reverse order, the others in order. So those of other libraries run
//! without the lock and may allocate. What is not provided for is `fork` in a signal handler that interrupted the
//! allocator; and `vfork`, `posix_spawn` and `clone` call no handlers, nor do they need any before `exec`.

use std::cell::UnsafeCell;
use std::sync::MutexGuard;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::commons::{self, Commons};
use crate::os;
use crate::thread;

/// The lock, from before a fork to after it. Whoever holds it may look here.
struct Held(UnsafeCell<Option<MutexGuard<'static, Commons>>>);

// SAFETY: only the thread that holds the lock touches this, and it is the same one after the fork.
unsafe impl Sync for Held {}

static HELD: Held = Held(UnsafeCell::new(None));

/// Registers the handlers, once. The caller does not hold the lock: registering may allocate.
pub(crate) fn watch() {
    static WATCHED: AtomicBool = AtomicBool::new(false);
    if !WATCHED.load(Relaxed) && !WATCHED.swap(true, Relaxed) {
        os::on_fork(before, after_in_parent, after_in_child);
    }
}

extern "C" fn before() {
    let guard = commons::lock();
    // SAFETY: this thread holds the lock, and nobody borrows what is inside.
    unsafe { *HELD.0.get() = Some(guard) };
}

fn take_held() -> Option<MutexGuard<'static, Commons>> {
    // SAFETY: this thread took the lock in `before`.
    let held = unsafe { &mut *HELD.0.get() };
    held.take()
}

extern "C" fn after_in_parent() {
    drop(take_held());
}

extern "C" fn after_in_child() {
    if let Some(mut commons) = take_held() {
        let _errno = os::ErrnoKept::now();
        commons.adopt_orphans(thread::heap());
    }
}
