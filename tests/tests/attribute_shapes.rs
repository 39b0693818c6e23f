//! Every shape of function, in both editions: what it returns, and what is counted.

use std::panic::catch_unwind;

fn run(shapes: &[(&'static str, fn())]) {
    let failed: Vec<_> = shapes
        .iter()
        .filter(|(_, check)| catch_unwind(check).is_err())
        .map(|(name, _)| *name)
        .collect();
    assert!(
        failed.is_empty(),
        "{} of {} shapes failed: {failed:?}",
        failed.len(),
        shapes.len()
    );
    println!("{} shapes", shapes.len());
}

#[test]
fn edition_2021() {
    run(&instrument_task_shapes_2021::all());
}

#[test]
fn edition_2024() {
    run(&instrument_task_shapes_2024::all());
}

/// A shape that nobody runs checks nothing.
#[test]
fn every_shape_is_listed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/attribute_shapes/shapes");
    let mut shapes = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        shapes += text.lines().filter(|line| line.starts_with("pub mod ")).count();
    }
    assert_eq!(shapes, instrument_task_shapes_2024::all().len());
}
