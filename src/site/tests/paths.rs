//! What a request asks for, and where its path leads.

use super::*;

#[test]
fn paths_lead_to_files_or_to_a_reason_why_not() {
    let files = ["index.html", "a.txt", "dir/index.html", "bare/x", ".env", ".well-known/x", "a b%c?d#e", "é"];
    let rows = [
        ("/", 200),
        ("/a.txt", 200),
        ("/%61.txt", 200),
        ("/a.txt/", 404),
        ("/a.txt/b", 404),
        ("/missing", 404),
        ("/missing/", 404),
        ("/dir/", 200),
        ("/dir", 301),
        ("/bare/", 403),
        ("/bare/x", 200),
        ("//a.txt", 200),
        ("/dir/../a.txt", 200),
        ("/dir/%2e%2e/a.txt", 200),
        ("/../a.txt", 400),
        ("/dir/..%2fa.txt", 404),
        ("/dir%2findex.html", 404),
        ("/a%00.txt", 400),
        ("/a%.txt", 400),
        ("/.env", 404),
        ("/%2eenv", 404),
        ("/.well-known/x", 200),
        ("/a%20b%25c%3fd%23e", 200),
        ("/%C3%A9", 200),
        ("/%C0%AEenv", 404),
        ("http://a/a.txt", 200), // RFC 9112 §3.2.2
    ];
    let mut world = World::new(&files, options());
    for (target, status) in rows {
        assert_eq!(world.get(target).status, status, "{target}");
    }
    assert_eq!(world.get(&format!("/{}", "n".repeat(300))).status, 404);
    assert_eq!(world.get(&format!("/{}", "n/".repeat(4000))).status, 404);
    world.site.options.hidden = true;
    assert_eq!(world.get("/.env").status, 200);
}

#[test]
fn a_name_need_not_be_utf8() {
    let mut world = World::new(&[], SiteOptions { listing: true, ..options() });
    fs::write(world.folder.path().join(std::ffi::OsStr::from_bytes(b"\xff<")), "odd").unwrap();
    assert_eq!(world.get("/%ff%3c").text(), "odd");
    assert!(world.get("/").text().contains("<a href=\"%FF%3C\">\u{fffd}&lt;</a>"));
}

#[test]
fn a_folder_without_its_slash_is_redirected_relative_to_its_parent() {
    let rows = [
        ("/dir", "dir/"),
        ("/dir?q=1&r=/x", "dir/?q=1&r=/x"),
        ("/dir?", "dir/?"),
        ("/up/dir", "dir/"),
        ("//dir", "dir/"), // never `//dir/`, which is another host
        ("///dir", "dir/"),
        ("/na:me", "na%3Ame/"), // never a scheme (RFC 3986 §4.2)
        ("/a%20b%25%3F%23", "a%20b%25%3F%23/"),
        ("/%C3%A9", "%C3%A9/"),
        ("/%0d%0aX:%20y", "%0D%0AX%3A%20y/"),
    ];
    let files = ["dir/x", "up/dir/x", "na:me/x", "a b%?#/x", "é/x", "\r\nX: y/x"];
    let mut world = World::new(&files, options());
    for (target, location) in rows {
        let answer = world.get(target);
        assert_eq!((answer.status, answer.field("Location")), (301, Some(location)), "{target}");
    }
}

#[test]
fn an_unlisted_folder_says_how_folders_are_listed() {
    let mut world = World::new(&["bare/<x>"], options());
    let answer = world.get("/bare/?<q>");
    let sentence = "A folder without an index is not listed. Start with --listing to list folders: <code>";
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains(&format!("{sentence}/bare/?&lt;q&gt;</code>")), "{}", answer.text());
}

#[test]
fn the_operator_may_word_the_404_or_route_it_to_an_application() {
    let files = ["oops.html", "a.txt", ".env", "bare/x"];
    let not_found = SiteOptions { not_found: Some("/oops.html".into()), ..options() };
    let spa = SiteOptions { spa: true, ..not_found.clone() };
    // (target, with --not-found, with --spa)
    let rows = [
        ("/missing", 404, 200),
        ("/a/route/", 404, 200),
        ("/missing.js", 404, 404),
        ("/v1.2/route", 404, 200),
        ("/.env", 404, 404),
        ("/a%2fb", 404, 404),
        ("/bare/", 403, 200),
        ("/a.txt", 200, 200),
    ];
    for (options, with_spa) in [(not_found, false), (spa, true)] {
        let mut world = World::new(&files, options);
        for (target, without, with) in rows {
            let answer = world.get(target);
            assert_eq!(answer.status, if with_spa { with } else { without }, "{target}");
            if answer.status == 404 {
                assert_eq!(answer.text(), "this is oops.html", "{target}");
                assert_eq!(answer.field("Content-Type"), Some("text/html; charset=utf-8"));
                assert_eq!(answer.field("ETag"), None);
            }
        }
        fs::remove_file(world.folder.path().join("oops.html")).unwrap();
        assert!(world.get("/missing.js").text().contains("404 Not Found"));
    }
}

#[test]
fn methods_and_expectations_are_answered_before_the_path() {
    let rows = [
        ("OPTIONS *", "", 204), // RFC 9110 §9.3.7
        ("OPTIONS /missing", "", 204),
        ("POST /missing", "", 405),     // RFC 9110 §15.5.6
        ("POST /-/lab/close", "", 405), // from a client that may not view the console
        ("PUT /a.txt", "", 405),
        ("DELETE /a.txt", "", 405),
        ("PATCH /a.txt", "", 405),
        ("TRACE /a.txt", "", 405),
        ("CONNECT a:80", "", 405),
        ("BREW /a.txt", "", 501), // RFC 9110 §15.6.2
        ("get /a.txt", "", 501),  // RFC 9110 §9.1: methods are case-sensitive
        ("GET /a.txt", "Expect: 100-continue\r\n", 200),
        ("GET /a.txt", "Expect: sunshine\r\n", 417), // RFC 9110 §10.1.1
        ("BREW /a.txt", "Expect: sunshine\r\n", 417),
    ];
    let mut world = World::new(&["a.txt"], options());
    for (request, fields, status) in rows {
        let answer = world.request(request, fields);
        assert_eq!(answer.status, status, "{request}");
        let allow = matches!(status, 204 | 405).then_some("GET, HEAD, OPTIONS");
        assert_eq!(answer.field("Allow"), allow, "{request}");
        assert_eq!(answer.length == Length::NoContent, status == 204, "{request}");
    }
}

#[test]
fn bytes_beyond_ascii_are_taken_as_themselves() {
    let mut world = World::new(&["测.txt", "é/index.html"], options());
    for target in ["/测.txt", "/%E6%B5%8B.txt", "/测.txt?q=测试", "/é/"] {
        assert_eq!(world.get(target).status, 200, "{target}");
    }
    assert_eq!(world.get("/没有").status, 404);
    let redirect = world.get("/é?q=试");
    assert_eq!((redirect.status, redirect.field("Location")), (301, Some("%C3%A9/?q=%E8%AF%95")));
}
