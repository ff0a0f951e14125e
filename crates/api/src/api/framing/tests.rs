use super::*;

/// Feeds all of it in pieces of so many bytes; what may be acted on, and what was refused.
fn fed(bytes: &[u8], piece: usize) -> (Vec<u8>, Option<Sort>, Framing) {
    let (mut framing, mut out) = (Framing::new(), Vec::new());
    bytes.chunks(piece).for_each(|bytes| framing.feed(bytes, &mut out));
    let refused = framing.refusal().map(|problem| problem.sort());
    (out, refused, framing)
}

fn refused(bytes: &[u8]) -> Option<Sort> {
    let (_, all_at_once, _) = fed(bytes, bytes.len().max(1));
    for piece in [1, 2, 7] {
        assert_eq!(fed(bytes, piece).1, all_at_once, "{:?} in pieces of {piece}", String::from_utf8_lossy(bytes));
    }
    all_at_once
}

#[test]
fn whole_requests_pass_unchanged() {
    let requests: [&[u8]; 9] = [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /a?b=c HTTP/1.0\r\n\r\n",
        b"POST /v1/x HTTP/1.1\r\nHost: 127.0.0.1:80\r\nContent-Length: 5\r\n\r\nhello",
        b"POST /v1/x HTTP/1.1\r\nHost: [::1]:80\r\ncontent-length:0\r\n\r\n",
        b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n",
        b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\nA: b\r\n\r\n",
        b"PUT http://x/y HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n\r\n",
        b"BREW /pot HTTP/1.1\r\nHost: x\r\nX: \xc3\xa9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
    ];
    for piece in [1, 3, 8_192] {
        let all = requests.concat();
        let (out, refused, framing) = fed(&all, piece);
        assert_eq!((out, refused), (all, None));
        assert!(!framing.is_within_head());
    }
}

#[test]
fn a_head_waits_until_it_is_there() {
    let (out, refused, framing) = fed(b"\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n", 1);
    assert!(out.is_empty() && refused.is_none() && framing.is_within_head());
    let (_, _, idle) = fed(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n\r\n", 1);
    assert!(!idle.is_within_head(), "an empty line is no request");
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    let heads: [&str; 24] = [
        "Host: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
        "Host: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 1",
        "Host: x\r\nContent-Length: 1\r\nContent-Length: 1",
        "Host: x\r\nContent-Length: 1, 1",
        "Host: x\r\nContent-Length: +1",
        "Host: x\r\nContent-Length: -1",
        "Host: x\r\nContent-Length: 0x1",
        "Host: x\r\nContent-Length: 1 1",
        "Host: x\r\nContent-Length:",
        "Host: x\r\nContent-Length: 99999999999999999999",
        "Host: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Host: x\r\nTransfer-Encoding: gzip, chunked",
        "Host: x\r\nTransfer-Encoding: identity",
        "Host: x\r\nTransfer-Encoding: xchunked",
        "Host: x\r\nHost: y",
        "Host: x y",
        "Host: x/y",
        "Accept: a",
        "Host: x\r\n folded: y",
        "Host: x\r\nName : y",
        "Host: x\r\nno colon",
        "Host: x\r\nA: b\u{1}",
        "Host: x\r\nAuthorization: a\r\nAuthorization: b",
        "Host: x\r\nA: b\rC: d",
    ];
    for head in heads {
        let request = format!("POST / HTTP/1.1\r\n{head}\r\n\r\n");
        assert_eq!(refused(request.as_bytes()), Some(Sort::Malformed), "{head}");
    }
}

#[test]
fn first_lines_are_refused_as_what_they_are() {
    let lines: [(&[u8], Sort); 19] = [
        (b"GET  / HTTP/1.1", Sort::Malformed),
        (b"GET /", Sort::Malformed),
        (b"GET / HTTP/1.1 x", Sort::Malformed),
        (b"G\xc3\x8bT / HTTP/1.1", Sort::Malformed),
        (b"GET / http/1.1", Sort::Malformed),
        (b"GET x HTTP/1.1", Sort::Malformed),
        (b"OPTIONS * HTTP/1.1", Sort::Malformed),
        (b"CONNECT h:1 HTTP/1.1", Sort::Malformed),
        (b"GET /a\x01 HTTP/1.1", Sort::Malformed),
        (b"GET /\xff HTTP/1.1", Sort::Malformed),
        (b"GET http:/// HTTP/1.1", Sort::Malformed),
        (b" GET / HTTP/1.1", Sort::Malformed),
        (b"\x16\x03\x01\x02\x00", Sort::Malformed),
        (b"{}", Sort::Malformed),
        (b"(GET) / HTTP/1.1", Sort::Malformed),
        (b"GET / HTTP/2.0", Sort::Version),
        (b"GET / HTTP/1.2", Sort::Version),
        (b"GET / HTTP/0.9", Sort::Version),
        (b"GET / HTTP/", Sort::Malformed),
    ];
    for (line, sort) in lines {
        let request = [line, b"\r\nHost: x\r\n\r\n"].concat();
        assert_eq!(refused(&request), Some(sort), "{}", String::from_utf8_lossy(line));
    }
    assert_eq!(refused(b"GET / HTTP/1.1\nHost: x\n\n"), Some(Sort::Malformed), "lines end with CR LF");
    let expectation = b"GET / HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n\r\n";
    assert_eq!(refused(expectation), Some(Sort::Expectation));
    let old = b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(refused(old), Some(Sort::Malformed));
}

#[test]
fn heads_have_a_size() {
    let with = |line: &str, count: usize| {
        format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", format!("{line}\r\n").repeat(count)).into_bytes()
    };
    assert_eq!(refused(&with("A: b", REQUEST_HEADERS_MAX - 1)), None);
    assert_eq!(refused(&with("A: b", REQUEST_HEADERS_MAX)), Some(Sort::HeadTooLarge));
    let long = "A".repeat(REQUEST_HEAD_BYTES_MAX);
    assert_eq!(refused(&with(&format!("A: {long}"), 1)), Some(Sort::HeadTooLarge));
    assert_eq!(refused(format!("GET /{long} HTTP/1.1\r\n").as_bytes()), Some(Sort::HeadTooLarge));
}

#[test]
fn chunks_are_as_long_as_they_say() {
    let chunked = |body: &[u8]| {
        let request = [b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", body].concat();
        let sort = refused(&request);
        let (_, _, framing) = fed(&request, 1);
        assert_eq!(framing.over(), sort.map(|_| true), "{:?}", String::from_utf8_lossy(body));
        sort
    };
    assert_eq!(chunked(b"5\r\nhel"), None, "the rest may come");
    for body in [
        &b"5\r\nhelloX\r\n"[..],
        b"5\r\nhello\n0\r\n\r\n",
        b"5\nhello\r\n",
        b"g\r\n",
        b"-1\r\n",
        b"0x5\r\nhello\r\n",
        b"\r\n",
        b"ffffffffffffffffff\r\n",
        b" 5\r\nhello\r\n",
        b"0\r\nbad trailer\r\n\r\n",
        b"0\r\nA : b\r\n\r\n",
    ] {
        // An empty size is none.
        assert_eq!(chunked(body), Some(Sort::Malformed), "{:?}", String::from_utf8_lossy(body));
    }
    let long = [&b"5;"[..], &b"x".repeat(CHUNK_LINE_BYTES_MAX)].concat();
    assert_eq!(chunked(&long), Some(Sort::Malformed));
    let trailers = [&b"0\r\n"[..], &b"A: b\r\n".repeat(TRAILER_BYTES_MAX)].concat();
    assert_eq!(chunked(&trailers), Some(Sort::Malformed));
}

#[test]
fn no_bytes_break_it_and_pieces_make_no_difference() {
    bolero::check!().with_iterations(3_000).with_type::<(Vec<u8>, u8)>().for_each(|(noise, cut)| {
        let head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        for begin in [&b""[..], &head[..usize::from(*cut) % head.len()], head] {
            let bytes = [begin, noise].concat();
            let (whole, why, _) = fed(&bytes, bytes.len().max(1));
            let (pieces, why_in_pieces, _) = fed(&bytes, 1);
            assert_eq!(why, why_in_pieces);
            assert!(why.is_some() || whole == pieces);
            assert!(whole.len() <= bytes.len());
        }
    });
}
