//! holdline beside a bare loop, nginx, lighttpd and h2o: `cargo bench --bench servers`.
//!
//! One server at a time on one core, the load on another, in interleaved rounds. Every server answers the same bytes
//! from the same files. What is asked, how, and what holdline is to reach stands in `rows.rs`.

mod about;
mod bare;
mod callgrind;
mod clients;
mod contender;
mod interrupt;
mod lab;
mod load;
mod plot;
mod process;
mod report;
#[path = "../support/request.rs"]
mod request;
mod response;
mod rows;
mod site;
mod works;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;

use about::About;
use bare::Bare;
use contender::find_program;
use lab::Lab;
use report::Report;
use rows::{ROWS, Row};

/// Compares holdline with other servers on this machine.
#[derive(Debug, Parser)]
#[command(name = "cargo bench --bench servers --", max_term_width = 100)]
struct Args {
    /// Rows to measure; all if none is named
    rows: Vec<String>,

    /// How often, in turn
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// How long a server is kept busy for a figure
    #[arg(long, default_value_t = 1.5)]
    seconds: f64,

    /// One short round, to see that everything works
    #[arg(long)]
    quick: bool,

    /// Exit with 1 if a target is missed
    #[arg(long)]
    check: bool,

    /// Write all figures to FILE
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Draw them into FILE
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Write the table into docs/performance.md, and the picture into docs/images/speed.svg
    #[arg(long, conflicts_with_all = ["rows", "quick"])]
    docs: bool,

    /// Said by `cargo bench`, and not by `cargo test --all-targets`
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    let outcome = match words.get(1).map(String::as_str) {
        Some("bare") => Bare::from_words(&words[2..])
            .ok_or_else(|| "bare: wrong words".to_owned())
            .and_then(|bare| bare.run().map_err(|error| error.to_string()))
            .map(|()| true),
        _ => compare(&Args::parse()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("servers: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures and reports. Says whether the targets were met, if that was asked.
fn compare(args: &Args) -> Result<bool, String> {
    if !args.bench {
        eprintln!("servers: nothing is measured but by cargo bench");
        return Ok(true);
    }
    let rows = chosen(&args.rows)?;
    say_what_is_missing();
    let (rounds, seconds) = if args.quick { (1, 0.3) } else { (args.rounds, args.seconds) };
    let about = About::ask(rounds, seconds);
    interrupt::install_handler();
    let lab = Lab::set_up(Duration::from_secs_f64(seconds))?;
    if rows.iter().any(|row| !row.once) {
        lab.check_clock()?;
    }
    let report = measure(&lab, &rows, rounds)?;
    publish(&report, &about, args)?;
    Ok(!args.check || report.is_good())
}

/// In each round all the rows, in each row all the contenders.
fn measure(lab: &Lab, rows: &[&'static Row], rounds: u32) -> Result<Report, String> {
    let start = Instant::now();
    let mut report = Report::default();
    for round in 1..=rounds {
        for row in rows.iter().filter(|row| round == 1 || !row.once) {
            eprintln!("round {round} of {rounds}, {:.0} s: {}", start.elapsed().as_secs_f64(), row.id);
            for contender in row.contenders {
                let measured = (row.measure)(lab, *contender);
                interrupt::check()?;
                match measured {
                    Ok(figures) => report.add(*contender, figures),
                    Err(why) => {
                        eprintln!("  {}: {why}", contender.name());
                        report.failures.insert((row.id, *contender), why);
                    }
                }
            }
        }
    }
    Ok(report)
}

fn publish(report: &Report, about: &About, args: &Args) -> Result<(), String> {
    println!("{}\n\n{}", about.line(), report.table());
    if let Some(file) = &args.json {
        write(file, &format!("{:#}\n", report.json(&about.json())))?;
    }
    let picture = plot::svg(report, &about.line());
    if let Some(file) = &args.svg {
        write(file, &picture)?;
    }
    if args.docs {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        write(&docs.join("images/speed.svg"), &picture)?;
        about.write_table(&docs.join("performance.md"), &report.table())?;
    }
    Ok(())
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}

fn chosen(names: &[String]) -> Result<Vec<&'static Row>, String> {
    let unknown = names.iter().find(|name| ROWS.iter().all(|row| row.id != *name));
    if let Some(name) = unknown {
        let all: Vec<&str> = ROWS.iter().map(|row| row.id).collect();
        return Err(format!("no row {name}; there are {}", all.join(" ")));
    }
    Ok(ROWS.iter().filter(|row| names.is_empty() || names.iter().any(|name| name == row.id)).collect())
}

fn say_what_is_missing() {
    let programs = ["nginx", "lighttpd", "h2o", "valgrind"];
    let missing: Vec<&str> = programs.into_iter().filter(|name| find_program(name).is_none()).collect();
    if !missing.is_empty() {
        eprintln!("missing: {0}; Debian has them: apt-get install {0}", missing.join(" "));
    }
}
