//! The live page is one file that the compiler does not read: here it is held to its promises.

use holdline::http::{CloseReason, KeepReason};

const PAGE: &str = include_str!("../src/site/live.html");

#[test]
fn every_close_reason_is_told_in_the_words_of_its_row() {
    for reason in CloseReason::ALL {
        let row = format!("\"{}\": [\"{}\", \"", reason.label(), reason.sentence());
        assert!(PAGE.contains(&row), "live.html lacks {row}");
    }
}

#[test]
fn every_reason_to_keep_a_connection_is_translated() {
    for reason in [KeepReason::Http11, KeepReason::Http10Asked, KeepReason::Lab] {
        let row = format!("\"{}\": \"", reason.sentence());
        assert!(PAGE.contains(&row), "live.html lacks {row}");
    }
}

/// What the server says must never become markup, and the page must work with no other origin.
#[test]
fn nothing_is_put_in_as_markup_and_nothing_is_fetched_from_elsewhere() {
    for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"] {
        assert!(!PAGE.contains(sink), "live.html uses {sink}");
    }
    for source in ["src=", "@import", "url(", "https://", "//cdn"] {
        assert!(!PAGE.contains(source), "live.html refers to {source}");
    }
    // The two namespaces of SVG are names, not addresses; beside them there is none.
    assert_eq!(PAGE.matches("http://").count(), PAGE.matches("http://www.w3.org/2000/svg").count());
}
