//! What is kept between requests is never sent when it is no longer true.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::site::cache::{LIFETIME, MAX_BYTES, MAX_ENTRIES, MAX_OPEN};

/// A world whose files have been there for a while: only such are kept.
fn settled(files: &[&str]) -> World {
    let mut world = World::new(files, SiteOptions::default());
    // The wall clock, by what the file system says of the folder that was made just now.
    world.now = fs::metadata(world.folder.path()).unwrap().ctime().cast_unsigned() + 10;
    world
}

impl World {
    /// Whether the answer to this would come from what is kept.
    fn keeps(&mut self, path: &str) -> bool {
        self.site.cache.get(path, self.moment).is_some()
    }

    fn answers(&mut self, target: &str) -> String {
        let answer = self.get(target);
        format!("{} {}", answer.status, String::from_utf8_lossy(&answer.content))
    }
}

#[test]
fn a_file_that_is_kept_is_answered_as_one_that_is_not() {
    let mut world = settled(&["a.txt", "d/index.html"]);
    for target in ["/a.txt", "/d/", "/d/index.html"] {
        let fresh = world.get(target);
        assert!(world.keeps(target), "{target}");
        let kept = world.get(target);
        assert_eq!((fresh.status, &fresh.fields, &fresh.content), (kept.status, &kept.fields, &kept.content));
        assert_eq!(world.request(&format!("GET {target}"), "Range: bytes=1-2\r\n").content, &kept.content[1..3]);
        let etag = kept.fields.lines().find_map(|line| line.strip_prefix("ETag: ")).unwrap().to_owned();
        assert_eq!(world.request(&format!("GET {target}"), &format!("If-None-Match: {etag}\r\n")).status, 304);
    }
}

#[test]
fn only_the_plain_spelling_of_a_path_is_kept() {
    let mut world = settled(&["d/a.txt", "d/index.html"]);
    for target in ["//d/a.txt", "/d/./a.txt", "/d/%61.txt", "/e/../d/a.txt", "/d//", "/d/."] {
        assert_eq!(world.get(target).status, 200);
        assert!(!world.keeps(target), "{target}");
    }
}

#[test]
fn a_file_that_has_just_been_changed_is_not_kept() {
    let mut world = settled(&["a.txt"]);
    world.now -= 10;
    world.get("/a.txt");
    assert!(!world.keeps("/a.txt"));
}

#[test]
fn every_change_is_seen_by_the_next_request_though_no_time_passes() {
    let mut world = settled(&["a.txt", "b.txt"]);
    type RootChange = fn(&Path);
    let steps: &[(RootChange, &str)] = &[
        (|root| write(root, "a.txt", b"this is A.txt"), "200 this is A.txt"),
        (|root| fs::File::options().write(true).open(root.join("a.txt")).unwrap().set_len(4).unwrap(), "200 this"),
        (|root| fs::rename(root.join("b.txt"), root.join("a.txt")).unwrap(), "200 this is b.txt"),
        (|root| fs::remove_file(root.join("a.txt")).unwrap(), "404"),
        (|root| symlink("/etc/hostname", root.join("a.txt")).unwrap(), "404"),
    ];
    for (change, expected) in steps {
        world.get("/a.txt");
        change(world.folder.path());
        assert!(world.answers("/a.txt").starts_with(expected), "{expected}");
    }
}

#[test]
fn a_touch_is_seen_and_new_permissions_change_no_tag() {
    let mut world = settled(&["a.txt"]);
    let path = world.folder.path().join("a.txt");
    let before = world.get("/a.txt").fields;
    fs::File::options().write(true).open(&path).unwrap().set_modified(UNIX_EPOCH + Duration::from_secs(1)).unwrap();
    let touched = world.get("/a.txt").fields;
    assert_ne!(before, touched);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(world.get("/a.txt").fields, touched, "the bytes are the same");
}

#[test]
fn a_folder_that_comes_to_lie_outside_is_seen_after_the_lifetime() {
    let outside = TempDir::new().unwrap();
    let mut world = settled(&["d/a.txt"]);
    assert_eq!(world.get("/d/a.txt").status, 200);
    fs::rename(world.folder.path().join("d"), outside.path().join("d")).unwrap();
    symlink(outside.path().join("d"), world.folder.path().join("d")).unwrap();
    world.moment = world.moment + LIFETIME;
    assert_eq!(world.get("/d/a.txt").status, 404);
}

#[test]
fn what_is_kept_is_bounded_and_what_is_asked_for_stays() {
    let mut world = settled(&["often.txt"]);
    let files = 2 * MAX_BYTES / SMALL_FILE as usize;
    for number in 0..files {
        world.write(&number.to_string(), &vec![b'x'; SMALL_FILE as usize - 4096]);
        world.get(&format!("/{number}"));
        world.get("/often.txt");
    }
    let kept = (0..files).filter(|number| world.keeps(&format!("/{number}"))).count();
    assert!((files / 4..files * 3 / 4).contains(&kept), "{kept} of {files}");
    assert!(kept < MAX_ENTRIES && world.keeps("/often.txt"));
}

#[test]
fn few_large_files_stay_open_and_all_can_be_closed() {
    let mut world = settled(&[]);
    let path = |number| format!("/{number}");
    for number in 0..2 * MAX_OPEN {
        world.write(&number.to_string(), &vec![b'x'; SMALL_FILE as usize + 1]);
        world.get(&path(number));
    }
    let kept = |world: &mut World| (0..2 * MAX_OPEN).filter(|number| world.keeps(&path(*number))).count();
    assert_eq!(kept(&mut world), MAX_OPEN);
    assert!(world.site.close_files());
    assert_eq!(kept(&mut world), 0);
    assert!(!world.site.close_files());
}

#[test]
fn what_nobody_asks_for_is_let_go() {
    let mut world = settled(&["small.txt"]);
    world.write("large.txt", &vec![b'x'; SMALL_FILE as usize + 1]);
    for target in ["/small.txt", "/large.txt"] {
        world.get(target);
        assert!(world.keeps(target));
    }
    let sweep = world.site.wake().expect("there is something to let go of");
    world.site.sweep(Moment::from_micros(sweep.as_micros() - 1));
    assert!(world.keeps("/large.txt"));
    world.site.sweep(sweep + LIFETIME);
    assert!(!world.keeps("/small.txt") && !world.keeps("/large.txt"));
    assert_eq!(world.site.wake(), None);
}
