//! curl: reuse, versions, ranges, preconditions, codings, resuming, uploads.

use crate::support::{CURL, Finished, GZIP, Root, Server, pattern, run, test, tool};

/// Runs curl, quietly, with these arguments.
fn curl(arguments: &[&str]) -> Finished {
    run(tool("curl").args(["--silent", "--show-error", "--max-time", "30"]).args(arguments))
}

/// The lines of a verbose run that curl received as fields, `name: value`.
fn received<'a>(finished: &'a Finished, name: &str) -> Vec<&'a str> {
    let start = format!("< {name}: ");
    finished.stderr.lines().filter_map(|line| line.strip_prefix(&start)).collect()
}

test!(two_urls_share_a_connection, CURL);
fn two_urls_share_a_connection() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let url = server.url("/");
    let finished = curl(&["-v", &url, &url]);
    finished.assert_success();
    assert_eq!(finished.stdout.matches("home page").count(), 2);
    assert_eq!(received(&finished, "Connection"), ["keep-alive", "keep-alive"]);
    assert_eq!(received(&finished, "Keep-Alive"), ["timeout=70, max=999", "timeout=70, max=998"]);
    assert!(finished.stderr.to_lowercase().contains("re-using existing"), "{}", finished.stderr);
    let line = &server.ledgers(1)[0];
    assert_eq!(line.get("requests"), "2");
    line.assert_end("client", "fin", "client-closed", "no");
}

test!(http10_closes_unless_it_asks_for_more, CURL);
fn http10_closes_unless_it_asks_for_more() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    let url = server.url("/");

    let closing = curl(&["-v", "--http1.0", &url]);
    closing.assert_success();
    assert_eq!(received(&closing, "Connection"), ["close"]);
    server.ledgers(1)[0].assert_end("server", "fin", "http10", "yes");

    let reusing = curl(&["-v", "--http1.0", "-H", "Connection: keep-alive", &url, &url]);
    reusing.assert_success();
    assert_eq!(received(&reusing, "Connection"), ["keep-alive", "keep-alive"]);
    assert_eq!(server.ledgers(2)[1].get("requests"), "2");
}

test!(ranges, CURL);
fn ranges() {
    let root = Root::new().file("digits.txt", "0123456789");
    let server = Server::start(&root, &[]);
    let url = server.url("/digits.txt");
    for (range, content) in [("0-3", "0123"), ("-3", "789"), ("8-", "89"), ("5-5", "5")] {
        let finished = curl(&["-r", range, "-w", " %{http_code}", &url]);
        assert_eq!(finished.assert_success().stdout, format!("{content} 206"), "{range}");
    }
    let several = curl(&["-r", "0-0,9-9", "-w", " %{content_type}", &url]);
    assert!(several.assert_success().stdout.contains("multipart/byteranges"), "{}", several.stdout);
    assert_eq!(curl(&["-r", "10-", "-o", "/dev/null", "-w", "%{http_code}", &url]).stdout, "416");
}

test!(time_conditions, CURL);
/// curl compares the dates itself too, and makes a 304 of a 200: what counts is the line that it received.
fn time_conditions() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    for (time, status_line) in [
        ("Sun, 06 Nov 1994 08:49:37 GMT", "< HTTP/1.1 304 Not Modified"),
        ("Sun, 06 Nov 1994 08:49:36 GMT", "< HTTP/1.1 200 OK"),
        ("-Sun, 06 Nov 1994 08:49:37 GMT", "< HTTP/1.1 200 OK"),
        ("-Sun, 06 Nov 1994 08:49:36 GMT", "< HTTP/1.1 412 Precondition Failed"),
    ] {
        let finished = curl(&["-v", "-z", time, "-o", "/dev/null", &server.url("/")]);
        let lines: Vec<_> =
            finished.assert_success().stderr.lines().filter(|line| line.starts_with("< HTTP")).collect();
        assert_eq!(lines, [status_line], "-z {time:?}");
    }
}

test!(precompressed_files_arrive_as_they_were, CURL, GZIP);
fn precompressed_files_arrive_as_they_were() {
    let text = "a line that is repeated\n".repeat(1000);
    let root = Root::new().file("page.txt", &text);
    run(tool("gzip").arg("--keep").arg(root.at("page.txt"))).assert_success();
    let server = Server::start(&root, &["--precompressed"]);
    let url = server.url("/page.txt");
    let coded = curl(&["--compressed", "-w", "\n%{size_download}", &url]);
    let (content, size) = coded.assert_success().stdout.rsplit_once('\n').expect("a line with the size");
    assert!(content == text, "the content differs");
    assert!(size.parse::<usize>().expect("a number") < 1000, "{size} bytes were sent");
    assert!(curl(&[&url]).assert_success().stdout == text, "without --compressed the content differs");
}

test!(a_download_is_resumed, CURL);
fn a_download_is_resumed() {
    let content = pattern(1_000_000);
    let root = Root::new().file("big.bin", &content);
    let folder = Root::new().file("part.bin", &content[..300_000]);
    let server = Server::start(&root, &[]);
    let part = folder.at("part.bin");
    let finished = curl(&[
        "-C",
        "-",
        "-o",
        &part.to_string_lossy(),
        "-w",
        "%{http_code} %{size_download}",
        &server.url("/big.bin"),
    ]);
    assert_eq!(finished.assert_success().stdout, "206 700000");
    assert!(std::fs::read(&part).expect("the file is there") == content, "the resumed file differs");
}

test!(an_upload_reads_its_refusal, CURL);
/// curl asks before it sends so much (`Expect: 100-continue`), or not, if told so: it reads the refusal either way.
fn an_upload_reads_its_refusal() {
    let folder = Root::new().file("upload.bin", pattern(10_000_000));
    let upload = format!("@{}", folder.at("upload.bin").display());
    let root = Root::new();
    let server = Server::start(&root, &[]);
    for expect in ["Expect: 100-continue", "Expect:"] {
        let arguments =
            ["-H", expect, "--data-binary", &upload, "-o", "/dev/null", "-w", "%{http_code}", &server.url("/")];
        let status = curl(&arguments).assert_success().stdout.clone();
        assert!(["405", "413"].contains(&status.as_str()), "{expect} {status}");
    }
}

test!(nothing_outside_the_root, CURL);
fn nothing_outside_the_root() {
    let root = Root::new();
    let server = Server::start(&root, &[]);
    for path in ["/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd"] {
        let finished = curl(&["--path-as-is", "-w", " %{http_code}", &server.url(path)]);
        let said = &finished.assert_success().stdout;
        assert!((said.ends_with(" 400") || said.ends_with(" 404")) && !said.contains("root:"), "{path}: {said}");
    }
}
