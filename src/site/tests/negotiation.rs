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
        // Of what is wanted equally, what has a name.
        ("Accept-Encoding: gzip, *\r\n", Some("gzip")),
        ("Accept-Encoding: *, gzip\r\n", Some("gzip")),
        ("Accept-Encoding: identity, *\r\n", None),
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
        assert_eq!(answer.field("Vary"), Some("Accept-Encoding"), "{fields}");
        if fields.contains("identity;q=0\r\n") {
            assert_eq!(answer.status, 406); // RFC 9110 §15.5.7
            continue;
        }
        assert_eq!(answer.field("Content-Type"), Some("text/javascript; charset=utf-8"), "{fields}");
    }
    for target in ["/lonely.js", "/folder.js"] {
        let answer = world.request(&format!("GET {target}"), "Accept-Encoding: gzip, identity;q=0\r\n");
        assert_eq!((answer.status, answer.field("Vary"), answer.field("Content-Encoding")), (200, None, None));
    }
}

#[test]
fn a_file_that_is_coded_by_itself_says_so() {
    for precompressed in [false, true] {
        let mut world = World::new(&["a.svgz", "a.svgz.br", "b.SVGZ"], SiteOptions { precompressed, ..options() });
        for target in ["/a.svgz", "/b.SVGZ"] {
            for fields in ["", "Accept-Encoding: br, gzip\r\n", "Accept-Encoding: identity\r\n"] {
                let answer = world.request(&format!("GET {target}"), fields);
                assert_eq!((answer.status, answer.field("Content-Encoding")), (200, Some("gzip")), "{target} {fields}");
                assert_eq!(answer.field("Content-Type"), Some("image/svg+xml"));
                assert_eq!((answer.field("Vary"), answer.text()), (None, &*format!("this is {}", &target[1..])));
            }
        }
    }
}

#[test]
fn errors_vary_where_the_file_does() {
    // RFC 9110 §12.5.5
    let rows = [
        ("If-Match: \"x\"\r\n", 412),
        ("Range: bytes=99-\r\n", 416),
        ("Accept-Encoding: gzip\r\nRange: bytes=99-\r\n", 416),
    ];
    let mut world = World::new(&["a.js", "a.js.gz", "lonely.js"], SiteOptions { precompressed: true, ..options() });
    for (fields, status) in rows {
        for (target, vary) in [("/a.js", Some("Accept-Encoding")), ("/lonely.js", None)] {
            let answer = world.request(&format!("GET {target}"), fields);
            assert_eq!((answer.status, answer.field("Vary")), (status, vary), "{target} {fields}");
        }
    }
}

#[test]
fn what_is_missing_stays_missing_whatever_the_client_accepts() {
    let not_found = Some("oops.html".to_owned());
    let options = SiteOptions { precompressed: true, not_found, ..options() };
    let mut world = World::new(&["oops.html", "oops.html.gz"], options);
    let rows = [
        ("", "this is oops.html", None),
        ("Accept-Encoding: gzip\r\n", "this is oops.html.gz", Some("gzip")),
        ("Accept-Encoding: identity;q=0\r\n", "404 Not Found", None), // a page of ours, not 406 about the operator's
        ("Accept-Encoding: *;q=0\r\n", "404 Not Found", None),
    ];
    for (fields, text, coding) in rows {
        let answer = world.request("GET /missing", fields);
        assert_eq!((answer.status, answer.field("Content-Encoding")), (404, coding), "{fields}");
        assert_eq!(answer.field("Vary"), Some("Accept-Encoding"), "{fields}");
        assert!(answer.text().contains(text), "{fields}");
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

#[test]
fn a_sibling_of_an_older_version_is_not_sent() {
    let mut world = World::new(
        &["a.js", "a.js.gz", "404.html", "404.html.gz"],
        SiteOptions { precompressed: true, not_found: Some("404.html".to_owned()), ..options() },
    );
    // (seconds by which the sibling is older, whether it is sent): a copy may lose the fraction of a second.
    for (older, sent) in [(0, true), (1, true), (2, false), (3600, false)] {
        for name in ["a.js.gz", "404.html.gz"] {
            set_modified(&world.folder.path().join(name), WRITTEN - older);
        }
        for target in ["/a.js", "/missing"] {
            let answer = world.request(&format!("GET {target}"), "Accept-Encoding: gzip\r\n");
            assert_eq!(answer.field("Content-Encoding").is_some(), sent, "{target}, {older} s older");
        }
    }
}
