//! Pages, documents and sentences of the code use the words of the glossary, and no phrase that readers stumbled over.

use std::fs;

use crate::page::{cells, files_beneath, page, pages, repository, rows};
use crate::support::test;

/// Phrases in lower case, each with what to say instead.
const STUMBLED_OVER: &[(&str, &str)] = &[
    ("how-manieth", "the index of the request on its connection"),
    ("so-manieth", "every Nth"),
    ("befalls", "affects"),
    ("is no single number", "must be a single number"),
    ("knows no transfer-encoding", "Transfer-Encoding is not allowed"),
    ("could be looked up", "malformed path"),
    ("you may not read this", "what is missing, and what to do"),
    ("took none of the response", "the client stopped reading the response"),
    ("larger than is drained", "exceeds --max-body"),
    ("planned misbehaviour", "what the lab was asked for"),
    ("nobody has asked for", "unsolicited"),
    ("bug behind many a", "the cause of many"),
    ("patience for silence", "a short idle timeout"),
    ("buttons are dead", "the buttons are disabled"),
    ("believes the browser", "the browser's view"),
    ("says the server", "the server's view"),
    ("one block a ", "one block per"),
    ("one dot a ", "one dot per"),
    ("one line a ", "one line per"),
    ("one row a ", "one row per"),
    ("a row is a shot", "each row is one attempt"),
    ("a box a place", "one box per slot"),
    ("who comes then", "newcomers"),
    ("who waits", "the connections that wait"),
    ("as it really went", "reconstructed from what the server saw"),
    ("left out of the picture", "not drawn"),
    ("must dial anew", "must open a new connection"),
];

/// The same for the documents alone: in code some of these words have other uses.
const STUMBLED_OVER_IN_DOCUMENTS: &[(&str, &str)] = &[
    ("all the same", "still, or leave it out"),
    ("anew", "again"),
    ("as good as get", "POST works the same as GET"),
    ("by nginx |", "÷ nginx"),
    ("by the best |", "÷ best"),
    ("client take it", "how does your client cope"),
    ("everybody's", "the standard choice"),
    ("for want of", "say what is missing"),
    ("in a hurry", "interested in performance"),
    ("is called like a tool", "a folder named compare"),
    ("is told so", "gets 503"),
    ("it takes its leave", "it closes"),
    ("lost so", "lost this way"),
    ("makes of it", "how the client copes"),
    ("memory is bound,", "memory is bounded,"),
    ("nobody wants", "unwanted"),
    ("now and then", "every few seconds, or sometimes"),
    ("or else do not start", "required"),
    ("so many", "N"),
    ("takes no harm", "survives"),
    ("told in json", "JSON output"),
    ("unasked", "unsolicited"),
    ("what lies in front", "behind a proxy"),
    ("who is elsewhere", "remote clients"),
    ("whoever may", "anyone who may"),
    ("whoever sits", "only clients on this machine"),
    ("without a word", "unannounced"),
];

test!(no_text_has_a_phrase_that_readers_stumbled_over);
fn no_text_has_a_phrase_that_readers_stumbled_over() {
    let documents = pages().into_iter().map(|page| (page.name, page.text));
    let texts: Vec<_> = documents.chain(texts_beneath("www")).chain(texts_beneath("src")).collect();
    assert!(texts.len() > 100, "only {} texts were found", texts.len());
    for (name, text) in texts {
        let text = text.to_lowercase();
        for (phrase, instead) in STUMBLED_OVER {
            assert!(!text.contains(phrase), "{name} says {phrase:?}; say: {instead}");
        }
    }
    for page in pages() {
        let text = page.text.to_lowercase();
        for (phrase, instead) in STUMBLED_OVER_IN_DOCUMENTS {
            assert!(!text.contains(phrase), "{} says {phrase:?}; say: {instead}", page.name);
        }
    }
}

test!(chinese_texts_use_the_words_of_the_glossary);
fn chinese_texts_use_the_words_of_the_glossary() {
    const GLOSSARY: &str = "docs/glossary-zh.md";
    let glossary = page(GLOSSARY);
    // What to avoid stands in the last column.
    let avoided = rows(&glossary.text).skip(2).filter_map(|row| cells(row).last().copied());
    let avoided: Vec<&str> = avoided.flat_map(|cell| cell.split('、')).filter(|word| !word.is_empty()).collect();
    assert!(avoided.len() > 10, "{avoided:?}");
    let documents = pages().into_iter().filter(|page| page.name != GLOSSARY).map(|page| (page.name, page.text));
    for (name, text) in documents.chain(texts_beneath("www")).chain(texts_beneath("src")) {
        for word in &avoided {
            assert!(!text.contains(word), "{name} says {word}, which {GLOSSARY} rules out");
        }
    }
}

/// The pages, scripts and sources beneath a folder, with their names.
fn texts_beneath(folder: &'static str) -> impl Iterator<Item = (String, String)> {
    let is_text = |name: &String| [".html", ".js", ".rs"].iter().any(|end| name.ends_with(end));
    files_beneath(folder).into_iter().filter(is_text).map(move |name| {
        let name = format!("{folder}/{name}");
        let text = fs::read_to_string(repository().join(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, text)
    })
}
