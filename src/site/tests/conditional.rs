//! Preconditions (RFC 9110 §13).

use super::*;

#[test]
fn preconditions_are_evaluated_in_the_order_of_rfc_9110_section_13_2_2() {
    let mut world = World::new(&["a.txt"], options());
    let etag = world.get("/a.txt").field("ETag").unwrap().to_owned();
    let same = "Sun, 06 Nov 1994 08:49:37 GMT";
    let earlier = "Sun, 06 Nov 1994 08:49:36 GMT";
    let later = "Sun, 06 Nov 1994 08:49:38 GMT";
    let rows: &[(String, u16)] = &[
        // §13.1.1, strong comparison
        (format!("If-Match: {etag}\r\n"), 200),
        ("If-Match: *\r\n".into(), 200),
        ("If-Match: \"x\"\r\n".into(), 412),
        (format!("If-Match: W/{etag}\r\n"), 412),
        (format!("If-Match: \"x\", {etag}\r\n"), 200),
        (format!("If-Match: \"x\"\r\nIf-Match: {etag}\r\n"), 200),
        (format!("If-Match: \"x,{}\r\n", &etag[1..]), 412),
        ("If-Match:\r\n".into(), 412),
        // §13.1.2, weak comparison
        (format!("If-None-Match: {etag}\r\n"), 304),
        (format!("If-None-Match: W/{etag}\r\n"), 304),
        ("If-None-Match: *\r\n".into(), 304),
        ("If-None-Match: \"x\"\r\n".into(), 200),
        (format!("If-None-Match: \"x\" , ,{etag}\r\n"), 304),
        (format!("If-None-Match: \"a,b\", W/\"c\", {etag}\r\n"), 304),
        (format!("If-None-Match: \"x\"\r\nIf-None-Match: {etag}\r\n"), 304),
        (format!("If-None-Match: {}\r\n", etag.trim_matches('"')), 200),
        (format!("If-None-Match: w/{etag}\r\n"), 200), // §8.8.3: W is case-sensitive
        (format!("If-None-Match: \"x\"{etag}\r\n"), 200),
        (format!("If-None-Match: nonsense, {etag}\r\n"), 304),
        ("If-None-Match: \"\r\n".into(), 200),
        // §13.1.3
        (format!("If-Modified-Since: {same}\r\n"), 304),
        (format!("If-Modified-Since: {later}\r\n"), 304),
        (format!("If-Modified-Since: {earlier}\r\n"), 200),
        ("If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n".into(), 304), // §5.6.7
        ("If-Modified-Since: Sun Nov  6 08:49:37 1994\r\n".into(), 304),
        ("If-Modified-Since: yesterday\r\n".into(), 200),
        (format!("If-Modified-Since: {same}\r\nIf-Modified-Since: {same}\r\n"), 200),
        ("If-Modified-Since: Mon, 06 Nov 1994 08:49:37 GMT\r\n".into(), 304), // §5.6.7: whatever the day of the week
        ("If-Modified-Since: Sun, 06 Nov 1994 08:49:60 GMT\r\n".into(), 304), // a leap second
        // §13.1.4
        (format!("If-Unmodified-Since: {same}\r\n"), 200),
        (format!("If-Unmodified-Since: {later}\r\n"), 200),
        (format!("If-Unmodified-Since: {earlier}\r\n"), 412),
        ("If-Unmodified-Since: tomorrow\r\n".into(), 200),
        ("If-Unmodified-Since: Fri, 01 Jan 1960 00:00:00 GMT\r\n".into(), 412), // before the epoch
        ("If-Unmodified-Since: Friday, 01-Jan-60 00:00:00 GMT\r\n".into(), 412), // not 2060
        ("If-Unmodified-Since: Friday, 01-Jan-44 00:00:00 GMT\r\n".into(), 200), // 2044, less than 50 years ahead
        // §13.2.2 (1) hides (2)
        (format!("If-Match: {etag}\r\nIf-Unmodified-Since: {earlier}\r\n"), 200),
        (format!("If-Match: \"x\"\r\nIf-Unmodified-Since: {later}\r\n"), 412),
        // (3) hides (4)
        (format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {later}\r\n"), 200),
        (format!("If-None-Match: {etag}\r\nIf-Modified-Since: {earlier}\r\n"), 304),
        // (1) before (3), (2) before (4)
        (format!("If-Match: \"x\"\r\nIf-None-Match: {etag}\r\n"), 412),
        (format!("If-Match: {etag}\r\nIf-None-Match: {etag}\r\n"), 304),
        (format!("If-Unmodified-Since: {earlier}\r\nIf-Modified-Since: {later}\r\n"), 412),
        // (3) before (5)
        (format!("If-None-Match: {etag}\r\nRange: bytes=0-1\r\n"), 304),
        (format!("If-Match: {etag}\r\nRange: bytes=0-1\r\n"), 206),
        ("If-Match: \"x\"\r\nRange: bytes=0-1\r\n".into(), 412),
    ];
    for (fields, status) in rows {
        assert_eq!(world.request("GET /a.txt", fields).status, *status, "{fields}");
        if *status != 206 {
            assert_eq!(world.request("HEAD /a.txt", fields).status, *status, "HEAD, {fields}");
        }
        // §13.2.1: they are ignored where the answer would not have been a success.
        assert_eq!(world.request("GET /missing", fields).status, 404, "{fields}");
    }
    let obs_text =
        [b"GET /a.txt HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"\xff\", ", etag.as_bytes(), b"\r\n\r\n"].concat();
    assert_eq!(world.request_bytes(&obs_text).status, 304);
}

#[test]
fn a_304_says_what_caches_need_and_nothing_of_content() {
    let mut world = World::new(
        &["a.txt", "a.txt.gz"],
        SiteOptions { precompressed: true, cache_control: Some("no-cache".into()), ..options() },
    );
    let etag = world.get("/a.txt").field("ETag").unwrap().to_owned();
    let answer = world.request("GET /a.txt", &format!("If-None-Match: {etag}\r\n"));
    assert_eq!((answer.status, answer.length), (304, Length::NoContent));
    assert_eq!(answer.field("ETag"), Some(&*etag)); // RFC 9110 §15.4.5
    assert_eq!(answer.field("Cache-Control"), Some("no-cache"));
    assert_eq!(answer.field("Vary"), Some("Accept-Encoding"));
    for absent in ["Content-Type", "Content-Encoding", "Content-Range", "Accept-Ranges"] {
        assert_eq!(answer.field(absent), None);
    }
}

#[test]
fn a_tag_is_of_the_representation_and_not_of_where_it_lies() {
    let large = vec![b'x'; 100_000];
    let tags = |world: &mut World| ["/small", "/large"].map(|name| world.get(name).field("ETag").unwrap().to_owned());
    let mut world = World::new(&["small"], options());
    world.write("large", &large);
    let before = tags(&mut world);
    assert!(before.iter().all(|tag| tag.starts_with('"')), "they are strong: {before:?}");

    // A replica, a link, another mode.
    let mut replica = World::new(&["small"], options());
    replica.write("large", &large);
    assert_eq!(tags(&mut replica), before);
    for name in ["small", "large"] {
        let path = world.folder.path().join(name);
        fs::hard_link(&path, world.folder.path().join(format!("{name}.backup"))).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    }
    assert_eq!(tags(&mut world), before);

    // Other bytes, of the same size and time: of a small file they are read.
    world.write("small", b"this is smelt");
    set_modified(&world.folder.path().join("small"), WRITTEN);
    assert_ne!(tags(&mut world)[0], before[0]);
}

#[test]
fn the_tag_of_a_file_that_was_just_written_is_weak() {
    let mut world = World::new(&[], options());
    world.write("large", &[b'x'; 100_000]);
    for (age, weak) in [(0, true), (1, true), (2, false), (100, false)] {
        world.now = WRITTEN + age;
        let tag = world.get("/large").field("ETag").unwrap().to_owned();
        assert_eq!(tag.starts_with("W/\""), weak, "{tag} after {age} s");
        assert_eq!(world.request("GET /large", &format!("If-None-Match: {tag}\r\n")).status, 304);
        // RFC 9110 §13.1.5: parts are only added to what a strong tag names.
        let partial = world.request("GET /large", &format!("Range: bytes=0-1\r\nIf-Range: {tag}\r\n"));
        assert_eq!(partial.status, if weak { 200 } else { 206 }, "{tag}");
    }
}
