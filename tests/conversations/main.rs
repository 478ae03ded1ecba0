//! The life of a connection as conversations: what the client says, what the server answers, who hangs up
//! and why. No sockets, no sleeps. Each is replayed byte by byte and at every split.

mod lab;
mod talk;

use std::time::Duration;

use holdline::http::{CloseReason, How, Limits, MAX_BATCH};
use holdline::server::SEND_BUDGET;
use talk::{LARGE, replay, replay_unsplit, replay_with};

const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const LAST: &str = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn millis(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::DEFAULT;
    change(&mut limits);
    limits
}

mod persistence {
    use super::*;

    #[test]
    fn http_1_1_persists_until_the_idle_timeout() {
        replay(Limits::DEFAULT, |talk| {
            talk.client(GET).server(200, &["Keep-Alive: timeout=70, max=999"], |_| true).silence();
            talk.after(secs(60)).client(GET).server(200, &["Keep-Alive: timeout=70, max=998"], |_| true);
            talk.after(millis(74_900)).silence().after(millis(200)).fin();
            let seen = talk.then_closed(CloseReason::IdleTimeout);
            assert_eq!((seen.how, seen.announced, seen.requests, seen.race), (How::Fin, false, 2, None));
            assert!(seen.idle >= secs(75) && seen.idle < millis(75_100), "{:?}", seen.idle);
        });
    }

    #[test]
    fn http_1_0_closes_unless_it_asks_for_keep_alive() {
        replay(Limits::DEFAULT, |talk| {
            talk.client("GET / HTTP/1.0\r\n\r\n").server_closes();
            assert!(talk.then_closed(CloseReason::Http10).announced);
        });
        replay(Limits::DEFAULT, |talk| {
            talk.client("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").server_keeps();
            talk.client("GET / HTTP/1.0\r\n\r\n").server_closes().then_closed(CloseReason::Http10);
        });
    }

    #[test]
    fn close_is_a_token_in_lists_over_several_lines_and_in_any_case() {
        for field in ["close", "Close", "foo, close", "keep-alive,CLOSE", ",, close ,", "foo\r\nConnection: close"] {
            let request = format!("GET / HTTP/1.1\r\nHost: h\r\nConnection: {field}\r\n\r\n");
            replay(Limits::DEFAULT, |talk| {
                talk.client(&request).server_closes();
                let seen = talk.then_closed(CloseReason::ClientAsked);
                assert!(seen.announced && seen.idle.is_zero());
            });
        }
        for field in ["closed", "\"close\"", "close;q=1", "not-close", "clos"] {
            let request = format!("GET / HTTP/1.1\r\nHost: h\r\nConnection: {field}\r\n\r\n");
            replay(Limits::DEFAULT, |talk| {
                talk.client(&request).server_keeps().silence();
            });
        }
    }

    #[test]
    fn the_last_request_of_the_limit_is_answered_with_close() {
        replay(limits(|l| l.max_requests = 3), |talk| {
            talk.client(GET).server(200, &["Keep-Alive: timeout=70, max=2"], |_| true);
            talk.client(GET).server(200, &["Keep-Alive: timeout=70, max=1"], |_| true);
            talk.client(GET).server_closes();
            assert_eq!(talk.then_closed(CloseReason::RequestLimit).requests, 3);
        });
        replay(limits(|l| l.max_requests = 0), |talk| {
            talk.client(GET).server(200, &["Keep-Alive: timeout=70"], |_| true).silence();
        });
    }

    #[test]
    fn less_than_a_second_is_not_promised_as_zero() {
        for (max_requests, expected) in [(3, Some("Keep-Alive: max=2")), (0, None)] {
            let limits = limits(|l| (l.keep_alive_timeout, l.max_requests) = (millis(900), max_requests));
            replay(limits, |talk| {
                let fields: Vec<_> = [Some("Connection: keep-alive"), expected].into_iter().flatten().collect();
                talk.client(GET).server(200, &fields, |_| true);
                assert!(!talk.has_said("timeout="));
                talk.after(millis(800)).client(GET).server_keeps();
            });
        }
    }

    #[test]
    fn an_old_connection_closes_with_its_next_response() {
        replay(limits(|l| l.max_age = secs(100)), |talk| {
            talk.client(GET).server_keeps().after(secs(60));
            talk.client(GET).server_keeps().after(secs(60));
            talk.client(GET).server_closes().then_closed(CloseReason::AgeLimit);
        });
    }

    #[test]
    fn keep_alive_can_be_switched_off() {
        replay(limits(|l| l.keep_alive_timeout = secs(0)), |talk| {
            talk.client(GET).server_closes().then_closed(CloseReason::KeepAliveOff);
        });
    }

    #[test]
    fn a_request_within_the_grace_is_answered_and_restarts_the_clock() {
        let limits = limits(|l| (l.keep_alive_timeout, l.keep_alive_grace) = (secs(2), secs(1)));
        replay(limits, |talk| {
            talk.client(GET).server(200, &["Keep-Alive: timeout=2, max=999"], |_| true);
            talk.after(millis(2_900)).client(GET).server_keeps();
            talk.after(millis(2_900)).silence().after(millis(200)).fin().then_closed(CloseReason::IdleTimeout);
        });
    }
}

mod pipelining {
    use super::*;

    #[test]
    fn pipelined_requests_are_answered_in_order_all_of_them() {
        replay(Limits::DEFAULT, |talk| {
            talk.client(format!("{GET}HEAD / HTTP/1.1\r\nHost: h\r\n\r\nGET /none HTTP/1.1\r\nHost: h\r\n\r\n{GET}"));
            talk.server_keeps().server_head_only(200, talk::PAGE.len());
            talk.server(404, &["Connection: keep-alive"], |_| true).server_keeps().silence();
        });
    }

    #[test]
    fn nothing_behind_a_request_that_closes_is_processed() {
        replay(Limits::DEFAULT, |talk| {
            talk.client(format!("{GET}{GET}{GET}{LAST}{GET}{GET}{GET}"));
            talk.server_keeps().server_keeps().server_keeps().server_closes();
            assert_eq!(talk.then_closed(CloseReason::ClientAsked).requests, 4);
        });
    }

    #[test]
    fn a_large_content_does_not_overtake_or_wait_for_what_is_pipelined_around_it() {
        replay(Limits::DEFAULT, |talk| {
            talk.client(format!("{GET}GET /large HTTP/1.1\r\nHost: h\r\n\r\n{GET}"));
            talk.server_keeps().server(200, &[], |content| content.len() == LARGE).server_keeps().silence();
        });
    }

    #[test]
    fn responses_that_share_a_write_are_told_when_they_are_out() {
        replay(Limits::DEFAULT, |talk| {
            talk.client_takes(0).client_at_once(GET.repeat(3)).client_resets();
            talk.closed(CloseReason::ClientReset);
            assert_eq!(talk.answered_whole(), 0);
        });
        replay(Limits::DEFAULT, |talk| {
            talk.client(GET.repeat(3)).server_keeps().server_keeps().server_keeps();
            assert_eq!(talk.answered_whole(), 3);
        });
    }

    #[test]
    fn while_output_waits_nothing_more_is_read() {
        replay(limits(|l| l.max_requests = 0), |talk| {
            talk.client_takes(0).client(GET).client_at_once(GET.repeat(3000));
            assert!(talk.after(secs(1)).silence().in_the_queue() > 2000 * GET.len());
            talk.client_takes(usize::MAX);
            for _ in 0..3001 {
                talk.server_keeps();
            }
            talk.silence();
        });
    }

    #[test]
    fn a_connection_has_one_budget_in_an_iteration_whatever_drives_it() {
        const GET_LARGE: &str = "GET /large HTTP/1.1\r\nHost: a\r\n\r\n";
        replay_unsplit(Limits::DEFAULT, |talk| {
            // More is left of the first two responses; then an event reports the next two requests.
            for _ in 0..2 {
                let sent = talk.sent_in_one_iteration(GET_LARGE.repeat(2));
                assert!(sent <= SEND_BUDGET + MAX_BATCH as usize, "{sent} bytes");
            }
        });
    }

    #[test]
    fn a_hundred_requests_in_one_write_get_a_hundred_answers() {
        replay(Limits::DEFAULT, |talk| {
            talk.client(GET.repeat(100));
            for left in (900..1000).rev() {
                talk.server(200, &[&format!("Keep-Alive: timeout=70, max={left}")], |_| true);
            }
            talk.silence();
        });
    }
}

mod timeouts {
    use super::*;

    #[test]
    fn a_connection_that_never_spoke_is_closed_without_a_word() {
        replay(Limits::DEFAULT, |talk| {
            talk.after(millis(9_900)).silence().after(millis(200)).fin();
            let seen = talk.then_closed(CloseReason::NoRequest);
            assert_eq!((seen.requests, seen.announced), (0, false));
        });
    }

    #[test]
    fn empty_lines_are_not_a_request() {
        replay(Limits::DEFAULT, |talk| {
            talk.client("\r\n\r\n").after(secs(5)).client("\r\n").after(millis(5_100)).fin();
            talk.then_closed(CloseReason::NoRequest);
        });
    }

    #[test]
    fn a_trickled_head_is_cut_by_the_time_of_its_first_byte() {
        replay(Limits::DEFAULT, |talk| {
            talk.after(secs(5));
            for byte in "GET / HTTP".chars() {
                talk.silence().client(byte.to_string()).after(secs(1));
            }
            talk.after(millis(100)).server_refuses(408);
            assert!(talk.then_closed(CloseReason::HeadTimeout).announced);
        });
    }

    #[test]
    fn the_head_of_a_later_request_has_the_same_time() {
        replay(Limits::DEFAULT, |talk| {
            talk.client(GET).server_keeps().after(secs(60)).client("GET /").after(millis(9_900)).silence();
            talk.after(millis(200)).server_refuses(408).then_closed(CloseReason::HeadTimeout);
        });
    }

    #[test]
    fn a_client_that_takes_nothing_is_reset() {
        replay(Limits::DEFAULT, |talk| {
            talk.client_takes(70_000).client("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
            talk.after(secs(55)).client_takes(10_000).after(millis(59_900));
            talk.after(millis(200)).closed(CloseReason::SendTimeout);
        });
    }

    #[test]
    fn what_reached_the_socket_in_time_is_answered_however_late_the_loop_is() {
        replay(Limits::DEFAULT, |talk| {
            talk.client(GET).server_keeps().after(secs(74)).client_in_the_queue(GET).after_a_stall(secs(30));
            talk.server_keeps().silence();
        });
    }

    #[test]
    fn a_request_that_crosses_our_fin_is_a_race_and_counted() {
        replay(Limits::DEFAULT, |talk| {
            talk.client(GET).server_keeps().after(millis(75_100)).fin();
            talk.client("\r\n").after(millis(2)).client(GET).fin();
            let late = talk.then_closed(CloseReason::IdleTimeout).race.expect("a race");
            assert!(late >= millis(2) && late < millis(100), "{late:?}");
        });
    }

    #[test]
    fn a_first_request_that_comes_too_late_is_a_race() {
        replay(Limits::DEFAULT, |talk| {
            talk.after(secs(11)).fin().client(GET);
            talk.then_closed(CloseReason::NoRequest).race.expect("a race");
        });
    }

    #[test]
    fn a_request_behind_an_announced_close_is_not_a_race() {
        replay(Limits::DEFAULT, |talk| {
            talk.client(LAST).server_closes().client(GET).fin();
            assert_eq!(talk.then_closed(CloseReason::ClientAsked).race, None);
        });
    }

    #[test]
    fn bytes_behind_an_announced_stop_or_that_are_not_a_request_are_not_a_race() {
        replay(Limits::DEFAULT, |talk| {
            talk.client("GET / HT").stop().client("TP/1.1\r\nHost: h\r\n\r\n").server_closes().client(GET).fin();
            assert_eq!(talk.then_closed(CloseReason::Draining).race, None);
        });
        replay(Limits::DEFAULT, |talk| {
            talk.client(GET).server_keeps().after(millis(75_100)).fin().client("\x15\x03");
            assert_eq!(talk.then_closed(CloseReason::IdleTimeout).race, None);
        });
        // What follows bytes that are not a request is the rest of them, whatever it looks like.
        replay(Limits::DEFAULT, |talk| {
            talk.client(GET).server_keeps().after(millis(75_100)).fin().client("\x16\x03\x01").client(GET);
            assert_eq!(talk.then_closed(CloseReason::IdleTimeout).race, None);
        });
        // Not even half of an empty line is the beginning of a request.
        replay(Limits::DEFAULT, |talk| {
            talk.client(GET).server_keeps().after(millis(75_100)).fin().client("\r\n");
            assert_eq!(talk.then_closed(CloseReason::IdleTimeout).race, None);
        });
    }

    #[test]
    fn we_linger_for_the_peer_only_so_long() {
        replay(Limits::DEFAULT, |talk| {
            talk.client(LAST).server_closes().after(millis(1_900)).fin();
            assert_eq!(talk.after(millis(200)).closed(CloseReason::ClientAsked).how, How::Fin);
        });
    }
}

mod bodies {
    use super::*;

    fn post(fields: &str, content: &str) -> String {
        format!("POST / HTTP/1.1\r\nHost: h\r\n{fields}\r\n\r\n{content}")
    }

    const ALLOW: &[&str] = &["Allow: GET, HEAD, OPTIONS", "Connection: keep-alive"];

    #[test]
    fn content_is_dropped_and_the_next_request_found_behind_it() {
        for (fields, content) in [
            ("Content-Length: 5", "hello"),
            ("Content-Length: 0", ""),
            ("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n"),
            ("Transfer-Encoding: Chunked", "3;a=b\r\nGET\r\n2\r\n /\r\n0;z\r\nDigest: x\r\n\r\n"),
        ] {
            replay(Limits::DEFAULT, |talk| {
                talk.client(format!("{}{GET}", post(fields, content)));
                talk.server(405, ALLOW, |_| true).server_keeps().silence();
            });
        }
    }

    #[test]
    fn get_may_have_content_too() {
        replay(Limits::DEFAULT, |talk| {
            talk.client(format!("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 27\r\n\r\n{GET}{GET}"));
            talk.server_keeps().server_keeps().silence();
        });
    }

    #[test]
    fn content_beyond_the_limit_is_refused_and_read_on() {
        replay(limits(|l| l.max_body = 10), |talk| {
            talk.client(post("Content-Length: 11", "hello world")).server_refuses(413);
            talk.client("and so on".repeat(1000)).fin();
            assert!(talk.then_closed(CloseReason::ContentTooLarge).announced);
        });
        replay(limits(|l| l.max_body = 10), |talk| {
            talk.client(post("Transfer-Encoding: chunked", "6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n"));
            talk.server_refuses(413).then_closed(CloseReason::ContentTooLarge);
        });
    }

    #[test]
    fn bad_framing_is_refused_and_nothing_behind_it_is_processed() {
        for (fields, content, status) in [
            ("Transfer-Encoding: chunked", "5\r\nhelloGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            ("Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n", 400),
            ("Transfer-Encoding: gzip", "", 400),
            ("Transfer-Encoding: gzip, chunked", "", 501),
            ("Content-Length: 5\r\nContent-Length: 5", "hello", 400),
            ("Content-Length: +5", "hello", 400),
        ] {
            replay(Limits::DEFAULT, |talk| {
                talk.client(post(fields, content)).server_refuses(status).client(GET).fin();
                talk.then_closed(CloseReason::BadRequest);
            });
        }
    }

    #[test]
    fn content_must_come_at_a_rate() {
        replay(Limits::DEFAULT, |talk| {
            talk.client(post("Content-Length: 100000", "")).after(millis(9_900)).silence();
            talk.after(millis(200)).server_refuses(408).then_closed(CloseReason::ContentTimeout);
        });
        replay(Limits::DEFAULT, |talk| {
            talk.client(post("Content-Length: 100000", ""));
            for _ in 0..51 {
                talk.silence().client("x").after(secs(1));
            }
            talk.client("x").server_refuses(408).then_closed(CloseReason::ContentTimeout);
        });
        replay(Limits::DEFAULT, |talk| {
            talk.client(post("Content-Length: 5", ""));
            for _ in 0..5 {
                talk.silence().client("x").after(secs(9));
            }
            talk.server(405, ALLOW, |_| true).silence();
        });
        replay(Limits::DEFAULT, |talk| {
            talk.client(post("Content-Length: 50000", ""));
            for _ in 0..5 {
                talk.silence().client("x".repeat(10_000)).after(secs(9));
            }
            talk.server(405, ALLOW, |_| true).silence();
        });
    }

    #[test]
    fn an_expectation_is_met_by_the_final_status_and_a_close_that_is_said() {
        replay(Limits::DEFAULT, |talk| {
            talk.client(post("Expect: 100-continue\r\nContent-Length: 5", ""));
            talk.server(405, &["Connection: close"], |_| true).fin().then_closed(CloseReason::ContentUnread);
        });
        replay(Limits::DEFAULT, |talk| {
            talk.client("GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n").server_keeps().silence();
            talk.client("GET / HTTP/1.1\r\nHost: h\r\nExpect: magic\r\n\r\n");
            talk.server(417, &["Connection: keep-alive"], |_| true).silence();
            talk.client(post("Expect: magic\r\nContent-Length: 5", ""));
            talk.server(417, &["Connection: close"], |_| true).fin().then_closed(CloseReason::ContentUnread);
        });
    }
}

mod endings {
    use super::*;

    #[test]
    fn a_half_closed_client_gets_every_answer_that_is_due() {
        replay(Limits::DEFAULT, |talk| {
            talk.client_takes(0).client(format!("{GET}GET /large HTTP/1.1\r\nHost: h\r\n\r\n{GET}")).client_finishes();
            talk.client_takes(usize::MAX);
            talk.server_keeps().server(200, &[], |content| content.len() == LARGE).server_keeps();
            let seen = talk.closed(CloseReason::ClientClosed);
            assert_eq!((seen.how, seen.requests), (How::Fin, 3));
        });
    }

    #[test]
    fn a_client_may_close_between_requests_and_before_the_first() {
        replay(Limits::DEFAULT, |talk| {
            assert_eq!(talk.client_finishes().closed(CloseReason::ClientClosed).requests, 0);
        });
        replay(Limits::DEFAULT, |talk| {
            let seen =
                talk.client(GET).server_keeps().after(secs(3)).client_finishes().closed(CloseReason::ClientClosed);
            assert_eq!((seen.requests, seen.idle), (1, secs(3)));
        });
    }

    #[test]
    fn a_client_that_closes_inside_a_request_has_aborted_it() {
        for beginning in ["G", "GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc"] {
            replay(Limits::DEFAULT, |talk| {
                let seen = talk.client(beginning).client_finishes().silent_end().closed(CloseReason::ClientAborted);
                assert_eq!((seen.how, seen.announced), (How::Fin, false));
            });
        }
    }

    #[test]
    fn a_reset_is_told_from_an_abort() {
        replay(Limits::DEFAULT, |talk| {
            assert_eq!(talk.client(GET).client_resets().closed(CloseReason::ClientReset).how, How::Reset);
        });
        replay(Limits::DEFAULT, |talk| {
            talk.client_in_the_queue(&GET[..5]).client_resets().closed(CloseReason::ClientReset);
        });
        replay(Limits::DEFAULT, |talk| {
            talk.client_takes(5000).client("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
            talk.client_resets().closed(CloseReason::ClientReset);
        });
        replay(Limits::DEFAULT, |talk| {
            talk.client_takes(5000).client("GET /large HTTP/1.1\r\nHost: h\r\n\r\n").client_finishes();
            assert_eq!(talk.client_resets().closed(CloseReason::ClientAborted).how, How::Reset);
        });
    }

    #[test]
    fn a_reset_after_our_fin_changes_no_reason() {
        replay(Limits::DEFAULT, |talk| {
            talk.client(LAST).server_closes();
            assert_eq!(talk.client_resets().closed(CloseReason::ClientAsked).how, How::Reset);
        });
    }

    #[test]
    fn a_file_that_shrinks_ends_the_connection_inside_the_response() {
        replay(Limits::DEFAULT, |talk| {
            talk.client_takes(5000).client("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
            talk.shrink("large", 6000).client_takes(usize::MAX).fin_inside_a_response();
            assert!(!talk.then_closed(CloseReason::FileChanged).announced);
        });
    }

    #[test]
    fn a_panic_ends_one_connection_and_the_others_live_on() {
        replay(Limits::DEFAULT, |talk| {
            talk.client("GET / HT");
            talk.connect().client(GET).server_keeps();
            talk.connect().client("GET /").curse().client(" HTTP/1.1").silent_end();
            assert_eq!(talk.closed(CloseReason::InternalError).how, How::Reset);
            talk.client_number(1).client(GET).server_keeps();
            talk.connect().client(GET).server_keeps();
            talk.client_number(0).client("TP/1.1\r\nHost: h\r\n\r\n").server_keeps().silence();
        });
    }

    #[test]
    fn a_method_longer_than_is_remembered_is_answered_like_any_other() {
        let method = "M".repeat(120);
        replay(Limits::DEFAULT, |talk| {
            talk.client(format!("{method} / HTTP/1.1\r\nHost: h\r\n\r\n"));
            talk.server(501, &["Connection: keep-alive"], |_| true).silence();
        });
    }

    #[test]
    fn bytes_that_are_not_a_request_are_refused() {
        for garbage in [
            "\x16\x03\x01",
            "GET /\0",
            "GET / HTTP/1.1\r\nHost: h\rA: b\r\r",
            "GET /\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nA : b\r\n\r\n",
            "\rGET",
        ] {
            replay(Limits::DEFAULT, |talk| {
                talk.client(garbage).server_refuses(400).client(GET).fin();
                assert_eq!(talk.then_closed(CloseReason::BadRequest).requests, 1);
            });
        }
        replay(Limits::DEFAULT, |talk| {
            talk.client("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").server_refuses(505).then_closed(CloseReason::BadRequest);
        });
    }

    #[test]
    fn empty_lines_without_end_are_refused() {
        replay(limits(|l| l.max_head = 300), |talk| {
            talk.client_at_once("\r\n".repeat(100)).silence().client_at_once("\r\n".repeat(100)).server_refuses(400);
            talk.then_closed(CloseReason::BadRequest);
        });
    }

    #[test]
    fn a_head_that_is_too_large_is_told_which_part() {
        let small = || limits(|l| l.max_head = 300);
        let long_target = format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "a".repeat(300));
        replay(small(), |talk| {
            talk.client(&long_target).server_refuses(414).then_closed(CloseReason::BadRequest);
        });
        let long_field = format!("GET / HTTP/1.1\r\nHost: h\r\nA: {}\r\n\r\n", "a".repeat(300));
        replay(small(), |talk| {
            talk.client(&long_field).server_refuses(431).then_closed(CloseReason::BadRequest);
        });
        let many_fields = format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "A: b\r\n".repeat(100));
        replay(Limits::DEFAULT, |talk| {
            talk.client(&many_fields).server_refuses(431).then_closed(CloseReason::BadRequest);
        });
    }

    #[test]
    fn a_stop_closes_what_is_idle_and_finishes_what_is_in_flight() {
        replay(Limits::DEFAULT, |talk| {
            talk.client(GET).server_keeps().stop().fin();
            assert!(!talk.then_closed(CloseReason::Draining).announced);
        });
        replay(Limits::DEFAULT, |talk| {
            talk.client("GET / HT").stop().silence().client("TP/1.1\r\nHost: h\r\n\r\n").server_closes();
            assert!(talk.then_closed(CloseReason::Draining).announced);
        });
    }
}

mod stopping {
    use super::*;

    #[test]
    fn an_idle_connection_is_answered_once_more_with_connection_close() {
        replay(Limits::DEFAULT, |talk| {
            talk.client(GET).server_keeps().drain().after(secs(8)).silence().client(GET).server_closes();
            assert!(talk.then_closed(CloseReason::Draining).announced);
        });
    }

    #[test]
    fn an_idle_connection_is_kept_as_long_as_was_promised_and_no_longer() {
        replay(limits(|l| l.drain_timeout = secs(1000)), |talk| {
            talk.client(GET).server_keeps().after(secs(20)).drain().after(millis(49_900)).silence();
            talk.after(millis(200)).fin();
            assert!(!talk.then_closed(CloseReason::IdleTimeout).announced);
        });
    }

    #[test]
    fn at_the_end_of_the_promise_what_has_come_is_answered_first() {
        replay(limits(|l| l.drain_timeout = secs(1000)), |talk| {
            talk.client(GET).server_keeps().drain().client_in_the_queue(GET).after_a_stall(secs(100)).server_closes();
        });
    }

    #[test]
    fn a_response_that_was_promised_another_is_followed_by_it() {
        replay(Limits::DEFAULT, |talk| {
            talk.client_takes(100).client("GET /large HTTP/1.1\r\nHost: h\r\n\r\n").drain();
            talk.client_takes(usize::MAX).server(200, &["Connection: keep-alive"], |content| content.len() == LARGE);
            talk.silence().client(GET).server_closes();
            talk.then_closed(CloseReason::Draining);
        });
    }

    #[test]
    fn a_head_that_has_begun_and_one_that_has_not_may_still_come() {
        replay(Limits::DEFAULT, |talk| {
            talk.client("GET / HT").drain().after(secs(5)).client("TP/1.1\r\nHost: h\r\n\r\n").server_closes();
        });
        replay(Limits::DEFAULT, |talk| {
            talk.drain().after(secs(5)).client(GET).server_closes();
        });
    }

    #[test]
    fn when_the_time_is_over_only_what_is_in_the_middle_of_something_is_cut() {
        replay(Limits::DEFAULT, |talk| {
            talk.client(GET).server_keeps();
            talk.connect();
            talk.connect().client("GET / HT");
            talk.connect().client_takes(100).client("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
            assert_eq!(talk.drain().second_signal(), 2);
            for idle in [0, 1] {
                talk.client_number(idle).fin().closed(CloseReason::Draining);
            }
            for cut in [2, 3] {
                assert_eq!(talk.client_number(cut).closed(CloseReason::Draining).how, How::Reset);
            }
        });
    }
}

mod crowds {
    use super::*;

    #[test]
    fn the_longest_idle_connection_gives_way_to_a_new_one() {
        replay_with(Limits::DEFAULT, 2, |talk| {
            talk.client(GET).server_keeps().after(secs(1));
            talk.connect().client(GET).server_keeps().after(secs(1));
            talk.client_number(0).client(GET).server_keeps().after(secs(1));
            talk.connect().client(GET).server_keeps();
            talk.client_number(1).fin().then_closed(CloseReason::Evicted);
            talk.client_number(0).silence();
        });
    }

    /// Who connects and says nothing can't keep others out.
    #[test]
    fn one_that_has_asked_for_nothing_gives_way_if_none_is_idle_but_not_at_once() {
        replay_with(Limits::DEFAULT, 2, |talk| {
            talk.connect().client("GET / HT").after(millis(900));
            talk.connect().client(GET).server(503, &["Connection: close"], |_| true).fin();
            talk.after(millis(200)).connect().client(GET).server_keeps();
            talk.client_number(0).fin().then_closed(CloseReason::Evicted);
            talk.client_number(1).client("TP/1.1\r\nHost: h\r\n\r\n").server_keeps().silence();
        });
    }

    #[test]
    fn one_that_turns_out_to_have_a_request_is_answered_instead() {
        replay_with(Limits::DEFAULT, 2, |talk| {
            talk.client(GET).server_keeps();
            talk.connect().client(GET).server_keeps();
            talk.client_number(0).client_in_the_queue(GET);
            talk.connect().client(GET).server_keeps();
            talk.client_number(0).server_keeps().silence();
            talk.client_number(1).fin().then_closed(CloseReason::Evicted);
        });
    }

    #[test]
    fn one_that_has_just_left_has_made_room_already() {
        replay_with(Limits::DEFAULT, 1, |talk| {
            talk.client(GET).server_keeps().client_leaves_unnoticed();
            talk.connect().client(GET).server_keeps().silence();
            talk.client_number(0).closed(CloseReason::ClientClosed);
        });
    }

    #[test]
    fn if_none_is_idle_the_new_one_is_told_so() {
        replay_with(Limits::DEFAULT, 1, |talk| {
            talk.client("GET /");
            talk.connect().client(GET).server(503, &["Connection: close", "Retry-After: 1"], |_| true).fin();
            assert!(talk.then_closed(CloseReason::TooMany).announced);
            talk.client_number(0).client(" HTTP/1.1\r\nHost: h\r\n\r\n").server_keeps().silence();
        });
    }

    #[test]
    fn connections_over_the_limit_take_no_slot() {
        replay_with(Limits::DEFAULT, 2, |talk| {
            talk.client_at_once("GET /").connect().client_at_once("GET /");
            talk.connect().silence();
            talk.client_number(0).client(" HTTP/1.1\r\nHost: h\r\n\r\n").server_keeps();
            talk.client_number(1).client(" HTTP/1.1\r\nHost: h\r\n\r\n").server_keeps();
            // One idle connection makes room for one; the other stays.
            talk.connect().client(GET).server_keeps();
            talk.client_number(0).fin();
            talk.client_number(1).silence().client(GET).server_keeps();
        });
    }

    #[test]
    fn connections_over_the_limit_however_many_keep_no_other_from_a_slot() {
        replay_with(Limits::DEFAULT, 1, |talk| {
            talk.client_at_once("GET /");
            for _ in 0..70 {
                talk.connect();
            }
            talk.client_number(1).fin().client(GET);
            talk.then_closed(CloseReason::TooMany).race.expect("a race");
            talk.client_number(70).silence();
            talk.client_number(0).client(" HTTP/1.1\r\nHost: h\r\n\r\n").server_keeps();
            talk.connect().client(GET).server_keeps();
        });
    }

    /// Half heads take no place from those that would be told.
    #[test]
    fn a_newcomer_is_told_however_many_half_heads_wait_over_the_limit() {
        replay_with(Limits::DEFAULT, 2, |talk| {
            talk.client("GET / HT").connect().client("G").silence();
            for _ in 0..64 {
                talk.connect().client("G").silence();
            }
            for _ in 0..3 {
                talk.connect().client(GET).server(503, &["Connection: close", "Retry-After: 1"], |_| true).fin();
                talk.connect()
                    .client("GET /-/healthy HTTP/1.1\r\nHost: h\r\n\r\n")
                    .server(200, &["Connection: close"], |_| true)
                    .fin();
            }
            // The oldest of those without a place gave way to the first newcomer. The rest of its head is not a race.
            talk.client_number(2).fin().client(&GET[1..]);
            assert_eq!(talk.then_closed(CloseReason::TooMany).race, None);
            talk.client_number(3).silence().client_number(0).silence();
        });
        // It has a second for the rest of its head, and is told then.
        replay_with(Limits::DEFAULT, 1, |talk| {
            talk.client("GET / HT").connect().client("G").after(millis(900)).silence();
            talk.after(millis(200)).server(503, &["Connection: close", "Retry-After: 1"], |_| true).fin();
            assert_eq!(talk.then_closed(CloseReason::TooMany).requests, 1);
            talk.client_number(0).silence();
        });
        // A silent one is closed after that second, and a request that crosses that FIN is lost in a race.
        replay_with(Limits::DEFAULT, 1, |talk| {
            talk.client("GET / HT").connect().after(millis(1_100)).fin().client(GET);
            talk.then_closed(CloseReason::TooMany).race.expect("a race");
            talk.client_number(0).silence();
        });
        // Content that it has announced is not waited for.
        replay_with(Limits::DEFAULT, 1, |talk| {
            talk.client("GET / HT").connect();
            talk.client("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n").server(
                503,
                &["Connection: close"],
                |_| true,
            );
            talk.fin().client("123456789").then_closed(CloseReason::TooMany);
        });
        // Not even if there would be too much of it.
        replay_with(Limits::DEFAULT, 1, |talk| {
            talk.client("GET / HT").connect();
            talk.client("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999\r\n\r\n");
            talk.server(503, &["Connection: close"], |_| true).fin().then_closed(CloseReason::TooMany);
        });
    }

    fn two_of_an_address() -> Limits {
        limits(|limits| limits.max_per_ip = 2)
    }

    #[test]
    fn of_one_address_only_so_many_are_served_and_of_another_as_many() {
        replay(two_of_an_address(), |talk| {
            talk.client(GET).server_keeps();
            talk.connect().client(GET).server_keeps();
            talk.connect().client(GET).server(503, &["Connection: close", "Retry-After: 1"], |_| true).fin();
            assert!(talk.then_closed(CloseReason::TooMany).announced);
            talk.connect_from([192, 0, 2, 7].into()).client(GET).server_keeps();
            talk.client_number(0).client(GET).server_keeps().silence();
        });
    }

    /// A connection that only waits for the client's FIN is not a burden, and one that has ended is none at all.
    #[test]
    fn a_connection_that_was_closed_makes_room_for_another_of_its_address() {
        replay(two_of_an_address(), |talk| {
            talk.client(LAST).server_closes();
            talk.connect().client(GET).server_keeps();
            talk.connect().client(GET).server_keeps().client_resets().closed(CloseReason::ClientReset);
            talk.connect().client(GET).server_keeps().silence();
            talk.client_number(0).then_closed(CloseReason::ClientAsked);
            talk.connect().client(GET).server(503, &[], |_| true);
        });
    }

    /// Who opens connections without end is not even told, and no idle connection of others gives way to it.
    #[test]
    fn of_too_many_that_say_nothing_most_are_closed_without_a_word() {
        replay_with(two_of_an_address(), 3, |talk| {
            talk.client(GET).server_keeps();
            let greedy = [192, 0, 2, 7].into();
            for _ in 0..2 + 64 {
                talk.connect_from(greedy).silence();
            }
            talk.connect_from(greedy).fin().then_closed(CloseReason::TooMany);
            // One with its request in the receive queue is told, however many there are.
            talk.connect_with(greedy, GET).server(503, &["Connection: close"], |_| true).fin();
            talk.client_number(66).client(GET).server(503, &["Connection: close"], |_| true).fin();
            talk.client_number(0).silence().client(GET).server_keeps();
        });
    }
}
