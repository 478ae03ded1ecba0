//! Why a connection ended: one row per reason, from which logs, metrics and pages derive their words.

use std::fmt;

/// Who ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Closer {
    /// The peer did.
    Client,
    /// We did.
    Server,
    /// Neither: the path between them failed.
    Network,
}

impl Closer {
    /// `client`, `server` or `network`.
    pub const fn label(self) -> &'static str {
        match self {
            Closer::Client => "client",
            Closer::Server => "server",
            Closer::Network => "network",
        }
    }
}

/// The manner in which a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum How {
    /// In order: each side sent a FIN.
    Fin,
    /// At once, by an RST or an error that amounts to one.
    Reset,
}

impl How {
    /// `fin` or `reset`.
    pub const fn label(self) -> &'static str {
        match self {
            How::Fin => "fin",
            How::Reset => "reset",
        }
    }
}

/// Writes the enum, its list and its table from the same rows, so that none can be forgotten.
macro_rules! close_reasons {
    ($($(#[$doc:meta])* $name:ident, $closer:ident, $label:literal, $sentence:literal, $zh:literal;)*) => {
        /// Why a connection ended. Each reason has a label for machines, a sentence for people in
        /// English and in Chinese, and a culprit.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum CloseReason {
            $(#[doc = $sentence] $name,)*
        }

        impl CloseReason {
            /// Every reason, in the order of the table.
            pub const ALL: &[CloseReason] = &[$(CloseReason::$name,)*];

            /// The stable name in logs, metrics and JSON.
            pub const fn label(self) -> &'static str {
                match self { $(CloseReason::$name => $label,)* }
            }

            /// The sentence for people, without a full stop.
            pub const fn sentence(self) -> &'static str {
                match self { $(CloseReason::$name => $sentence,)* }
            }

            /// The same sentence in Chinese.
            pub const fn sentence_zh(self) -> &'static str {
                match self { $(CloseReason::$name => $zh,)* }
            }

            /// Who ended the connection.
            pub const fn by(self) -> Closer {
                match self { $(CloseReason::$name => Closer::$closer,)* }
            }
        }
    };
}

close_reasons! {
    ClientAsked, Server, "client-asked",
        "the client sent Connection: close",
        "客户端发送了 Connection: close";
    Http10, Server, "http10",
        "the HTTP/1.0 request did not ask for keep-alive",
        "HTTP/1.0 请求没有要求 keep-alive";
    KeepAliveOff, Server, "keep-alive-off",
        "keep-alive is switched off (--keep-alive-timeout 0)",
        "服务器关闭了 keep-alive（--keep-alive-timeout 0）";
    RequestLimit, Server, "request-limit",
        "the connection reached its request limit (--max-requests)",
        "连接达到请求数上限（--max-requests）";
    AgeLimit, Server, "age-limit",
        "the connection reached its age limit (--max-age)",
        "连接达到存活时间上限（--max-age）";
    IdleTimeout, Server, "idle-timeout",
        "no request came within the promised idle time (--keep-alive-timeout)",
        "承诺的空闲时间内没有新请求（--keep-alive-timeout）";
    NoRequest, Server, "no-request",
        "the client connected but sent no request (--head-timeout)",
        "客户端建立连接后从未发来请求（--head-timeout）";
    HeadTimeout, Server, "head-timeout",
        "the request head did not arrive in time (--head-timeout)",
        "请求头未在时限内收完（--head-timeout）";
    ContentTimeout, Server, "body-timeout",
        "the request body did not arrive in time (--body-timeout)",
        "请求体未在时限内收完（--body-timeout）";
    ContentTooLarge, Server, "body-too-large",
        "the request body exceeds --max-body",
        "请求体超过 --max-body";
    ContentUnread, Server, "body-unread",
        "the response was sent before the request body was read",
        "请求体不需要，未读完就已响应";
    SendTimeout, Server, "send-timeout",
        "the client stopped reading the response (--send-timeout)",
        "客户端不再读取响应（--send-timeout）";
    LiveFeed, Server, "live-feed",
        "the response is a live feed, which ends only with its connection",
        "响应是实时事件流，只随连接一同结束";
    SlowReader, Server, "slow-reader",
        "the client read the live feed too slowly",
        "客户端读取实时事件流太慢";
    BadRequest, Server, "bad-request",
        "the request was malformed, too large or not supported",
        "请求格式有误、过大或不受支持";
    Evicted, Server, "evicted",
        "the idle connection was closed to make room for a new one",
        "空闲连接被关闭，为新连接腾出名额";
    TooMany, Server, "too-many",
        "too many connections are open (--max-connections, --max-per-ip)",
        "连接数已达上限（--max-connections、--max-per-ip）";
    Draining, Server, "draining",
        "the server is shutting down",
        "服务器正在停止";
    FileChanged, Server, "file-changed",
        "the file became shorter while it was being sent",
        "文件在发送过程中变短了";
    Lab, Server, "lab",
        "the lab ends the connection as the request asked",
        "实验室按请求的要求结束连接";
    InternalError, Server, "internal-error",
        "the server failed; its log says why",
        "服务器内部出错，详见其日志";
    ClientClosed, Client, "client-closed",
        "the client closed the connection between requests",
        "客户端在两次请求之间关闭了连接";
    ClientAborted, Client, "client-aborted",
        "the client closed the connection during a request or response",
        "客户端在请求或响应中途关闭了连接";
    ClientReset, Client, "client-reset",
        "the client reset the connection",
        "客户端重置了连接（RST）";
    ProbeFailed, Network, "probe-failed",
        "the client did not answer TCP keep-alive probes or retransmissions",
        "客户端对 TCP 保活探测或重传没有应答";
    IoError, Network, "io-error",
        "the socket reported a network error",
        "套接字报告了网络错误";
}

impl CloseReason {
    /// Whether a request that arrives after our FIN lost a keep-alive race: nothing had announced the close, so its
    /// sender did nothing wrong. The lab makes the race on demand: its FIN is sent when the request has arrived, so
    /// that the request is lost, and late by nothing.
    pub const fn can_race(self) -> bool {
        use CloseReason::{Draining, Evicted, IdleTimeout, Lab, NoRequest, TooMany};
        matches!(self, IdleTimeout | NoRequest | Draining | Evicted | TooMany | Lab)
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_unique_kebab_case_and_sentences_read_on() {
        let mut labels: Vec<_> = CloseReason::ALL.iter().map(|reason| reason.label()).collect();
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), CloseReason::ALL.len());
        let mut sentences = std::collections::HashSet::new();
        for reason in CloseReason::ALL {
            assert!(reason.label().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            let sentence = reason.sentence();
            assert!(!sentence.ends_with('.') && sentences.insert(sentence), "{reason}");
            // It stands between quotes in Server-Timing (RFC 9110 §5.6.4), and in one cell of a table.
            assert!(sentence.bytes().all(|b| matches!(b, b' '..=b'~') && !b"\"\\|".contains(&b)), "{reason}");
            assert!(sentence.len() <= 80, "{reason}");
        }
    }
}
