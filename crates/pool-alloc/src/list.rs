//! Doubly linked lists whose links live in the elements, and the pointer that they are made of.
//!
//! An allocator cannot allocate list nodes. A `Ref` points to something in memory that the crate mapped itself or
//! that is static; whoever makes one vouches that it is used only while that memory stays mapped. All else here is
//! safe on the strength of that. An element is on at most one list per link pair:
//!
//! ```text
//! element.prev.next == element == element.next.prev      list.first.prev == list.last.next == None
//! ```

use std::ops::Deref;
use std::ptr::NonNull;

use crate::os::invariant;
use crate::sync::Cell;

/// A pointer that may be followed: see the constructor for what that rests on.
pub(crate) struct Ref<T>(NonNull<T>);

impl<T> Ref<T> {
    /// # Safety
    /// `at` points to a valid `T`, and neither the result nor a copy of it is followed once that has gone.
    #[inline(always)]
    pub(crate) const unsafe fn new(at: NonNull<T>) -> Self {
        Self(at)
    }

    /// Statics never go.
    pub(crate) const fn of_static(at: &'static T) -> Self {
        Self(NonNull::from_ref(at))
    }

    #[inline(always)]
    pub(crate) const fn as_ptr(self) -> *mut T {
        self.0.as_ptr()
    }
}

impl<T> Deref for Ref<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: whoever made this promised that it is followed only while the `T` is there; a `T` behind a Ref is
        // never borrowed mutably.
        unsafe { self.0.as_ref() }
    }
}

impl<T> Clone for Ref<T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Ref<T> {}

impl<T> PartialEq for Ref<T> {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

/// The place in an element that a list uses. All-zero bytes are a valid unlinked pair.
pub(crate) struct Links<T> {
    prev: Cell<Option<Ref<T>>>,
    next: Cell<Option<Ref<T>>>,
}

impl<T> Links<T> {
    pub(crate) const fn new() -> Self {
        Self {
            prev: Cell::new(None),
            next: Cell::new(None),
        }
    }
}

/// An element that can be on a list. `WHICH` tells its pairs of links apart where it has several.
pub(crate) trait Linked<const WHICH: usize>: Sized {
    fn links(&self) -> &Links<Self>;
}

/// A list, oldest element first by `push_back`, newest first by `push_front`.
pub(crate) struct List<T, const WHICH: usize = 0> {
    first: Cell<Option<Ref<T>>>,
    last: Cell<Option<Ref<T>>>,
    len: Cell<usize>,
}

impl<T: Linked<WHICH>, const WHICH: usize> List<T, WHICH> {
    pub(crate) const fn new() -> Self {
        Self {
            first: Cell::new(None),
            last: Cell::new(None),
            len: Cell::new(0),
        }
    }

    /// How many elements there are: counted, since each of them is another page.
    pub(crate) fn len(&self) -> usize {
        self.len.get()
    }

    pub(crate) fn first(&self) -> Option<Ref<T>> {
        self.first.get()
    }

    pub(crate) fn last(&self) -> Option<Ref<T>> {
        self.last.get()
    }

    pub(crate) fn push_front(&self, element: Ref<T>) {
        let old = self.first.replace(Some(element));
        element.links().prev.set(None);
        element.links().next.set(old);
        match old {
            Some(old) => old.links().prev.set(Some(element)),
            None => self.last.set(Some(element)),
        }
        self.len.set(self.len() + 1);
    }

    pub(crate) fn push_back(&self, element: Ref<T>) {
        let old = self.last.replace(Some(element));
        element.links().prev.set(old);
        element.links().next.set(None);
        match old {
            Some(old) => old.links().next.set(Some(element)),
            None => self.first.set(Some(element)),
        }
        self.len.set(self.len() + 1);
    }

    /// Takes out an element of this list.
    pub(crate) fn remove(&self, element: Ref<T>) {
        let prev = element.links().prev.take();
        let next = element.links().next.take();
        match prev {
            Some(prev) => prev.links().next.set(next),
            None => {
                invariant!(self.first.get() == Some(element));
                self.first.set(next);
            }
        }
        match next {
            Some(next) => next.links().prev.set(prev),
            None => {
                invariant!(self.last.get() == Some(element));
                self.last.set(prev);
            }
        }
        self.len.set(self.len() - 1);
    }

    pub(crate) fn pop_front(&self) -> Option<Ref<T>> {
        let first = self.first.get()?;
        self.remove(first);
        Some(first)
    }

    /// From first to last. The element that was handed out last may be removed meanwhile, no other.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Ref<T>> {
        let mut at = self.first.get();
        std::iter::from_fn(move || {
            let element = at?;
            at = element.links().next.get();
            Some(element)
        })
    }
}
