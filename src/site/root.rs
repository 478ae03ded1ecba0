//! What is served: a folder, or the demonstration site that is part of the program.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::path::Path;

use cap_std::fs::{Dir, Metadata};

use super::embedded::{EmbeddedEntry, EmbeddedFile, EmbeddedFolder, EmbeddedSite};
use super::files::{FileFacts, Folder, Stored};
use super::target::TargetPath;
use crate::http::Status;

/// Where the files come from.
pub enum Root {
    /// From a folder.
    Folder(Folder),
    /// From the program itself.
    Embedded(EmbeddedSite),
}

/// What a path leads to.
pub enum Found {
    /// A regular file.
    File(FoundFile),
    /// A folder.
    Folder(FoundFolder),
}

/// A file that can be read.
pub enum FoundFile {
    /// Open.
    OnDisk(File),
    /// In memory.
    Embedded(EmbeddedFile),
}

/// A folder that can be listed.
pub enum FoundFolder {
    /// Open.
    OnDisk(Dir),
    /// In memory.
    Embedded(EmbeddedFolder),
}

/// Where a file lies, to see whether it is still the same one.
pub enum Location {
    /// At this path.
    OnDisk(CString),
    /// In the program, where nothing changes.
    Embedded,
}

impl FoundFile {
    /// When it was modified, in seconds since the Unix epoch, if that is known.
    pub fn modified(&self) -> Option<i64> {
        match self {
            FoundFile::OnDisk(file) => {
                file.metadata().ok().map(|metadata| std::os::unix::fs::MetadataExt::mtime(&metadata))
            }
            FoundFile::Embedded(file) => file.modified,
        }
    }
}

impl Root {
    /// Opens a folder.
    ///
    /// # Errors
    /// It is missing, unreadable or no folder.
    pub fn open(path: &Path) -> io::Result<Root> {
        Folder::open(path).map(Root::Folder)
    }

    /// The demonstration site.
    pub fn embedded() -> Root {
        Root::Embedded(EmbeddedSite::open())
    }

    /// No file at all.
    pub fn empty() -> Root {
        Root::Embedded(EmbeddedSite::empty())
    }

    /// From now on requests may have been sent after a change of the root.
    pub fn look_again(&mut self) {
        if let Root::Folder(folder) = self {
            folder.look_again();
        }
    }

    /// Opens what a path names.
    ///
    /// # Errors
    /// The status that says why not.
    pub fn find(&mut self, path: &TargetPath) -> Result<Found, Status> {
        match self {
            Root::Folder(folder) => folder.find(path),
            Root::Embedded(site) => site.find(path).map(Found::from).ok_or(Status::NOT_FOUND),
        }
    }

    /// Whether a path leads to a file.
    pub fn has_file(&self, path: &TargetPath) -> bool {
        match self {
            Root::Folder(folder) => folder.metadata(path).is_ok_and(|metadata| metadata.is_file()),
            Root::Embedded(site) => matches!(site.find(path), Some(EmbeddedEntry::File(_))),
        }
    }

    /// How many files could not be opened, since this was last asked, because no descriptor was left.
    pub fn take_emfile_count(&mut self) -> usize {
        match self {
            Root::Folder(folder) => folder.take_emfile_count(),
            Root::Embedded(_) => 0,
        }
    }

    /// Where what a path names lies at the moment.
    pub fn location(&self, path: &TargetPath) -> Option<Location> {
        match self {
            Root::Folder(folder) => folder.location(path).map(Location::OnDisk),
            Root::Embedded(_) => Some(Location::Embedded),
        }
    }

    /// The metadata of what a symlink leads to.
    ///
    /// # Errors
    /// What the kernel says. The program has no symlinks in it.
    pub fn metadata(&self, path: &TargetPath) -> io::Result<Metadata> {
        match self {
            Root::Folder(folder) => folder.metadata(path),
            Root::Embedded(_) => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl Location {
    /// Whether the file that lies there is still the one that was loaded, and unchanged.
    pub fn has(&self, stored: &Stored) -> bool {
        match self {
            Location::OnDisk(path) => FileFacts::at(path).is_ok_and(|facts| stored.has(&facts)),
            Location::Embedded => true,
        }
    }
}

impl From<EmbeddedEntry> for Found {
    fn from(entry: EmbeddedEntry) -> Self {
        match entry {
            EmbeddedEntry::File(file) => Found::File(FoundFile::Embedded(file)),
            EmbeddedEntry::Folder(folder) => Found::Folder(FoundFolder::Embedded(folder)),
        }
    }
}
