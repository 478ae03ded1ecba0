//! The command line: one definition, from which it is read and explained.

mod banner;
mod errors;
mod generate;
mod help;
mod listen;
mod server;
pub mod start;
mod tools;
mod values;

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command, CommandFactory, FromArgMatches, Parser};

pub use banner::{banner, network_addresses};
pub use generate::Document;
pub use server::{Args, Sandboxing};
pub use tools::{Tool, ToolOutput};

/// What a command line asks for.
#[derive(Debug)]
pub enum Job {
    /// To serve.
    Serve(Box<Args>),
    /// To run one of the tools in place of the server.
    Run(Tool),
    /// To write this to standard output.
    Generate(Document),
}

/// Why there is nothing to run.
#[derive(Debug)]
pub enum CliExit {
    /// The command line is wrong; one line says what is wrong and what to do.
    UsageError(String),
    /// It asked for help or the version, which this prints, in colour on a terminal.
    Help(clap::Error),
}

/// The server, or one of the tools in its place. Only the first word can name a tool: a folder of that name is served
/// as `./compare`, or after a flag.
#[derive(Debug, Parser)]
#[command(name = "holdline", version, about, long_about = help::DESCRIPTION, override_usage = help::usage())]
#[command(args_conflicts_with_subcommands = true)]
struct CommandLine {
    #[command(flatten)]
    server: Args,
    #[command(subcommand)]
    tool: Option<Tool>,
}

impl Job {
    /// Reads the process's command line.
    ///
    /// # Errors
    /// One line that says what is wrong, or the text of `--help` or `--version`.
    pub fn from_command_line() -> Result<Job, CliExit> {
        Job::from_words(&std::env::args_os().collect::<Vec<_>>())
    }

    fn from_words(words: &[OsString]) -> Result<Job, CliExit> {
        let command = help::explain(definition());
        let matches = command.try_get_matches_from(words);
        let line = matches.and_then(|matches| {
            let mut line = CommandLine::from_arg_matches(&matches)?;
            line.server.outlive_pool(&matches);
            Ok(line)
        });
        let line = line.map_err(|error| match error.use_stderr() {
            true => CliExit::UsageError(errors::usage_error(&error, words)),
            false => CliExit::Help(error),
        })?;
        let job = match (line.server.generate(), line.tool) {
            (Some(document), _) => Ok(Job::Generate(document)),
            (None, Some(tool)) => tool.check().map(|()| Job::Run(tool)),
            (None, None) => line.server.check().map(|()| Job::Serve(Box::new(line.server))),
        };
        job.map_err(CliExit::UsageError)
    }
}

/// All flags and tools. clap's own `--help` and `--version` would stand under a heading of their own.
fn definition() -> Command {
    let help = || {
        let help = Arg::new("help").short('h').long("help").action(ArgAction::Help);
        help.help("Print help: a summary with -h, all of it with --help")
    };
    // A negative number is a wrong value, and not the flag that it looks like.
    let takes_a_number = |arg: &Arg| {
        let names = arg.get_value_names().unwrap_or_default();
        names.iter().any(|name| ["D", "N", "BYTES"].contains(&name.as_str()))
    };
    let lenient = move |arg: Arg| if takes_a_number(&arg) { arg.allow_hyphen_values(true) } else { arg };
    let version = Arg::new("version").short('V').long("version").action(ArgAction::Version).help("Print the version");
    CommandLine::command()
        .disable_help_subcommand(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args([help(), version].map(|flag| flag.help_heading(server::PROCESS)))
        .mut_args(lenient)
        .mut_subcommands(|tool| tool.arg(help()).mut_args(lenient))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn clap_finds_no_fault_with_the_definition() {
        help::explain(definition()).debug_assert();
    }

    #[test]
    fn each_example_of_the_help_is_a_command_line() {
        let tools: Vec<String> = definition().get_subcommands().map(|tool| tool.get_name().to_owned()).collect();
        let of_tools = tools.iter().flat_map(|tool| tools::examples(tool));
        for (example, _) in help::EXAMPLES.iter().chain(of_tools) {
            let words: Vec<OsString> = example.split(' ').map(OsString::from).collect();
            let is_tool = tools.iter().any(|tool| words[1] == tool.as_str());
            match Job::from_words(&words) {
                Ok(Job::Serve(_) | Job::Generate(_)) if !is_tool => {}
                Ok(Job::Run(_)) if is_tool => {}
                other => panic!("{example}: {other:?}"),
            }
        }
    }

    #[test]
    fn only_the_first_word_names_a_tool() {
        for (line, root) in [
            ("holdline ./compare", "./compare"),
            ("holdline --listing compare", "compare"),
            ("holdline -- compare", "compare"),
            ("holdline help", "help"),
        ] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            match Job::from_words(&words) {
                Ok(Job::Serve(args)) => assert_eq!(args.root.as_deref(), Some(Path::new(root)), "{line}"),
                other => panic!("{line}: {other:?}"),
            }
        }
    }
}
