//! What the attribute costs the compiler and the program's size, beside what its peers cost: for 1 000 functions and 1 000
//! asynchronous ones, with nothing, with this library's attribute and with each peer's. All figures are over those of the
//! bare functions, in interleaved rounds; times are of the processor, so that whatever else the machine does is not counted.
//!
//! `cargo run --release -p instrument-task-benches --bin compile-cost [ROUNDS [PEER…]]` (fetches the peers, and takes some minutes;
//! autometrics takes most of them)

mod generate;
mod measure;

use std::{env, io, path::Path, process::ExitCode};

use generate::{ATTRIBUTES, Attribute, FUNCTIONS, KINDS};
use measure::Workspace;

const ROUNDS: usize = 5;

/// What an annotated function may cost, by kind: the share of tracing's time to check, and bytes of object code.
const LIMITS: [(f64, u64); 2] = [(0.6, 500), (0.6, 1_300)];

/// What was measured of 1 000 functions with one attribute.
#[derive(Default)]
struct Cost {
    check: Vec<f64>,
    build: Vec<f64>,
    object: u64,
    tokens: usize,
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The medians of what each round had over the same round of the bare functions, in milliseconds of one function.
fn over(own: &[f64], bare: &[f64]) -> f64 {
    let differences: Vec<_> = own.iter().zip(bare).map(|(own, bare)| own - bare).collect();
    median(&differences) * 1_000.0 / FUNCTIONS as f64
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
    // The first time is the dependencies'.
    workspace.run(&["check", "--quiet", "--workspace", "--lib"])?;
    workspace.run(&["build", "--quiet", "--release", "--workspace", "--lib"])?;
    for round in 0..rounds {
        eprintln!("round {} of {rounds}", round + 1);
        for (kind, costs) in costs.iter_mut().enumerate() {
            for (package, cost) in packages(kind).iter().zip(costs) {
                cost.check.push(workspace.time(package, &["check", "--lib"])?);
                cost.build
                    .push(workspace.time(package, &["build", "--release", "--lib"])?);
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

/// Prints the table of one kind of function; whether this library's attribute keeps within its limits.
fn report(kind: &str, attributes: &[Attribute], costs: &[Cost], (share, object): (f64, u64)) -> bool {
    println!("\n1 000 {kind} functions, of each over the bare one\n");
    println!("| attribute | tokens | check, ms | release build, ms | object, bytes |\n|---|---|---|---|---|");
    let bare = &costs[0];
    let functions = FUNCTIONS as u64;
    let object_of = |cost: &Cost| cost.object.saturating_sub(bare.object) / functions;
    for (attribute, cost) in attributes.iter().zip(costs).skip(1) {
        println!(
            "| {} | {} | {:.2} | {:.2} | {} |",
            attribute.shown,
            cost.tokens.saturating_sub(bare.tokens) / FUNCTIONS,
            over(&cost.check, &bare.check),
            over(&cost.build, &bare.build),
            object_of(cost),
        );
    }
    let check = |at: usize| over(&costs[at].check, &bare.check);
    let (seen, bytes) = (check(1) / check(2), object_of(&costs[1]));
    println!(
        "\ncheck: {seen:.2} of tracing's (at most {share}); object: {bytes} bytes (at most {object}); bare: check {:.2} ms, object {} bytes",
        median(&bare.check) * 1_000.0 / FUNCTIONS as f64,
        bare.object / functions,
    );
    seen <= share && bytes <= object
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
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/compile-cost");
    generate::workspace(&root, &attributes)?;
    let workspace = Workspace::new(root);
    let costs = measure(&workspace, &attributes, rounds)?;
    let mut keeps = true;
    for ((kind, costs), limits) in KINDS.iter().zip(&costs).zip(LIMITS) {
        keeps &= report(kind, &attributes, costs, limits);
    }
    println!("\nBytes of a future\n");
    workspace.run(&["run", "--quiet", "--package", "sizes"])?;
    Ok(if keeps {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
