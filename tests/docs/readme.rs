//! What a README repeats from the pages of `docs/` is what they say.

use std::collections::BTreeSet;

use holdline::http::CloseReason;

use crate::links::{links, path_of};
use crate::page::{Page, cells, first_name, page, pages, rows};
use crate::support::test;

fn readmes() -> impl Iterator<Item = Page> {
    pages().into_iter().filter(Page::is_readme)
}

test!(the_commonest_reasons_are_rows_of_their_page);
fn the_commonest_reasons_are_rows_of_their_page() {
    let reasons = page("docs/close-reasons.md");
    let known: Vec<_> = rows(reasons.section("Every reason")).map(|row| cells(row)[..3].to_vec()).collect();
    let readme = page("README.md");
    let common: Vec<&str> = rows(readme.section("Who hung up?")).skip(2).collect();
    assert!(common.len() > 4, "{common:?}");
    for row in common {
        assert!(known.contains(&cells(row)), "{} lacks {row}", reasons.name);
    }
    let count = format!(" {} reasons", CloseReason::ALL.len());
    assert!(readme.section("Who hung up?").contains(&count), "there are{count}");
}

test!(figures_of_speed_are_in_the_table_of_the_benchmark);
fn figures_of_speed_are_in_the_table_of_the_benchmark() {
    let measured = page("docs/performance.md").text;
    let figures: Vec<&str> = rows(&measured).flat_map(cells).collect();
    for readme in readmes() {
        // The section is the one with the picture.
        let section = readme.text.split("\n## ").find(|section| section.contains("images/speed.svg"));
        let section = section.unwrap_or_else(|| panic!("{} has no picture of the speed", readme.name));
        let numbers = section.split(' ').filter(|word| word.starts_with(|letter: char| letter.is_ascii_digit()));
        let numbers: Vec<&str> = numbers.map(|word| word.trim_end_matches(['.', ','])).collect();
        assert!(numbers.len() > 2, "{}: {numbers:?}", readme.name);
        for number in numbers {
            let beginning = format!("{number} ");
            let found = figures.iter().any(|figure| *figure == number || figure.starts_with(&beginning));
            assert!(found, "{}: {number} is not in the table of docs/performance.md", readme.name);
        }
    }
}

test!(the_readmes_say_the_same_in_each_language);
/// The same commands with the same output, the same pictures of a terminal, the same rows, and links to the same pages.
fn the_readmes_say_the_same_in_each_language() {
    let english = page("README.md");
    let mut count = 0;
    for other in readmes().filter(|readme| readme.name != english.name) {
        assert_eq!(commands_and_output(&other), commands_and_output(&english), "{}", other.name);
        let names = |page: &Page| rows(&page.text).filter_map(first_name).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(names(&other), names(&english), "{}", other.name);
        let paths = |page: &Page| links(page).map(|(_, target)| path_of(target).to_owned()).collect::<BTreeSet<_>>();
        let (here, there) = (paths(&other), paths(&english));
        let differing: Vec<_> = here.symmetric_difference(&there).filter(|path| !path.starts_with("README")).collect();
        assert!(differing.is_empty(), "{} and {} do not both link to {differing:?}", other.name, english.name);
        count += 1;
    }
    assert_eq!(count, 1, "there is a README in Chinese");
}

/// The blocks of a page but its drawing, whose words are translated.
fn commands_and_output(page: &Page) -> Vec<(String, String)> {
    let blocks = page.blocks();
    let blocks = blocks.iter().filter(|block| !block.lines.iter().any(|line| line.contains("SYN_SENT")));
    blocks.map(|block| (block.language.to_owned(), block.lines.join("\n"))).collect()
}
