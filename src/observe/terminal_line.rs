//! The short lines about a connection, as a terminal shows them.

use std::time::Duration;

use super::palette::Palette;
use super::text::{Brief, Escaped, Size, cut, plural};
use super::{Answered, ConnectionId, Life, Peer};
use crate::http::{Closer, FirstFin, How};

/// Columns that a line keeps to.
const COLUMNS: usize = 100;

/// Columns of the local time and what separates it from the rest.
const TIME_COLUMNS: usize = 14;

/// An idle time that is worth telling.
const NOTABLE: Duration = Duration::from_millis(100);

/// Writes the lines of one connection: all of a line behind the time.
#[derive(Clone, Copy, Debug)]
pub(super) struct TerminalLine<'a> {
    pub(super) conn: ConnectionId,
    pub(super) palette: &'a Palette,
}

/// What a request asks for, as it is shown. What the peer sent can't leave its line or control the terminal.
pub(super) fn asked(method: &str, target: &str) -> String {
    let beginning = |text: &'_ str| Escaped(&text.as_bytes()[..text.len().min(COLUMNS + 1)]).to_string();
    cut(&[beginning(method), beginning(target)].join(" "), COLUMNS).into_owned()
}

impl TerminalLine<'_> {
    pub(super) fn opened(self, peer: Peer) -> String {
        let dim = self.palette.dim;
        match peer {
            Peer::Ip(address) => self.line(format_args!("{dim}opened by {address}{dim:#}")),
            Peer::Unix => self.line(format_args!("{dim}opened through a Unix socket{dim:#}")),
        }
    }

    /// `GET / -> 200, 4.7k in 0.3 ms  (request 1, kept)`
    pub(super) fn answered(self, number: Option<u32>, asked: &str, answered: &Answered) -> String {
        let Answered { status, content, persistence, took, complete, .. } = *answered;
        let (size, took) = (Size(content), Brief(took));
        let outcome = match (complete, content) {
            (false, _) => format!(" -> {}, cut at {size} after {took}", status.code()),
            (true, 0) => format!(" -> {} in {took}", status.code()),
            (true, _) => format!(" -> {}, {size} in {took}", status.code()),
        };
        let fate = if persistence.close_reason().is_none() { "kept" } else { "close" };
        let place = number.map_or_else(|| format!("({fate})"), |number| format!("(request {number}, {fate})"));
        let asked = cut(asked, self.room().saturating_sub(outcome.chars().count() + 2 + place.len()));
        let Palette { dim, first, reused, .. } = *self.palette;
        let style = if number.is_none_or(|number| number == 1) { first } else { reused };
        self.line(format_args!("{style}{asked}{style:#}{outcome}  {dim}{place}{dim:#}"))
    }

    pub(super) fn lost_race(self, late: Duration) -> String {
        let race = self.palette.race;
        if late.is_zero() {
            return self.line(format_args!("{race}RACE LOST: a request arrived as our FIN left{race:#}"));
        }
        self.line(format_args!("{race}RACE LOST: a request arrived {} after our FIN{race:#}", Brief(late)))
    }

    pub(super) fn views_the_feed(self) -> String {
        let reused = self.palette.reused;
        let text = "watches the live feed; requests for /-/status and the like are not shown";
        self.line(format_args!("{reused}{text}{reused:#}"))
    }

    /// `FIN by server after 75 s idle: no request came within the promised idle time`
    pub(super) fn closed(self, life: &Life<'_>) -> String {
        let reason = life.ending.reason;
        let end = match (life.ending.how, life.reset_by, life.first_fin) {
            (How::Reset, Some(Closer::Client), _) => "RST by client",
            (How::Reset, Some(_), _) => "RST by server",
            (How::Reset, None, _) => "failed",
            (How::Fin, _, FirstFin::Client) => "FIN by client",
            (How::Fin, _, FirstFin::Server) => "FIN by server",
            (How::Fin, _, FirstFin::None) => "closed",
        };
        let notable = life.idle >= NOTABLE;
        let idle = if notable { format!(" after {} idle", Brief(life.idle)) } else { String::new() };
        let sentence = reason.sentence();
        // The flag that rules it stands behind the sentence, in parentheses.
        let short = sentence.split(" (--").next().unwrap_or(sentence);
        let requests = format!(" ({})", plural(life.requests.into(), "request", "requests"));
        // The fullest that fits.
        let texts = [
            format!("{end}{idle}: {sentence}{requests}"),
            format!("{end}{idle}: {short}{requests}"),
            format!("{end}{idle}: {short}"),
            format!("{end}: {short}"),
        ];
        let fits = |text: &&String| text.chars().count() <= self.room();
        let text = texts.iter().find(fits).unwrap_or(&texts[3]);
        let style = match reason.by() {
            Closer::Client => self.palette.client,
            Closer::Server => self.palette.server,
            Closer::Network => self.palette.network,
        };
        self.line(format_args!("{style}{text}{style:#}"))
    }

    fn line(self, text: std::fmt::Arguments<'_>) -> String {
        let dim = self.palette.dim;
        format!("{dim}#{:<3}{dim:#} {text}", self.conn.0)
    }

    /// Columns that are left for the text.
    fn room(self) -> usize {
        COLUMNS - TIME_COLUMNS - format!("#{:<3} ", self.conn.0).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{CloseReason, Ending, Facts, Limits, Status, persistence};
    use crate::observe::ledger;

    fn line(conn: u64) -> TerminalLine<'static> {
        TerminalLine { conn: ConnectionId(conn), palette: &Palette::PLAIN }
    }

    fn answered(content: u64, micros: u64) -> Answered {
        Answered {
            number: 1,
            status: Status::OK,
            content,
            persistence: persistence::decide(&Facts::default(), &Limits::DEFAULT),
            took: Duration::from_micros(micros),
            complete: true,
        }
    }

    fn life(reason: CloseReason) -> Life<'static> {
        Life { ending: Ending { reason, how: How::Fin }, idle: Duration::ZERO, requests: 2, ..ledger::tests::life() }
    }

    #[test]
    fn each_step_has_its_line() {
        let peer = Peer::Ip("127.0.0.1:50312".parse().unwrap());
        assert_eq!(line(1).opened(peer), "#1   opened by 127.0.0.1:50312");
        assert_eq!(line(1).opened(Peer::Unix), "#1   opened through a Unix socket");
        let get = asked("GET", "/?a=b");
        let facts = Facts { fault: Some(CloseReason::BadRequest), ..Facts::default() };
        let close = persistence::decide(&facts, &Limits::DEFAULT);
        let rows = [
            (answered(4_700, 310), "#1   GET /?a=b -> 200, 4.7k in 0.3 ms  (request 1, kept)"),
            (answered(0, 12_000), "#1   GET /?a=b -> 200 in 12 ms  (request 1, kept)"),
            (
                Answered { persistence: close, ..answered(9, 1) },
                "#1   GET /?a=b -> 200, 9 in 0.0 ms  (request 1, close)",
            ),
            (
                Answered { persistence: close, complete: false, ..answered(1_200_000, 3_140_000) },
                "#1   GET /?a=b -> 200, cut at 1.2M after 3.1 s  (request 1, close)",
            ),
        ];
        for (answered, expected) in rows {
            assert_eq!(line(1).answered(Some(1), &get, &answered), expected);
        }
        let bad = Answered { status: Status::BAD_REQUEST, persistence: close, ..answered(251, 100) };
        assert_eq!(
            line(7).answered(None, "(no valid request)", &bad),
            "#7   (no valid request) -> 400, 251 in 0.1 ms  (close)"
        );
        assert_eq!(line(7).lost_race(Duration::ZERO), "#7   RACE LOST: a request arrived as our FIN left");
        let late = line(1234).lost_race(Duration::from_micros(2_100));
        assert_eq!(late, "#1234 RACE LOST: a request arrived 2.1 ms after our FIN");
    }

    #[test]
    fn an_end_says_whose_fin_it_was_and_why() {
        let mut life = life(CloseReason::ClientClosed);
        life.first_fin = FirstFin::Client;
        life.idle = Duration::from_millis(3_210);
        let why = CloseReason::ClientClosed.sentence();
        assert!(line(1).closed(&life).starts_with(&format!("#1   FIN by client after 3.2 s idle: {why}")));
        life.ending = Ending { reason: CloseReason::ClientReset, how: How::Reset };
        life.reset_by = Some(Closer::Client);
        life.idle = Duration::from_millis(99);
        assert_eq!(line(1).closed(&life), "#1   RST by client: the client reset the connection (2 requests)");
        life.requests = 1;
        (life.first_fin, life.reset_by) = (FirstFin::Server, None);
        life.ending = Ending { reason: CloseReason::RequestLimit, how: How::Fin };
        let why = CloseReason::RequestLimit.sentence();
        let (short, flag) = why.split_once(" (").unwrap();
        assert_eq!(line(1).closed(&life), format!("#1   FIN by server: {short} (1 request)"), "{flag} has no room");
    }

    #[test]
    fn every_line_of_an_ordinary_connection_fits() {
        for reason in CloseReason::ALL {
            for idle in [Duration::ZERO, Duration::from_secs(75)] {
                let text = line(999).closed(&Life { idle, requests: 1_000, ..life(*reason) });
                let columns = TIME_COLUMNS + text.chars().count();
                assert!(columns <= COLUMNS, "{columns} columns: {text}");
            }
        }
        let feed = line(999).views_the_feed();
        assert!(TIME_COLUMNS + feed.chars().count() <= COLUMNS, "{feed}");
        for length in [1, 30, 60, 100, 5_000] {
            let get = asked("GET", &format!("/{}", "x".repeat(length)));
            let text = line(12).answered(Some(1000), &get, &answered(4_700, 310));
            let columns = TIME_COLUMNS + text.chars().count();
            assert!(columns <= COLUMNS, "{columns} columns: {text}");
            assert_eq!(text.contains("x… -> 200"), length > 40, "{text}");
        }
    }

    /// The parser lets none of this through as a request. Should it ever, the terminal is still safe.
    #[test]
    fn what_a_peer_sends_is_shown_as_ascii() {
        let shown = asked("G\x1b[2J", "/\r\n\u{202e}gpj.exe?\u{9b}31m\"\\\x07");
        assert_eq!(shown, r#"G\x1b[2J /\x0d\x0a\xe2\x80\xaegpj.exe?\xc2\x9b31m\"\\\x07"#);
        for text in ["ä".repeat(300), "\x1b".repeat(300)] {
            assert!(asked(&text, &text).chars().all(|shown| (' '..='~').contains(&shown) || shown == '…'));
        }
    }

    #[test]
    fn colours_are_those_of_the_live_page() {
        let line = TerminalLine { conn: ConnectionId(1), palette: &Palette::COLOURS };
        let Palette { first, reused, race, client, server, .. } = Palette::COLOURS;
        for (number, style) in [(1, first), (2, reused), (1000, reused)] {
            let text = line.answered(Some(number), "GET /", &answered(1, 1));
            assert!(text.contains(&format!("{style}GET /{style:#}")), "{text:?}");
        }
        assert!(line.lost_race(Duration::ZERO).contains(&format!("{race}RACE LOST")));
        for (reason, style) in [(CloseReason::IdleTimeout, server), (CloseReason::ClientClosed, client)] {
            let text = line.closed(&life(reason));
            assert!(
                text.contains(&format!("{style}FIN by server")) && text.ends_with(&format!("{style:#}")),
                "{text:?}"
            );
        }
    }
}
