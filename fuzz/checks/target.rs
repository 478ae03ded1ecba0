//! What holds for the way from a request target to a file, whatever the target.

use holdline::http::{Date, Limits, Moment, RequestHead, Target, Tick, head};
use holdline::site::{Access, Answer, ConsoleAccess, Content, Response, Site, SiteOptions};
use tempfile::TempDir;

use super::is_text;
use super::tree::{HIDDEN, Meaning, OUTSIDE, Tree, decode, plant};

/// A folder that is served in two ways.
pub struct World {
    /// Files, and nothing that the operator must turn on.
    strict: Site,
    /// With everything on that shows more, to a client that may not view the console.
    open: Site,
    tree: Tree,
    /// How much markup there is in a page that explains an error.
    tags: usize,
    _folder: TempDir,
}

impl World {
    /// Makes the folder.
    #[allow(clippy::new_without_default, reason = "a default is cheap, and makes no files")]
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        plant(folder.path());
        let everything = SiteOptions {
            hidden: true,
            listing: true,
            precompressed: true,
            not_found: Some("/page.html".to_owned()),
            spa: true,
            console: ConsoleAccess::Any,
            ..SiteOptions::default()
        };
        let open = |options| Site::open(&folder.path().join("root"), options).expect("a site");
        let mut strict = open(SiteOptions { console: ConsoleAccess::Off, ..SiteOptions::default() });
        let missing = head::parse(b"GET /missing HTTP/1.0\r\n\r\n", &Limits::DEFAULT).ok().flatten().expect("a head").0;
        let tags = Seen::new(&mut strict, &missing).tags();
        World { strict, open: open(everything), tree: Tree::new(), tags, _folder: folder }
    }

    /// Panics if a site does, if it serves what a naive reader of the target does not expect, or if
    /// its answer could lead a client astray.
    pub fn check(&mut self, target: &[u8]) {
        // With white space in it, it would be more than a target.
        if target.iter().any(u8::is_ascii_whitespace) {
            return;
        }
        let request = [b"GET ", target, b" HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
        let Ok(Some((head, _))) = head::parse(&request, &Limits::DEFAULT) else { return };
        let Target::Path { path, query } = head.target else { panic!("GET of something else") };
        let meaning = self.tree.meaning(path);

        let seen = Seen::new(&mut self.strict, &head);
        assert!(!seen.holds(HIDDEN), "a hidden file was served");
        match HEALTH.contains(&path) {
            true => assert_eq!(seen.status, 200),
            false => seen.fits(&meaning, query),
        }
        // Our pages show the target. The markup stays ours, whatever the target holds.
        assert!(seen.status < 400 || seen.tags() == self.tags, "the target became markup");

        let seen = Seen::new(&mut self.open, &head);
        match meaning {
            _ if path.starts_with("/-/") => {
                assert_eq!(seen.status, if HEALTH.contains(&path) { 200 } else { 404 });
            }
            Meaning::File(_) | Meaning::FolderWithoutSlash(_) => seen.fits(&meaning, query),
            Meaning::Folder => assert_eq!(seen.status, 200, "a listing"),
            Meaning::NoPath => assert!(matches!(seen.status, 400 | 404)),
            // Hidden names, and the application's page.
            Meaning::Nothing => assert!(matches!(seen.status, 200 | 301 | 404)),
        }
    }
}

/// They answer everybody, with a console and without one.
const HEALTH: [&str; 2] = ["/-/healthy", "/-/ready"];

/// A response that was found harmless.
struct Seen {
    status: u16,
    location: Option<String>,
    content: Vec<u8>,
}

impl Seen {
    fn new(site: &mut Site, head: &RequestHead<'_>) -> Self {
        let date = Date::from_unix(784_111_777);
        let tick = Tick { now: Moment::default(), date: &date, limits: &Limits::DEFAULT, draining: false };
        let Answer::Response(Response { status, fields, content }) = site.respond(head, Access::default(), &tick)
        else {
            panic!("a remote client may view the console")
        };
        let Content::Bytes(content) = content else { panic!("all files here are small") };
        let seen = Seen { status: status.code(), location: location(fields.as_bytes()), content: content.to_vec() };
        assert!(!seen.holds(OUTSIDE), "a file outside of the root was served");
        seen
    }

    fn fits(&self, meaning: &Meaning, query: Option<&str>) {
        match meaning {
            Meaning::File(content) => assert_eq!((self.status, &self.content), (200, content)),
            Meaning::FolderWithoutSlash(name) => {
                assert_eq!(self.status, 301);
                self.leads_into(name, query);
            }
            Meaning::Folder => assert_eq!(self.status, 403),
            Meaning::Nothing => assert_eq!(self.status, 404),
            Meaning::NoPath => assert!(matches!(self.status, 400 | 404)),
        }
    }

    /// The redirect is one name that is relative to the folder's parent, so it stays on this host
    /// (RFC 3986 §4.2: neither `//host` nor `scheme:`).
    fn leads_into(&self, folder: &[u8], query: Option<&str>) {
        let location = self.location.as_deref().expect("a redirect says where to");
        let (path, rest) = location.split_once('?').map_or((location, None), |(path, rest)| (path, Some(rest)));
        let name = path.strip_suffix('/').expect("the name of a folder");
        assert!(!name.contains(['/', ':', '\\', '#']), "{location:?} leads elsewhere");
        assert_eq!(decode(name.as_bytes()).as_deref(), Some(folder));
        let encoded = |byte: u8| if byte.is_ascii() { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        assert_eq!(rest.map(str::to_owned), query.map(|query| query.bytes().map(encoded).collect()));
    }

    fn tags(&self) -> usize {
        self.content.iter().filter(|byte| **byte == b'<').count()
    }

    fn holds(&self, text: &str) -> bool {
        self.content.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

/// The value of `Location`. Panics if the fields are not lines of names and values.
fn location(fields: &[u8]) -> Option<String> {
    let fields = std::str::from_utf8(fields).expect("fields are ASCII");
    assert!(fields.ends_with("\r\n"));
    let mut location = None;
    for line in fields.trim_end_matches("\r\n").split("\r\n") {
        let (name, value) = line.split_once(": ").expect("a field line");
        assert!(is_text(line.as_bytes()), "{line:?} holds a control byte");
        if name == "Location" {
            location = Some(value.to_owned());
        }
    }
    location
}
