//! The README's program in a project of its own, outside of this repository.

use std::{env, fmt::Write as _, fs, path::Path, path::PathBuf, process::Command};

use instrument_task::testing::Receiver;
use instrument_task_tests::{children, wait::BOUND};

/// A folder that goes when the test does.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // Left to the system's own cleaning if it cannot be.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_readmes_program_works_in_a_fresh_project() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let readme = fs::read_to_string(workspace.join("README.md")).unwrap();
    let (_, program) = readme.split_once("```rust\n").expect("a program in the README");
    let (program, _) = program.split_once("```").unwrap();
    assert!(program.lines().count() <= 25, "short enough to read at a glance");

    let folder = Folder(env::temp_dir().join(format!("instrument-task-fresh-{}", std::process::id())));
    fs::create_dir_all(&folder.0).unwrap();
    let made = children::cargo(&folder.0, &["new", "--quiet", "--vcs", "none", "worker"], &[]);
    assert!(made.status.success(), "{made:?}");
    let project = folder.0.join("worker");
    let mut manifest = fs::read_to_string(project.join("Cargo.toml")).unwrap();
    let library = workspace.join("instrument");
    let _ = writeln!(manifest, "instrument-task = {{ path = '{}' }}", library.display());
    fs::write(project.join("Cargo.toml"), manifest).unwrap();
    fs::write(project.join("src/main.rs"), program).unwrap();
    // The versions that this workspace has been tested with.
    fs::copy(workspace.join("Cargo.lock"), project.join("Cargo.lock")).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fresh_project");
    let built = children::cargo(
        &project,
        &["build", "--quiet", "--target-dir", target.to_str().unwrap()],
        &[],
    );
    assert!(built.status.success(), "{}", built.errors);
    assert!(!built.errors.contains("warning: unused"), "{}", built.errors);

    let receiver = Receiver::start().unwrap();
    let mut worker = Command::new(target.join("debug/worker"));
    worker
        .env("STATSD_HOST", "127.0.0.1")
        .env("STATSD_PORT", receiver.address().port().to_string())
        .env("STATSD_PREFIX", "celery");
    let ended = children::run(&mut worker);
    assert!(ended.status.success(), "{ended:?}");
    let counts = || {
        ["started", "success", "exceptions"]
            .map(|what| receiver.counter(&format!("celery.tasks.status.send_email.{what}")))
    };
    assert!(
        receiver.wait_until(BOUND, |_| counts() == [2, 1, 1]),
        "{:?}",
        counts()
    );
    assert!(
        receiver
            .timer("celery.tasks.duration.send_email.success")
            .is_some()
    );
}
