//! The README says what the report says.

/// What stands in the report under a heading.
fn section<'a>(report: &'a str, title: &str) -> &'a str {
    let (_, from) = report
        .split_once(&format!("\n## {title}\n\n"))
        .expect("the report has such a section");
    from.split("\n## ").next().unwrap_or(from).trim()
}

#[test]
fn the_figures_of_the_readme_are_those_of_the_report() {
    let report = include_str!("../../report/overhead.md");
    let readme = include_str!("../../../README.md");
    let brief = section(report, "In short");
    assert!(
        readme.contains(brief),
        "the README is to have these lines, between `cost: begin` and `cost: end`:\n{brief}"
    );
}
