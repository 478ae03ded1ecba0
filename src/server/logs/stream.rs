//! The names of inherited streams: `-`, `/dev/stdout` and the like. They are descriptors that are open already, so they
//! are neither opened by their name, which a sandbox or a socket would refuse, nor opened again after a rotation.

use std::fs;
use std::os::fd::RawFd;
use std::path::Path;

/// Symlinks that are followed from a name; the kernel follows as many (path_resolution(7)).
const MAX_LINKS: usize = 40;

/// The descriptor that a name stands for, if it names an inherited stream, be it by a symlink.
pub fn inherited_stream(path: &Path) -> Option<RawFd> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        if let Some(number) = number_of(path.to_str()?) {
            return Some(number);
        }
        // A relative target counts from the folder of the symlink.
        path = path.parent()?.join(fs::read_link(&path).ok()?);
    }
    None
}

fn number_of(name: &str) -> Option<RawFd> {
    match name {
        "-" | "/dev/stdout" => Some(1),
        "/dev/stderr" => Some(2),
        _ => {
            let number = name.strip_prefix("/dev/fd/").or_else(|| name.strip_prefix("/proc/self/fd/"))?;
            number.parse().ok().filter(|number| *number >= 0)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_name_is_a_stream_or_a_file() {
        for (name, number) in [
            ("-", Some(1)),
            ("/dev/stdout", Some(1)),
            ("/dev/stderr", Some(2)),
            ("/dev/fd/7", Some(7)),
            ("/proc/self/fd/12", Some(12)),
            ("/dev/fd/-1", None),
            ("/dev/fd/", None),
            ("/dev/null", None),
            ("/dev/stdout.log", None),
            ("stdout", None),
            ("", None),
        ] {
            assert_eq!(inherited_stream(Path::new(name)), number, "{name}");
        }
    }

    /// Images of containers have logs that are symlinks to standard output.
    #[test]
    fn a_symlink_to_a_stream_is_the_stream() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        symlink("/dev/stderr", at("error.log")).unwrap();
        symlink("error.log", at("relative.log")).unwrap();
        symlink("loop", at("loop")).unwrap();
        assert_eq!(inherited_stream(&at("error.log")), Some(2));
        assert_eq!(inherited_stream(&at("relative.log")), Some(2));
        assert_eq!(inherited_stream(&at("loop")), None);
    }
}
