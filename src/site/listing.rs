//! What lies in a folder, as a page or as JSON.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::io;
use std::os::unix::ffi::OsStrExt;

use cap_std::fs::{DirEntry, MetadataExt};

use super::embedded::EmbeddedEntry;
use super::pages;
use super::quality::{Quality, weighted};
use super::response::{Content, Response};
use super::root::{FoundFolder, Root};
use super::target::{TargetPath, encode_name, is_hidden};
use crate::http::{Date, Field, FieldBlock, RequestHead, Status};

/// Names that a listing shows: the first ones in their order. Of more it says only that they are there.
const MAX_NAMES: usize = 10_000;

/// What the form of a listing depends on.
const VARY: &str = "Accept";

const STYLE: &str = "body{margin:3rem auto}table{width:100%;border-collapse:collapse}\
    th{text-align:left;font-weight:500;opacity:.6}td,th{padding:.3rem .5rem;border-bottom:1px solid #8884}\
    td:nth-child(n+2),th:nth-child(n+2){text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}\
    td:first-child{overflow-wrap:anywhere}a{text-decoration:none}a:hover{text-decoration:underline}\
    tr:hover td{background:#8881}";

/// The contents of a folder.
pub struct Listing {
    /// Shown as the title.
    path: String,
    has_parent: bool,
    /// Folders first, each kind by its names.
    entries: Vec<ListingEntry>,
    /// There are more than [`MAX_NAMES`].
    cut: bool,
}

/// A file or folder.
struct ListingEntry {
    name: String,
    /// The name as a relative reference.
    reference: String,
    folder: bool,
    size: u64,
    modified: Date,
}

impl Listing {
    /// Reads a folder. What could not be fetched is left out: hidden names, special files, and symlinks that
    /// lead nowhere or out of the root.
    ///
    /// # Errors
    /// The folder can't be read.
    pub fn read(root: &Root, path: &TargetPath, folder: &FoundFolder, hidden: bool) -> io::Result<Listing> {
        let is_listed = |name: &[u8]| hidden || !is_hidden(name);
        let mut entries = Vec::new();
        let mut cut = false;
        match folder {
            FoundFolder::OnDisk(dir) => {
                let mut names = Vec::new();
                for entry in dir.entries()? {
                    let entry = entry?;
                    let name = entry.file_name();
                    if is_listed(name.as_bytes()) {
                        names.push((name.to_string_lossy().to_lowercase(), entry));
                    }
                }
                // Metadata is read only of those that are shown.
                cut = names.len() > MAX_NAMES;
                if cut {
                    names.select_nth_unstable_by(MAX_NAMES, |(name, _), (other, _)| name.cmp(other));
                    names.truncate(MAX_NAMES);
                }
                entries.extend(names.iter().filter_map(|(_, entry)| ListingEntry::read(root, path, entry)));
            }
            FoundFolder::Embedded(folder) => {
                entries.extend(folder.entries().filter(|(name, _)| is_listed(name)).map(ListingEntry::embedded));
            }
        }
        entries.sort_by_cached_key(|entry| (Reverse(entry.folder), entry.name.to_lowercase(), entry.reference.clone()));
        let shown = if path.is_root() { "/".to_owned() } else { format!("/{}/", path.display()) };
        Ok(Listing { path: shown, has_parent: !path.is_root(), entries, cut })
    }

    /// The form that the client prefers (RFC 9110 §12.5.1): HTML, unless it wants JSON more.
    pub fn respond(&self, head: &RequestHead<'_>) -> Response {
        let (json, html) = (accepts(head, b"application", b"json"), accepts(head, b"text", b"html"));
        let mut response = if json > html && json.0 > 0 {
            pages::page(Status::OK, "application/json", self.json().into_bytes())
        } else {
            pages::page(Status::OK, "text/html; charset=utf-8", self.html().into_bytes())
        };
        response.fields.push("Vary", VARY);
        response
    }

    fn html(&self) -> String {
        let title = pages::escape(&self.path);
        let mut body = format!("<h1>{title}</h1>\n<table>\n<tr><th>Name<th>Size<th>Modified (UTC)\n");
        if self.has_parent {
            body.push_str("<tr><td><a href=\"../\">../</a><td><td>\n");
        }
        for ListingEntry { name, reference, folder, size, modified } in &self.entries {
            let (slash, size) = if *folder { ("/", String::new()) } else { ("", human_size(*size)) };
            // `Sun, 06 Nov 1994 08:49:37 GMT`, without the day's name, the seconds and the zone.
            let modified = &modified.as_str()[5..22];
            let name = pages::escape(name);
            _ = writeln!(body, "<tr><td><a href=\"{reference}{slash}\">{name}{slash}</a><td>{size}<td>{modified}");
        }
        body.push_str("</table>\n");
        if self.cut {
            _ = writeln!(body, "<p>This list is incomplete: the folder has more than {MAX_NAMES} names.</p>");
        }
        pages::document(&title, STYLE, &body)
    }

    fn json(&self) -> String {
        let mut text = format!("{{\"path\":{},\"complete\":{},\"entries\":[", json_string(&self.path), !self.cut);
        for (index, ListingEntry { name, reference, folder, size, modified }) in self.entries.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let (kind, slash) = if *folder { ("folder", "/") } else { ("file", "") };
            let (name, modified) = (json_string(name), modified.as_str());
            _ = write!(text, "{comma}\n{{\"name\":{name},\"href\":\"{reference}{slash}\",\"type\":\"{kind}\",");
            if !folder {
                _ = write!(text, "\"size\":{size},");
            }
            _ = write!(text, "\"modified\":\"{modified}\"}}");
        }
        text.push_str("\n]}\n");
        text
    }
}

impl ListingEntry {
    fn read(root: &Root, folder: &TargetPath, entry: &DirEntry) -> Option<ListingEntry> {
        let name = entry.file_name();
        let mut metadata = entry.metadata().ok()?;
        if metadata.is_symlink() {
            metadata = root.metadata(&folder.join(name.as_bytes())).ok()?;
        }
        (metadata.is_file() || metadata.is_dir())
            .then(|| ListingEntry::new(name.as_bytes(), metadata.is_dir(), metadata.len(), metadata.mtime()))
    }

    fn embedded((name, entry): (&[u8], EmbeddedEntry)) -> ListingEntry {
        let (folder, size, modified) = match entry {
            EmbeddedEntry::File(file) => (false, file.content.len() as u64, file.modified),
            EmbeddedEntry::Folder(folder) => (true, 0, folder.modified),
        };
        ListingEntry::new(name, folder, size, modified.unwrap_or(0))
    }

    fn new(name: &[u8], folder: bool, size: u64, modified: i64) -> ListingEntry {
        ListingEntry {
            name: String::from_utf8_lossy(name).into_owned(),
            reference: encode_name(name),
            folder,
            size,
            modified: Date::from_unix(u64::try_from(modified).unwrap_or(0)),
        }
    }
}

/// The answer to who has any form of a listing already.
pub fn not_modified() -> Response {
    let mut fields = FieldBlock::new();
    fields.push("Vary", VARY);
    Response { status: Status::NOT_MODIFIED, fields, content: Content::None }
}

/// How much a media type is wanted, and how specific the range is that says so: the most specific one that fits decides
/// (RFC 9110 §12.5.1). Of two types that are wanted equally, the client prefers the one that it names.
fn accepts(head: &RequestHead<'_>, kind: &[u8], subtype: &[u8]) -> (Quality, u8) {
    if !head.has(Field::Accept) {
        return (1000, 0);
    }
    let exact = [kind, b"/", subtype].concat();
    let of_kind = [kind, b"/*"].concat();
    [(&exact[..], 2), (&of_kind, 1), (b"*/*", 0)]
        .into_iter()
        .find_map(|(range, specific)| {
            let mut members = weighted(head.lines(Field::Accept));
            members.find(|(name, _)| name.eq_ignore_ascii_case(range)).map(|(_, quality)| (quality, specific))
        })
        .unwrap_or((0, 0))
}

fn human_size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let exponent = bytes.ilog2() / 10;
    let value = bytes as f64 / (1_u64 << (10 * exponent)) as f64;
    format!("{value:.1} {}", UNITS[exponent as usize - 1])
}

/// RFC 8259 §7.
fn json_string(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            '\0'..='\x1f' => _ = write!(json, "\\u{:04x}", u32::from(character)),
            other => json.push(other),
        }
    }
    json.push('"');
    json
}
