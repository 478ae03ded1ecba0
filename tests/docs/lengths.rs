//! A page is read in one sitting.

use crate::page::pages;
use crate::support::test;

const README: usize = 249;
const PAGE: usize = 300;

test!(no_page_is_longer_than_one_sitting);
fn no_page_is_longer_than_one_sitting() {
    for page in pages() {
        let (lines, most) = (page.text.lines().count(), if page.is_readme() { README } else { PAGE });
        assert!(lines <= most, "{} has {lines} lines, and may have {most}", page.name);
    }
}
