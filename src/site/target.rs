//! From the path of a request target to a path beneath the root: percent-decoded exactly once,
//! without dot segments, and never with a separator that the target did not show.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use crate::http::Status;

/// All but the unreserved characters (RFC 3986 §2.3). It encodes more than a path segment needs, and
/// so a name can't be read as a scheme (`na:me`), a query, or a way up, whatever it holds.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A path beneath the root, in the bytes of the file system. Neither `.` nor `..` nor an empty name
/// is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetPath {
    /// Names with `/` between them; the root itself is empty.
    relative: Vec<u8>,
    /// The target ends in `/`, or in a dot segment: what it names must be a folder.
    pub folder: bool,
}

impl TargetPath {
    /// Reads the path of a request target, which begins with `/`.
    ///
    /// # Errors
    /// 400 for what can't be a path, 404 for what can't name anything here.
    pub fn parse(target: &str) -> Result<Self, Status> {
        let mut path = TargetPath { relative: Vec::with_capacity(target.len()), folder: false };
        // Split first, then decode: `%2F` must not act as a separator (RFC 3986 §2.2).
        for segment in target.split('/').skip(1) {
            let name = decode(segment)?;
            // `%2e` is `.` (RFC 3986 §6.2.2.2), so dot segments are looked for in the decoded name.
            path.folder = matches!(&*name, b"" | b"." | b"..");
            match &*name {
                // An empty name would stand for its own folder, as it does for the kernel.
                b"" | b"." => {}
                b".." => path.leave()?,
                name if name.contains(&0) => return Err(Status::BAD_REQUEST),
                name if name.contains(&b'/') => return Err(Status::NOT_FOUND),
                name => path.enter(name),
            }
        }
        Ok(path)
    }

    /// Whether this is how a target's path is written that names this file, or the folder in which it is the
    /// index, without detours: then no other spelling needs to be remembered.
    pub fn is_plain(&self, target: &str) -> bool {
        let target = target.as_bytes().strip_prefix(b"/").unwrap_or_default();
        let folder = self.relative.len() - self.name().len();
        target == self.relative || target == &self.relative[..folder]
    }

    /// A path that the operator gave, relative to the root.
    pub fn configured(path: &str) -> Self {
        TargetPath { relative: path.trim_matches('/').into(), folder: false }
    }

    /// A file in this folder.
    pub fn join(&self, name: &[u8]) -> Self {
        let mut path = TargetPath { relative: self.relative.clone(), folder: false };
        path.enter(name);
        path
    }

    /// A file beside this one whose name goes on with `suffix`.
    pub fn with_suffix(&self, suffix: &str) -> Self {
        TargetPath { relative: [&self.relative, suffix.as_bytes()].concat(), folder: false }
    }

    /// To be opened beneath the root.
    pub fn as_path(&self) -> &Path {
        match &self.relative[..] {
            [] => Path::new("."),
            relative => Path::new(OsStr::from_bytes(relative)),
        }
    }

    /// The last name; empty for the root.
    pub fn name(&self) -> &[u8] {
        self.names().next_back().unwrap_or_default()
    }

    /// Whether this is the root itself.
    pub fn is_root(&self) -> bool {
        self.relative.is_empty()
    }

    /// Whether a name in it begins with a dot. `/.well-known/` (RFC 8615) is public by its purpose.
    pub fn is_hidden(&self) -> bool {
        self.names().enumerate().any(|(depth, name)| is_hidden(name) && !(depth == 0 && name == b".well-known"))
    }

    /// For people.
    pub fn display(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.relative)
    }

    fn names(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.relative.split(|byte| *byte == b'/')
    }

    fn enter(&mut self, name: &[u8]) {
        if !self.relative.is_empty() {
            self.relative.push(b'/');
        }
        self.relative.extend_from_slice(name);
    }

    /// RFC 3986 §5.2.4 would let `/../a` mean `/a`. Nobody means that: a target that climbs above the root is refused.
    fn leave(&mut self) -> Result<(), Status> {
        if self.relative.is_empty() {
            return Err(Status::BAD_REQUEST);
        }
        let parent = self.relative.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        self.relative.truncate(parent);
        Ok(())
    }
}

/// Whether a name is kept from those who don't know it.
pub fn is_hidden(name: &[u8]) -> bool {
    name.starts_with(b".")
}

/// A part of a target as it was sent, with all that is not ASCII encoded.
pub fn encode_beyond_ascii(text: &str) -> String {
    percent_encode(text.as_bytes(), CONTROLS).to_string()
}

/// A name as one segment of a relative reference.
pub fn encode_name(name: &[u8]) -> String {
    percent_encode(name, RESERVED).to_string()
}

/// RFC 3986 §2.1: `"%" HEXDIG HEXDIG`, and §2.4: never decode the same string more than once.
fn decode(segment: &str) -> Result<Cow<'_, [u8]>, Status> {
    let is_encoded = |after: &[u8]| matches!(after, [h, l, ..] if h.is_ascii_hexdigit() && l.is_ascii_hexdigit());
    if segment.as_bytes().split(|byte| *byte == b'%').skip(1).all(is_encoded) {
        Ok(percent_decode_str(segment).into())
    } else {
        Err(Status::BAD_REQUEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_become_paths_beneath_the_root() {
        // (target, path, must be a folder)
        let rows: &[(&str, &[u8], bool)] = &[
            ("/", b"", true),
            ("/a", b"a", false),
            ("/a/b.txt", b"a/b.txt", false),
            ("/a/", b"a", true),
            ("//evil", b"evil", false), // empty segments collapse
            ("/a//b///", b"a/b", true),
            ("/%61", b"a", false), // RFC 3986 §2.1
            ("/a%20b%25c%3Fd%23e", b"a b%c?d#e", false),
            ("/%C3%A9", "é".as_bytes(), false),
            ("/%ff", b"\xff", false),                          // names need not be UTF-8
            ("/%252e%252e/a", b"%2e%2e/a", false),             // RFC 3986 §2.4: decoded once
            ("/%c0%ae%c0%ae/a", b"\xc0\xae\xc0\xae/a", false), // overlong UTF-8 is a name like any other
            ("/a/./b", b"a/b", false),                         // RFC 3986 §5.2.4
            ("/a/../b", b"b", false),
            ("/a/%2e%2E/b", b"b", false), // RFC 3986 §6.2.2.2
            ("/a/b/..", b"a", true),
            ("/a/.", b"a", true),
            ("/a/..", b"", true),
            ("/...", b"...", false),
            ("/a\\..\\b", b"a\\..\\b", false), // no separator here
            ("/na:me", b"na:me", false),
        ];
        for (target, relative, folder) in rows {
            let expected = TargetPath { relative: relative.to_vec(), folder: *folder };
            assert_eq!(TargetPath::parse(target), Ok(expected), "{target}");
        }
    }

    #[test]
    fn a_target_that_is_not_a_path_is_refused() {
        let rows = [
            ("/..", Status::BAD_REQUEST),
            ("/../etc/passwd", Status::BAD_REQUEST),
            ("/a/../../b", Status::BAD_REQUEST),
            ("/%2e%2e/b", Status::BAD_REQUEST),
            ("/.%2e/b", Status::BAD_REQUEST),
            ("/%", Status::BAD_REQUEST), // RFC 3986 §2.1
            ("/%4", Status::BAD_REQUEST),
            ("/%zz", Status::BAD_REQUEST),
            ("/%%41", Status::BAD_REQUEST),
            ("/%u0041", Status::BAD_REQUEST),
            ("/a%00.txt", Status::BAD_REQUEST),
            ("/a%2fb", Status::NOT_FOUND), // RFC 3986 §2.2
            ("/..%2Fb", Status::NOT_FOUND),
        ];
        for (target, status) in rows {
            assert_eq!(TargetPath::parse(target), Err(status), "{target}");
        }
    }

    #[test]
    fn dot_names_are_hidden_but_well_known() {
        let rows = [
            ("/.git/config", true),
            ("/a/.env", true),
            ("/%2eenv", true),
            ("/.well-known/security.txt", false),
            ("/.well-known", false),
            ("/.well-known/.secret", true),
            ("/a/.well-known/x", true),
            ("/.git/../a", false),
            ("/", false),
            ("/a.b", false),
        ];
        for (target, hidden) in rows {
            assert_eq!(TargetPath::parse(target).unwrap().is_hidden(), hidden, "{target}");
        }
    }

    #[test]
    fn an_encoded_name_is_read_back_as_the_same_name() {
        for name in [&b"a b"[..], b"na:me", b"%41", b"?#&\"<>", "日本".as_bytes(), b"\xff\n", b"a\\b"] {
            let path = TargetPath::parse(&format!("/{}", encode_name(name))).unwrap();
            assert_eq!(path.relative, name);
        }
        assert_eq!(encode_name(b"na:me"), "na%3Ame");
    }
}
