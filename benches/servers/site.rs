//! What is served, and what is asked for: the same files and the same bytes for all.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::load::Batch;
use super::request::get;

/// How many files the row of many files asks for.
pub const FILES: usize = 1000;

pub const KIB: usize = 1024;
pub const MIB: usize = 1024 * KIB;

/// A kept-alive GET.
pub fn kept(target: &str) -> Batch {
    Batch { bytes: get(target, "keep-alive", ""), requests: 1 }
}

/// GETs of all the files, in an order without neighbours.
pub fn all_files() -> Vec<Batch> {
    (0..FILES).map(|number| kept(&file_target(number * 367 % FILES))).collect()
}

fn file_target(number: usize) -> String {
    format!("/files/{number:04}.html")
}

/// Writes the files. All may read them: some servers give up their rights.
///
/// # Errors
/// If there is no room for them.
pub fn write(root: &Path) -> io::Result<()> {
    fs::create_dir_all(root.join("files"))?;
    for (name, length) in [("1k.html", KIB), ("16k.html", 16 * KIB), ("1m.bin", MIB), ("100m.bin", 100 * MIB)] {
        fs::write(root.join(name), content(length))?;
    }
    for number in 0..FILES {
        // From 8 to 12 KiB.
        fs::write(root.join(&file_target(number)[1..]), content(8 * KIB + number * 4 * KIB / FILES))?;
    }
    for folder in [root.parent().unwrap_or(root), root, &root.join("files")] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

fn content(length: usize) -> Vec<u8> {
    b"hold the line, please. ".iter().copied().cycle().take(length).collect()
}
