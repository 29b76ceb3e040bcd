//! The `sync` of the models: what `src/sync.rs` offers, laid out alike, each use of it followed by loom.
//!
//! Outside a model everything is plain, since the unit tests of the included files run in this binary, too.

use std::cell::{Cell as Plain, UnsafeCell};
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;
use std::sync::LockResult;
use std::thread::LocalKey;

pub(crate) use crate::atomic::{
    AtomicAlarm, AtomicFlag, AtomicHint, AtomicOwner, AtomicPtr, AtomicU32, AtomicU64, AtomicUsed,
    AtomicUsize,
};
use crate::mutants::{Mutant, is};
use crate::shadow;

/// # Safety
/// As `pointer::write`.
pub(crate) unsafe fn write<T>(at: *mut T, value: T) {
    if let Some(execution) = shadow::execution() {
        execution.writes(at.addr());
    }
    // SAFETY: as promised by the caller.
    unsafe { at.write(value) };
}

/// # Safety
/// As `pointer::read`.
pub(crate) unsafe fn read<T>(at: *const T) -> T {
    if let Some(execution) = shadow::execution() {
        execution.reads(at.addr());
    }
    // SAFETY: as promised by the caller.
    unsafe { at.read() }
}

#[repr(transparent)]
pub(crate) struct Cell<T>(Plain<T>);

impl<T> Cell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(Plain::new(value))
    }

    pub(crate) fn set(&self, value: T) {
        self.replace(value);
    }

    pub(crate) fn replace(&self, value: T) -> T {
        if let Some(execution) = shadow::execution() {
            execution.writes(self.0.as_ptr().addr());
        }
        self.0.replace(value)
    }

    pub(crate) fn get(&self) -> T
    where
        T: Copy,
    {
        if let Some(execution) = shadow::execution() {
            execution.reads(self.0.as_ptr().addr());
        }
        self.0.get()
    }

    pub(crate) fn take(&self) -> T
    where
        T: Default,
    {
        self.replace(T::default())
    }
}

/// A lock in a static. In a model, lock and value are as new in each execution.
pub(crate) struct Mutex<T> {
    plain: std::sync::Mutex<T>,
    /// Bytes of the value as it was at first. Never used itself.
    pristine: ManuallyDrop<T>,
}

// SAFETY: `pristine` is only copied from, by the models, whose values have no contents that two could not have.
unsafe impl<T: Send> Sync for Mutex<T> {}

struct Locked<T> {
    lock: loom::sync::Mutex<()>,
    value: UnsafeCell<ManuallyDrop<T>>,
}

pub(crate) enum MutexGuard<'a, T: 'static> {
    Plain(std::sync::MutexGuard<'a, T>),
    Model(Guard<T>),
}

pub(crate) struct Guard<T: 'static> {
    /// Borrows from `locked`; none where the mutant does not lock.
    held: ManuallyDrop<Option<loom::sync::MutexGuard<'static, ()>>>,
    locked: Rc<Locked<T>>,
}

impl<T: 'static> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        // SAFETY: the copy is never used, nor dropped; see `lock`.
        let pristine = ManuallyDrop::new(unsafe { std::ptr::read(&value) });
        Self {
            plain: std::sync::Mutex::new(value),
            pristine,
        }
    }

    pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let Some(execution) = shadow::execution() else {
            return match self.plain.lock() {
                Ok(guard) => Ok(MutexGuard::Plain(guard)),
                Err(_) => panic!("nothing panics while holding the lock"),
            };
        };
        let at = std::ptr::from_ref(self).addr();
        let locked = execution.of_static(at, None, || Locked {
            lock: loom::sync::Mutex::new(()),
            // SAFETY: what the crate's statics hold at first owns nothing, so that a copy of its bytes is another.
            value: UnsafeCell::new(unsafe { std::ptr::read(&self.pristine) }),
        });
        let held = (!is(Mutant::LockDoesNotLock)).then(|| {
            let held = locked
                .lock
                .lock()
                .expect("nothing panics while holding the lock");
            // SAFETY: the guard is dropped before `locked`, which stands beside it.
            unsafe { std::mem::transmute::<loom::sync::MutexGuard<'_, ()>, _>(held) }
        });
        execution.writes(locked.value.get().addr());
        let held = ManuallyDrop::new(held);
        Ok(MutexGuard::Model(Guard { held, locked }))
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            MutexGuard::Plain(guard) => guard,
            // SAFETY: the lock is held, or the mutant's race has been seen.
            MutexGuard::Model(guard) => unsafe { &*guard.locked.value.get() },
        }
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        match self {
            MutexGuard::Plain(guard) => guard,
            // SAFETY: as above.
            MutexGuard::Model(guard) => unsafe { &mut *guard.locked.value.get() },
        }
    }
}

impl<T> Drop for Guard<T> {
    fn drop(&mut self) {
        // A model that has failed is taken down thread by thread, and loom is not to be called in it.
        if !std::thread::panicking() {
            // SAFETY: it is dropped here only.
            unsafe { ManuallyDrop::drop(&mut self.held) };
        }
    }
}

/// A thread-local: in a model, of the model's threads.
pub(crate) struct Local<T: 'static> {
    plain: &'static LocalKey<T>,
    init: fn() -> T,
}

impl<T> Local<T> {
    pub(crate) const fn new(plain: &'static LocalKey<T>, init: fn() -> T) -> Self {
        Self { plain, init }
    }

    pub(crate) fn with<R>(&'static self, use_it: impl FnOnce(&T) -> R) -> R {
        let Some(execution) = shadow::execution() else {
            return self.plain.with(use_it);
        };
        let at = std::ptr::from_ref(self).addr();
        let thread = loom::thread::current().id();
        use_it(&execution.of_static(at, Some(thread), self.init))
    }
}

impl<T> Local<Cell<T>> {
    pub(crate) fn set(&'static self, value: T) {
        self.with(|cell| cell.set(value));
    }
}

/// As the standard library's, for the one form that the crate uses.
macro_rules! local {
    (static $name:ident: $type:ty = const { $init:expr };) => {
        static $name: $crate::sync::Local<$type> = {
            ::std::thread_local! { static PLAIN: $type = const { $init }; }
            $crate::sync::Local::new(&PLAIN, || $init)
        };
    };
}
pub(crate) use local as thread_local;
