//! wget and Python's httpx.

use crate::support::{HTTPX, Root, Server, WGET, pattern, python_with, run, test, tool};

test!(wget_resumes_a_download, WGET);
fn wget_resumes_a_download() {
    let content = pattern(1_000_000);
    let root = Root::new().file("big.bin", &content);
    let folder = Root::new().file("big.bin", &content[..300_000]);
    let server = Server::start(&root, &[]);
    let finished = run(tool("wget").args(["-c", "--tries=1", "-P"]).arg(folder.path()).arg(server.url("/big.bin")));
    assert!(finished.assert_success().stderr.contains("206 Partial Content"), "{}", finished.stderr);
    assert!(std::fs::read(folder.at("big.bin")).expect("the file is there") == content, "the resumed file differs");
}

test!(wget_keeps_its_connection, WGET);
fn wget_keeps_its_connection() {
    let root = Root::new().file("a.txt", "a").file("b.txt", "b").file("c.txt", "c");
    let server = Server::start(&root, &[]);
    let urls = ["/a.txt", "/b.txt", "/c.txt"].map(|path| server.url(path));
    run(tool("wget").args(["--tries=1", "-O", "-"]).args(urls)).assert_success();
    assert_eq!(server.ledgers(1)[0].get("requests"), "3");
}

/// One client for all: a pool that reuses, conditions, ranges, a refusal, and an error that is none of transport.
const SCRIPT: &str = r#"
import sys, httpx
url = sys.argv[1]
with httpx.Client(trust_env=False) as client:
    for _ in range(10):
        first = client.get(url)
        assert first.status_code == 200 and b"home page" in first.content, first
    assert first.headers["keep-alive"] == "timeout=70, max=990", first.headers
    again = client.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304 and again.content == b"", again
    part = client.get(url, headers={"Range": "bytes=0-8"})
    assert part.status_code == 206 and part.content == b"<!doctype", part
    assert client.head(url).headers["content-length"] == str(len(first.content))
    assert client.post(url, content=b"x" * 1000).status_code == 405
    assert client.get(url + "missing").status_code == 404
"#;

test!(httpx_keeps_its_connection, HTTPX);
fn httpx_keeps_its_connection() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    run(tool(python_with("httpx")).args(["-c", SCRIPT, &server.url("/")])).assert_success();
    let line = &server.ledgers(1)[0];
    assert_eq!(line.get("requests"), "15");
    line.assert_end("client", "fin", "client-closed", "no");
}
