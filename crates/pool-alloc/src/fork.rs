//! `fork`: what a child of a process with several threads finds.
//!
//! Only the forking thread lives on in the child. Two things must not depend on those that do not:
//!
//! - **The locks** of the commons and of the large runs. Another thread could hold one at that moment, and in the
//!   child nobody would ever let it go. So the forking thread takes both before, and lets them go after, in the parent
//!   and in the child. What they protect is whole in the child, therefore. Whoever holds both took
//!   that of the commons first.
//! - **Their pools**, and what they had in their caches. The child gives them up as if the threads had ended
//!   (`commons/orphans.rs`).
//!
//! The handlers are registered before the process first takes a lock (`begin`), which behind malloc is as the library is
//! loaded, if not before. Handlers to prepare run in reverse order, the others in order. So those that are registered later
//! run without the lock and may allocate. What is not provided for is `fork` in a signal handler that interrupted the
//! allocator; and `vfork`, `posix_spawn` and `clone` call no handlers, nor do they need any before `exec`.

use std::cell::UnsafeCell;
use std::sync::MutexGuard;
#[cfg(debug_assertions)]
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::commons::{self, Commons};
use crate::runs::{self, Table};
use crate::{os, thread};

type Guards = (MutexGuard<'static, Commons>, MutexGuard<'static, Table>);

/// The locks, from before a fork to after it. Whoever holds that of the commons may look here.
struct Held(UnsafeCell<Option<Guards>>);

// SAFETY: only the thread that holds the locks touches this, and it is the same one after the fork.
unsafe impl Sync for Held {}

static HELD: Held = Held(UnsafeCell::new(None));

/// Registers the handlers. The caller holds no lock: registering may allocate.
pub(crate) fn watch() {
    os::on_fork(before, after_in_parent, after_in_child);
}

extern "C" fn before() {
    let guards = (commons::lock(), runs::lock());
    // SAFETY: this thread holds the lock, and nobody borrows what is inside.
    unsafe { *HELD.0.get() = Some(guards) };
}

fn take_held() -> Option<Guards> {
    // SAFETY: this thread took the locks in `before`.
    let held = unsafe { &mut *HELD.0.get() };
    held.take()
}

extern "C" fn after_in_parent() {
    drop(take_held());
}

/// Whether this process was forked: debug builds ask (`census`).
#[cfg(debug_assertions)]
static IS_CHILD: AtomicBool = AtomicBool::new(false);

#[cfg(debug_assertions)]
pub(crate) fn is_child() -> bool {
    IS_CHILD.load(Relaxed)
}

extern "C" fn after_in_child() {
    #[cfg(debug_assertions)]
    IS_CHILD.store(true, Relaxed);
    if let Some((mut commons, _runs)) = take_held() {
        let _errno = os::ErrnoKept::now();
        commons.adopt_orphans(thread::heap());
    }
}
