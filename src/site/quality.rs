//! Weights of content negotiation (RFC 9110 §12.4.2).

use crate::http::fields::list_members;

/// A weight in thousandths: 0 is "not acceptable", 1000 the most wanted.
pub type Quality = u16;

/// The lowest weight that is still acceptable.
pub const LEAST: Quality = 1;

/// The members of `Accept` or `Accept-Encoding` lines with their weights. A member whose weight is
/// malformed is left out.
pub fn weighted<'a>(lines: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = (&'a [u8], Quality)> {
    lines.flat_map(list_members).filter_map(|member| {
        let mut parameters = member.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let name = parameters.next()?;
        let weight = parameters.find_map(|parameter| match parameter {
            [b'q' | b'Q', b'=', weight @ ..] => Some(weight),
            _ => None,
        });
        Some((name, weight.map_or(Some(1000), parse)?))
    })
}

/// `( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )`
fn parse(weight: &[u8]) -> Option<Quality> {
    let (whole, fraction) = match weight {
        [whole @ (b'0' | b'1')] => (whole, &[][..]),
        [whole @ (b'0' | b'1'), b'.', fraction @ ..] if fraction.len() <= 3 => (whole, fraction),
        _ => return None,
    };
    let mut thousandths = Quality::from(whole - b'0');
    for place in 0..3 {
        let digit = *fraction.get(place).unwrap_or(&b'0');
        if !digit.is_ascii_digit() {
            return None;
        }
        thousandths = thousandths * 10 + Quality::from(digit - b'0');
    }
    (thousandths <= 1000).then_some(thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_read_as_rfc_9110_section_12_4_2_says() {
        let rows = [
            ("0", Some(0)),
            ("0.", Some(0)),
            ("0.5", Some(500)),
            ("0.001", Some(1)),
            ("1", Some(1000)),
            ("1.000", Some(1000)),
            ("1.001", None),
            ("0.0001", None),
            ("2", None),
            (".5", None),
            ("-1", None),
            ("0.x", None),
            ("", None),
        ];
        for (text, expected) in rows {
            assert_eq!(parse(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn members_come_with_their_weight() {
        let lines = [&b"gzip;q=0.5, br"[..], b"text/html;level=1 ; Q=0.2,zz;q=nonsense"];
        let members: Vec<_> = weighted(lines.into_iter()).collect();
        assert_eq!(members, [(&b"gzip"[..], 500), (b"br", 1000), (b"text/html", 200)]);
    }
}
