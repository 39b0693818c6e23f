//! How many crates a user builds with this one, by default.

use std::{collections::BTreeSet, process::Command};

use instrument_task_tests::bounds::CRATES;

#[test]
fn the_default_build_is_light() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--package", "instrument-task", "--edges", "normal,build"])
        .args(["--prefix", "none", "--format", "{p}", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts: it started this test");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let text = String::from_utf8(tree.stdout).expect("names of crates");
    let crates: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| !name.is_empty())
        .collect();
    println!("{} crates: {crates:?}", crates.len());
    assert!(crates.contains("instrument-task-macros"), "it is the right tree");
    assert!(crates.len() <= CRATES, "{} crates: {crates:?}", crates.len());
}
