//! What `--generate` writes: a man page and completions that know what `--help` knows.

use std::collections::BTreeSet;
use std::fs;

use crate::help::COMMANDS;
use crate::holdline;
use crate::support::{BASH, FISH, GROFF, Root, ZSH, help_entries, run, test, tool};

test!(the_man_page_has_the_flags_of_the_help_under_their_headings);
fn the_man_page_has_the_flags_of_the_help_under_their_headings() {
    let page = generated("man").replace("\\-", "-");
    let sections: Vec<&str> = page.split("\n.SH ").collect();
    let titles: Vec<&str> = sections[1..].iter().map(|section| section.lines().next().unwrap_or_default()).collect();
    let expected = "NAME SYNOPSIS DESCRIPTION OPTIONS \"HOLDLINE COMPARE\" \"HOLDLINE PROBE-CLIENT\" \
                    \"HOLDLINE PROBE-SERVER\" VALUES SIGNALS \"EXIT STATUS\" ENVIRONMENT FILES EXAMPLES";
    assert_eq!(titles.join(" "), expected);
    for (command, section) in COMMANDS.into_iter().zip(&sections[4..4 + COMMANDS.len()]) {
        let mut found = Vec::new();
        for part in section.split("\n.SS ").skip(1) {
            let heading = part.lines().next().unwrap_or_default();
            // The first line behind .TP has what is explained.
            let terms = part.split("\n.TP\n").skip(1).filter_map(|entry| entry.lines().next());
            let flags = terms.filter_map(|term| term.split_once("\\fB--")?.1.split_once("\\fR"));
            found.extend(flags.map(|(flag, _)| (heading.to_owned(), flag.to_owned())));
        }
        let help = help_entries(command).into_iter().map(|entry| (entry.heading, entry.flag));
        assert_eq!(found, help.collect::<Vec<_>>(), "{command:?}");
    }
}

test!(the_man_page_is_set_without_a_warning, GROFF);
fn the_man_page_is_set_without_a_warning() {
    let folder = Root::new().file("holdline.1", generated("man"));
    let set = run(tool("groff").args(["-ww", "-man", "-Tascii", "-P-c"]).arg(folder.at("holdline.1")));
    assert_eq!(set.assert_success().stderr, "");
    // Bold letters are struck twice: the letter, a backspace, the letter.
    let letters: Vec<char> = set.stdout.chars().collect();
    let plain: String = (0..letters.len())
        .filter(|at| letters[*at] != '\u{8}' && letters.get(at + 1) != Some(&'\u{8}'))
        .map(|at| letters[at])
        .collect();
    for part in ["HOLDLINE(1)", "User Commands", "holdline [OPTIONS] [ROOT]", "--keep-alive-timeout <D> [default: 70s]"]
    {
        assert!(plain.contains(part), "no {part} in {plain}");
    }
}

test!(completions_know_the_flags_of_the_help);
fn completions_know_the_flags_of_the_help() {
    for shell in ["bash", "zsh", "fish"] {
        let script = generated(shell);
        let words: BTreeSet<&str> = script.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').collect();
        for entry in COMMANDS.into_iter().flat_map(help_entries) {
            // fish: complete -c holdline -l listen
            let known =
                words.contains(&*format!("--{}", entry.flag)) || script.contains(&format!("-l {} ", entry.flag));
            assert!(
                known || script.contains(&format!("-l {}\n", entry.flag)),
                "{shell} does not know --{}",
                entry.flag
            );
        }
        for command in COMMANDS.into_iter().flatten() {
            assert!(words.contains(command), "{shell} does not know {command}");
        }
    }
}

test!(bash_completes_flags_values_tools_and_files, BASH);
fn bash_completes_flags_values_tools_and_files() {
    let folder = Root::new().file("holdline.bash", generated("bash")).file("access.log", "");
    let log = folder.at("access").to_string_lossy().into_owned();
    for (line, expected) in [
        ("holdline --keep-al", "--keep-alive-timeout --keep-alive-grace"),
        ("holdline --console l", "local"),
        ("holdline --listing --hid", "--hidden"),
        ("holdline --generate ", "man bash zsh fish"),
        ("holdline com", "compare"),
        ("holdline compare --sv", "--svg"),
        ("holdline probe-client --require reu", "reuse"),
        (&format!("holdline --access-log {log}"), &format!("{log}.log")),
    ] {
        assert_eq!(completed_by_bash(&folder, line), expected, "{line:?}");
    }
}

/// What bash has to offer for the last word of a line. It calls the function as for a user who presses Tab.
fn completed_by_bash(folder: &Root, line: &str) -> String {
    let script = r#"
        source "$1"; shift
        # Only a function that a pressed key has called may set options.
        compopt() { :; }
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        registered=$(complete -p holdline)
        function=${registered#* -F } function=${function%% *}
        "$function" holdline "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        echo "${COMPREPLY[*]}"
    "#;
    let mut bash = tool("bash");
    bash.args(["--norc", "-c", script, "bash"]).arg(folder.at("holdline.bash")).args(line.split(' '));
    let completed = run(&mut bash);
    assert_eq!(completed.assert_success().stderr, "");
    completed.stdout.trim_end().to_owned()
}

test!(zsh_and_fish_can_read_their_completions, ZSH, FISH);
fn zsh_and_fish_can_read_their_completions() {
    let folder = Root::new();
    for shell in ["zsh", "fish"] {
        let script = folder.at(shell);
        fs::write(&script, generated(shell)).expect("the folder is ours");
        let read = run(tool(shell).arg("-n").arg(&script).env("HOME", folder.path()));
        assert_eq!(read.assert_success().stderr, "", "{shell}");
    }
    // fish can be asked what it would offer.
    for (line, expected) in [
        ("holdline --console l", "local"),
        ("holdline --keep-alive-g", "--keep-alive-grace"),
        ("holdline com", "compare"),
        ("holdline compare --sv", "--svg"),
        ("holdline probe-client --require reu", "reuse"),
    ] {
        let ask = format!("source {}; complete --do-complete '{line}'", folder.at("fish").display());
        let offered = run(tool("fish").args(["--no-config", "--command", &ask]).env("HOME", folder.path()));
        // Behind a tab stands what it means.
        let offers: Vec<&str> = offered.stdout.lines().filter_map(|offer| offer.split('\t').next()).collect();
        assert_eq!(offers, [expected], "{line:?}");
    }
}

test!(what_can_not_be_written_is_an_error);
fn what_can_not_be_written_is_an_error() {
    for what in ["man", "bash", "zsh", "fish"] {
        let script = format!("'{}' --generate {what} > /dev/full", env!("CARGO_BIN_EXE_holdline"));
        let full = run(tool("sh").args(["-c", &script]));
        let line = "holdline: cannot write to standard output: no space left on device\n";
        assert_eq!((full.success, &*full.stderr), (false, line), "{what}");
    }
    // A reader that has read enough is none.
    let script = format!("'{}' --generate man | head -1; exit ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_holdline"));
    let cut = run(tool("bash").args(["-c", &script]));
    assert_eq!((cut.success, &*cut.stderr), (true, ""));
}

fn generated(what: &str) -> String {
    let output = holdline(&["--generate", what]);
    assert!(output.status.success() && output.stderr.is_empty(), "{what}: {output:?}");
    String::from_utf8(output.stdout).expect("it is text")
}
