//! Servers that misbehave, and some that are only rare.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use crate::support::test;
use crate::{assert_responses, compare, compared};

const RESPONSE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

/// A server that has each connection to itself, for the life of the test's process.
fn server(address: &str, serve: impl Fn(TcpStream) + Send + Clone + 'static) -> SocketAddr {
    let listener = TcpListener::bind(address).expect("a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let serve = serve.clone();
            std::thread::spawn(move || serve(stream.expect("a connection")));
        }
    });
    address
}

/// Reads one request; `None` when there are no more.
fn request(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()
}

/// Answers so many requests, and closes unannounced.
fn answers(count: usize) -> impl Fn(TcpStream) + Send + Clone {
    move |mut stream| {
        for _ in 0..count {
            if request(&mut stream).is_none() || stream.write_all(RESPONSE.as_bytes()).is_err() {
                return;
            }
        }
    }
}

test!(a_close_without_a_word_is_counted_and_the_request_sent_again);
fn a_close_without_a_word_is_counted_and_the_request_sent_again() {
    let address = server("127.0.0.1:0", answers(4));
    let told = compared(&format!("http://{address}/"), 10);
    let way = &told["ways"][3];
    assert_eq!(way["responses"], serde_json::json!([4, 4, 2]));
    assert_eq!((&way["unannounced_closes"], &way["sent_again"]), (&2.into(), &2.into()));
    assert_eq!(way["verdict"], "closed after 4 requests, unannounced, 2 sent again");
}

test!(a_server_that_does_not_close_is_found_out);
fn a_server_that_does_not_close_is_found_out() {
    let address = server("127.0.0.1:0", answers(usize::MAX));
    let told = compared(&format!("http://{address}/"), 10);
    assert_eq!(told["ways"][2]["verdict"], "did not close");
    assert_eq!((&told["ways"][2]["left_open"], &told["ways"][2]["connections"]), (&true.into(), &10.into()));
}

test!(ipv6_chunks_trailers_and_interim_responses);
fn ipv6_chunks_trailers_and_interim_responses() {
    let address = server("[::1]:0", |mut stream| {
        while request(&mut stream).is_some() {
            let response = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\
                            Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-Trailer: t\r\n\r\n";
            for part in response.as_bytes().chunks(7) {
                let _ = stream.write_all(part);
            }
        }
    });
    let told = compared(&format!("http://{address}/"), 12);
    assert_eq!(told["ways"][3]["responses"], serde_json::json!([12]));
}

test!(content_may_end_with_its_connection);
fn content_may_end_with_its_connection() {
    let address = server("127.0.0.1:0", |mut stream| {
        if request(&mut stream).is_some() {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nas long as it lasts");
        }
    });
    let told = compared(&format!("http://{address}/"), 5);
    assert_responses(&told, [&[1; 5]; 5]);
}

test!(an_unsolicited_408_is_not_a_response);
/// Node and HAProxy say 408 to a connection that has waited too long.
fn an_unsolicited_408_is_not_a_response() {
    let address = server("127.0.0.1:0", |mut stream| {
        for _ in 0..2 {
            if request(&mut stream).is_none() || stream.write_all(RESPONSE.as_bytes()).is_err() {
                return;
            }
        }
        let _ = stream.write_all(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        let _ = stream.shutdown(std::net::Shutdown::Write);
        while request(&mut stream).is_some() {}
    });
    let told = compared(&format!("http://{address}/"), 4);
    let way = &told["ways"][3];
    assert_eq!((&way["responses"], &way["error_responses"]), (&serde_json::json!([2, 2]), &0.into()));
}

test!(servers_without_a_response_are_one_line);
fn servers_without_a_response_are_one_line() {
    for (response, complaint) in [
        ("", "without a response"),
        ("SSH-2.0-OpenSSH_9.2\r\n", "not an HTTP response"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut", "inside a response"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnone\r\n", "chunk"),
    ] {
        let address = server("127.0.0.1:0", move |mut stream| {
            let _ = request(&mut stream);
            let _ = stream.write_all(response.as_bytes());
        });
        let output = compare(&[&format!("http://{address}/")]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{response:?}: {said}");
        assert!(said.contains(complaint) && said.lines().count() == 1, "{response:?}: {said}");
    }
}
