//! The grammar of `Host` (RFC 9110 §7.2, RFC 3986 §3.2.2).

use super::fields::parse_digits;

/// Whether a value is `uri-host [ ":" port ]` (RFC 9110 §7.2, RFC 3986 §3.2.2). Empty is valid: a client sends it when
/// its target has no authority.
pub fn is_host(value: &[u8]) -> bool {
    let port = match value {
        [b'[', rest @ ..] => {
            let Some(end) = memchr::memchr(b']', rest) else { return false };
            if !is_ip_literal(&rest[..end]) {
                return false;
            }
            &rest[end + 1..]
        }
        _ => {
            let (name, port) = value.split_at(memchr::memchr(b':', value).unwrap_or(value.len()));
            if !is_reg_name(name) {
                return false;
            }
            port
        }
    };
    match port {
        [] => true,
        [b':', digits @ ..] => digits.is_empty() || parse_digits(digits).is_some_and(|port| port <= 65535),
        _ => false,
    }
}

/// Whether this may stand in brackets (RFC 3986 §3.2.2): an IPv6 address, or the form reserved for later versions.
fn is_ip_literal(literal: &[u8]) -> bool {
    if let [b'v' | b'V', future @ ..] = literal {
        let Some(dot) = memchr::memchr(b'.', future) else { return false };
        let (version, address) = (&future[..dot], &future[dot + 1..]);
        return !version.is_empty()
            && version.iter().all(u8::is_ascii_hexdigit)
            && !address.is_empty()
            && address.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:".contains(byte));
    }
    std::str::from_utf8(literal).is_ok_and(|literal| literal.parse::<std::net::Ipv6Addr>().is_ok())
}

/// RFC 3986 §3.2.2: `*( unreserved / pct-encoded / sub-delims )`.
fn is_reg_name(name: &[u8]) -> bool {
    let mut rest = name;
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'%', [high, low, tail @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => tail,
            (b'%', _) => return false,
            _ if first.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(first) => tail,
            _ => return false,
        };
    }
    true
}
