//! The demonstration site that is built in is answered as if it lay in a folder.

use super::*;

fn embedded(options: SiteOptions) -> World {
    world(Site::embedded(options))
}

/// The same site, from its folder.
fn from_folder(options: SiteOptions) -> World {
    let www = Path::new(env!("CARGO_MANIFEST_DIR")).join("www");
    world(Site::open(&www, options).unwrap())
}

fn world(site: Site) -> World {
    // As long after the program was built as anybody likes.
    World { folder: TempDir::new().unwrap(), site, now: 4_000_000_000, moment: Moment::default() }
}

/// What may differ is replaced: when a file was written, and its tag.
fn without_validators(fields: &str) -> String {
    let known = |line: &&str| line.starts_with("ETag: ") || line.starts_with("Last-Modified: ");
    let names = fields.lines().map(|line| if known(&line) { line.split(' ').next().unwrap_or_default() } else { line });
    names.collect::<Vec<_>>().join("\n")
}

/// All paths of the site's files, by what lies in the folder.
fn targets() -> Vec<String> {
    fn collect(folder: &Path, prefix: &str, targets: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let (entry, name) = entry.map(|entry| (entry.path(), entry.file_name().into_string().unwrap())).unwrap();
            match entry.is_dir() {
                true => collect(&entry, &format!("{prefix}{name}/"), targets),
                false => targets.push(format!("{prefix}{name}")),
            }
        }
    }
    let mut targets = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("www"), "/", &mut targets);
    targets
}

#[test]
fn every_file_of_the_folder_is_built_in_and_answered_alike() {
    let options = SiteOptions { cache_control: Some("max-age=60".into()), ..options() };
    let (mut folder, mut embedded) = (from_folder(options.clone()), embedded(options));
    let mut requests: Vec<(String, &str)> = targets().iter().map(|path| (format!("GET {path}"), "")).collect();
    assert!(requests.len() > 30, "{requests:?}");
    for (request, fields) in [
        ("GET /", ""),
        ("HEAD /", ""),
        ("GET /index.html?x=1", ""),
        ("GET /experiments", ""),
        ("GET /experiments/", ""),
        ("GET /nothing", ""),
        ("GET /index.html/", ""),
        ("GET /style.css/x", ""),
        ("GET /../x", ""),
        ("GET //style.css", ""),
        ("GET /.hidden", ""),
        ("POST /", ""),
        ("OPTIONS /", ""),
        ("GET /style.css", "Range: bytes=5-14\r\n"),
        ("GET /style.css", "Range: bytes=-10\r\n"),
        ("GET /style.css", "Range: bytes=9999999-\r\n"),
        ("GET /style.css", "If-Match: *\r\n"),
        ("GET /style.css", "If-None-Match: *\r\n"),
        ("GET /style.css", "If-Modified-Since: Fri, 31 Dec 2095 23:59:59 GMT\r\n"),
        ("GET /style.css", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"),
        ("GET /style.css", "Accept-Encoding: gzip\r\n"),
    ] {
        requests.push((request.to_owned(), fields));
    }
    for (request, fields) in requests {
        let [from_folder, embedded] = [&mut folder, &mut embedded].map(|world| world.request(&request, fields));
        let what = format!("{request} {fields}");
        assert_eq!(embedded.status, from_folder.status, "{what}");
        assert_eq!(without_validators(&embedded.fields), without_validators(&from_folder.fields), "{what}");
        assert!(embedded.content == from_folder.content, "{what}");
    }
}

#[test]
fn an_embedded_file_has_validators_that_hold() {
    let mut world = embedded(options());
    let first = world.get("/style.css");
    let (etag, date) = (first.field("ETag").unwrap(), first.field("Last-Modified").unwrap());
    let program = fs::metadata(std::env::current_exe().unwrap()).unwrap().modified().unwrap();
    assert_eq!(date, Date::from_unix(program.duration_since(UNIX_EPOCH).unwrap().as_secs()).as_str());
    for (fields, status) in [
        (format!("If-None-Match: {etag}\r\n"), 304),
        (format!("If-Modified-Since: {date}\r\n"), 304),
        (format!("If-Match: {etag}\r\n"), 200),
        ("If-Match: \"other\"\r\n".to_owned(), 412),
        (format!("Range: bytes=0-3\r\nIf-Range: {etag}\r\n"), 206),
        (format!("Range: bytes=0-3\r\nIf-Range: {date}\r\n"), 206),
        ("Range: bytes=0-3\r\nIf-Range: \"other\"\r\n".to_owned(), 200),
    ] {
        assert_eq!(world.request("GET /style.css", &fields).status, status, "{fields}");
    }
    let parts = world.request("GET /style.css", "Range: bytes=0-3,10-13\r\n");
    assert_eq!(parts.status, 206);
    assert!(parts.field("Content-Type").unwrap().starts_with("multipart/byteranges"));
    // Other bytes, another tag; the same bytes in another process, the same one.
    assert_ne!(world.get("/app.js").field("ETag"), Some(etag));
    assert_eq!(embedded(options()).get("/style.css").field("ETag"), Some(etag));
}

#[test]
fn the_embedded_site_obeys_the_options_of_a_folder() {
    let mut world = embedded(SiteOptions { listing: true, precompressed: true, ..options() });
    let listing = world.get("/tiles/");
    assert_eq!(listing.status, 200);
    for name in ["a1.svg", "c6.svg"] {
        assert!(listing.text().contains(&format!("<a href=\"{name}\">{name}</a>")), "{}", listing.text());
    }
    let json = world.request("GET /tiles/", "Accept: application/json\r\n");
    assert_eq!(json.text().matches("\"type\":\"file\"").count(), 18);
    // Nothing lies compressed beside its file, so nothing is negotiated.
    assert_eq!(world.request("GET /style.css", "Accept-Encoding: gzip, br\r\n").field("Vary"), None);

    let mut listed = embedded(SiteOptions { listing: true, index: "none".into(), ..options() });
    let listing = listed.get("/").text().to_owned();
    assert!(listing.contains("href=\"experiments/\"") && listing.contains("href=\"favicon.svg\""), "{listing}");

    let mut page = embedded(SiteOptions { not_found: Some("index.html".into()), ..options() });
    let missing = page.get("/nothing");
    assert_eq!((missing.status, missing.field("ETag")), (404, None));
    assert!(missing.content == page.get("/").content);
    let mut application = embedded(SiteOptions { not_found: Some("index.html".into()), spa: true, ..options() });
    assert_eq!((application.get("/some/path").status, application.get("/some.js").status), (200, 404));
}

#[test]
fn an_embedded_file_is_kept_ready_like_any_other() {
    let mut world = embedded(options());
    let (fresh, kept) = (world.get("/"), world.get("/"));
    assert_eq!((fresh.fields, fresh.content), (kept.fields, kept.content));
    world.site.look_again();
    assert!(world.site.cache.get("/", world.moment).is_some());
    assert!(!world.site.close_files(), "it has no descriptor to give back");
}
