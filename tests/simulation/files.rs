//! The files that are served, on a real disk, and the model's history of them.

use std::fs::{self, File};
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use super::random::Random;

/// All contents are slices of this.
static POOL: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut random = Random::new(42);
    (0..1 << 20).map(|_| b' ' + (random.next() % 90) as u8).collect()
});

/// A version that is still there.
const NEVER: u64 = u64::MAX;

/// The number of a file that never becomes large ...
pub const SMALL: usize = 7;

/// ... but has at most about this many bytes, so that it is copied into the write buffer.
const MAX_SMALL: usize = 3_000;

/// The root.
pub struct Tree {
    folder: tempfile::TempDir,
    pub files: Vec<History>,
    /// Changes so far.
    pub epoch: u64,
    largest: usize,
}

/// The versions of a file, from the first to the last.
pub struct History {
    pub name: &'static str,
    pub versions: Vec<Version>,
}

/// A file between two changes.
#[derive(Clone, Debug)]
pub struct Version {
    /// How many changes of the tree there had been when it came, and when it went.
    from: u64,
    until: u64,
    /// `None` if there was no such file. No two versions of a file have the same size.
    pub size: Option<usize>,
    start: usize,
    /// Seconds since the epoch.
    pub modified: u64,
    /// It was truncated in place, perhaps while it was being sent.
    pub truncated: bool,
    /// The entity tag with which it was sent, if it was.
    pub tag: Option<String>,
}

impl Version {
    /// These bytes of it.
    pub fn content(&self, first: usize, length: usize) -> &'static [u8] {
        &POOL[self.start + first..self.start + first + length]
    }
}

impl Tree {
    pub fn new(random: &mut Random, largest: usize) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("folder")).expect("a folder");
        let names = ["empty", "byte", "page.html", "script.js", "picture", "large", "larger", "small"];
        let files = names.map(|name| History { name, versions: Vec::new() });
        let mut tree = Tree { folder, files: files.into(), epoch: 0, largest };
        for (file, limit) in [0, 1, 2_000, 9_000, 32_000, largest, largest, MAX_SMALL].into_iter().enumerate() {
            let limit = largest.min(limit);
            let size = if limit < 2 { limit } else { random.size(limit / 2..=limit) };
            tree.write(file, size, random);
        }
        tree
    }

    pub fn path(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The versions of a file between two moments, counted in changes of the tree.
    pub fn versions(&self, file: usize, from: u64, to: u64) -> impl Iterator<Item = (usize, &Version)> {
        let lived = move |version: &Version| version.from <= to && version.until > from;
        self.files[file].versions.iter().enumerate().filter(move |(_, version)| lived(version))
    }

    /// Changes a file: it is replaced, removed, written again, or truncated. Says which.
    pub fn change(&mut self, random: &mut Random) -> &'static str {
        let file = random.size(2..=self.files.len() - 1);
        let present = self.files[file].versions.last().and_then(|version| version.size);
        match (present, random.size(0..=5)) {
            (Some(_), 0) => {
                self.remove(file);
                "file removed, change"
            }
            (Some(size), 1) => {
                let shorter = random.size(0..=size.saturating_sub(1));
                self.truncate(file, shorter);
                "file truncated, change"
            }
            _ => {
                let largest = if file == SMALL { MAX_SMALL.min(self.largest) } else { self.largest };
                let size = random.size(0..=largest);
                self.write(file, size, random);
                "file replaced, change"
            }
        }
    }

    /// Replaces a file atomically.
    fn write(&mut self, file: usize, size: usize, random: &mut Random) {
        let taken = |size| self.files[file].versions.iter().any(|version| version.size == Some(size));
        let Some(size) = (size..=size + 1000).find(|size| !taken(*size)) else { return };
        let start = random.size(0..=POOL.len() - size);
        let aside = self.path().join(".new");
        fs::write(&aside, &POOL[start..start + size]).expect("it can be written");
        let modified = self.next_time();
        set_modified(&aside, modified);
        fs::rename(&aside, self.path().join(self.files[file].name)).expect("it can be renamed");
        self.succeed(file, Version { size: Some(size), start, modified, ..Version::nothing() });
    }

    fn remove(&mut self, file: usize) {
        fs::remove_file(self.path().join(self.files[file].name)).expect("it can be removed");
        self.succeed(file, Version::nothing());
    }

    fn truncate(&mut self, file: usize, size: usize) {
        let versions = &mut self.files[file].versions;
        if versions.iter().any(|version| version.size == Some(size)) {
            return;
        }
        let last = versions.last_mut().expect("there is one");
        last.truncated = true;
        let start = last.start;
        let path = self.path().join(self.files[file].name);
        File::options().write(true).open(&path).and_then(|file| file.set_len(size as u64)).expect("it can be cut");
        let modified = self.next_time();
        set_modified(&path, modified);
        self.succeed(file, Version { size: Some(size), start, modified, ..Version::nothing() });
    }

    fn succeed(&mut self, file: usize, mut next: Version) {
        self.epoch += 1;
        next.from = self.epoch;
        if let Some(last) = self.files[file].versions.last_mut() {
            last.until = self.epoch;
        }
        self.files[file].versions.push(next);
    }

    /// Each change has a second of its own, so that dates tell versions apart.
    fn next_time(&self) -> u64 {
        1_700_000_000 + self.epoch
    }
}

impl Version {
    fn nothing() -> Self {
        Version { from: 0, until: NEVER, size: None, start: 0, modified: 0, truncated: false, tag: None }
    }
}

fn set_modified(path: &std::path::Path, seconds: u64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    File::options().write(true).open(path).and_then(|file| file.set_modified(time)).expect("its time can be set");
}
