//! Compressed siblings (RFC 9110 §12.5.3).

use super::*;

#[test]
fn the_client_chooses_among_compressed_siblings() {
    let rows = [
        // RFC 9110 §12.5.3
        ("", None),
        ("Accept-Encoding:\r\n", None),
        ("Accept-Encoding: gzip\r\n", Some("gzip")),
        ("Accept-Encoding: x-gzip\r\n", Some("gzip")),
        ("Accept-Encoding: GZIP\r\n", Some("gzip")),
        ("Accept-Encoding: gzip, deflate, br, zstd\r\n", Some("br")),
        ("Accept-Encoding: gzip, zstd\r\n", Some("zstd")),
        ("Accept-Encoding: gzip\r\nAccept-Encoding: br\r\n", Some("br")),
        ("Accept-Encoding: br;q=0.5, gzip;q=0.8\r\n", Some("gzip")),
        ("Accept-Encoding: br;q=0, gzip\r\n", Some("gzip")),
        ("Accept-Encoding: gzip;q=0\r\n", None),
        ("Accept-Encoding: *\r\n", Some("br")),
        ("Accept-Encoding: *, br;q=0\r\n", Some("zstd")),
        ("Accept-Encoding: *;q=0, gzip\r\n", Some("gzip")),
        ("Accept-Encoding: gzip;q=0.5, identity\r\n", None),
        ("Accept-Encoding: identity;q=0.5, gzip;q=0.5\r\n", Some("gzip")),
        ("Accept-Encoding: gzip;q=0.001\r\n", Some("gzip")),
        ("Accept-Encoding: identity;q=0\r\n", None), // nothing is acceptable: see below
        ("Accept-Encoding: deflate\r\n", None),
        ("Accept-Encoding: gzip;q=high\r\n", None),
    ];
    let files = ["a.js", "a.js.br", "a.js.zst", "a.js.gz", "lonely.js", "folder.js", "folder.js.gz/x"];
    let mut world = World::new(&files, SiteOptions { precompressed: true, ..options() });
    for (fields, coding) in rows {
        let answer = world.request("GET /a.js", fields);
        assert_eq!(answer.field("Content-Encoding"), coding, "{fields}");
        if fields.contains("identity;q=0\r\n") {
            assert_eq!(answer.status, 406); // RFC 9110 §15.5.7
            continue;
        }
        assert_eq!(answer.field("Vary"), Some("Accept-Encoding"), "{fields}");
        assert_eq!(answer.field("Content-Type"), Some("text/javascript; charset=utf-8"), "{fields}");
    }
    for target in ["/lonely.js", "/folder.js"] {
        let answer = world.request(&format!("GET {target}"), "Accept-Encoding: gzip, identity;q=0\r\n");
        assert_eq!((answer.status, answer.field("Vary"), answer.field("Content-Encoding")), (200, None, None));
    }
}

#[test]
fn a_coded_representation_has_its_own_tag_and_ranges() {
    let mut world = World::new(&["a.js", "a.js.gz"], SiteOptions { precompressed: true, ..options() });
    let plain = world.get("/a.js").field("ETag").unwrap().to_owned();
    let gzip = "Accept-Encoding: gzip\r\n";
    let coded = world.request("GET /a.js", gzip);
    assert_ne!(coded.field("ETag"), Some(&*plain)); // RFC 9110 §8.8.3.3
    assert_eq!(world.request("GET /a.js", &format!("{gzip}If-None-Match: {plain}\r\n")).status, 200);
    let part = world.request("GET /a.js", &format!("{gzip}Range: bytes=8-\r\n"));
    assert_eq!((part.status, part.text()), (206, "a.js.gz"));
    assert_eq!(part.field("Content-Encoding"), Some("gzip"));
    let parts = world.request("GET /a.js", &format!("{gzip}Range: bytes=0-1,3-4\r\n"));
    assert_eq!(parts.field("Content-Encoding"), None); // it is the parts that are coded
    assert!(parts.text().contains("\r\nContent-Encoding: gzip\r\n"));
}
