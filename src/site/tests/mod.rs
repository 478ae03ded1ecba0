//! The site as a whole: requests in, responses out, over a folder made for each test.

mod cache;
mod conditional;
mod embedded;
mod filesystem;
mod negotiation;
mod pages;
mod paths;
mod ranges;

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
    /// What the wall clock shows.
    now: u64,
    /// The time on the server's own clock, which only tests of the cache's lifetime move.
    moment: Moment,
}

/// A response, taken apart for assertions.
struct TestResponse {
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
        World { folder, site, now: NOW, moment: Moment::default() }
    }

    fn write(&self, name: &str, content: &[u8]) {
        write(self.folder.path(), name, content);
    }

    fn get(&mut self, target: &str) -> TestResponse {
        self.request(&format!("GET {target}"), "")
    }

    /// Each of the fields ends with a line end.
    fn request(&mut self, method_and_target: &str, fields: &str) -> TestResponse {
        self.request_bytes(format!("{method_and_target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n").as_bytes())
    }

    fn request_bytes(&mut self, request: &[u8]) -> TestResponse {
        self.ask(request, |site, head, tick| site.respond(head, super::Access::default(), tick))
    }

    /// The answer on a connection over the limit.
    fn rejected(&mut self, target: &str) -> TestResponse {
        let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        self.ask(request.as_bytes(), |site, head, tick| site.unavailable(head, tick))
    }

    fn ask(
        &mut self,
        request: &[u8],
        answer: impl FnOnce(&mut Site, &RequestHead<'_>, &Tick<'_>) -> super::Answer,
    ) -> TestResponse {
        let limits = Limits::DEFAULT;
        let (head, _) = head::parse(request, &limits).unwrap().unwrap();
        let date = Date::from_unix(self.now);
        self.site.look_again();
        let tick = Tick { now: self.moment, date: &date, limits: &limits, draining: false };
        match answer(&mut self.site, &head, &tick) {
            super::Answer::Response(response) => TestResponse::of(response),
            other => panic!("{other:?} to an remote client"),
        }
    }
}

fn write(folder: &Path, name: &str, content: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    set_modified(&path, WRITTEN);
}

fn set_modified(path: &Path, unix: u64) {
    fs::File::open(path).unwrap().set_modified(UNIX_EPOCH + Duration::from_secs(unix)).unwrap();
}

impl TestResponse {
    fn of(response: Response) -> TestResponse {
        let length = response.content.length();
        let content = match response.content {
            Content::None => Vec::new(),
            Content::Bytes(bytes) => bytes.to_vec(),
            Content::File(slice) => read(&slice),
            Content::Parts(parts) => parts.into_iter().flat_map(read_part).collect(),
            other @ (Content::Chunked(_) | Content::Feed { .. }) => panic!("{other:?} to an remote client"),
        };
        assert!(length == Length::NoContent && content.is_empty() || length == Length::Known(content.len() as u64));
        let fields = String::from_utf8(response.fields.as_bytes().to_vec()).unwrap();
        TestResponse { status: response.status.code(), fields, length, content }
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
        Part::Bytes(bytes) => bytes.to_vec(),
        Part::File(slice) => read(&slice),
        Part::Repeated(block, length) => block.iter().copied().cycle().take(length as usize).collect(),
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
