//! The five ways to make the same requests: one row each.

use crate::tools::HttpUrl;

/// How requests share connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// What people call it.
    pub label: &'static str,
    /// The version in its request lines.
    version: &'static str,
    /// Its `Connection` field.
    connection: Option<&'static str>,
    /// The client wants to use a connection again.
    pub reuses: bool,
    /// It sends requests before earlier ones are answered (RFC 9112 §9.3.2).
    pub pipelines: bool,
}

/// From the shortest connections to the longest.
pub const WAYS: [Way; 5] = [
    Way { label: "HTTP/1.0", version: "1.0", connection: None, reuses: false, pipelines: false },
    Way {
        label: "HTTP/1.0 keep-alive",
        version: "1.0",
        connection: Some("keep-alive"),
        reuses: true,
        pipelines: false,
    },
    Way { label: "HTTP/1.1 close", version: "1.1", connection: Some("close"), reuses: false, pipelines: false },
    Way { label: "HTTP/1.1", version: "1.1", connection: None, reuses: true, pipelines: false },
    Way { label: "HTTP/1.1 pipelined", version: "1.1", connection: None, reuses: true, pipelines: true },
];

impl Way {
    /// The request as it goes out.
    pub fn request(&self, target: &HttpUrl) -> String {
        let HttpUrl { authority, path, .. } = target;
        let connection = self.connection.map(|option| format!("Connection: {option}\r\n")).unwrap_or_default();
        format!(
            "GET {path} HTTP/{}\r\nHost: {authority}\r\nUser-Agent: holdline-compare\r\nAccept: */*\r\n{connection}\r\n",
            self.version
        )
    }

    /// The requests are sent as HTTP/1.0.
    pub fn is_http10(&self) -> bool {
        self.version == "1.0"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_differ_in_version_and_connection_alone() {
        let target: HttpUrl = "http://[::1]:8080/a?b".parse().unwrap();
        let heads = WAYS.map(|way| way.request(&target).replace("User-Agent: holdline-compare\r\nAccept: */*\r\n", ""));
        assert_eq!(heads[0], "GET /a?b HTTP/1.0\r\nHost: [::1]:8080\r\n\r\n");
        assert_eq!(heads[1], "GET /a?b HTTP/1.0\r\nHost: [::1]:8080\r\nConnection: keep-alive\r\n\r\n");
        assert_eq!(heads[2], "GET /a?b HTTP/1.1\r\nHost: [::1]:8080\r\nConnection: close\r\n\r\n");
        assert_eq!(heads[3], "GET /a?b HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n");
        assert_eq!(heads[3], heads[4]);
    }
}
