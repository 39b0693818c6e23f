//! What the attribute costs the compiler and the program's size, beside what its peers cost: for 1 000 functions and 1 000
//! asynchronous ones, with nothing, with this library's attribute and with each peer's. All figures are over those of the
//! bare functions, in interleaved rounds; times are of the processor, so that whatever else the machine does is not counted.
//!
//! `cargo run --release -p instrument-task-benches --bin compile-cost [ROUNDS [PEER…]]` (fetches the peers, and takes some minutes;
//! autometrics takes most of them). The page goes to `benches/report/compile.md`.

use std::{env, fmt::Write as _, fs, io, path::Path, process::ExitCode};

use instrument_task_benches::{
    compile::{
        generate::{self, ATTRIBUTES, Attribute, KINDS},
        measure::Workspace,
    },
    figures::Samples,
    machine,
};
use instrument_task_tests::bounds;

const ROUNDS: usize = 3;
const FUNCTIONS: usize = 1_000;

/// Bytes of object code that an annotated function may take, by kind.
const OBJECT: [u64; 2] = [bounds::OBJECT_SYNC, bounds::OBJECT_ASYNC];

/// What was measured of 1 000 functions with one attribute.
#[derive(Default)]
struct Cost {
    check: Samples,
    build: Samples,
    object: u64,
    tokens: usize,
}

/// The median in milliseconds of one function.
fn milliseconds(times: &Samples) -> f64 {
    times.median() * 1_000.0 / FUNCTIONS as f64
}

fn measure(workspace: &Workspace, attributes: &[Attribute], rounds: usize) -> io::Result<Vec<Vec<Cost>>> {
    let packages = |kind: usize| {
        let named = |attribute| generate::package(KINDS[kind], attribute);
        attributes.iter().map(named).collect::<Vec<_>>()
    };
    let mut costs: Vec<Vec<Cost>> = KINDS
        .iter()
        .map(|_| attributes.iter().map(|_| Cost::default()).collect())
        .collect();
    // The dependencies, which are not to be measured with the first.
    for attribute in attributes {
        let tree = generate::tree(attribute);
        workspace.run(&["check", "--quiet", "--lib", "--package", &tree])?;
        workspace.run(&["build", "--quiet", "--release", "--lib", "--package", &tree])?;
    }
    for round in 0..rounds {
        for (kind, costs) in costs.iter_mut().enumerate() {
            let these = packages(kind);
            for ((package, cost), attribute) in these.iter().zip(costs).zip(attributes) {
                if round > 0 && attribute.slow {
                    continue;
                }
                eprintln!("round {} of {rounds}: {package}", round + 1);
                cost.check.0.push(workspace.time(package, &["check", "--lib"])?);
                if round == 0 {
                    // How long that takes varies less than it differs, and it takes most of the time.
                    cost.build
                        .0
                        .push(workspace.time(package, &["build", "--release", "--lib"])?);
                }
            }
        }
    }
    for (kind, costs) in costs.iter_mut().enumerate() {
        for (package, cost) in packages(kind).iter().zip(costs) {
            cost.object = workspace.object_bytes(package)?;
            cost.tokens = workspace.expanded_tokens(package)?;
        }
    }
    Ok(costs)
}

/// The table of one kind of function; whether this library's attribute keeps within its limits.
fn functions(page: &mut String, kind: &str, attributes: &[Attribute], costs: &[Cost], most: u64) -> bool {
    let bare = &costs[0];
    let count = FUNCTIONS as u64;
    let object_of = |cost: &Cost| cost.object.saturating_sub(bare.object) / count;
    let _ = writeln!(
        page,
        "\n## {kind} functions\n\nOf 1 000, each over the bare one: {:.2} ms to check, {} bytes of object code.\n\n\
         | attribute | tokens | check, ms | release build, ms | object, bytes |\n| --- | --: | --: | --: | --: |",
        milliseconds(&bare.check),
        bare.object / count,
    );
    for (attribute, cost) in attributes.iter().zip(costs).skip(1) {
        let _ = writeln!(
            page,
            "| {} | {} | {:.2} | {:.2} | {} |",
            attribute.shown,
            cost.tokens.saturating_sub(bare.tokens) / FUNCTIONS,
            milliseconds(&cost.check.over(&bare.check)),
            milliseconds(&cost.build.over(&bare.build)),
            object_of(cost),
        );
    }
    let check = |at: usize| costs[at].check.over(&bare.check);
    let share = check(1).by(&check(2)).median();
    let bytes = object_of(&costs[1]);
    let verdict = |holds| if holds { "holds" } else { "**does not hold**" };
    let (quick, small) = (share <= bounds::CHECK_BY_TRACING, bytes <= most);
    let _ = writeln!(
        page,
        "\n| claim | bound | seen | |\n| --- | --: | --: | --: |\n\
         | time to check, in that of tracing's | ≤ {} | {share:.2} | {} |\n\
         | object, bytes | ≤ {most} | {bytes} | {} |",
        bounds::CHECK_BY_TRACING,
        verdict(quick),
        verdict(small),
    );
    quick && small
}

/// The table of what is built with the attribute; whether it is light.
fn trees(page: &mut String, workspace: &Workspace, attributes: &[Attribute]) -> io::Result<bool> {
    page.push_str(
        "\n## What comes along\n\nA development build of the attribute's crates from nothing.\n\n\
         | attribute | crates | processor time, s | time, s |\n| --- | --: | --: | --: |\n",
    );
    let mut light = true;
    for attribute in &attributes[1..] {
        let tree = generate::tree(attribute);
        eprintln!("{tree}, from nothing");
        let crates = workspace.crates(&tree)?;
        let (processor, passed) = workspace.cold(&tree)?;
        light &= attribute.short != "ours" || crates <= bounds::CRATES;
        let _ = writeln!(
            page,
            "| {} | {crates} | {processor:.1} | {passed:.1} |",
            attribute.shown
        );
    }
    Ok(light)
}

fn main() -> io::Result<ExitCode> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let (rounds, peers) = match arguments.split_first() {
        Some((rounds, peers)) => (rounds.parse().map_err(io::Error::other)?, peers),
        None => (ROUNDS, &[][..]),
    };
    // The limits are shares of tracing's.
    let attributes: Vec<_> = ATTRIBUTES
        .into_iter()
        .enumerate()
        .filter(|(at, attribute)| {
            *at < 3 || peers.is_empty() || peers.iter().any(|peer| peer == attribute.short)
        })
        .map(|(_, attribute)| attribute)
        .collect();
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = home.join("../target/compile-cost");
    generate::workspace(&root, &attributes, FUNCTIONS)?;
    let workspace = Workspace::new(root);
    let costs = measure(&workspace, &attributes, rounds)?;
    let mut page = format!(
        "# What the attribute costs the compiler\n\n{}. {}.\n\nMedians of {rounds} interleaved rounds (one for release builds, and for autometrics); times are of the processor.\n",
        machine::describe(),
        machine::versions().join(", "),
    );
    let mut keeps = true;
    for ((kind, costs), most) in ["Synchronous", "Asynchronous"].iter().zip(&costs).zip(OBJECT) {
        keeps &= functions(&mut page, kind, &attributes, costs, most);
    }
    page.push_str("\n## Bytes of a future\n\n");
    page += &workspace.run(&["run", "--quiet", "--package", "sizes"])?;
    keeps &= trees(&mut page, &workspace, &attributes)?;
    fs::write(home.join("report/compile.md"), &page)?;
    println!("{page}");
    Ok(if keeps {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
