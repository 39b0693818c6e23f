//! Bytes of optimised code and data that the attribute adds to a function.

use std::path::Path;

use instrument_task_benches::compile::{
    generate::{self, ATTRIBUTES, KINDS},
    measure::Workspace,
};
use instrument_task_tests::bounds::{OBJECT_ASYNC, OBJECT_SYNC};

const FUNCTIONS: usize = 100;

#[test]
fn an_annotated_function_is_small() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("object_size");
    // The bare functions, and those with this library's attribute.
    let attributes = &ATTRIBUTES[..2];
    generate::workspace(&root, attributes, FUNCTIONS).expect("cargo's own directory can be written to");
    let workspace = Workspace::new(root);
    workspace
        .run(&["build", "--quiet", "--release", "--workspace", "--lib"])
        .expect("the functions compile");
    for (kind, most) in KINDS.into_iter().zip([OBJECT_SYNC, OBJECT_ASYNC]) {
        let bytes = |at: usize| workspace.object_bytes(&generate::package(kind, &attributes[at]));
        let [bare, ours] = [0, 1].map(|at| bytes(at).expect("`size` reads it"));
        let each = ours.saturating_sub(bare) / FUNCTIONS as u64;
        println!("{kind}: {each} bytes of a function");
        assert!(each > 0, "the attribute does something");
        assert!(each <= most, "{kind}: {each} bytes, more than {most}");
    }
}
