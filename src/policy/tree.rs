//! Going through a syntax tree without recursion: a text may nest deeper than a stack is.

use tree_sitter::Node;

/// Calls `visit` for `root` and every node below, in the order of their first characters.
pub(super) fn each<'t>(root: Node<'t>, mut visit: impl FnMut(Node<'t>)) {
    let mut cursor = root.walk();
    loop {
        visit(cursor.node());
        if cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}

/// How many ancestors are looked at.
const DEPTH: usize = 64;

/// Whether `is_it` holds of a node or one above it and its parent. What nests deeper than is looked at counts as if it did.
pub(super) fn has_ancestor(node: Node<'_>, is_it: impl Fn(Node<'_>, Node<'_>) -> bool) -> bool {
    let mut node = node;
    for _ in 0..DEPTH {
        let Some(parent) = node.parent() else {
            return false;
        };
        if is_it(node, parent) {
            return true;
        }
        node = parent;
    }
    true
}

/// The last child that has a name in the grammar.
pub(super) fn last(node: Node<'_>) -> Option<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).last()
}

/// The first child of a kind.
pub(super) fn child<'t>(node: Node<'t>, kind: &str) -> Option<Node<'t>> {
    (0..node.child_count())
        .filter_map(|at| node.child(at))
        .find(|part| part.kind() == kind)
}
