//! Ranges (RFC 9110 §14).

use super::*;

#[test]
fn ranges_are_for_get_and_for_the_state_that_the_client_knows() {
    let mut world = World::new(&[], options());
    world.write("a", b"0123456789");
    world.write("empty", b"");
    let etag = world.get("/a").field("ETag").unwrap().to_owned();
    let rows: &[(&str, String, u16, Option<&str>, &str)] = &[
        ("GET /a", "Range: bytes=2-4\r\n".into(), 206, Some("bytes 2-4/10"), "234"),
        ("GET /a", "Range: bytes=7-\r\n".into(), 206, Some("bytes 7-9/10"), "789"),
        ("GET /a", "Range: bytes=-2\r\n".into(), 206, Some("bytes 8-9/10"), "89"),
        ("GET /a", "Range: bytes=2-4,77-\r\n".into(), 206, Some("bytes 2-4/10"), "234"),
        ("HEAD /a", "Range: bytes=2-4\r\n".into(), 200, None, "0123456789"), // §14.2: GET alone
        ("GET /a", "Range: lines=2-4\r\n".into(), 200, None, "0123456789"),
        ("GET /a", "Range: bytes=2-4\r\nRange: bytes=5-6\r\n".into(), 200, None, "0123456789"),
        ("GET /empty", "Range: bytes=-1\r\n".into(), 200, None, ""),
        // §13.1.5
        ("GET /a", format!("Range: bytes=2-4\r\nIf-Range: {etag}\r\n"), 206, Some("bytes 2-4/10"), "234"),
        ("GET /a", format!("Range: bytes=2-4\r\nIf-Range: W/{etag}\r\n"), 200, None, "0123456789"),
        ("GET /a", "Range: bytes=2-4\r\nIf-Range: \"x\"\r\n".into(), 200, None, "0123456789"),
        ("GET /a", "Range: bytes=2-4\r\nIf-Range: *\r\n".into(), 200, None, "0123456789"),
        (
            "GET /a",
            "Range: bytes=2-4\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n".into(),
            206,
            Some("bytes 2-4/10"),
            "234",
        ),
        ("GET /a", "Range: bytes=2-4\r\nIf-Range: Sun, 06 Nov 1994 08:49:38 GMT\r\n".into(), 200, None, "0123456789"),
        ("GET /a", "Range: bytes=2-4\r\nIf-Range: nonsense\r\n".into(), 200, None, "0123456789"),
        ("GET /a", "Range: bytes=99-\r\nIf-Range: \"x\"\r\n".into(), 200, None, "0123456789"),
        // §14.2: there is nothing of which a range could be sent
        ("GET /empty", "Range: bytes=0-1023\r\n".into(), 200, None, ""),
        ("GET /empty", "Range: bytes=-1\r\n".into(), 200, None, ""),
    ];
    for (request, fields, status, content_range, content) in rows {
        let answer = world.request(request, fields);
        assert_eq!((answer.status, answer.field("Content-Range")), (*status, *content_range), "{request} {fields}");
        assert_eq!(answer.text(), *content, "{request} {fields}");
        assert!(answer.field("ETag").is_some() && answer.field("Accept-Ranges").is_some());
    }
    for (target, fields, content_range) in [
        ("/a", "Range: bytes=10-\r\n", "bytes */10"), // §15.5.17
        ("/a", "Range: bytes=-0\r\n", "bytes */10"),
    ] {
        let answer = world.request(&format!("GET {target}"), fields);
        assert_eq!((answer.status, answer.field("Content-Range")), (416, Some(content_range)), "{fields}");
    }
}

#[test]
fn a_date_is_a_strong_validator_when_its_second_is_over() {
    let mut world = World::new(&["a.txt"], options());
    // (seconds from the modification to the request, status): RFC 9110 §13.1.5, §8.8.2.2
    for (age, status) in [(0, 200), (1, 206), (-1, 200)] {
        world.now = WRITTEN.saturating_add_signed(age);
        let modified = world.get("/a.txt").field("Last-Modified").unwrap().to_owned();
        let fields = format!("Range: bytes=0-1\r\nIf-Range: {modified}\r\n");
        assert_eq!(world.request("GET /a.txt", &fields).status, status, "{age}");
    }
}

#[test]
fn several_ranges_are_parts_of_one_content() {
    let mut world = World::new(&[], options());
    world.write("a.txt", b"0123456789");
    let answer = world.request("GET /a.txt", "Range: bytes=0-1,-3\r\n");
    assert_eq!((answer.status, answer.field("Content-Range")), (206, None)); // RFC 9110 §15.3.7.2
    let boundary = answer.field("Content-Type").unwrap().strip_prefix("multipart/byteranges; boundary=").unwrap();
    let text_plain = "Content-Type: text/plain; charset=utf-8";
    let expected = format!(
        "\r\n--{boundary}\r\n{text_plain}\r\nContent-Range: bytes 0-1/10\r\n\r\n01\r\n\
         --{boundary}\r\n{text_plain}\r\nContent-Range: bytes 7-9/10\r\n\r\n789\r\n--{boundary}--\r\n"
    );
    assert_eq!(answer.text(), expected);
}
