//! A wrong command line is one line that says what to do, and status 2.

use crate::assert_refuses;
use crate::support::test;

/// Wrong command lines, and all that is said of each.
const WRONG: &[(&[&str], &str)] = &[
    // Flags that do not exist.
    (&["--listn", "127.0.0.1:0"], "unknown option '--listn': did you mean '--listen'?"),
    (&["--keepalive-timeout", "5s"], "unknown option '--keepalive-timeout': did you mean '--keep-alive-timeout'?"),
    (&["--bogus"], "unknown option '--bogus': 'holdline --help' lists all"),
    (&["-z"], "unknown option '-z': 'holdline --help' lists all"),
    (&["--port", "9000"], "unknown option '--port': use --listen 127.0.0.1:9000"),
    (&["--port=9000", "www"], "unknown option '--port': use --listen 127.0.0.1:9000"),
    (&["-p", "9000"], "unknown option '-p': use --listen 127.0.0.1:9000"),
    (&["--port"], "unknown option '--port': use --listen 127.0.0.1:8080"),
    (&["--prot", "9000"], "unknown option '--prot': use --listen 127.0.0.1:9000"),
    (&["--bind", "0.0.0.0"], "unknown option '--bind': use --listen HOST:PORT"),
    (&["--directory", "www"], "unknown option '--directory': write the folder without an option, as in 'holdline www'"),
    (&["--verbose"], "unknown option '--verbose': set RUST_LOG=debug"),
    (&["compare", "--jsn", "http://127.0.0.1/"], "unknown option '--jsn': did you mean '--json'?"),
    (&["compare", "--port", "9000"], "unknown option '--port': 'holdline compare --help' lists all"),
    (&["compare", "--bogus"], "unknown option '--bogus': 'holdline compare --help' lists all"),
    // Words too many, and tools.
    (&["one", "another"], "unexpected argument 'another': give one folder, with quotes around a name that has spaces"),
    (&["comapre", "http://127.0.0.1/"], "'comapre' is not a tool: did you mean 'holdline compare'?"),
    (&["probe", "x"], "'probe' is not a tool: did you mean 'holdline probe-client' or 'holdline probe-server'?"),
    (&["serve", "www"], "'serve' is not a tool: 'holdline FOLDER' serves a folder"),
    (&["help", "compare"], "'help' is not a tool: did you mean 'holdline --help'?"),
    (
        &["--listing", "compare", "http://127.0.0.1/"],
        "unexpected argument 'http://127.0.0.1/': a tool must be the first word: holdline compare ...",
    ),
    (&["compare", "http://127.0.0.1/", "x"], "unexpected argument 'x': 'holdline compare --help' says what it takes"),
    (
        &["probe-client", "curl", "{url}"],
        "unexpected argument 'curl': write -- before the command: holdline probe-client -- curl -s {url} {url}",
    ),
    // Values that are missing, and flags that do not fit together.
    (&["--behind"], "'--behind <PEER>' needs a value: a name like alb, or a duration like 60s"),
    (
        &["--behind", "60"],
        "invalid value '60' for '--behind <PEER>': the unit is missing: write 60s, or 60ms, 60m or 60h",
    ),
    (
        &["--behind", "urllib3"],
        "'--behind urllib3': urllib3 (requests) keeps idle connections without a limit; \
         set one there, and give it: --behind 60s",
    ),
    (&["--listen"], "'--listen <ADDR>' needs a value: an address like 127.0.0.1:8080"),
    (&["--max-age"], "'--max-age <D>' needs a value: a duration like 5s"),
    (&["--max-head"], "'--max-head <BYTES>' needs a value: a size like 16KiB"),
    (&["--max-requests"], "'--max-requests <N>' needs a value: a number"),
    (&["--console"], "'--console <WHO>' needs a value: local, off or any"),
    (&["--access-log"], "'--access-log <FILE>' needs a value: the name of a file"),
    (&["--cache-control"], "'--cache-control <VALUE>' needs a value: a field value like no-cache"),
    (&[""], "'[ROOT]' needs a value: a folder, '.' for this one"),
    (&["compare"], "<URL> is missing: give a URL like http://127.0.0.1:8080/"),
    (&["--spa"], "'--spa' needs '--not-found <FILE>', the file that it sends"),
    (&["--hidden=yes"], "'--hidden' takes no value: leave '=yes' out"),
    (&["--listing", "--listing"], "'--listing' is given twice: give it once"),
    (&["--max-age", "1h", "--max-age", "2h"], "'--max-age <D>' is given twice: give it once"),
    (
        &["--listen", "127.0.0.1:8080", "--listen", "127.0.0.1:8080"],
        "'--listen 127.0.0.1:8080' is given twice: give it once",
    ),
    (&["--generate", "man", "www"], "'--generate <WHAT>' goes alone: leave everything else out"),
    (&["--generate", "powershell"], "invalid value 'powershell' for '--generate <WHAT>': use man, bash, zsh or fish"),
    (&["completions", "bash"], "'completions' is not a tool: did you mean 'holdline --generate bash'?"),
    // Addresses.
    (
        &["--listen", "8080"],
        "invalid value '8080' for '--listen <ADDR>': the host is missing: \
         write 127.0.0.1:8080 for this machine, 0.0.0.0:8080 for the network",
    ),
    (
        &["--listen", ":8080"],
        "invalid value ':8080' for '--listen <ADDR>': the host is missing: \
         write 127.0.0.1:8080 for this machine, 0.0.0.0:8080 for the network",
    ),
    (
        &["--listen", "localhost"],
        "invalid value 'localhost' for '--listen <ADDR>': the port is missing: write localhost:8080",
    ),
    (
        &["--listen", "http://127.0.0.1:8080/"],
        "invalid value 'http://127.0.0.1:8080/' for '--listen <ADDR>': leave http:// out: write 127.0.0.1:8080",
    ),
    (
        &["--listen", "127.0.0.1:99999"],
        "invalid value '127.0.0.1:99999' for '--listen <ADDR>': the port '99999' is not a number from 0 to 65535",
    ),
    (
        &["--listen", "::1:8080"],
        "invalid value '::1:8080' for '--listen <ADDR>': an IPv6 address needs brackets: write [::1]:8080",
    ),
    (
        &["--listen", "no-such-host.invalid:8080"],
        "invalid value 'no-such-host.invalid:8080' for '--listen <ADDR>': cannot resolve 'no-such-host.invalid': \
         use 127.0.0.1:8080 for this machine, 0.0.0.0:8080 for the network",
    ),
    (
        &["--listen", "unix:"],
        "invalid value 'unix:' for '--listen <ADDR>': the path is missing: write unix:/run/holdline.sock",
    ),
    (
        &["--listen", "/run/holdline.sock"],
        "invalid value '/run/holdline.sock' for '--listen <ADDR>': an address has no path; \
         a Unix socket is written unix:/run/holdline.sock",
    ),
    // Numbers, durations and sizes.
    (&["--max-requests", "abc"], "invalid value 'abc' for '--max-requests <N>': must be a whole number, 0 or more"),
    (&["--max-requests", "-5"], "invalid value '-5' for '--max-requests <N>': must be a whole number, 0 or more"),
    (&["--max-connections", "0"], "invalid value '0' for '--max-connections <N>': must be a whole number, 1 or more"),
    (&["--max-per-ip", "9999999999"], "invalid value '9999999999' for '--max-per-ip <N>': must be at most 4294967295"),
    (
        &["compare", "-n", "0", "http://127.0.0.1/"],
        "invalid value '0' for '--requests <N>': must be a whole number from 1 to 1000000",
    ),
    (
        &["--keep-alive-timeout", "5"],
        "invalid value '5' for '--keep-alive-timeout <D>': the unit is missing: write 5s, or 5ms, 5m or 5h",
    ),
    (&["--linger", "5sec"], "invalid value '5sec' for '--linger <D>': unknown unit 'sec': use ms, s, m or h"),
    (&["--keep-alive-timeout", "-1s"], "invalid value '-1s' for '--keep-alive-timeout <D>': must not be negative"),
    (
        &["--max-age", "--listing"],
        "invalid value '--listing' for '--max-age <D>': expected a duration like 250ms, 5s, 2m or 1h",
    ),
    (
        &["--max-age", "1.5h"],
        "invalid value '1.5h' for '--max-age <D>': expected a duration like 250ms, 5s, 2m or 1h, without a fraction",
    ),
    (&["--max-age", "9000h"], "invalid value '9000h' for '--max-age <D>': must be at most 8760h, a year"),
    (&["--head-timeout", "0"], "invalid value '0' for '--head-timeout <D>': must be longer than 0"),
    (
        &["--tcp-keep-alive", "1500ms"],
        "invalid value '1500ms' for '--tcp-keep-alive <D>': must be whole seconds, at most 32767s",
    ),
    (
        &["probe-client", "--watch", "11m"],
        "invalid value '11m' for '--watch <D>': must be whole seconds, from 1s to 10m",
    ),
    (&["--max-body", "16kb"], "invalid value '16kb' for '--max-body <BYTES>': unknown unit 'kb': use KiB, MiB or GiB"),
    (&["--max-body", "-1"], "invalid value '-1' for '--max-body <BYTES>': must not be negative"),
    (&["--max-head", "10"], "invalid value '10' for '--max-head <BYTES>': must be from 256 to 1MiB"),
    // Names and choices.
    (&["--console", "everyone"], "invalid value 'everyone' for '--console <WHO>': use local, off or any"),
    (
        &["--console", "any", "--console-listen", "127.0.0.1:9090"],
        "'--console <WHO>' and '--console-listen <ADDR>' exclude each other: give one of them",
    ),
    (
        &["--listen", "127.0.0.1:9090", "--metrics-listen", "127.0.0.1:9090"],
        "127.0.0.1:9090 is given twice: --listen, --console-listen and --metrics-listen need addresses of their own",
    ),
    (&["--lab", "all"], "invalid value 'all' for '--lab <WHO>': use local, off or any"),
    (&["--console", "locl"], "invalid value 'locl' for '--console <WHO>': did you mean 'local'?"),
    (&["--log-format", "xml"], "invalid value 'xml' for '--log-format <FORMAT>': use text or json"),
    (
        &["--index", "a/b"],
        "invalid value 'a/b' for '--index <NAME>': must be the name of a file in each folder, without '/'",
    ),
    (
        &["--not-found", "../x"],
        "invalid value '../x' for '--not-found <FILE>': must be the path of a file beneath ROOT, without '..'",
    ),
    (&["--cache-control", "a\nb"], "invalid value 'a?b' for '--cache-control <VALUE>': must be printable ASCII"),
    // What the tools are given.
    (
        &["compare", "127.0.0.1:8080"],
        "invalid value '127.0.0.1:8080' for '<URL>': a URL begins with http://: write http://127.0.0.1:8080",
    ),
    (
        &["compare", "https://localhost/"],
        "invalid value 'https://localhost/' for '<URL>': https is not measured: give the http URL of the server behind TLS",
    ),
    (
        &["compare", "ftp://localhost/"],
        "invalid value 'ftp://localhost/' for '<URL>': expected a URL like http://127.0.0.1:8080/",
    ),
    (
        &["probe-client", "--", "true"],
        "the command of probe-client has no {url}: write {url} where the client takes its URL",
    ),
    (
        &["probe-client", "--require", "reuze", "--", "curl", "{url}"],
        "invalid value 'reuze' for '--require <NAMES>': did you mean 'reuse'?",
    ),
];

test!(a_wrong_command_line_is_one_line_that_says_what_to_do_and_status_2);
fn a_wrong_command_line_is_one_line_that_says_what_to_do_and_status_2() {
    for (arguments, line) in WRONG {
        assert_refuses(arguments, 2, |said| said == *line);
    }
}

test!(a_bad_flag_is_one_line_and_status_2);
/// Whatever is wrong with a value, the line names the flag.
fn a_bad_flag_is_one_line_and_status_2() {
    for (flag, values) in [
        (
            "--listen",
            &["", "nonsense", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:x", "[::1]", "unix:"][..],
        ),
        (
            "--keep-alive-timeout",
            &["", "x", "5", "s", "5x", "1.5s", "-1s", "+1s", "5 s", "99999999999999999999s", "9999999999h"],
        ),
        ("--keep-alive-grace", &["", "5", "x"]),
        ("--max-requests", &["", "x", "-1", "1.5", "99999999999999999999"]),
        ("--max-age", &["", "1", "x"]),
        ("--head-timeout", &["", "10", "x", "0"]),
        ("--body-timeout", &["", "10", "x", "0"]),
        ("--send-timeout", &["", "30", "x", "0"]),
        ("--linger", &["", "2", "x"]),
        ("--drain-timeout", &["", "10", "x"]),
        ("--drain-delay", &["", "1", "x"]),
        ("--max-connections", &["", "x", "-1", "0"]),
        ("--max-per-ip", &["", "x", "-1"]),
        ("--max-head", &["", "x", "-1", "16KB", "16 KiB", "0", "99999999999999999999"]),
        ("--max-body", &["", "x", "-1", "1.5MiB", "99999999999999999999"]),
        ("--tcp-keep-alive", &["", "60", "x", "-1s"]),
        ("--index", &["", "a/b", ".."]),
        ("--cache-control", &["", "a\r\nb: c"]),
        ("--access-log", &[""]),
        ("--connection-log", &[""]),
        ("--log-format", &["", "x", "Text"]),
        ("--sandbox", &["", "x", "yes"]),
        ("--no-such-flag", &["x"]),
    ] {
        for value in values {
            assert_refuses(&[&format!("{flag}={value}")], 2, |said| said.contains(flag));
        }
    }
}
