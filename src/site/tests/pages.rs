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
fn what_is_no_request_gets_a_page_too() {
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
