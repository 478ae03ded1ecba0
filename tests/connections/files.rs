//! Files that change while they are served: head and content are of the same bytes, and a new request sees the new file.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::support::{Root, Server, Wire, get, pattern};

const BIG: usize = 20_000_000;

/// Writes a file elsewhere in the folder and moves it to its place.
fn replace(root: &Root, name: &str, content: &[u8]) {
    let new = root.at("new");
    fs::write(&new, content).expect("the new file is written");
    fs::rename(new, root.at(name)).expect("it takes the old one's place");
}

/// Asks for a large file and reads its beginning.
fn begin_download(server: &Server) -> Wire {
    let mut wire = server.connect();
    wire.send(get("/big.bin", &[]));
    wire.read_some(100_000);
    wire
}

#[test]
fn a_new_request_sees_the_new_file() {
    let root = Root::new().file("page.txt", "old");
    let server = Server::start(&root, &[]);
    let mut wire = server.connect();
    let mut tags = vec![wire.get("/page.txt").field("etag").map(str::to_owned)];
    for n in 0..50 {
        let content = format!("new {n:02}");
        replace(&root, "page.txt", content.as_bytes());
        let response = wire.get("/page.txt");
        assert_eq!(response.body, content.as_bytes());
        let tag = response.field("etag").map(str::to_owned);
        assert!(!tags.contains(&tag), "two files share the entity tag {tag:?}");
        tags.push(tag);
    }
}

#[test]
fn a_file_that_is_replaced_is_sent_as_it_was() {
    let content = pattern(BIG);
    let root = Root::new().file("big.bin", &content);
    let server = Server::start(&root, &[]);
    let mut wire = begin_download(&server);
    replace(&root, "big.bin", b"small");
    assert!(wire.read_response().body == content, "not the old file");
    assert_eq!(wire.get("/big.bin").body, b"small");
}

#[test]
fn a_file_that_is_removed_is_sent_as_it_was() {
    let content = pattern(BIG);
    let root = Root::new().file("big.bin", &content);
    let server = Server::start(&root, &[]);
    let mut wire = begin_download(&server);
    fs::remove_file(root.at("big.bin")).expect("the file is removed");
    assert!(wire.read_response().body == content, "not the old file");
    assert_eq!(wire.get("/big.bin").status, 404);
}

#[test]
fn a_file_that_grows_is_cut_at_the_promised_length() {
    let content = pattern(BIG);
    let root = Root::new().file("big.bin", &content);
    let server = Server::start(&root, &[]);
    let mut wire = begin_download(&server);
    let mut file = fs::File::options().append(true).open(root.at("big.bin")).expect("the file opens");
    file.write_all(&[b'x'; 100_000]).expect("the file grows");
    assert!(wire.read_response().body == content, "more or less than was promised");
    assert_eq!(wire.get("/big.bin").body.len(), BIG + 100_000);
}

/// A folder that is deployed again under the same name is served again, without a restart.
#[test]
fn a_root_that_comes_back_is_served_again() {
    let outer = Root::new().file("site/page.txt", "old");
    let site = outer.at("site");
    let server = Server::serve(&site, &[]);
    let mut wire = server.connect();
    assert_eq!(wire.get("/page.txt").body, b"old");
    fs::remove_dir_all(&site).expect("the root is removed");
    assert_eq!(wire.get("/page.txt").status, 404);
    write_new(&site);
    assert_eq!(wire.get("/page.txt").body, b"new");
}

/// Deployed by renaming: the old folder still exists elsewhere, and is not the root any more.
#[test]
fn a_root_that_is_exchanged_is_served_as_it_is_now() {
    let outer = Root::new().file("site/page.txt", "old");
    let site = outer.at("site");
    let server = Server::serve(&site, &[]);
    let mut wire = server.connect();
    assert_eq!(wire.get("/page.txt").body, b"old");
    fs::remove_file(site.join("page.txt")).expect("the file is removed");
    fs::rename(&site, outer.at("aside")).expect("the root is moved aside");
    write_new(&site);
    assert_eq!(wire.get("/page.txt").body, b"new");
}

fn write_new(site: &Path) {
    fs::create_dir(site).expect("the root is there again");
    fs::write(site.join("page.txt"), "new").expect("with a file");
}
