//! Each format with lines as its software writes them, and hostile ones.

use super::*;
use proptest::prelude::*;
use tollgate::time::{MILLISECOND, Micros, SECOND};

const TOLLGATE: &str = "2026-11-29T09:41:02.123Z 192.0.2.7 GET /v1/invoices HTTP/1.1 429 tollgate_refused_by_ip 0ms \
decision=refused policy=ip limit=minute quota=50 remaining=0 retry_after=7 near=false tier=free caller=0123456789abcdef";
const ENVOY: &str = "[2026-11-29T09:41:02.123Z] \"POST /v1/invoices?x=1 HTTP/2\" 201 - 154 930 26 24 \"198.51.100.9,192.0.2.7\" \
\"grpc-go/1.60\" \"cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2\" \"api.example.com\" \"10.0.35.28:80\"";
const ISTIO: &str = "[2026-11-29T09:41:02.123Z] \"GET /status/418 HTTP/1.1\" 418 - via_upstream - \"-\" 0 135 5 4 \"-\" \
\"curl/7.73.0-DEV\" \"84961386-6d84-929d-98bd-c5aee93b5c88\" \"httpbin:8000\" \"10.44.1.27:80\" outbound|8000||httpbin.foo.svc.cluster.local \
10.44.1.23:37652 10.0.45.184:8000 10.44.1.23:46520 - default";
const ENVOY_JSON: &str = r#"{"start_time":"2026-11-29T09:41:02.123Z","method":"GET","path":"/a?b=\"c\"","protocol":"HTTP/1.1","response_code":200,"response_flags":"-","response_code_details":"via_upstream","bytes_received":0,"bytes_sent":42,"duration":26,"x_forwarded_for":"198.51.100.9","user_agent":null,"authority":"api.example.com","downstream_remote_address":"192.0.2.7:52311","route_name":"v1","upstream_transport_failure_reason":null,"tollgate":{"decision":"admitted","policy":"ip","limit":"minute","quota":50,"caller":"0123456789abcdef"}}"#;
const COMBINED: &str = "192.0.2.7 - frank [29/Nov/2026:09:41:02 +0000] \"GET /apache_pb.gif?x=1 HTTP/1.0\" 200 2326 \
\"http://www.example.com/start.html\" \"Mozilla/4.08 [en] (Win98; I ;Nav)\" rt=0.026 \"k\"";
const COMMON: &str = "192.0.2.7 - - [29/Nov/2026:09:41:02 +0000] \"GET / HTTP/1.1\" 304 0";
const TRAEFIK: &str = "192.0.2.7 - - [29/Nov/2026:09:41:02 +0000] \"GET /api/overview HTTP/1.1\" 200 415 \"-\" \"curl/8.5.0\" 7 \
\"api@internal\" \"http://10.42.0.9:80\" 26ms";
const TRAEFIK_JSON: &str = r#"{"ClientAddr":"192.0.2.7:41236","ClientHost":"192.0.2.7","ClientPort":"41236","ClientUsername":"-","DownstreamContentSize":19,"DownstreamStatus":404,"Duration":26135521,"OriginContentSize":19,"OriginStatus":404,"Overhead":135521,"RequestAddr":"api.example.com","RequestContentSize":0,"RequestCount":5,"RequestHost":"api.example.com","RequestMethod":"GET","RequestPath":"/x","RequestPort":"-","RequestProtocol":"HTTP/1.1","RequestScheme":"http","RetryAttempts":0,"StartLocal":"2026-11-29T10:41:02.123456789+01:00","StartUTC":"2026-11-29T09:41:02.123456789Z","entryPointName":"web","level":"info","msg":"","request_X-Api-Key":"k1","time":"2026-11-29T09:41:02Z"}"#;
const CADDY: &str = r#"{"level":"info","ts":1795945262.149,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"10.0.0.1","remote_port":"41342","client_ip":"192.0.2.7","proto":"HTTP/2.0","method":"GET","host":"localhost","uri":"/?a=1","headers":{"User-Agent":["curl/7.82.0"],"Accept":["*/*"],"X-Api-Key":["k1"],"Authorization":["REDACTED"]},"tls":{"resumed":false,"version":772}},"bytes_read":0,"user_id":"","duration":0.026,"size":10900,"status":200,"resp_headers":{"Server":["Caddy"],"X-Cost":["7"]}}"#;
const KONG: &str = r#"{"latencies":{"request":26,"kong":1,"proxy":24},"service":{"host":"httpbin.konghq.com","id":"x"},"request":{"querystring":{},"size":138,"uri":"/get?a=1","url":"http://localhost:8000/get?a=1","headers":{"host":"localhost:8000","user-agent":"curl/7.54.0","x-api-key":"k1"},"method":"GET"},"client_ip":"192.0.2.7","upstream_uri":"/","response":{"headers":{"content-type":"application/json","x-cost":"7"},"status":200,"size":1265},"started_at":1795945262123}"#;
const ALB: &str = "https 2026-11-29T09:41:02.149000Z app/my-loadbalancer/50dc6c495c0c9188 192.0.2.7:2817 10.0.0.1:80 0.001 0.024 0.001 \
200 200 34 366 \"GET https://www.example.com:443/a?b=1 HTTP/1.1\" \"curl/7.46.0\" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 \
arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067 \
\"Root=1-58337262-36d228ad5d99923122bbe354\" \"www.example.com\" \"arn:aws:acm:us-east-2:123456789012:certificate/x\" 0 \
2026-11-29T09:41:02.123000Z \"forward\" \"-\" \"-\" \"10.0.0.1:80\" \"200\" \"-\" \"-\"";
const CLOUDFRONT: &str = "2026-11-29\t09:41:02\tLAX1\t392\t192.0.2.7\tGET\td111111abcdef8.cloudfront.net\t/index.html\t200\t-\t\
Mozilla/5.0%20(Windows%20NT%2010.0)\tview=1\t-\tHit\tSOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ==\twww.example.com\thttps\t23\t\
0.026\t-\tTLSv1.2\tECDHE-RSA-AES128-GCM-SHA256\tHit\tHTTP/2.0\t-\t-\t11040\t0.001\tHit\ttext/html\t78\t-\t-";

/// Every format with a line of it.
const LINES: &[(&str, &str)] = &[
    ("tollgate", TOLLGATE),
    ("envoy", ENVOY),
    ("istio", ISTIO),
    ("envoy-json", ENVOY_JSON),
    ("combined", COMBINED),
    ("combined", COMMON),
    ("traefik", TRAEFIK),
    ("traefik-json", TRAEFIK_JSON),
    ("caddy", CADDY),
    ("kong", KONG),
    ("alb", ALB),
    ("cloudfront", CLOUDFRONT),
];

/// 2026-11-29T09:41:02Z
const AT: Micros = 1_795_945_262 * SECOND;

fn format(name: &str) -> &'static Format {
    FORMATS.iter().find(|format| format.name == name).unwrap()
}

#[track_caller]
fn with(name: &str, line: &'static str, mapping: &Mapping) -> Line<'static> {
    let mut parsed = Line::default();
    let entry = format(name).parser(mapping).unwrap().parse(line.as_bytes(), &mut parsed);
    assert_eq!(entry, Ok(Entry::Request), "{line}");
    parsed
}

#[track_caller]
fn read(name: &str, line: &'static str) -> Line<'static> {
    with(name, line, &Mapping::default())
}

fn refused(name: &str, line: &[u8]) -> Option<Unreadable> {
    format(name).parser(&Mapping::default()).unwrap().parse(line, &mut Line::default()).err()
}

fn text<'l>(line: &'l Line<'_>, text: Text) -> &'l str {
    std::str::from_utf8(line.text(text).unwrap_or_default()).unwrap()
}

fn start(line: &Line<'_>) -> Micros {
    let took = line.duration.unwrap_or(0);
    match line.instant {
        Instant::Start => line.time.unwrap(),
        Instant::End => line.time.unwrap() - took,
    }
}

#[test]
fn each_format_is_recognised_by_its_lines() {
    for (name, line) in LINES {
        let found = detect(&[line.as_bytes()], &Mapping::default()).map(|format| format.name);
        assert_eq!(found, Some(*name), "{line}");
    }
}

#[test]
fn what_is_no_log_has_no_format() {
    for line in ["", "hello", "{}", "{\"a\":1}", "\u{1f}\u{8b}", "GET / HTTP/1.1"] {
        assert!(detect(&[line.as_bytes()], &Mapping::default()).is_none(), "{line}");
    }
}

#[test]
fn each_format_says_who_asked_for_what_and_when() {
    for (name, line) in LINES {
        let read = read(name, line);
        let is_sharp = !read.whole_seconds;
        let expected = match (is_sharp, read.duration) {
            (true, _) => AT + 123 * MILLISECOND,
            (false, Some(took)) if read.instant == Instant::End => AT - took,
            (false, _) => AT,
        };
        assert_eq!(start(&read) / MILLISECOND, expected / MILLISECOND, "{name}");
        assert!(!read.text(Text::Method).unwrap().is_empty(), "{name}");
        assert!(read.text(Text::Path).unwrap().starts_with(b"/"), "{name}");
        assert!(read.status >= 200, "{name}");
        if !["istio", "envoy"].contains(name) {
            assert!(text(&read, Text::Client).starts_with("192.0.2.7"), "{name}");
        }
        if !["tollgate", "istio"].contains(name) && line != &COMMON && line != &COMBINED {
            assert_eq!(read.duration.unwrap() / MILLISECOND, 26, "{name}");
        }
    }
}

#[test]
fn a_line_of_tollgate_says_what_was_decided_and_about_whom() {
    let line = read("tollgate", TOLLGATE);
    assert_eq!((line.refused, line.status), (Some(true), 429));
    assert_eq!((text(&line, Text::Policy), text(&line, Text::Caller)), ("ip", "0123456789abcdef"));
    assert_eq!(text(&line, Text::Tier), "free");
    let line = read("envoy-json", ENVOY_JSON);
    assert_eq!((line.refused, text(&line, Text::Caller)), (Some(false), "0123456789abcdef"));
}

#[test]
fn escapes_are_taken_out() {
    assert_eq!(text(&read("envoy-json", ENVOY_JSON), Text::Path), "/a?b=\"c\"");
    let nginx =
        r#"192.0.2.7 - - [29/Nov/2026:09:41:02 +0000] "GET /\x22a\x5C HTTP/1.1" 200 5 "-" "say \x22hi\x22""#;
    let line = read("combined", nginx);
    assert_eq!((text(&line, Text::Path), text(&line, Text::UserAgent)), ("/\"a\\", "say \"hi\""));
    let apache = r#"192.0.2.7 - - [29/Nov/2026:09:41:02 +0000] "GET / HTTP/1.1" 200 5 "-" "say \"hi\"""#;
    assert_eq!(text(&read("combined", apache), Text::UserAgent), "say \"hi\"");
    assert_eq!(text(&read("cloudfront", CLOUDFRONT), Text::UserAgent), "Mozilla/5.0 (Windows NT 10.0)");
    assert_eq!(text(&read("cloudfront", CLOUDFRONT), Text::Path), "/index.html?view=1");
}

#[test]
fn a_whole_url_is_a_host_and_a_path() {
    let line = read("alb", ALB);
    assert_eq!((text(&line, Text::Host), text(&line, Text::Path)), ("www.example.com:443", "/a?b=1"));
}

#[test]
fn the_heading_of_cloudfront_names_its_columns() {
    let mut parser = format("cloudfront").parser(&Mapping::default()).unwrap();
    let mut line = Line::default();
    assert_eq!(parser.parse(b"#Version: 1.0", &mut line), Ok(Entry::Nothing));
    let heading = b"#Fields: date time c-ip cs-method cs-uri-stem sc-status";
    assert_eq!(parser.parse(heading, &mut line), Ok(Entry::Nothing));
    let request = b"2026-11-29\t09:41:02\t192.0.2.9\tPUT\t/x\t204";
    assert_eq!(parser.parse(request, &mut line), Ok(Entry::Request));
    assert_eq!(
        (line.status, text(&line, Text::Client), text(&line, Text::Method)),
        (204, "192.0.2.9", "PUT")
    );
}

#[test]
fn a_mapping_names_further_fields() {
    let extra = Text::Extra(Extra(0));
    let mapping = |slot, field: &str| Mapping { fields: vec![(slot, field.into())], ..Mapping::default() };
    let took = |name, line, field: &str| {
        with(name, line, &mapping(Slot::Duration(time::Unit::Seconds), field)).duration
    };
    assert_eq!(took("combined", COMBINED, "rt"), Some(26 * MILLISECOND));
    let key = |name, line, field: &str| {
        let line = with(name, line, &mapping(Slot::Text(extra), field));
        line.text(extra).map(|text| String::from_utf8_lossy(text).into_owned())
    };
    assert_eq!(key("combined", COMBINED, "2").as_deref(), Some("k"));
    assert_eq!(key("kong", KONG, "service.host").as_deref(), Some("httpbin.konghq.com"));
    assert_eq!(key("caddy", CADDY, "request.headers.x-api-key").as_deref(), Some("k1"));
    assert_eq!(key("alb", ALB, "19").as_deref(), Some("www.example.com"));
    assert_eq!(key("cloudfront", CLOUDFRONT, "x-edge-result-type").as_deref(), Some("Hit"));
    assert_eq!(
        key("envoy", ENVOY, "REQ(X-REQUEST-ID)").as_deref(),
        Some("cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2")
    );
}

#[test]
fn of_a_start_and_an_end_the_start_counts_wherever_it_stands() {
    const LINE: &str = r#"{"first":"2026-11-29T09:41:02Z","request":{"client_ip":"192.0.2.7","method":"GET","uri":"/"},"status":200,"resp_headers":{},"last":"2026-11-29T09:41:05Z"}"#;
    for (start, end, seconds) in [("first", "last", 0), ("last", "first", 3)] {
        let fields = vec![(Slot::Start, start.into()), (Slot::End, end.into())];
        let line = with("caddy", LINE, &Mapping { fields, ..Mapping::default() });
        assert_eq!((line.instant, line.time), (Instant::Start, Some(AT + seconds * SECOND)), "{start}");
    }
}

#[test]
fn headers_that_a_policy_asks_for_come_from_formats_that_have_them_all() {
    let extra = Extra(0);
    let mapping = Mapping { headers: vec![(extra, "x-api-key".into())], ..Mapping::default() };
    for (name, line) in [("caddy", CADDY), ("kong", KONG), ("traefik-json", TRAEFIK_JSON)] {
        assert_eq!(text(&with(name, line, &mapping), Text::Extra(extra)), "k1", "{name}");
    }
    assert!(!format("combined").parser(&mapping).unwrap().reads(Slot::Text(Text::Extra(extra))));
}

/// These formats leave out what a request has not. In a field that is named by an option, `-` is nothing, as in text.
#[test]
fn a_header_whose_value_is_a_hyphen_is_a_header() {
    let extra = Text::Extra(Extra(0));
    let asked = Mapping { headers: vec![(Extra(0), "x-api-key".into())], ..Mapping::default() };
    for (name, line, agent) in
        [("caddy", CADDY, "curl/7.82.0"), ("kong", KONG, "curl/7.54.0"), ("traefik-json", TRAEFIK_JSON, "")]
    {
        let line = line.replace("k1", "-");
        let line = if agent.is_empty() { line } else { line.replace(agent, "-") };
        let mut parsed = Line::default();
        let entry = format(name).parser(&asked).unwrap().parse(line.as_bytes(), &mut parsed);
        assert_eq!((entry, parsed.text(extra)), (Ok(Entry::Request), Some(&b"-"[..])), "{name}");
        assert_eq!(parsed.text(Text::UserAgent), Some(&b"-"[..]).filter(|_| !agent.is_empty()), "{name}");
    }
    let named =
        Mapping { fields: vec![(Slot::Text(extra), "request_X-Api-Key".into())], ..Mapping::default() };
    let line = TRAEFIK_JSON.replace("k1", "-");
    let mut parsed = Line::default();
    let entry = format("traefik-json").parser(&named).unwrap().parse(line.as_bytes(), &mut parsed);
    assert_eq!((entry, parsed.text(extra)), (Ok(Entry::Request), None));
}

#[test]
fn a_format_string_of_ones_own_is_read() {
    let pattern = "%START_TIME%|%REQ(X-API-KEY)%|%REQ(:METHOD)% %REQ(:PATH)%|%RESPONSE_CODE%|%DURATION%";
    let mapping = Mapping {
        headers: vec![(Extra(0), "x-api-key".into())],
        pattern: Some(pattern.into()),
        ..Mapping::default()
    };
    let line = with("envoy", "2026-11-29T09:41:02Z|k1|GET /a|200|26", &mapping);
    assert_eq!((text(&line, Text::Extra(Extra(0))), line.status), ("k1", 200));
    for wrong in ["%START_TIME", "%START_TIME%%DURATION%", "nothing"] {
        let mapping = Mapping { pattern: Some(wrong.into()), ..Mapping::default() };
        assert!(format("envoy").parser(&mapping).is_err(), "{wrong}");
    }
}

/// Envoy writes headers as they are, so these have the text in them that separates fields.
#[test]
fn a_client_cannot_choose_what_a_line_of_envoy_says() {
    let agent = ENVOY.replace("grpc-go/1.60", "x\" \"y\" \"z");
    assert_eq!(refused("envoy", agent.as_bytes()), Some(Unreadable::Ambiguous));
    let forwarded = ENVOY.replace("198.51.100.9,", "203.0.113.1\" \"a\" \"b\" \"c\" \"d, ");
    assert_eq!(refused("envoy", forwarded.as_bytes()), Some(Unreadable::Ambiguous));
    let path = TOLLGATE.replace("/v1/invoices", "/x HTTP/1.1 200 via_upstream 1ms decision=admitted");
    assert_eq!(refused("tollgate", path.as_bytes()), Some(Unreadable::Ambiguous));
}

#[test]
fn a_user_name_cannot_be_the_time_of_a_combined_line() {
    let line = r#"192.0.2.7 - a [01/Jan/2020:00:00:00 +0000] b [29/Nov/2026:09:41:02 +0000] "GET / HTTP/1.1" 200 5 "-" "-""#;
    assert_eq!(start(&read("combined", line)), AT);
}

#[test]
fn what_is_no_http_is_no_request() {
    let line = r#"192.0.2.7 - - [29/Nov/2026:09:41:02 +0000] "\x16\x03\x01\x02" 400 150 "-" "-""#;
    assert_eq!(refused("combined", line.as_bytes()), Some(Unreadable::Request));
    let line = r#"192.0.2.7 - - [29/Nov/2026:09:41:02 +0000] "-" 408 0 "-" "-""#;
    assert_eq!(refused("combined", line.as_bytes()), Some(Unreadable::Request));
}

#[test]
fn deep_json_is_skipped_without_recursion() {
    let deep = format!("{{\"x\":{}{},{}", "[".repeat(100_000), "]".repeat(100_000), &ENVOY_JSON[1..]);
    assert_eq!(refused("envoy-json", deep.as_bytes()), None);
    let open = format!("{{\"x\":{}", "{\"a\":".repeat(100_000));
    assert_eq!(refused("envoy-json", open.as_bytes()), Some(Unreadable::Shape));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_parser_panic(line in proptest::collection::vec(any::<u8>(), 0..200)) {
        for format in FORMATS {
            let _ = format.parser(&Mapping::default()).unwrap().parse(&line, &mut Line::default());
        }
    }

    /// Lines that are nearly right go deeper.
    #[test]
    fn no_damage_to_a_line_makes_a_parser_panic(
        index in 0..LINES.len(), at in any::<prop::sample::Index>(), cut in 0_usize..12,
        with in proptest::collection::vec(any::<u8>(), 0..6),
    ) {
        let mut line = LINES[index].1.as_bytes().to_vec();
        let at = at.index(line.len());
        line.splice(at..(at + cut).min(line.len()), with);
        for format in FORMATS {
            let _ = format.parser(&Mapping::default()).unwrap().parse(&line, &mut Line::default());
        }
        let _ = detect(&[&line], &Mapping::default());
    }

    /// Our own reader of JSON takes the texts that serde_json takes.
    #[test]
    fn json_is_read_as_serde_json_reads_it(path in "/\\PC{0,30}", agent in any::<String>(), more in any::<String>()) {
        let object = serde_json::json!({
            "more": { "path": more, "list": [more, { "path": 1 }, null] }, "start_time": "2026-11-29T09:41:02Z",
            "method": "GET", "path": path, "response_code": 200, "user_agent": agent,
        });
        let line = object.to_string();
        let mut read = Line::default();
        let entry = format("envoy-json").parser(&Mapping::default()).unwrap().parse(line.as_bytes(), &mut read);
        prop_assert_eq!(entry, Ok(Entry::Request));
        prop_assert_eq!(read.text(Text::Path), Some(path.as_bytes()));
        let agent = Some(agent.as_bytes()).filter(|agent| !matches!(*agent, b"" | b"-"));
        prop_assert_eq!(read.text(Text::UserAgent), agent);
    }
}
