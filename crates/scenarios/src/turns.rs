//! Threads that take turns: a worker does one thing when it is told to, and stands still otherwise.
//!
//! Whoever gives the order waits until it has been carried out, so that of all threads one runs.
//! What they ask of the allocator then comes in the same order in every run, and nothing moves
//! while the process is measured. Nothing is allocated between hiring and dismissing a worker but
//! by the job itself: a mutex and a condition variable need no memory, unlike a channel.
//!
//! ```text
//! order given  <=>  the worker may touch the desk
//! no order     <=>  the worker waits on the condition variable
//! ```

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// A thread and the desk at which it works. Dropping it waits until the thread has ended.
pub(crate) struct Worker<T> {
    office: Arc<Office<T>>,
    thread: Option<JoinHandle<()>>,
}

struct Office<T> {
    room: Mutex<Room<T>>,
    changed: Condvar,
}

struct Room<T> {
    desk: T,
    order: Option<Order<T>>,
}

enum Order<T> {
    Work(fn(&mut T)),
    Leave,
}

impl<T: Send + 'static> Worker<T> {
    /// A worker who stands still in front of this desk.
    pub(crate) fn hire(desk: T) -> Worker<T> {
        let office = Arc::new(Office {
            room: Mutex::new(Room { desk, order: None }),
            changed: Condvar::new(),
        });
        let theirs = Arc::clone(&office);
        let worker = Worker {
            office,
            thread: Some(thread::spawn(move || theirs.serve())),
        };
        worker.work(|_| {}); // done once the thread has started and touched all that it needs
        worker
    }

    /// Has the worker do this to the desk, and waits until it is done. One that panics never is,
    /// which is for the driver's step limit to notice.
    pub(crate) fn work(&self, job: fn(&mut T)) {
        let mut room = self.office.enter();
        room.order = Some(Order::Work(job));
        self.office.changed.notify_one();
        let done = self.office.changed.wait_while(room, |r| r.order.is_some());
        drop(done.unwrap_or_else(PoisonError::into_inner));
    }

    /// What lies on the desk, while the worker stands still.
    pub(crate) fn desk<R>(&self, look: impl FnOnce(&mut T) -> R) -> R {
        look(&mut self.office.enter().desk)
    }
}

impl<T> Drop for Worker<T> {
    fn drop(&mut self) {
        self.office.enter().order = Some(Order::Leave);
        self.office.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic has been reported where it happened
        }
    }
}

impl<T> Office<T> {
    fn enter(&self) -> MutexGuard<'_, Room<T>> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A worker's life.
    fn serve(&self) {
        let mut room = self.enter();
        loop {
            let waiting = self.changed.wait_while(room, |r| r.order.is_none());
            room = waiting.unwrap_or_else(PoisonError::into_inner);
            match room.order {
                Some(Order::Work(job)) => job(&mut room.desk),
                _ => return,
            }
            room.order = None;
            self.changed.notify_one();
        }
    }
}
