//! What comes from the file system, and what must not.

use super::*;

#[test]
fn a_file_comes_with_its_metadata() {
    let mut world = World::new(&["a.txt"], SiteOptions { cache_control: Some("max-age=60".into()), ..options() });
    for method in ["GET", "HEAD"] {
        let answer = world.request(&format!("{method} /a.txt?x=1"), "");
        assert_eq!((answer.status, answer.text()), (200, "this is a.txt"));
        assert_eq!(answer.field("Content-Type"), Some("text/plain; charset=utf-8"));
        assert_eq!(answer.field("X-Content-Type-Options"), Some("nosniff"));
        assert_eq!(answer.field("Last-Modified"), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
        assert_eq!(answer.field("Accept-Ranges"), Some("bytes"));
        assert_eq!(answer.field("Cache-Control"), Some("max-age=60"));
        assert_eq!(answer.field("Vary"), None);
        let etag = answer.field("ETag").unwrap();
        assert!(etag.len() > 2 && etag.starts_with('"') && etag.ends_with('"'));
    }
}

#[test]
fn the_kernel_keeps_symlinks_beneath_the_root() {
    let outside = TempDir::new().unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    let mut world = World::new(&["a.txt", "dir/b.txt"], SiteOptions { listing: true, ..options() });
    let root = world.folder.path().to_owned();
    symlink("a.txt", root.join("inside")).unwrap();
    symlink("../a.txt", root.join("dir/up")).unwrap();
    symlink(outside.path().join("secret"), root.join("absolute")).unwrap();
    symlink(root.join("a.txt"), root.join("back")).unwrap();
    symlink(outside.path(), root.join("away")).unwrap();
    symlink("../../../../etc/passwd", root.join("climb")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    symlink("nowhere", root.join("broken")).unwrap();
    let rows = [
        ("/inside", 200),
        ("/dir/up", 200),
        ("/absolute", 404),
        ("/back", 404), // RESOLVE_BENEATH: an absolute target leaves the root, even if it leads back
        ("/away/secret", 404),
        ("/away/", 404),
        ("/climb", 404),
        ("/loop", 404),
        ("/broken", 404),
    ];
    for (target, status) in rows {
        assert_eq!(world.get(target).status, status, "{target}");
    }
    let listing = world.get("/").text().to_owned();
    for (name, listed) in [("inside", true), ("absolute", false), ("away", false), ("climb", false), ("loop", false)] {
        assert_eq!(listing.contains(&format!("href=\"{name}")), listed, "{name}");
    }
    assert!(world.get("/dir/").text().contains("href=\"up\""));
}

#[test]
fn special_files_are_not_there_and_do_not_hang() {
    let mut world = World::new(&[], SiteOptions { listing: true, ..options() });
    let fifo = world.folder.path().join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o644.into(), 0).unwrap();
    let socket = world.folder.path().join("socket");
    rustix::fs::mknodat(rustix::fs::CWD, &socket, rustix::fs::FileType::Socket, 0o644.into(), 0).unwrap();
    assert_eq!(world.get("/fifo").status, 404);
    assert_eq!(world.get("/socket").status, 404);
    assert!(!world.get("/").text().contains("fifo"));
}

#[test]
fn errors_of_the_system_become_statuses() {
    use rustix::io::Errno;
    let rows = [
        (Errno::NOENT, 404),
        (Errno::NOTDIR, 404),
        (Errno::LOOP, 404),
        (Errno::NAMETOOLONG, 404),
        (Errno::ACCESS, 403),
        (Errno::MFILE, 503),
        (Errno::NFILE, 503),
        (Errno::IO, 500),
    ];
    for (errno, status) in rows {
        assert_eq!(files::status_of(&errno.into(), &TargetPath::configured("x")).code(), status, "{errno:?}");
    }
    // A file that never holds still while it is read.
    let busy = io::ErrorKind::ResourceBusy.into();
    assert_eq!(files::status_of(&busy, &TargetPath::configured("x")), Status::SERVICE_UNAVAILABLE);
}

#[test]
fn a_root_that_is_replaced_is_served_again() {
    let parent = TempDir::new().unwrap();
    let root = parent.path().join("www");
    write(&root, "a.txt", b"old");
    let mut world =
        World { site: Site::open(&root, options()).unwrap(), folder: parent, now: NOW, moment: Moment::default() };
    assert_eq!(world.get("/a.txt").text(), "old");

    fs::remove_dir_all(&root).unwrap();
    assert_eq!(world.get("/a.txt").status, 404);
    write(&root, "a.txt", b"new");
    assert_eq!(world.get("/a.txt").text(), "new");

    fs::rename(&root, world.folder.path().join("www.old")).unwrap();
    write(&root, "a.txt", b"newer");
    assert_eq!(world.get("/a.txt").text(), "newer");

    // A symlink that is turned, as by a deployment.
    write(world.folder.path(), "next/a.txt", b"newest");
    fs::rename(&root, world.folder.path().join("www.older")).unwrap();
    symlink("next", &root).unwrap();
    assert_eq!(world.get("/a.txt").text(), "newest");
}

#[test]
fn a_new_request_sees_the_new_file_and_a_new_tag() {
    let mut world = World::new(&["a.txt"], options());
    let before = world.get("/a.txt");
    world.write("new", b"THAT IS a.txt"); // same length, same modification time
    fs::rename(world.folder.path().join("new"), world.folder.path().join("a.txt")).unwrap();
    let after = world.get("/a.txt");
    assert_eq!(after.text(), "THAT IS a.txt");
    assert_ne!(before.field("ETag"), after.field("ETag"));
}

#[test]
fn last_modified_is_never_later_than_the_date() {
    let mut world = World::new(&["a.txt"], options());
    set_modified(&world.folder.path().join("a.txt"), NOW + 500);
    let date = Date::from_unix(NOW);
    assert_eq!(world.get("/a.txt").field("Last-Modified"), Some(date.as_str())); // RFC 9110 §8.8.2.1
    // A second later it is another one, and tells as little: dates are ignored (§13.1.3, §13.1.4).
    world.now += 1;
    for precondition in ["If-Modified-Since", "If-Unmodified-Since"] {
        for since in ["Sun, 06 Nov 1994 08:49:37 GMT", date.as_str(), "Fri, 31 Dec 9999 23:59:59 GMT"] {
            let fields = format!("{precondition}: {since}\r\n");
            assert_eq!(world.request("GET /a.txt", &fields).status, 200, "{fields}");
        }
    }
}

#[test]
fn small_files_come_from_memory_and_large_ones_from_the_file() {
    let mut world = World::new(&[], options());
    for (size, small) in [(0, true), (SMALL_FILE, true), (SMALL_FILE + 1, false)] {
        let content: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
        world.write("a", &content);
        let request = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
        let limits = Limits::DEFAULT;
        let date = Date::from_unix(NOW);
        let tick = Tick { now: Moment::default(), date: &date, limits: &limits, draining: false };
        let (head, _) = head::parse(request, &limits).unwrap().unwrap();
        let super::super::Answer::Response(response) =
            world.site.respond(&head, super::super::Access::default(), &tick)
        else {
            panic!()
        };
        assert_eq!(matches!(response.content, Content::Bytes(_)), small);
        assert_eq!(TestResponse::of(response).content, content);
        if size > 0 {
            let answer = world.request("GET /a", "Range: bytes=10-19,-5\r\n");
            let inside = |part: &[u8]| answer.content.windows(part.len()).any(|window| window == part);
            assert!(inside(&content[10..20]) && inside(&content[content.len() - 5..]));
        }
    }
}

#[test]
fn a_root_that_can_not_be_served_is_an_error() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    for name in ["file", "missing"] {
        assert!(Site::open(&folder.path().join(name), options()).is_err(), "{name}");
    }
}
