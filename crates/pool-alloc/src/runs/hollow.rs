//! Hollow runs: their memory went back to the system, and their addresses stay mapped for the next blocks.
//!
//! A process may have 65,530 mappings (`vm.max_map_count`), and one that has them all gets no memory for its small blocks
//! either. Runs that lie side by side are one mapping to the kernel, and each that is unmapped from between two others
//! makes one more. So of many large blocks what they leave is not unmapped, but hollow.
//!
//! ```text
//! hollow runs <= large blocks + 1, as no two of them touch        with them, no more mappings than without
//! ```
//!
//! They are a tree, ordered by address, in which each node knows the longest run below it. A node's priority follows
//! from its address, and those below it have a lower one: a treap, whose depth is about the logarithm of its size. A
//! node cannot lie in its run, where it would take a page; so the nodes have a mapping of their own.

#[cfg(test)]
#[path = "hollow/tests.rs"]
mod tests;

use std::ptr::NonNull;
use std::slice;

use super::{Need, Run};
use crate::os;

/// Nodes at most, with that of none. Where there are more runs, some are unmapped after all. Debug builds have few, so
/// that what is tested meets the end of them.
const NODES: usize = if cfg!(debug_assertions) { 128 } else { 1 << 20 };

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
}

impl Hollow {
    pub(super) const fn new() -> Self {
        Self {
            nodes: &mut [],
            root: NONE,
            free: NONE,
            unused: 1,
        }
    }

    /// Takes a run in, and joins it with those that it touches. False where there is no node for it.
    pub(super) fn put(&mut self, run: Run) -> bool {
        let Some(id) = self.new_node() else {
            return false;
        };
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
        self.insert(id, run);
        true
    }

    /// What is needed, from the first run that has it.
    pub(super) fn take(&mut self, need: Need) -> Option<Run> {
        let mut before = self.first_with(self.root, need)?;
        self.remove(before);
        let mut run = before.cut(before.lead(need));
        let behind = run.cut(need.len);
        for rest in [before, behind] {
            if rest.len > 0 && !self.put(rest) {
                // SAFETY: nobody uses it, and it is no more here.
                unsafe { rest.unmap() };
            }
        }
        Some(run)
    }

    /// The first run. With the last one the nodes' memory goes, too.
    pub(super) fn take_first(&mut self) -> Option<Run> {
        let mut first = self.root;
        if first == NONE {
            return None;
        }
        while self.node(first).before != NONE {
            first = self.node(first).before;
        }
        let run = self.run(first)?;
        self.remove(run);
        if self.root == NONE {
            let nodes = std::mem::replace(self, Self::new()).nodes;
            let len = os::whole_pages(size_of_val(nodes));
            // SAFETY: they were mapped in `new_node`, and nobody borrows them.
            unsafe { os::unmap(NonNull::from(nodes).cast(), len) };
        }
        Some(run)
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

    /// The first run, there or below, that has what is needed.
    fn first_with(&self, root: Id, need: Need) -> Option<Run> {
        if root == NONE || self.node(root).longest < need.len {
            return None;
        }
        let node = self.node(root);
        let here = || self.run(root).filter(|run| run.has_room_for(need));
        self.first_with(node.before, need)
            .or_else(here)
            .or_else(|| self.first_with(node.behind, need))
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
    }

    fn remove(&mut self, run: Run) {
        let address = run.at.addr().get();
        let (before, rest) = self.split(self.root, address);
        let (id, behind) = self.split(rest, address + 1);
        self.root = self.join(before, behind);
        self.node_mut(id).behind = self.free;
        self.free = id;
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
