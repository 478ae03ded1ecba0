//! A folder to serve.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use tempfile::TempDir;

/// A folder that is removed when the test ends.
pub struct Root(TempDir);

impl Root {
    /// A folder with an `index.html`, which every test needs.
    pub fn new() -> Root {
        let root = Root(TempDir::with_prefix("holdline-test-").expect("a temporary folder"));
        root.file("index.html", "<!doctype html><title>home</title>home page\n")
    }

    /// Adds a file, and the folders it lies in. All files are as old as the RFC's example date,
    /// `Sun, 06 Nov 1994 08:49:37 GMT`, so that a row can name their Last-Modified.
    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Root {
        let path = self.at(name);
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("folders for the file");
        fs::write(&path, content).expect("the file is written");
        let file = fs::File::options().write(true).open(&path).expect("the file opens");
        file.set_modified(UNIX_EPOCH + Duration::from_secs(784_111_777)).expect("its time is set");
        self
    }

    /// Where a name of this folder lies on the disk.
    pub fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl AsRef<Path> for Root {
    fn as_ref(&self) -> &Path {
        self.path()
    }
}

/// Bytes in which no stretch repeats soon, so that a part that is lost, doubled or out of place shows.
pub fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}
