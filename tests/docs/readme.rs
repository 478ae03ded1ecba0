//! What a README repeats from the pages of `docs/` is what they say.

use holdline::http::CloseReason;

use crate::page::{Page, cells, page, pages, rows};
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
