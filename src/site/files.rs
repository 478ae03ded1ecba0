//! Files beneath the folder that is served. The kernel keeps `..`, symlinks and races inside (`openat2` with
//! `RESOLVE_BENEATH`, by cap-std); no string is compared here to decide what may be read.

use std::ffi::{CStr, CString};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use rustix::fs::{OFlags, Stat};
use rustix::io::Errno;

use super::conditional::{ETag, Validators};
use super::embedded::EmbeddedFile;
use super::range::ByteRange;
use super::response::{FileSlice, Part};
use super::root::{Found, FoundFile, FoundFolder};
use super::target::TargetPath;
use crate::http::{Date, Status};

/// A file of at most this many bytes is sent from memory, together with its head.
pub const SMALL_FILE: u64 = 32 * 1024;

/// How often a file that changes while it is read is read again.
const READ_ATTEMPTS: usize = 4;

/// The folder that is served.
pub struct Folder {
    path: PathBuf,
    dir: Dir,
    identity: Identity,
    /// The folder that has taken its place, but can't be read.
    unreadable: Option<Identity>,
    /// Whether `path` was checked to still mean `dir` since the last [`look_again`](Self::look_again).
    checked: bool,
    /// Files that could not be opened since the last [`take_emfile_count`](Self::take_emfile_count).
    emfile_count: usize,
}

impl Folder {
    /// Opens the folder.
    ///
    /// # Errors
    /// It is missing, unreadable or no folder.
    pub fn open(path: &Path) -> io::Result<Folder> {
        // The capability needs no permission to read; find out now whether there is one.
        fs::read_dir(path)?;
        let (dir, identity) = open_root(path)?;
        Ok(Folder { path: path.to_owned(), dir, identity, unreadable: None, checked: false, emfile_count: 0 })
    }

    /// From now on requests may have been sent after a change of the folder.
    pub fn look_again(&mut self) {
        self.checked = false;
    }

    /// Opens what a path names.
    ///
    /// # Errors
    /// The status that says why not.
    pub fn find(&mut self, path: &TargetPath) -> Result<Found, Status> {
        // A new release is often a new folder or a symlink that now points elsewhere. A request that comes after it
        // must see it, so it is looked for after each read of requests, but only once, however many the read has brought.
        if !std::mem::replace(&mut self.checked, true) {
            self.follow_rename();
        }
        open_beneath(&self.dir, path.as_path()).map_err(|error| {
            self.emfile_count += usize::from(is_shortage(&error));
            status_of(&error, path)
        })
    }

    /// How many files could not be opened since the last call because no descriptor was left (EMFILE, ENFILE).
    pub fn take_emfile_count(&mut self) -> usize {
        std::mem::take(&mut self.emfile_count)
    }

    /// Where what a path names lies at the moment, by the path of the root.
    pub fn location(&self, path: &TargetPath) -> Option<CString> {
        CString::new(self.path.join(path.as_path()).as_os_str().as_bytes()).ok()
    }

    /// The metadata of what a path leads to, symlinks followed.
    pub fn metadata(&self, path: &TargetPath) -> io::Result<cap_std::fs::Metadata> {
        self.dir.metadata(path.as_path())
    }

    /// Opens the root again if its path now leads to another folder. While it leads nowhere, or to what we may not read,
    /// the old one is kept.
    fn follow_rename(&mut self) {
        let Ok(now) = rustix::fs::stat(&self.path).map(|stat| Identity::of(&stat)) else { return };
        if now == self.identity || Some(now) == self.unreadable {
            return;
        }
        match fs::read_dir(&self.path).and_then(|_| open_root(&self.path)) {
            Ok((dir, identity)) => (self.dir, self.identity, self.unreadable) = (dir, identity, None),
            Err(error) => {
                log::error!("the new {} can't be served, and so the old one is: {error}", self.path.display());
                self.unreadable = Some(now);
            }
        }
    }
}

/// Which folder or file it is, wherever it is linked.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    fn of(stat: &Stat) -> Self {
        Identity { device: stat.st_dev, inode: stat.st_ino }
    }
}

fn open_root(path: &Path) -> io::Result<(Dir, Identity)> {
    let dir = Dir::open_ambient_dir(path, ambient_authority())?.into_std_file();
    let identity = Identity::of(&rustix::fs::fstat(&dir)?);
    Ok((Dir::from_std_file(dir), identity))
}

fn open_beneath(dir: &Dir, path: &Path) -> io::Result<Found> {
    // Without O_NONBLOCK the open of a FIFO waits for a writer, and everyone waits with us.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).expect("open flags are an int");
    let file = dir.open_with(path, OpenOptions::new().read(true).custom_flags(flags))?.into_std();
    // The opened file is asked, not its name: the name may mean another one by now.
    let metadata = file.metadata()?;
    let kind = metadata.file_type();
    if kind.is_file() {
        Ok(Found::File(FoundFile::OnDisk(file)))
    } else if kind.is_dir() && metadata.nlink() > 0 {
        // Without a link it was removed, and is open only because we hold it.
        Ok(Found::Folder(FoundFolder::OnDisk(Dir::from_std_file(file))))
    } else {
        Err(Errno::NOENT.into())
    }
}

/// Whether the process or the system has no descriptor left.
fn is_shortage(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(errno, Some(Errno::MFILE | Errno::NFILE))
}

/// What to tell a client of an error. The server's own failures are worth a line in the log, and at debug every refusal of
/// something that is there.
pub fn status_of(error: &io::Error, path: &TargetPath) -> Status {
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    let leads_out = errno.is_none() && error.kind() == ErrorKind::PermissionDenied;
    if leads_out {
        log::debug!("refused {:?}: it leads out of the root, as an absolute symlink always does", path.as_path());
    } else if !matches!(errno, Some(Errno::NOENT | Errno::NOTDIR)) {
        log::debug!("refused {:?}: {error}", path.as_path());
    }
    match errno {
        // A name that no file has, or could have; a device without a driver, a socket.
        Some(
            Errno::NOENT
            | Errno::NOTDIR
            | Errno::LOOP
            | Errno::NAMETOOLONG
            | Errno::ILSEQ
            | Errno::INVAL
            | Errno::NXIO
            | Errno::NODEV,
        ) => Status::NOT_FOUND,
        Some(Errno::ACCESS | Errno::PERM) => Status::FORBIDDEN,
        Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM) => Status::SERVICE_UNAVAILABLE,
        // cap-std's word for a path that leads out of the root: for clients nothing is there.
        None if leads_out => Status::NOT_FOUND,
        None if error.kind() == ErrorKind::ResourceBusy => Status::SERVICE_UNAVAILABLE,
        _ => {
            log::error!("can't read {:?}: {error}", path.as_path());
            Status::INTERNAL_SERVER_ERROR
        }
    }
}

/// A file and its bytes, as they were at one moment.
pub struct Stored {
    /// How many bytes there are.
    pub size: u64,
    origin: Origin,
    bytes: FileBytes,
}

/// Where a file comes from, and what identifies its bytes.
enum Origin {
    Disk(FileFacts),
    Program(EmbeddedFile),
}

/// Where the bytes of a file are.
enum FileBytes {
    Memory(Rc<[u8]>),
    Disk(Rc<File>),
}

impl Stored {
    /// Loads what was found.
    ///
    /// # Errors
    /// It can't be read, or (`ResourceBusy`) is written all the time.
    pub fn load(file: FoundFile) -> io::Result<Stored> {
        match file {
            FoundFile::OnDisk(file) => Stored::read(file),
            FoundFile::Embedded(file) => {
                let bytes = FileBytes::Memory(file.content.into());
                Ok(Stored { size: file.content.len() as u64, origin: Origin::Program(file), bytes })
            }
        }
    }

    /// Takes the facts from the opened file and, of a small one, the bytes that they are true of.
    fn read(file: File) -> io::Result<Stored> {
        let stored = |facts: FileFacts, bytes| Ok(Stored { size: facts.size, origin: Origin::Disk(facts), bytes });
        let mut facts = FileFacts::of(&file)?;
        for _ in 0..READ_ATTEMPTS {
            if facts.size > SMALL_FILE {
                return stored(facts, FileBytes::Disk(Rc::new(file)));
            }
            let bytes = read(&file, facts.size)?;
            let facts_after = FileFacts::of(&file)?;
            match bytes {
                Some(bytes) if facts_after == facts => return stored(facts, FileBytes::Memory(bytes.into())),
                _ => facts = facts_after,
            }
        }
        Err(ErrorKind::ResourceBusy.into())
    }

    /// The validators that are sent with these bytes at the second `now`.
    pub fn validators(&self, now: &Date) -> Validators {
        match &self.origin {
            Origin::Disk(facts) => {
                let etag = match &self.bytes {
                    FileBytes::Memory(bytes) => ETag::of_bytes(bytes),
                    FileBytes::Disk(_) => facts.etag(now),
                };
                Validators::new(etag, Some(facts.modified.0), now)
            }
            Origin::Program(file) => file.validators(now),
        }
    }

    /// Whether a change of the file from now on is sure to show in its facts.
    pub fn is_settled(&self, now: &Date) -> bool {
        match &self.origin {
            Origin::Disk(facts) => facts.is_settled(now),
            Origin::Program(_) => true,
        }
    }

    /// Whether these are the facts of its bytes.
    pub fn has(&self, facts: &FileFacts) -> bool {
        matches!(&self.origin, Origin::Disk(own) if own == facts)
    }

    /// All of the bytes.
    pub fn whole(&self) -> Part {
        match &self.bytes {
            FileBytes::Memory(bytes) => Part::Bytes(Rc::clone(bytes)),
            FileBytes::Disk(file) => Part::File(FileSlice { file: Rc::clone(file), offset: 0, length: self.size }),
        }
    }

    /// Bytes of memory that the content takes.
    pub fn memory(&self) -> usize {
        match &self.bytes {
            FileBytes::Memory(bytes) => bytes.len(),
            FileBytes::Disk(_) => 0,
        }
    }

    /// Whether the file is open.
    pub fn is_open(&self) -> bool {
        matches!(self.bytes, FileBytes::Disk(_))
    }

    /// Whether it is open, and nobody else needs it.
    pub fn is_last_user(&self) -> bool {
        matches!(&self.bytes, FileBytes::Disk(file) if Rc::strong_count(file) == 1)
    }

    /// Some of them; the range lies within the file.
    pub fn slice(&self, range: ByteRange) -> Part {
        match &self.bytes {
            FileBytes::Memory(bytes) => Part::Bytes(bytes[range.first as usize..=range.last as usize].into()),
            FileBytes::Disk(file) => {
                Part::File(FileSlice { file: Rc::clone(file), offset: range.first, length: range.length() })
            }
        }
    }
}

/// The first `size` bytes, or `None` if there are fewer by now.
fn read(file: &File, size: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = vec![0; size as usize];
    match file.read_exact_at(&mut bytes, 0) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// What identifies the bytes of a file, without reading them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileFacts {
    size: u64,
    device: u64,
    inode: u64,
    modified: Nanoseconds,
    /// Also moves with a rename or when the modification time is set back.
    changed: Nanoseconds,
}

/// Since the Unix epoch: seconds, and nanoseconds of the second.
type Nanoseconds = (i64, i64);

/// A file that was changed less than this many seconds ago may change again without its times telling: they move in
/// steps of some milliseconds, on some file systems of a second.
const SETTLED: i64 = 2;

impl FileFacts {
    /// Of what lies at this path, symlinks followed.
    pub fn at(path: &CStr) -> io::Result<FileFacts> {
        Ok(FileFacts::from(&rustix::fs::stat(path)?))
    }

    fn of(file: &File) -> io::Result<FileFacts> {
        Ok(FileFacts::from(&rustix::fs::fstat(file)?))
    }

    fn from(stat: &Stat) -> FileFacts {
        FileFacts {
            size: stat.st_size as u64,
            device: stat.st_dev,
            inode: stat.st_ino,
            modified: (stat.st_mtime, stat.st_mtime_nsec as i64),
            changed: (stat.st_ctime, stat.st_ctime_nsec as i64),
        }
    }

    fn is_settled(&self, now: &Date) -> bool {
        self.modified.0.max(self.changed.0).saturating_add(SETTLED) <= now.unix().cast_signed()
    }

    /// The tag that is made without reading the bytes. A rename, a link or another mode changes nothing in it.
    fn etag(&self, now: &Date) -> ETag {
        let settled = self.modified.0.saturating_add(SETTLED) <= now.unix().cast_signed();
        ETag::of_file(self.size, self.modified, settled)
    }
}
