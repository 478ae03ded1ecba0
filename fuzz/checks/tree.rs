//! A folder to serve with canaries in and around it, and a naive idea of what each path in it means.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

/// What the files outside of the root hold.
pub const OUTSIDE: &str = "canary outside of the root";
/// What the files with a hidden name hold.
pub const HIDDEN: &str = "canary with a hidden name";

const OUTSIDE_FILES: &[&[u8]] = &[b"outside.txt", b"root.txt", b"sibling/index.html"];
const HIDDEN_FILES: &[&[u8]] = &[b".env", b".../x", b"dir/.git/config", b".well-known/.secret", b"dir/.well-known/x"];
const FILES: &[&[u8]] = &[
    b"index.html",
    b"a.txt",
    b"app.js",
    b"app.js.gz",
    b"page.html",
    b"dir/index.html",
    b"dir/sub/b.txt",
    b"bare/x",
    b"a b%c?d#e/x",
    b"na:me/x",
    b"%2e%2e/outside.txt",
    b"..%2foutside.txt",
    b".well-known/security.txt",
    b"\\evil/x",
    b"-/x",
    b"\r\nX: y/x",
    b"<b>/x",
    b"\xc3\xa9",
    b"\xc0\xae",
    b"\xff/x",
];
/// Symlinks that stay inside, with what they lead to.
const LINKS: &[(&str, &str)] = &[("inside", "a.txt"), ("inside-dir", "dir")];
/// Symlinks that lead out, and one that leads nowhere.
const BAD_LINKS: &[(&str, &str)] =
    &[("outside", "../outside.txt"), ("up", ".."), ("sibling", "../sibling"), ("root", "/"), ("loop", "loop")];

/// Makes the folders `above/root` and `above/sibling`.
pub fn plant(above: &Path) {
    let root = above.join("root");
    OUTSIDE_FILES.iter().for_each(|name| write(above, name, OUTSIDE.as_bytes()));
    HIDDEN_FILES.iter().for_each(|name| write(&root, name, HIDDEN.as_bytes()));
    FILES.iter().for_each(|name| write(&root, name, &content_of(name)));
    for (link, target) in LINKS.iter().chain(BAD_LINKS) {
        symlink(target, root.join(link)).expect("a symlink");
    }
    UnixListener::bind(root.join("socket")).expect("a special file");
}

/// What the public files hold tells them apart.
fn content_of(name: &[u8]) -> Vec<u8> {
    [b"this is ", name].concat()
}

fn write(folder: &Path, name: &[u8], content: &[u8]) {
    let path = folder.join(OsStr::from_bytes(name));
    fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
    fs::write(path, content).expect("a file");
}

/// What a request for a path is to be answered with, if nothing is shown that hides by default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A file with these bytes.
    File(Vec<u8>),
    /// A folder of this name, asked for without its slash.
    FolderWithoutSlash(Vec<u8>),
    /// A folder without an index.
    Folder,
    /// Nothing, or nothing that may be seen.
    Nothing,
    /// No path that could be looked up.
    NoPath,
}

/// What can be reached beneath the root without a hidden name.
pub struct Tree {
    files: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Tree {
    /// Of what was [planted](plant).
    pub fn new() -> Self {
        let mut files: BTreeMap<_, _> = FILES.iter().map(|name| (name.to_vec(), content_of(name))).collect();
        for (link, target) in LINKS {
            for (name, content) in files.clone() {
                if let Some(rest) = name.strip_prefix(target.as_bytes())
                    && matches!(rest, [] | [b'/', ..])
                {
                    files.insert([link.as_bytes(), rest].concat(), content);
                }
            }
        }
        Tree { files }
    }

    /// What a path means: decoded once, in order, name by name.
    pub fn meaning(&self, path: &str) -> Meaning {
        let mut names: Vec<Vec<u8>> = Vec::new();
        let mut is_folder = false;
        for segment in path.split('/').skip(1) {
            let Some(name) = decode(segment.as_bytes()) else { return Meaning::NoPath };
            is_folder = [&b""[..], b".", b".."].contains(&&name[..]);
            if name == b".." {
                if names.pop().is_none() {
                    return Meaning::NoPath;
                }
            } else if name.contains(&0) || name.contains(&b'/') {
                return Meaning::NoPath;
            } else if !is_folder {
                names.push(name);
            }
        }
        self.look_up(&names, is_folder)
    }

    fn look_up(&self, names: &[Vec<u8>], is_folder: bool) -> Meaning {
        let path = names.join(&b'/');
        let within = if names.is_empty() { Vec::new() } else { [&path[..], b"/"].concat() };
        let is_known_folder = self.files.keys().any(|file| file.starts_with(&within));
        let hidden = |(depth, name): (usize, &Vec<u8>)| name[0] == b'.' && (depth > 0 || name != b".well-known");
        if names.iter().enumerate().any(hidden) {
            return Meaning::Nothing;
        }
        let file = if is_folder { [&within[..], b"index.html"].concat() } else { path };
        match (self.files.get(&file), is_known_folder, names.last()) {
            (Some(content), ..) => Meaning::File(content.clone()),
            (None, true, Some(name)) if !is_folder => Meaning::FolderWithoutSlash(name.clone()),
            (None, true, _) => Meaning::Folder,
            (None, false, _) => Meaning::Nothing,
        }
    }
}

/// RFC 3986 §2.1: every `%` is followed by two hexadecimal digits, which stand for one byte.
pub fn decode(encoded: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::new();
    let mut rest = encoded;
    while let [first, after @ ..] = rest {
        rest = after;
        decoded.push(match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                rest = after;
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                (digit(high)? << 4 | digit(low)?) as u8
            }
            (b'%', _) => return None,
            _ => *first,
        });
    }
    Some(decoded)
}
