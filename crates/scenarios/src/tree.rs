//! `tree`: a balanced binary tree of nodes of five sizes, dropped recursively.
//!
//! A document, a syntax tree, a DOM. Nodes are made and freed in post-order, children
//! before parents, and neighbours in memory are of different sizes.
//!
//! Two things are not left to chance, because under glibc they would decide, and the verdict be that
//! of a seed. The root, which is made last and freed last, is of the smallest size: freed, it waits
//! at the top of the heap to be joined with the rest, where a large one would be joined in the drop
//! if the top happened to be long. And a build begins with the buffer that a document is read into:
//! a request of that size joins what the round before left apart, so that all rounds find one heap.

use std::hint::black_box;

use fastrand::Rng;

use crate::{Object, Scenario, boxed};

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "tree",
    summary: "a balanced binary tree of nodes of 32 to 512 bytes, dropped recursively",
    question: "does memory come back when blocks of several sizes are freed, children first?",
    unit: "nodes",
    default_size: 500_000,
    footprint_bytes: |size| {
        size.saturating_mul(MEAN_NODE_BYTES + 20)
            .saturating_add(READ_BUFFER_BYTES as u64)
    },
    build: |size, seed| boxed(|| Tree::build(size, seed)),
};

/// Mean over the five sizes that [`grow`] draws from with equal chance.
const MEAN_NODE_BYTES: u64 = (32 + 64 + 128 + 256 + 512) / 5;

const READ_BUFFER_BYTES: usize = 16 << 10;

struct Tree {
    _root: Box<dyn Branch>,
    node_bytes: u64,
}

type Link = Option<Box<dyn Branch>>;

/// A node of some size; all that the tree does with it is to drop it.
trait Branch {}

/// Two links and `N` bytes beside them.
struct Node<const N: usize> {
    _left: Link,
    _right: Link,
    _payload: [u8; N],
}

impl<const N: usize> Branch for Node<N> {}

const _: () = assert!(size_of::<Node<0>>() == 32 && size_of::<Node<480>>() == 512);

impl Tree {
    fn build(size: u64, seed: u64) -> Tree {
        drop(black_box(vec![1u8; READ_BUFFER_BYTES]));
        let mut rng = Rng::with_seed(seed);
        let mut node_bytes = size_of::<Node<0>>() as u64;
        let [left, right] = halves(size - 1).map(|nodes| grow(nodes, &mut rng, &mut node_bytes));
        Tree {
            _root: node::<0>(left, right),
            node_bytes,
        }
    }
}

impl Object for Tree {
    fn live_bytes(&self) -> u64 {
        self.node_bytes
    }
}

/// A balanced tree of `nodes` nodes; it is as deep as the logarithm of that.
fn grow(nodes: u64, rng: &mut Rng, bytes: &mut u64) -> Link {
    if nodes == 0 {
        return None;
    }
    let kind = rng.u8(0..5);
    let [left, right] = halves(nodes - 1).map(|nodes| grow(nodes, rng, bytes));
    let node: Box<dyn Branch> = match kind {
        0 => node::<0>(left, right),
        1 => node::<32>(left, right),
        2 => node::<96>(left, right),
        3 => node::<224>(left, right),
        _ => node::<480>(left, right),
    };
    *bytes += size_of_val(&*node) as u64;
    Some(node)
}

/// What the two links share between them.
fn halves(nodes: u64) -> [u64; 2] {
    [nodes / 2, nodes - nodes / 2]
}

fn node<const N: usize>(left: Link, right: Link) -> Box<dyn Branch> {
    black_box(Box::new(Node {
        _left: left,
        _right: right,
        _payload: [1; N],
    }))
}
