//! Listings and pages of our own.

use super::*;

#[test]
fn a_listing_is_sorted_escaped_and_relative() {
    let files = ["b.txt", "A.txt", "z/x", "<&\">.txt", ".hidden", "na:me"];
    let mut world = World::new(&files, SiteOptions { listing: true, ..options() });
    let answer = world.get("/");
    assert_eq!((answer.status, answer.field("Vary")), (200, Some("Accept")));
    assert_eq!(answer.field("Content-Type"), Some("text/html; charset=utf-8"));
    let text = answer.text();
    let places: Vec<_> = ["\"z/\"", "\"%3C%26%22%3E.txt\"", "\"A.txt\"", "\"b.txt\"", "\"na%3Ame\""]
        .iter()
        .map(|reference| text.find(&format!("href={reference}")).unwrap_or_else(|| panic!("{reference}: {text}")))
        .collect();
    assert!(places.is_sorted(), "{text}");
    assert!(text.contains("&lt;&amp;&quot;&gt;.txt") && text.contains("06 Nov 1994 08:49") && text.contains("13 B"));
    assert!(!text.contains("hidden") && !text.contains("../"));
    assert!(world.get("/z/").text().contains("href=\"../\""));

    let rows = [
        ("Accept: application/json\r\n", true), // RFC 9110 §12.5.1
        ("Accept: text/html;q=0.5, application/json\r\n", true),
        ("Accept: application/*, text/html;q=0.9\r\n", true),
        ("Accept: text/html, application/json;q=0.9\r\n", false),
        ("Accept: text/html, */*;q=0.8\r\n", false),
        ("Accept: */*\r\n", false),
        ("Accept: image/png\r\n", false),
    ];
    for (fields, json) in rows {
        let answer = world.request("GET /", fields);
        assert_eq!(answer.field("Content-Type") == Some("application/json"), json, "{fields}");
    }
    let json = world.request("GET /z/", "Accept: application/json\r\n");
    assert_eq!(
        json.text(),
        "{\"path\":\"/z/\",\"complete\":true,\"entries\":[\n{\"name\":\"x\",\"href\":\"x\",\"type\":\"file\",\
         \"size\":11,\"modified\":\"Sun, 06 Nov 1994 08:49:37 GMT\"}\n]}\n"
    );
    assert_eq!(world.request("GET /", "If-Match: \"x\"\r\n").status, 412); // RFC 9110 §13.1.1
    assert_eq!(world.request("GET /", "If-None-Match: *\r\n").status, 304);
    assert_eq!(world.request("GET /", "If-None-Match: \"x\"\r\n").status, 200);
}

#[test]
fn pages_escape_what_they_repeat() {
    let mut world = World::new(&[], options());
    let answer = world.get("/<script>alert('x')</script>?\"&");
    assert_eq!((answer.status, answer.field("Content-Type")), (404, Some("text/html; charset=utf-8")));
    assert!(answer.text().contains("/&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;?&quot;&amp;"));
    assert!(!answer.text().contains("<script"));
    assert!(world.get(&format!("/{}", "a".repeat(5000))).content.len() < 1500);
}

#[test]
fn bytes_that_are_not_a_request_get_a_page_too() {
    let mut world = World::new(&[], options());
    for bad in BadRequest::ALL {
        let answer = TestResponse::of(world.site.refuse(*bad));
        assert_eq!(answer.status, bad.status().0.code());
        assert!(answer.text().contains(bad.status().1) && answer.field("X-Content-Type-Options").is_some());
    }
    let answer = world.rejected("/");
    assert_eq!((answer.status, answer.field("Retry-After")), (503, Some("1")));
    assert_eq!(world.rejected("/-/healthy").status, 200, "it is full, not ill");
    assert_eq!(world.rejected("/-/ready").status, 503);
}

#[test]
fn the_form_of_a_listing_is_the_one_that_the_client_names() {
    let mut world = World::new(&["d/a.txt"], SiteOptions { listing: true, ..options() });
    for (accept, expected) in [
        ("*/*", "text/html; charset=utf-8"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"),
        ("application/json", "application/json"),
        ("application/json, text/plain, */*", "application/json"),
        ("*/*, application/json", "application/json"),
        ("application/*, */*", "application/json"),
        ("application/json, text/html", "text/html; charset=utf-8"),
        ("application/json;q=0.9, */*", "text/html; charset=utf-8"),
        ("application/json;q=0", "text/html; charset=utf-8"),
    ] {
        let answer = world.request("GET /d/", &format!("Accept: {accept}\r\n"));
        assert_eq!(answer.field("Content-Type"), Some(expected), "{accept}");
    }
}

#[test]
fn a_listing_that_is_cut_has_the_first_names() {
    let world = World::new(&[], options());
    for number in (1..=10_100).rev() {
        fs::write(world.folder.path().join(format!("f{number:05}")), "").unwrap();
        // What is hidden does not count.
        if number <= 200 {
            fs::write(world.folder.path().join(format!(".f{number:05}")), "").unwrap();
        }
    }
    let mut world =
        World { site: Site::open(world.folder.path(), SiteOptions { listing: true, ..options() }).unwrap(), ..world };
    let answer = world.get("/");
    let names: Vec<&str> = answer.text().split("href=\"").skip(1).map(|rest| &rest[..6]).collect();
    assert_eq!((names.len(), names[0], names[9_999]), (10_000, "f00001", "f10000"));
    assert!(answer.text().contains("incomplete"));
}
