//! The live page: its files in `live/`, joined once, with the sentences of the reasons from their rows.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::http::{CloseReason, KeepReason};

/// What comes before the sentences.
const BEFORE: &[&str] = &[
    include_str!("live/head.html"),
    include_str!("live/style.css"),
    include_str!("live/body.html"),
    include_str!("live/words.js"),
];

/// What comes behind them.
const BEHIND: &[&str] = &[
    include_str!("live/text.js"),
    include_str!("live/model.js"),
    include_str!("live/link.js"),
    include_str!("live/lanes.js"),
    include_str!("live/plot.js"),
    include_str!("live/numbers.js"),
    include_str!("live/ladder.js"),
    include_str!("live/legend.js"),
    include_str!("live/controls.js"),
    include_str!("live/clockwork.js"),
    include_str!("live/end.html"),
];

thread_local! {
    static PAGE: Rc<[u8]> = join().into_bytes().into();
}

/// The page. Its bytes are shared by all responses.
pub fn live_page() -> Rc<[u8]> {
    PAGE.with(Rc::clone)
}

fn join() -> String {
    [&BEFORE.concat(), &reasons(), &BEHIND.concat()].map(String::as_str).concat()
}

/// The sentences, as two tables of the page's script: in English and Chinese by label, and in Chinese by the English.
fn reasons() -> String {
    let closes: BTreeMap<_, _> =
        CloseReason::ALL.iter().map(|reason| (reason.label(), [reason.sentence(), reason.sentence_zh()])).collect();
    let keeps: BTreeMap<_, _> =
        KeepReason::ALL.iter().map(|reason| (reason.sentence(), reason.sentence_zh())).collect();
    // Can't fail: strings have a JSON form.
    let json = |table| serde_json::to_string_pretty(table).unwrap_or_default();
    format!(
        "const REASONS = {};\nconst KEEPS = {};\n\n",
        json(&serde_json::json!(closes)),
        json(&serde_json::json!(keeps))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_told_in_both_languages() {
        let page = join();
        for reason in CloseReason::ALL {
            let row =
                format!("{:?}: [\n    {:?},\n    {:?}\n  ]", reason.label(), reason.sentence(), reason.sentence_zh());
            assert!(page.contains(&row), "the page lacks {row}");
        }
        for reason in KeepReason::ALL {
            let row = format!("{:?}: {:?}", reason.sentence(), reason.sentence_zh());
            assert!(page.contains(&row), "the page lacks {row}");
        }
    }

    /// What the server says must never become markup, and the page must work with no other origin.
    #[test]
    fn nothing_is_put_in_as_markup_and_nothing_is_fetched_from_elsewhere() {
        let page = join();
        for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"] {
            assert!(!page.contains(sink), "the page uses {sink}");
        }
        for source in ["src=", "@import", "url(", "https://", "//cdn"] {
            assert!(!page.contains(source), "the page refers to {source}");
        }
        // The two namespaces of SVG are names, not addresses; beside them there is none.
        assert_eq!(page.matches("http://").count(), page.matches("http://www.w3.org/2000/svg").count());
    }
}
