//! The site as a whole: requests in, responses out, over a folder made for each test.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, symlink};
use std::time::{Duration, UNIX_EPOCH};

use tempfile::TempDir;

use super::*;
use crate::http::{Date, Length, Limits, Moment, head};

/// When the files of a test were written: `Sun, 06 Nov 1994 08:49:37 GMT`.
const WRITTEN: u64 = 784_111_777;
/// When its requests are made.
const NOW: u64 = WRITTEN + 1_000_000;

struct World {
    folder: TempDir,
    site: Site,
    now: u64,
}

/// A response in a form that is easy to ask.
struct Answer {
    status: u16,
    fields: String,
    length: Length,
    content: Vec<u8>,
}

impl World {
    fn new(files: &[&str], options: SiteOptions) -> World {
        let folder = TempDir::new().unwrap();
        for name in files {
            write(folder.path(), name, format!("this is {name}").as_bytes());
        }
        let site = Site::open(folder.path(), options).unwrap();
        World { folder, site, now: NOW }
    }

    fn write(&self, name: &str, content: &[u8]) {
        write(self.folder.path(), name, content);
    }

    fn get(&mut self, target: &str) -> Answer {
        self.request(&format!("GET {target}"), "")
    }

    /// Each of the fields ends with a line end.
    fn request(&mut self, method_and_target: &str, fields: &str) -> Answer {
        self.request_bytes(format!("{method_and_target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n").as_bytes())
    }

    fn request_bytes(&mut self, request: &[u8]) -> Answer {
        let limits = Limits::DEFAULT;
        let (head, _) = head::parse(request, &limits).unwrap().unwrap();
        let date = Date::from_unix(self.now);
        let tick = Tick { now: Moment::default(), date: &date, limits: &limits, draining: false };
        Answer::of(self.site.respond(&head, &tick))
    }
}

fn write(folder: &Path, name: &str, content: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    set_modified(&path, WRITTEN);
}

fn set_modified(path: &Path, unix: u64) {
    File::open(path).unwrap().set_modified(UNIX_EPOCH + Duration::from_secs(unix)).unwrap();
}

impl Answer {
    fn of(response: Response) -> Answer {
        let length = response.content.length();
        let content = match response.content {
            Content::None => Vec::new(),
            Content::Bytes(bytes) => bytes,
            Content::File(slice) => read(&slice),
            Content::Parts(parts) => parts.into_iter().flat_map(read_part).collect(),
        };
        assert!(length == Length::NoContent && content.is_empty() || length == Length::Known(content.len() as u64));
        let fields = String::from_utf8(response.fields.as_bytes().to_vec()).unwrap();
        Answer { status: response.status.code(), fields, length, content }
    }

    fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.fields.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let value = values.next();
        assert_eq!(values.next(), None, "{name} twice");
        value
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.content).unwrap()
    }
}

fn read_part(part: Part) -> Vec<u8> {
    match part {
        Part::Bytes(bytes) => bytes,
        Part::File(slice) => read(&slice),
    }
}

fn read(slice: &FileSlice) -> Vec<u8> {
    let mut bytes = vec![0; slice.length as usize];
    slice.file.read_exact_at(&mut bytes, slice.offset).unwrap();
    bytes
}

fn options() -> SiteOptions {
    SiteOptions::default()
}

#[test]
fn a_file_comes_with_its_metadata() {
    let mut world = World::new(&["a.txt"], SiteOptions { cache_control: Some("max-age=60".into()), ..options() });
    for method in ["GET", "HEAD"] {
        let answer = world.request(&format!("{method} /a.txt?x=1"), "");
        assert_eq!((answer.status, answer.text()), (200, "this is a.txt"));
        assert_eq!(answer.field("Content-Type"), Some("text/plain; charset=utf-8"));
        assert_eq!(answer.field("X-Content-Type-Options"), Some("nosniff"));
        assert_eq!(answer.field("Last-Modified"), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
        assert_eq!(answer.field("Accept-Ranges"), Some("bytes"));
        assert_eq!(answer.field("Cache-Control"), Some("max-age=60"));
        assert_eq!(answer.field("Vary"), None);
        let etag = answer.field("ETag").unwrap();
        assert!(etag.len() > 2 && etag.starts_with('"') && etag.ends_with('"'));
    }
}

#[test]
fn methods_and_expectations_are_answered_before_the_path() {
    let rows = [
        ("OPTIONS *", "", 204), // RFC 9110 §9.3.7
        ("OPTIONS /missing", "", 204),
        ("POST /missing", "", 405), // RFC 9110 §15.5.6
        ("PUT /a.txt", "", 405),
        ("DELETE /a.txt", "", 405),
        ("PATCH /a.txt", "", 405),
        ("TRACE /a.txt", "", 405),
        ("CONNECT a:80", "", 405),
        ("BREW /a.txt", "", 501), // RFC 9110 §15.6.2
        ("get /a.txt", "", 501),  // RFC 9110 §9.1: methods are case-sensitive
        ("GET /a.txt", "Expect: 100-continue\r\n", 200),
        ("GET /a.txt", "Expect: sunshine\r\n", 417), // RFC 9110 §10.1.1
        ("BREW /a.txt", "Expect: sunshine\r\n", 417),
    ];
    let mut world = World::new(&["a.txt"], options());
    for (request, fields, status) in rows {
        let answer = world.request(request, fields);
        assert_eq!(answer.status, status, "{request}");
        let allow = matches!(status, 204 | 405).then_some("GET, HEAD, OPTIONS");
        assert_eq!(answer.field("Allow"), allow, "{request}");
        assert_eq!(answer.length == Length::NoContent, status == 204, "{request}");
    }
}

#[test]
fn paths_lead_to_files_or_to_a_reason_why_not() {
    let files = ["index.html", "a.txt", "dir/index.html", "bare/x", ".env", ".well-known/x", "a b%c?d#e", "é"];
    let rows = [
        ("/", 200),
        ("/a.txt", 200),
        ("/%61.txt", 200),
        ("/a.txt/", 404),
        ("/a.txt/b", 404),
        ("/missing", 404),
        ("/missing/", 404),
        ("/dir/", 200),
        ("/dir", 301),
        ("/bare/", 403),
        ("/bare/x", 200),
        ("//a.txt", 200),
        ("/dir/../a.txt", 200),
        ("/dir/%2e%2e/a.txt", 200),
        ("/../a.txt", 400),
        ("/dir/..%2fa.txt", 404),
        ("/dir%2findex.html", 404),
        ("/a%00.txt", 400),
        ("/a%.txt", 400),
        ("/.env", 404),
        ("/%2eenv", 404),
        ("/.well-known/x", 200),
        ("/a%20b%25c%3fd%23e", 200),
        ("/%C3%A9", 200),
        ("/%C0%AEenv", 404),
        ("http://a/a.txt", 200), // RFC 9112 §3.2.2
    ];
    let mut world = World::new(&files, options());
    for (target, status) in rows {
        assert_eq!(world.get(target).status, status, "{target}");
    }
    assert_eq!(world.get(&format!("/{}", "n".repeat(300))).status, 404);
    assert_eq!(world.get(&format!("/{}", "n/".repeat(4000))).status, 404);
    world.site.options.hidden = true;
    assert_eq!(world.get("/.env").status, 200);
}

#[test]
fn a_name_need_not_be_utf8() {
    let mut world = World::new(&[], SiteOptions { listing: true, ..options() });
    fs::write(world.folder.path().join(std::ffi::OsStr::from_bytes(b"\xff<")), "odd").unwrap();
    assert_eq!(world.get("/%ff%3c").text(), "odd");
    assert!(world.get("/").text().contains("<a href=\"%FF%3C\">\u{fffd}&lt;</a>"));
}

#[test]
fn a_folder_without_its_slash_is_redirected_relative_to_its_parent() {
    let rows = [
        ("/dir", "dir/"),
        ("/dir?q=1&r=/x", "dir/?q=1&r=/x"),
        ("/dir?", "dir/?"),
        ("/up/dir", "dir/"),
        ("//dir", "dir/"), // never `//dir/`, which is another host
        ("///dir", "dir/"),
        ("/na:me", "na%3Ame/"), // never a scheme (RFC 3986 §4.2)
        ("/a%20b%25%3F%23", "a%20b%25%3F%23/"),
        ("/%C3%A9", "%C3%A9/"),
        ("/%0d%0aX:%20y", "%0D%0AX%3A%20y/"),
    ];
    let files = ["dir/x", "up/dir/x", "na:me/x", "a b%?#/x", "é/x", "\r\nX: y/x"];
    let mut world = World::new(&files, options());
    for (target, location) in rows {
        let answer = world.get(target);
        assert_eq!((answer.status, answer.field("Location")), (301, Some(location)), "{target}");
    }
}

#[test]
fn the_kernel_keeps_symlinks_beneath_the_root() {
    let outside = TempDir::new().unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    let mut world = World::new(&["a.txt", "dir/b.txt"], SiteOptions { listing: true, ..options() });
    let root = world.folder.path().to_owned();
    symlink("a.txt", root.join("inside")).unwrap();
    symlink("../a.txt", root.join("dir/up")).unwrap();
    symlink(outside.path().join("secret"), root.join("absolute")).unwrap();
    symlink(outside.path(), root.join("away")).unwrap();
    symlink("../../../../etc/passwd", root.join("climb")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    symlink("nowhere", root.join("broken")).unwrap();
    let rows = [
        ("/inside", 200),
        ("/dir/up", 200),
        ("/absolute", 404),
        ("/away/secret", 404),
        ("/away/", 404),
        ("/climb", 404),
        ("/loop", 404),
        ("/broken", 404),
    ];
    for (target, status) in rows {
        assert_eq!(world.get(target).status, status, "{target}");
    }
    let listing = world.get("/").text().to_owned();
    for (name, listed) in [("inside", true), ("absolute", false), ("away", false), ("climb", false), ("loop", false)] {
        assert_eq!(listing.contains(&format!("href=\"{name}")), listed, "{name}");
    }
    assert!(world.get("/dir/").text().contains("href=\"up\""));
}

#[test]
fn special_files_are_not_there_and_do_not_hang() {
    let mut world = World::new(&[], SiteOptions { listing: true, ..options() });
    let fifo = world.folder.path().join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o644.into(), 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(world.folder.path().join("socket")).unwrap();
    assert_eq!(world.get("/fifo").status, 404);
    assert_eq!(world.get("/socket").status, 404);
    assert!(!world.get("/").text().contains("fifo"));
}

#[test]
fn errors_of_the_system_become_statuses() {
    use rustix::io::Errno;
    let rows = [
        (Errno::NOENT, 404),
        (Errno::NOTDIR, 404),
        (Errno::LOOP, 404),
        (Errno::NAMETOOLONG, 404),
        (Errno::ACCESS, 403),
        (Errno::MFILE, 503),
        (Errno::NFILE, 503),
        (Errno::IO, 500),
    ];
    for (errno, status) in rows {
        assert_eq!(files::status_of(&errno.into(), &TargetPath::configured("x")).code(), status, "{errno:?}");
    }
}

#[test]
fn a_root_that_is_replaced_is_served_again() {
    let parent = TempDir::new().unwrap();
    let root = parent.path().join("www");
    write(&root, "a.txt", b"old");
    let mut world = World { site: Site::open(&root, options()).unwrap(), folder: parent, now: NOW };
    assert_eq!(world.get("/a.txt").text(), "old");

    fs::remove_dir_all(&root).unwrap();
    assert_eq!(world.get("/a.txt").status, 404);
    write(&root, "a.txt", b"new");
    assert_eq!(world.get("/a.txt").text(), "new");

    fs::rename(&root, world.folder.path().join("www.old")).unwrap();
    write(&root, "a.txt", b"newer");
    world.now += 1; // what the old folder still has is looked for in the new one from the next second on
    assert_eq!(world.get("/a.txt").text(), "newer");
}

#[test]
fn a_new_request_sees_the_new_file_and_a_new_tag() {
    let mut world = World::new(&["a.txt"], options());
    let before = world.get("/a.txt");
    world.write("new", b"THAT IS a.txt"); // same length, same modification time
    fs::rename(world.folder.path().join("new"), world.folder.path().join("a.txt")).unwrap();
    let after = world.get("/a.txt");
    assert_eq!(after.text(), "THAT IS a.txt");
    assert_ne!(before.field("ETag"), after.field("ETag"));
}

#[test]
fn last_modified_is_never_later_than_the_date() {
    let mut world = World::new(&["a.txt"], options());
    set_modified(&world.folder.path().join("a.txt"), NOW + 500);
    let date = Date::from_unix(NOW);
    assert_eq!(world.get("/a.txt").field("Last-Modified"), Some(date.as_str())); // RFC 9110 §8.8.2.1
}

#[test]
fn small_files_come_from_memory_and_large_ones_from_the_file() {
    let mut world = World::new(&[], options());
    for (size, small) in [(0, true), (SMALL_FILE, true), (SMALL_FILE + 1, false)] {
        let content: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
        world.write("a", &content);
        let request = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
        let limits = Limits::DEFAULT;
        let date = Date::from_unix(NOW);
        let tick = Tick { now: Moment::default(), date: &date, limits: &limits, draining: false };
        let (head, _) = head::parse(request, &limits).unwrap().unwrap();
        let response = world.site.respond(&head, &tick);
        assert_eq!(matches!(response.content, Content::Bytes(_)), small);
        assert_eq!(Answer::of(response).content, content);
        if size > 0 {
            let answer = world.request("GET /a", "Range: bytes=10-19,-5\r\n");
            let inside = |part: &[u8]| answer.content.windows(part.len()).any(|window| window == part);
            assert!(inside(&content[10..20]) && inside(&content[content.len() - 5..]));
        }
    }
}

#[test]
fn preconditions_are_evaluated_in_the_order_of_rfc_9110_section_13_2_2() {
    let mut world = World::new(&["a.txt"], options());
    let etag = world.get("/a.txt").field("ETag").unwrap().to_owned();
    let same = "Sun, 06 Nov 1994 08:49:37 GMT";
    let earlier = "Sun, 06 Nov 1994 08:49:36 GMT";
    let later = "Sun, 06 Nov 1994 08:49:38 GMT";
    let rows: &[(String, u16)] = &[
        // §13.1.1, strong comparison
        (format!("If-Match: {etag}\r\n"), 200),
        ("If-Match: *\r\n".into(), 200),
        ("If-Match: \"x\"\r\n".into(), 412),
        (format!("If-Match: W/{etag}\r\n"), 412),
        (format!("If-Match: \"x\", {etag}\r\n"), 200),
        (format!("If-Match: \"x\"\r\nIf-Match: {etag}\r\n"), 200),
        (format!("If-Match: \"x,{}\r\n", &etag[1..]), 412),
        ("If-Match:\r\n".into(), 412),
        // §13.1.2, weak comparison
        (format!("If-None-Match: {etag}\r\n"), 304),
        (format!("If-None-Match: W/{etag}\r\n"), 304),
        ("If-None-Match: *\r\n".into(), 304),
        ("If-None-Match: \"x\"\r\n".into(), 200),
        (format!("If-None-Match: \"x\" , ,{etag}\r\n"), 304),
        (format!("If-None-Match: \"a,b\", W/\"c\", {etag}\r\n"), 304),
        (format!("If-None-Match: \"x\"\r\nIf-None-Match: {etag}\r\n"), 304),
        (format!("If-None-Match: {}\r\n", etag.trim_matches('"')), 200),
        (format!("If-None-Match: w/{etag}\r\n"), 200), // §8.8.3: W is case-sensitive
        (format!("If-None-Match: \"x\"{etag}\r\n"), 200),
        (format!("If-None-Match: nonsense, {etag}\r\n"), 304),
        ("If-None-Match: \"\r\n".into(), 200),
        // §13.1.3
        (format!("If-Modified-Since: {same}\r\n"), 304),
        (format!("If-Modified-Since: {later}\r\n"), 304),
        (format!("If-Modified-Since: {earlier}\r\n"), 200),
        ("If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n".into(), 304), // §5.6.7
        ("If-Modified-Since: Sun Nov  6 08:49:37 1994\r\n".into(), 304),
        ("If-Modified-Since: yesterday\r\n".into(), 200),
        (format!("If-Modified-Since: {same}\r\nIf-Modified-Since: {same}\r\n"), 200),
        // §13.1.4
        (format!("If-Unmodified-Since: {same}\r\n"), 200),
        (format!("If-Unmodified-Since: {later}\r\n"), 200),
        (format!("If-Unmodified-Since: {earlier}\r\n"), 412),
        ("If-Unmodified-Since: tomorrow\r\n".into(), 200),
        // §13.2.2 (1) hides (2)
        (format!("If-Match: {etag}\r\nIf-Unmodified-Since: {earlier}\r\n"), 200),
        (format!("If-Match: \"x\"\r\nIf-Unmodified-Since: {later}\r\n"), 412),
        // (3) hides (4)
        (format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {later}\r\n"), 200),
        (format!("If-None-Match: {etag}\r\nIf-Modified-Since: {earlier}\r\n"), 304),
        // (1) before (3), (2) before (4)
        (format!("If-Match: \"x\"\r\nIf-None-Match: {etag}\r\n"), 412),
        (format!("If-Match: {etag}\r\nIf-None-Match: {etag}\r\n"), 304),
        (format!("If-Unmodified-Since: {earlier}\r\nIf-Modified-Since: {later}\r\n"), 412),
        // (3) before (5)
        (format!("If-None-Match: {etag}\r\nRange: bytes=0-1\r\n"), 304),
        (format!("If-Match: {etag}\r\nRange: bytes=0-1\r\n"), 206),
        ("If-Match: \"x\"\r\nRange: bytes=0-1\r\n".into(), 412),
    ];
    for (fields, status) in rows {
        assert_eq!(world.request("GET /a.txt", fields).status, *status, "{fields}");
        if *status != 206 {
            assert_eq!(world.request("HEAD /a.txt", fields).status, *status, "HEAD, {fields}");
        }
        // §13.2.1: they are ignored where the answer would not have been a success.
        assert_eq!(world.request("GET /missing", fields).status, 404, "{fields}");
    }
    let obs_text =
        [b"GET /a.txt HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"\xff\", ", etag.as_bytes(), b"\r\n\r\n"].concat();
    assert_eq!(world.request_bytes(&obs_text).status, 304);
}

#[test]
fn a_304_says_what_caches_need_and_nothing_of_content() {
    let mut world = World::new(
        &["a.txt", "a.txt.gz"],
        SiteOptions { precompressed: true, cache_control: Some("no-cache".into()), ..options() },
    );
    let etag = world.get("/a.txt").field("ETag").unwrap().to_owned();
    let answer = world.request("GET /a.txt", &format!("If-None-Match: {etag}\r\n"));
    assert_eq!((answer.status, answer.length), (304, Length::NoContent));
    assert_eq!(answer.field("ETag"), Some(&*etag)); // RFC 9110 §15.4.5
    assert_eq!(answer.field("Cache-Control"), Some("no-cache"));
    assert_eq!(answer.field("Vary"), Some("Accept-Encoding"));
    for absent in ["Content-Type", "Content-Encoding", "Content-Range", "Accept-Ranges"] {
        assert_eq!(answer.field(absent), None);
    }
}

#[test]
fn ranges_are_for_get_and_for_the_state_that_the_client_knows() {
    let mut world = World::new(&[], options());
    world.write("a", b"0123456789");
    world.write("empty", b"");
    let etag = world.get("/a").field("ETag").unwrap().to_owned();
    let rows: &[(&str, String, u16, Option<&str>, &str)] = &[
        ("GET /a", "Range: bytes=2-4\r\n".into(), 206, Some("bytes 2-4/10"), "234"),
        ("GET /a", "Range: bytes=7-\r\n".into(), 206, Some("bytes 7-9/10"), "789"),
        ("GET /a", "Range: bytes=-2\r\n".into(), 206, Some("bytes 8-9/10"), "89"),
        ("GET /a", "Range: bytes=2-4,77-\r\n".into(), 206, Some("bytes 2-4/10"), "234"),
        ("HEAD /a", "Range: bytes=2-4\r\n".into(), 200, None, "0123456789"), // §14.2: GET alone
        ("GET /a", "Range: lines=2-4\r\n".into(), 200, None, "0123456789"),
        ("GET /a", "Range: bytes=2-4\r\nRange: bytes=5-6\r\n".into(), 200, None, "0123456789"),
        ("GET /empty", "Range: bytes=-1\r\n".into(), 200, None, ""),
        // §13.1.5
        ("GET /a", format!("Range: bytes=2-4\r\nIf-Range: {etag}\r\n"), 206, Some("bytes 2-4/10"), "234"),
        ("GET /a", format!("Range: bytes=2-4\r\nIf-Range: W/{etag}\r\n"), 200, None, "0123456789"),
        ("GET /a", "Range: bytes=2-4\r\nIf-Range: \"x\"\r\n".into(), 200, None, "0123456789"),
        ("GET /a", "Range: bytes=2-4\r\nIf-Range: *\r\n".into(), 200, None, "0123456789"),
        (
            "GET /a",
            "Range: bytes=2-4\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n".into(),
            206,
            Some("bytes 2-4/10"),
            "234",
        ),
        ("GET /a", "Range: bytes=2-4\r\nIf-Range: Sun, 06 Nov 1994 08:49:38 GMT\r\n".into(), 200, None, "0123456789"),
        ("GET /a", "Range: bytes=2-4\r\nIf-Range: nonsense\r\n".into(), 200, None, "0123456789"),
        ("GET /a", "Range: bytes=99-\r\nIf-Range: \"x\"\r\n".into(), 200, None, "0123456789"),
    ];
    for (request, fields, status, content_range, content) in rows {
        let answer = world.request(request, fields);
        assert_eq!((answer.status, answer.field("Content-Range")), (*status, *content_range), "{request} {fields}");
        assert_eq!(answer.text(), *content, "{request} {fields}");
        assert!(answer.field("ETag").is_some() && answer.field("Accept-Ranges").is_some());
    }
    for (target, fields, content_range) in [
        ("/a", "Range: bytes=10-\r\n", "bytes */10"), // §15.5.17
        ("/a", "Range: bytes=-0\r\n", "bytes */10"),
        ("/empty", "Range: bytes=0-\r\n", "bytes */0"),
    ] {
        let answer = world.request(&format!("GET {target}"), fields);
        assert_eq!((answer.status, answer.field("Content-Range")), (416, Some(content_range)), "{fields}");
    }
}

#[test]
fn several_ranges_are_parts_of_one_content() {
    let mut world = World::new(&[], options());
    world.write("a.txt", b"0123456789");
    let answer = world.request("GET /a.txt", "Range: bytes=0-1,-3\r\n");
    assert_eq!((answer.status, answer.field("Content-Range")), (206, None)); // RFC 9110 §15.3.7.2
    let boundary = answer.field("Content-Type").unwrap().strip_prefix("multipart/byteranges; boundary=").unwrap();
    let text_plain = "Content-Type: text/plain; charset=utf-8";
    let expected = format!(
        "--{boundary}\r\n{text_plain}\r\nContent-Range: bytes 0-1/10\r\n\r\n01\r\n\
         --{boundary}\r\n{text_plain}\r\nContent-Range: bytes 7-9/10\r\n\r\n789\r\n--{boundary}--\r\n"
    );
    assert_eq!(answer.text(), expected);
}

#[test]
fn the_client_chooses_among_compressed_siblings() {
    let rows = [
        // RFC 9110 §12.5.3
        ("", None),
        ("Accept-Encoding:\r\n", None),
        ("Accept-Encoding: gzip\r\n", Some("gzip")),
        ("Accept-Encoding: x-gzip\r\n", Some("gzip")),
        ("Accept-Encoding: GZIP\r\n", Some("gzip")),
        ("Accept-Encoding: gzip, deflate, br, zstd\r\n", Some("br")),
        ("Accept-Encoding: gzip, zstd\r\n", Some("zstd")),
        ("Accept-Encoding: gzip\r\nAccept-Encoding: br\r\n", Some("br")),
        ("Accept-Encoding: br;q=0.5, gzip;q=0.8\r\n", Some("gzip")),
        ("Accept-Encoding: br;q=0, gzip\r\n", Some("gzip")),
        ("Accept-Encoding: gzip;q=0\r\n", None),
        ("Accept-Encoding: *\r\n", Some("br")),
        ("Accept-Encoding: *, br;q=0\r\n", Some("zstd")),
        ("Accept-Encoding: *;q=0, gzip\r\n", Some("gzip")),
        ("Accept-Encoding: gzip;q=0.5, identity\r\n", None),
        ("Accept-Encoding: identity;q=0.5, gzip;q=0.5\r\n", Some("gzip")),
        ("Accept-Encoding: gzip;q=0.001\r\n", Some("gzip")),
        ("Accept-Encoding: identity;q=0\r\n", None), // nothing is acceptable: see below
        ("Accept-Encoding: deflate\r\n", None),
        ("Accept-Encoding: gzip;q=high\r\n", None),
    ];
    let files = ["a.js", "a.js.br", "a.js.zst", "a.js.gz", "lonely.js", "folder.js", "folder.js.gz/x"];
    let mut world = World::new(&files, SiteOptions { precompressed: true, ..options() });
    for (fields, coding) in rows {
        let answer = world.request("GET /a.js", fields);
        assert_eq!(answer.field("Content-Encoding"), coding, "{fields}");
        if fields.contains("identity;q=0\r\n") {
            assert_eq!(answer.status, 406); // RFC 9110 §15.5.7
            continue;
        }
        assert_eq!(answer.field("Vary"), Some("Accept-Encoding"), "{fields}");
        assert_eq!(answer.field("Content-Type"), Some("text/javascript; charset=utf-8"), "{fields}");
    }
    for target in ["/lonely.js", "/folder.js"] {
        let answer = world.request(&format!("GET {target}"), "Accept-Encoding: gzip, identity;q=0\r\n");
        assert_eq!((answer.status, answer.field("Vary"), answer.field("Content-Encoding")), (200, None, None));
    }
}

#[test]
fn a_coded_representation_has_its_own_tag_and_ranges() {
    let mut world = World::new(&["a.js", "a.js.gz"], SiteOptions { precompressed: true, ..options() });
    let plain = world.get("/a.js").field("ETag").unwrap().to_owned();
    let gzip = "Accept-Encoding: gzip\r\n";
    let coded = world.request("GET /a.js", gzip);
    assert_ne!(coded.field("ETag"), Some(&*plain)); // RFC 9110 §8.8.3.3
    assert_eq!(world.request("GET /a.js", &format!("{gzip}If-None-Match: {plain}\r\n")).status, 200);
    let part = world.request("GET /a.js", &format!("{gzip}Range: bytes=8-\r\n"));
    assert_eq!((part.status, part.text()), (206, "a.js.gz"));
    assert_eq!(part.field("Content-Encoding"), Some("gzip"));
    let parts = world.request("GET /a.js", &format!("{gzip}Range: bytes=0-1,3-4\r\n"));
    assert_eq!(parts.field("Content-Encoding"), None); // it is the parts that are coded
    assert!(parts.text().contains("\r\nContent-Encoding: gzip\r\n"));
}

#[test]
fn a_listing_is_sorted_escaped_and_relative() {
    let files = ["b.txt", "A.txt", "z/x", "<&\">.txt", ".hidden", "na:me"];
    let mut world = World::new(&files, SiteOptions { listing: true, ..options() });
    let answer = world.get("/");
    assert_eq!((answer.status, answer.field("Vary")), (200, Some("Accept")));
    assert_eq!(answer.field("Content-Type"), Some("text/html; charset=utf-8"));
    let text = answer.text();
    let places: Vec<_> = ["\"z/\"", "\"%3C%26%22%3E.txt\"", "\"A.txt\"", "\"b.txt\"", "\"na%3Ame\""]
        .iter()
        .map(|reference| text.find(&format!("href={reference}")).unwrap_or_else(|| panic!("{reference}: {text}")))
        .collect();
    assert!(places.is_sorted(), "{text}");
    assert!(text.contains("&lt;&amp;&quot;&gt;.txt") && text.contains("06 Nov 1994 08:49") && text.contains("13 B"));
    assert!(!text.contains("hidden") && !text.contains("../"));
    assert!(world.get("/z/").text().contains("href=\"../\""));

    let rows = [
        ("Accept: application/json\r\n", true), // RFC 9110 §12.5.1
        ("Accept: text/html;q=0.5, application/json\r\n", true),
        ("Accept: application/*, text/html;q=0.9\r\n", true),
        ("Accept: text/html, application/json;q=0.9\r\n", false),
        ("Accept: text/html, */*;q=0.8\r\n", false),
        ("Accept: */*\r\n", false),
        ("Accept: image/png\r\n", false),
    ];
    for (fields, json) in rows {
        let answer = world.request("GET /", fields);
        assert_eq!(answer.field("Content-Type") == Some("application/json"), json, "{fields}");
    }
    let json = world.request("GET /z/", "Accept: application/json\r\n");
    assert_eq!(
        json.text(),
        "{\"path\":\"/z/\",\"complete\":true,\"entries\":[\n{\"name\":\"x\",\"href\":\"x\",\"type\":\"file\",\
         \"size\":11,\"modified\":\"Sun, 06 Nov 1994 08:49:37 GMT\"}\n]}\n"
    );
    assert_eq!(world.request("GET /", "If-Match: \"x\"\r\n").status, 412); // RFC 9110 §13.1.1
    assert_eq!(world.request("GET /", "If-None-Match: *\r\n").status, 304);
    assert_eq!(world.request("GET /", "If-None-Match: \"x\"\r\n").status, 200);
}

#[test]
fn the_operator_may_word_the_404_or_route_it_to_an_application() {
    let files = ["oops.html", "a.txt", ".env", "bare/x"];
    let not_found = SiteOptions { not_found: Some("/oops.html".into()), ..options() };
    let spa = SiteOptions { spa: true, ..not_found.clone() };
    // (target, with --not-found, with --spa)
    let rows = [
        ("/missing", 404, 200),
        ("/a/route/", 404, 200),
        ("/missing.js", 404, 404),
        ("/v1.2/route", 404, 200),
        ("/.env", 404, 404),
        ("/a%2fb", 404, 404),
        ("/bare/", 403, 403),
        ("/a.txt", 200, 200),
    ];
    for (options, with_spa) in [(not_found, false), (spa, true)] {
        let mut world = World::new(&files, options);
        for (target, without, with) in rows {
            let answer = world.get(target);
            assert_eq!(answer.status, if with_spa { with } else { without }, "{target}");
            if answer.status == 404 {
                assert_eq!(answer.text(), "this is oops.html", "{target}");
                assert_eq!(answer.field("Content-Type"), Some("text/html; charset=utf-8"));
                assert_eq!(answer.field("ETag"), None);
            }
        }
        fs::remove_file(world.folder.path().join("oops.html")).unwrap();
        assert!(world.get("/missing.js").text().contains("404 Not Found"));
    }
}

#[test]
fn pages_escape_what_they_repeat() {
    let mut world = World::new(&[], options());
    let answer = world.get("/<script>alert('x')</script>?\"&");
    assert_eq!((answer.status, answer.field("Content-Type")), (404, Some("text/html; charset=utf-8")));
    assert!(answer.text().contains("/&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;?&quot;&amp;"));
    assert!(!answer.text().contains("<script"));
    assert!(world.get(&format!("/{}", "a".repeat(5000))).content.len() < 1500);
}

#[test]
fn what_is_no_request_gets_a_page_too() {
    let world = World::new(&[], options());
    for bad in BadRequest::ALL {
        let answer = Answer::of(world.site.refuse(*bad));
        assert_eq!(answer.status, bad.status().0.code());
        assert!(answer.text().contains(bad.status().1) && answer.field("X-Content-Type-Options").is_some());
    }
    let answer = Answer::of(world.site.unavailable());
    assert_eq!((answer.status, answer.field("Retry-After")), (503, Some("1")));
}

#[test]
fn a_root_that_can_not_be_served_is_an_error() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    for name in ["file", "missing"] {
        assert!(Site::open(&folder.path().join(name), options()).is_err(), "{name}");
    }
}
