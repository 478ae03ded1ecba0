//! Every link leads somewhere, every page is reached from the README and leads back, every picture is shown.

use std::collections::BTreeSet;
use std::fs;

use crate::page::{Page, page, pages, repository};
use crate::support::test;

test!(every_link_leads_to_a_file_and_a_heading_that_exist);
fn every_link_leads_to_a_file_and_a_heading_that_exist() {
    let mut count = 0;
    for page in pages() {
        for (line, target) in links(&page).filter(|(_, target)| !is_elsewhere(target)) {
            let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
            let place = format!("{}:{line}: {target}", page.name);
            assert!(page.folder().join(path).exists() || path.is_empty(), "{place}: there is no such file");
            if let Some(anchor) = anchor {
                let linked = if path.is_empty() { page.text.clone() } else { read(&page, path) };
                assert!(anchors(&linked).contains(anchor), "{place}: there is no such heading");
            }
            count += 1;
        }
    }
    assert!(count > 50, "only {count} links were found");
}

test!(the_readme_leads_to_every_page_and_each_leads_back);
fn the_readme_leads_to_every_page_and_each_leads_back() {
    let readme = page("README.md");
    let led: BTreeSet<&str> = links(&readme).map(|(_, target)| path_of(target)).collect();
    for page in pages().iter().filter(|page| !page.is_readme()) {
        assert!(led.contains(&*page.name), "the README has no link to {}", page.name);
        let back = page.text.lines().take(5).any(|line| line.contains("](../README.md)"));
        assert!(back, "{} does not begin with a link back to the README", page.name);
    }
}

test!(every_picture_is_on_a_page);
fn every_picture_is_on_a_page() {
    let pages = pages();
    let shown: BTreeSet<&str> = pages.iter().flat_map(links).map(|(_, target)| target).collect();
    let pictures = fs::read_dir(repository().join("docs/images")).expect("there are pictures");
    for picture in pictures.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")) {
        let on_a_page = shown.iter().any(|target| target.ends_with(&format!("images/{picture}")));
        assert!(on_a_page, "no page shows docs/images/{picture}");
    }
}

test!(headings_become_anchors_as_on_github);
fn headings_become_anchors_as_on_github() {
    let text = "# A tour, with `curl`\n```text\n# no heading\n```\n## Who hung up?\n## 502 & co.\n## Who hung up?\n";
    let expected = ["a-tour-with-curl", "who-hung-up", "502--co", "who-hung-up-1"].map(str::to_owned);
    assert_eq!(anchors(text), BTreeSet::from(expected));
}

/// The targets of links and pictures on a page, with the numbers of their lines.
pub fn links(page: &Page) -> impl Iterator<Item = (usize, &str)> {
    let in_line = |(number, line): (usize, _)| targets(line).map(move |target| (number, target));
    page.prose().flat_map(in_line)
}

fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target)
}

/// What no test can follow without a network.
fn is_elsewhere(target: &str) -> bool {
    target.starts_with("https://")
}

pub fn path_of(target: &str) -> &str {
    target.split('#').next().unwrap_or_default()
}

fn read(page: &Page, path: &str) -> String {
    let file = page.folder().join(path);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The names that GitHub gives to the headings of a text: lower case, hyphens for spaces, no other punctuation,
/// and a number for one that comes again.
fn anchors(text: &str) -> BTreeSet<String> {
    let page = Page { name: String::new(), text: text.to_owned() };
    let mut anchors = BTreeSet::new();
    for (_, line) in page.prose().filter(|(_, line)| line.starts_with('#')) {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|letter| letter.is_alphanumeric() || [' ', '-', '_'].contains(letter));
        let anchor: String = kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect();
        let again = (1..).map(|count| format!("{anchor}-{count}"));
        let free = std::iter::once(anchor.clone()).chain(again).find(|name| !anchors.contains(name));
        anchors.extend(free);
    }
    anchors
}
