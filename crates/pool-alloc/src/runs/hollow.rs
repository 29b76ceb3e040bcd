//! Hollow runs: their memory went back to the system, and their addresses stay mapped for the next blocks.
//!
//! A process may have 65,530 mappings (`vm.max_map_count`), and one that has them all gets no memory for its small blocks
//! either. Runs that lie side by side are one mapping to the kernel, and each that is unmapped from between two others
//! makes one more. So of many large blocks what they leave is not unmapped, but hollow.
//!
//! ```text
//! a mapping for each gap that is left between runs, hollow ones included;      no two hollow runs touch
//! ```
//!
//! They are a tree, ordered by address, in which each node knows the longest run below it. A node's priority follows
//! from its address, and those below it have a lower one: a treap, whose depth is about the logarithm of its size. A
//! node cannot lie in its run, where it would take a page; so the nodes have a mapping of their own, as long as there is one.

#[cfg(test)]
#[path = "hollow/tests.rs"]
mod tests;

use std::ptr::NonNull;
use std::{mem, slice};

use super::{Need, Run};
use crate::os;

/// Nodes at most, with that of none. Where there are more runs, some are unmapped after all. Debug builds have few, so
/// that what is tested meets the end of them.
const NODES: usize = if cfg!(debug_assertions) { 128 } else { 1 << 20 };

/// Runs that are looked at for one request: such as are long enough, but do not begin as they have to.
const TRIES: usize = 32;

/// The place of a node.
type Id = u32;

/// That of none: the first, which stays all zero.
const NONE: Id = 0;

struct Node {
    at: *mut u8,
    len: usize,
    /// The length of the longest run here and below.
    longest: usize,
    before: Id,
    /// Of a free node, the next that is free.
    behind: Id,
}

/// See the top of this file.
pub(super) struct Hollow {
    nodes: &'static mut [Node],
    root: Id,
    free: Id,
    /// Nodes from here on were never used.
    unused: usize,
    count: usize,
}

impl Hollow {
    pub(super) const fn new() -> Self {
        Self {
            nodes: &mut [],
            root: NONE,
            free: NONE,
            unused: 1,
            count: 0,
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Takes a run in, and joins it with those that it touches. False where it touches none, and there is no node for it.
    pub(super) fn put(&mut self, run: Run) -> bool {
        let mut run = run;
        if let Some(before) = self.last_before(run.at.addr().get())
            && before.end() == run.at.addr().get()
        {
            self.remove(before);
            run = Run {
                at: before.at,
                len: before.len + run.len,
            };
        }
        if let Some(behind) = self.last_before(run.end() + 1)
            && behind.at.addr().get() == run.end()
        {
            self.remove(behind);
            run.len += behind.len;
        }
        let Some(id) = self.new_node() else {
            return false;
        };
        self.insert(id, run);
        true
    }

    /// What is needed, from the first run that has it.
    pub(super) fn take(&mut self, need: Need) -> Option<Run> {
        let mut before = self.first_with(self.root, need, &mut { TRIES })?;
        self.remove(before);
        let mut run = before.cut(before.lead(need));
        let behind = run.cut(need.len);
        self.put_rest(before);
        self.put_rest(behind);
        self.end_if_empty();
        Some(run)
    }

    /// Takes the first `len` bytes of a run that begins at an address; false where there is none so long.
    pub(super) fn take_at(&mut self, address: usize, len: usize) -> bool {
        let is_it = |run: &Run| run.at.addr().get() == address && run.len >= len;
        let Some(mut run) = self.last_before(address + 1).filter(is_it) else {
            return false;
        };
        self.remove(run);
        self.put_rest(run.cut(len));
        self.end_if_empty();
        true
    }

    /// Takes the first run.
    pub(super) fn take_first(&mut self) -> Option<Run> {
        let mut first = self.root;
        while first != NONE && self.node(first).before != NONE {
            first = self.node(first).before;
        }
        let run = self.run(first)?;
        self.remove(run);
        self.end_if_empty();
        Some(run)
    }

    /// Takes in what is left of a run.
    fn put_rest(&mut self, rest: Run) {
        if rest.len > 0 && !self.put(rest) {
            // SAFETY: nobody uses it, and it is no more here.
            unsafe { rest.unmap() };
        }
    }

    /// Gives back the nodes, if none is in use.
    fn end_if_empty(&mut self) {
        if self.root != NONE || self.nodes.is_empty() {
            return;
        }
        let nodes = mem::replace(self, Self::new()).nodes;
        let len = os::whole_pages(size_of_val(nodes));
        // SAFETY: they were mapped in `new_node`, and nobody borrows them.
        unsafe { os::unmap(NonNull::from(nodes).cast(), len) };
    }

    fn node(&self, id: Id) -> &Node {
        &self.nodes[id as usize]
    }

    fn node_mut(&mut self, id: Id) -> &mut Node {
        &mut self.nodes[id as usize]
    }

    fn run(&self, id: Id) -> Option<Run> {
        let node = self.nodes.get(id as usize)?;
        let at = NonNull::new(node.at)?;
        Some(Run { at, len: node.len })
    }

    fn new_node(&mut self) -> Option<Id> {
        if self.free != NONE {
            let id = self.free;
            self.free = self.node(id).behind;
            return Some(id);
        }
        if self.nodes.is_empty() {
            let at = os::map(os::whole_pages(NODES * size_of::<Node>()), os::page_size())?;
            // SAFETY: so many nodes fit into what is ours alone from now on, and zeroes are valid ones.
            self.nodes = unsafe { slice::from_raw_parts_mut(at.cast::<Node>().as_ptr(), NODES) };
        }
        if self.unused == NODES {
            return None;
        }
        self.unused += 1;
        Some(self.unused as Id - 1)
    }

    /// The last run that begins before an address.
    fn last_before(&self, address: usize) -> Option<Run> {
        let (mut id, mut last) = (self.root, NONE);
        while id != NONE {
            let node = self.node(id);
            if node.at.addr() < address {
                last = id;
                id = node.behind;
            } else {
                id = node.before;
            }
        }
        self.run(last)
    }

    /// The first run, there or below, that has what is needed, of so many as are tried.
    fn first_with(&self, root: Id, need: Need, tries: &mut usize) -> Option<Run> {
        if root == NONE || self.node(root).longest < need.len {
            return None;
        }
        let node = self.node(root);
        let before = self.first_with(node.before, need, tries);
        if before.is_some() || *tries == 0 {
            return before;
        }
        if node.len >= need.len {
            *tries -= 1;
            let run = self.run(root).filter(|run| run.has_room_for(need));
            if run.is_some() {
                return run;
            }
        }
        self.first_with(node.behind, need, tries)
    }

    fn insert(&mut self, id: Id, run: Run) {
        *self.node_mut(id) = Node {
            at: run.at.as_ptr(),
            len: run.len,
            longest: run.len,
            before: NONE,
            behind: NONE,
        };
        let (before, behind) = self.split(self.root, run.at.addr().get());
        let before = self.join(before, id);
        self.root = self.join(before, behind);
        self.count += 1;
    }

    fn remove(&mut self, run: Run) {
        let address = run.at.addr().get();
        let (before, rest) = self.split(self.root, address);
        let (id, behind) = self.split(rest, address + 1);
        self.root = self.join(before, behind);
        self.node_mut(id).behind = self.free;
        self.free = id;
        self.count -= 1;
    }

    /// Splits what is there and below into the runs that begin before an address, and the others.
    fn split(&mut self, root: Id, address: usize) -> (Id, Id) {
        if root == NONE {
            return (NONE, NONE);
        }
        let node = self.node(root);
        if node.at.addr() < address {
            let (before, behind) = self.split(node.behind, address);
            self.node_mut(root).behind = before;
            self.measure(root);
            (root, behind)
        } else {
            let (before, behind) = self.split(node.before, address);
            self.node_mut(root).before = behind;
            self.measure(root);
            (before, root)
        }
    }

    /// Makes one tree of two, all runs of which lie one before the other's.
    fn join(&mut self, before: Id, behind: Id) -> Id {
        if before == NONE || behind == NONE {
            return before.max(behind);
        }
        if self.priority(before) > self.priority(behind) {
            let joined = self.join(self.node(before).behind, behind);
            self.node_mut(before).behind = joined;
            self.measure(before);
            before
        } else {
            let joined = self.join(before, self.node(behind).before);
            self.node_mut(behind).before = joined;
            self.measure(behind);
            behind
        }
    }

    fn measure(&mut self, id: Id) {
        let node = self.node(id);
        let below = self
            .node(node.before)
            .longest
            .max(self.node(node.behind).longest);
        self.node_mut(id).longest = self.node(id).len.max(below);
    }

    /// As good as random, and different for each address: the finish of SplitMix64.
    fn priority(&self, id: Id) -> u64 {
        let address = self.node(id).at.addr() as u64;
        let mixed = (address ^ (address >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
