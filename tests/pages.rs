//! The demonstration pages in `www/`: their commands print what they say, both languages say it, and nothing that a
//! peer has sent becomes markup.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::{CURL, Server, Step, run_steps, steps, test};

fn main() -> std::process::ExitCode {
    support::run_tests()
}

test!(every_command_prints_what_its_page_says, CURL);
fn every_command_prints_what_its_page_says() {
    let server = Server::serve(&www(), &[]);
    for page in files("html") {
        let steps = steps_of(&page);
        let experiment = page.parent() != Some(&*www());
        assert!(!experiment || !steps.is_empty(), "{} shows no command", page.display());
        run_steps(&steps, server.address());
    }
}

test!(both_languages_say_the_same_number_of_things);
fn both_languages_say_the_same_number_of_things() {
    for page in files("html") {
        let html = read(&page);
        let count = |language: &str| html.matches(&format!(" lang=\"{language}\"")).count();
        // The root element is in English until a script has asked the reader.
        assert_eq!(count("en"), count("zh-Hans") + 1, "{}", page.display());
    }
}

test!(nothing_is_put_in_as_markup_and_nothing_is_fetched_from_elsewhere);
fn nothing_is_put_in_as_markup_and_nothing_is_fetched_from_elsewhere() {
    for script in files("js") {
        for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"] {
            assert!(!read(&script).contains(sink), "{} uses {sink}", script.display());
        }
    }
    let here = ["http://127.0.0.1:8080", "http://www.w3.org/2000/svg"];
    for file in ["html", "js", "css"].into_iter().flat_map(files) {
        let text = read(&file);
        for (at, _) in ["http://", "https://"].iter().flat_map(|scheme| text.match_indices(scheme)) {
            let address = text[at..].split(['"', '\'', '<', ' ', '`']).next().unwrap_or_default();
            assert!(here.iter().any(|known| address.starts_with(known)), "{} refers to {address}", file.display());
        }
    }
}

fn www() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("www")
}

/// The files of this kind in `www/` and in its folder of experiments.
fn files(extension: &str) -> Vec<PathBuf> {
    let folders = [www(), www().join("experiments")];
    let paths = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("a folder"));
    let paths = paths.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = paths.filter(|path| path.extension().is_some_and(|end| end == extension)).collect();
    files.sort();
    assert!(!files.is_empty(), "there is no .{extension}");
    files
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// What stands between `<pre class="console">` and `</pre>`.
fn steps_of(page: &Path) -> Vec<Step> {
    let html = read(page);
    let name = page.file_name().expect("a name").to_string_lossy();
    let mut found = Vec::new();
    for (at, opening) in html.match_indices("<pre class=\"console\">") {
        let inside = html[at + opening.len()..].split("</pre>").next().unwrap_or_default();
        let text = inside.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        let first = html[..at].matches('\n').count() + 1;
        found.extend(steps(&name, first, &text.lines().collect::<Vec<_>>()));
    }
    found
}
