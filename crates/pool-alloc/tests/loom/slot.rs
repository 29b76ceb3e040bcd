//! The `slot` of the models: the one without assembly, whatever the features are, since loom's threads share a thread.

use crate::heap::{Heap, NO_HEAP_REF};
use crate::list::Ref;
use crate::sync::{Cell, thread_local};

thread_local! {
    static HEAP: Cell<Ref<Heap>> = const { Cell::new(NO_HEAP_REF) };
}

pub(crate) fn get() -> Ref<Heap> {
    HEAP.with(Cell::get)
}

pub(crate) fn set(heap: Ref<Heap>) {
    HEAP.set(heap);
}
