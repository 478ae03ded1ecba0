//! The demonstration site as a part of the program, which is served where there is no folder to serve.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::{env, fs};

use include_dir::{Dir, DirEntry, include_dir};

use super::conditional::{ETag, Validators};
use super::target::TargetPath;
use crate::http::Date;

/// `www/` as it was when the program was built. `build.rs` sees to it that it was built after the last change.
static WWW: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/www");

/// A site without a file.
static EMPTY: Dir<'static> = Dir::new("", &[]);

/// The embedded site, or an empty one.
#[derive(Clone, Copy, Debug)]
pub struct EmbeddedSite {
    files: &'static Dir<'static>,
    /// When the program was written to the disk, and with it each file of the site: seconds since the Unix epoch. Where
    /// nothing tells, no file of the site has a date.
    modified: Option<i64>,
}

/// A file or a folder of the site.
pub enum EmbeddedEntry {
    /// A file.
    File(EmbeddedFile),
    /// A folder.
    Folder(EmbeddedFolder),
}

/// A file of the site.
#[derive(Clone, Copy, Debug)]
pub struct EmbeddedFile {
    /// All of it.
    pub content: &'static [u8],
    /// As of the [site](EmbeddedSite).
    pub modified: Option<i64>,
}

/// A folder of the site.
#[derive(Clone, Copy, Debug)]
pub struct EmbeddedFolder {
    dir: &'static Dir<'static>,
    /// As of the [site](EmbeddedSite).
    pub modified: Option<i64>,
}

impl EmbeddedSite {
    /// The site, as old as the program.
    pub fn open() -> Self {
        let program = env::current_exe().and_then(fs::metadata);
        EmbeddedSite { files: &WWW, modified: program.ok().map(|metadata| metadata.mtime()) }
    }

    /// A site without a file, and without a root.
    pub const fn empty() -> Self {
        EmbeddedSite { files: &EMPTY, modified: None }
    }

    /// What a path names.
    pub fn find(self, path: &TargetPath) -> Option<EmbeddedEntry> {
        if path.is_root() && !self.files.entries().is_empty() {
            return Some(EmbeddedEntry::Folder(EmbeddedFolder { dir: self.files, modified: self.modified }));
        }
        self.files.get_entry(path.as_path()).map(|entry| EmbeddedEntry::new(entry, self.modified))
    }
}

impl EmbeddedEntry {
    fn new(entry: &'static DirEntry<'static>, modified: Option<i64>) -> Self {
        match entry {
            DirEntry::Dir(dir) => EmbeddedEntry::Folder(EmbeddedFolder { dir, modified }),
            DirEntry::File(file) => EmbeddedEntry::File(EmbeddedFile { content: file.contents(), modified }),
        }
    }
}

impl EmbeddedFolder {
    /// What lies in it, by its name.
    pub fn entries(self) -> impl Iterator<Item = (&'static [u8], EmbeddedEntry)> {
        self.dir.entries().iter().map(move |entry| {
            let name = entry.path().file_name().unwrap_or_default();
            (name.as_bytes(), EmbeddedEntry::new(entry, self.modified))
        })
    }
}

impl EmbeddedFile {
    /// What tells these bytes from those of another version of the program.
    pub fn validators(&self, now: &Date) -> Validators {
        Validators::new(ETag::of_bytes(self.content), self.modified, now)
    }
}
