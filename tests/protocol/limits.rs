//! What is too long, too large or too much, just within the limits of `--help` and just beyond.

use crate::row::{Row, row};
use crate::runner::run;
use crate::site;
use crate::support::{Server, get};

#[test]
fn limits() {
    let root = site::root();
    run(&Server::start(&root, &[]), &default_rows());
}

#[test]
fn limits_from_flags() {
    let root = site::root();
    run(&Server::start(&root, &["--max-head", "512", "--max-body", "10"]), &narrow_rows());
}

fn post(length: usize) -> String {
    format!("POST /hello.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{}", "x".repeat(length))
}

fn chunked(sizes: &[usize]) -> String {
    let chunks: String = sizes.iter().map(|size| format!("{size:x}\r\n{}\r\n", "x".repeat(*size))).collect();
    format!("POST /hello.txt HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n")
}

/// A GET whose head is this many bytes long.
fn head_of(length: usize) -> String {
    let rest = get("/hello.txt", &["X: "]);
    get("/hello.txt", &[&format!("X: {}", "x".repeat(length - rest.len()))])
}

#[rustfmt::skip]
fn default_rows() -> Vec<Row> {
    let fields = |count: usize| (0..count).map(|n| format!("X-{n}: y\r\n")).collect::<String>();
    let with_fields = |count| format!("GET /hello.txt HTTP/1.1\r\nHost: localhost\r\n{}\r\n", fields(count));
    let trailer = "x".repeat(20_000);
    vec![
        row("9110 §5.4", "a head as long as is allowed", head_of(16 * 1024)).gives(&[200]),
        row("6585 §5", "a head one byte longer", head_of(16 * 1024 + 1)).gives(&[431]).closed(),
        row("6585 §5", "a head much longer", head_of(100_000)).gives(&[431]).closed(),
        row("6585 §5", "a field name much too long", get("/hello.txt", &[&format!("{}: y", "X".repeat(20_000))])).gives(&[431]).closed(),
        row("6585 §5", "ninety fields", with_fields(90)).gives(&[200]),
        row("6585 §5", "a hundred and one fields", with_fields(100)).gives(&[431]).closed(),
        row("6585 §5", "a thousand fields", with_fields(1000)).gives(&[431]).closed(),
        row("9110 §15.5.15", "a target of 15 000 bytes", get(&format!("/hello.txt?{}", "q".repeat(15_000)), &[])).gives(&[200]),
        row("9110 §15.5.15", "a target much too long", get(&format!("/{}", "a".repeat(20_000)), &[])).gives(&[414]).closed(),
        row("9110 §15.5.15", "one without an end", format!("GET /{}", "a".repeat(20_000))).gives(&[414]).closed(),
        row("9112 §3", "a method much too long", format!("{} / HTTP/1.1\r\nHost: localhost\r\n\r\n", "M".repeat(20_000))).gives(&[400, 414, 501]).closed(),
        row("9112 §9.3", "content that is small enough to be dropped", post(100_000)).gives(&[405]),
        row("9112 §9.3", "as large as is dropped", post(256 * 1024)).gives(&[405]),
        row("9110 §15.5.14", "one byte larger", post(256 * 1024 + 1)).gives(&[413]).closed(),
        row("9110 §15.5.14", "much larger, and not even sent", "POST /hello.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000000\r\n\r\n").gives(&[413]).closed(),
        row("9110 §15.5.14", "the largest number there is", "POST /hello.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 18446744073709551615\r\n\r\n").gives(&[413]).closed(),
        row("9112 §9.3", "chunks that are small enough together", chunked(&[1000; 100])).gives(&[405]),
        row("9112 §9.3", "as large as is dropped, in chunks", chunked(&[64 * 1024; 4])).gives(&[405]),
        row("9110 §15.5.14", "chunks that are too large together", chunked(&[64 * 1024, 64 * 1024, 64 * 1024, 64 * 1024, 1])).gives(&[413]).closed(),
        row("9110 §15.5.14", "one chunk that is too large", chunked(&[300 * 1024])).gives(&[413]).closed(),
        row("9110 §15.5.14", "a chunk size too large", "POST /hello.txt HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n").gives(&[400, 413]).closed(),
        row("9112 §7.1.2", "a trailer within the limit", format!("POST /hello.txt HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: {}\r\n\r\n", &trailer[..4000])).gives(&[405]),
        row("9112 §7.1.2", "a trailer without measure", format!("POST /hello.txt HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: {trailer}\r\n\r\n")).gives(&[400, 413, 431]).closed(),
        row("9112 §7.1.1", "an extension without measure", format!("POST /hello.txt HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;{trailer}\r\nx\r\n0\r\n\r\n")).gives(&[400, 413]).closed(),
        row("9112 §7.1.1", "extensions without measure, a few bytes a chunk", format!("POST /hello.txt HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n", "1;a=0123456789\r\nx\r\n".repeat(2000))).gives(&[400, 413]).closed(),
    ]
}

#[rustfmt::skip]
fn narrow_rows() -> Vec<Row> {
    vec![
        row("--max-head", "a head as long as is allowed", head_of(512)).gives(&[200]),
        row("--max-head", "a head one byte longer", head_of(513)).gives(&[431]).closed(),
        row("--max-head", "a request line that is longer", get(&format!("/{}", "a".repeat(600)), &[])).gives(&[414]).closed(),
        row("--max-head", "the limit is per request", head_of(512).repeat(3)).gives(&[200]).gives(&[200]).gives(&[200]),
        row("--max-body", "content as large as is dropped", post(10)).gives(&[405]),
        row("--max-body", "content one byte larger", post(11)).gives(&[413]).closed(),
        row("--max-body", "chunks as large as is dropped", chunked(&[5, 5])).gives(&[405]),
        row("--max-body", "chunks one byte larger", chunked(&[5, 6])).gives(&[413]).closed(),
        row("--max-body", "the limit is per request", post(10).repeat(3)).gives(&[405]).gives(&[405]).gives(&[405]),
    ]
}
