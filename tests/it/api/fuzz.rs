//! Requests that nobody would write.

use std::panic::AssertUnwindSafe;

use aisle::base::Span;
use axum::body::Body;
use axum::http::Request;
use bolero::check;

use super::{DESCRIPTION, World, exchange};

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"];
const HEADERS: [&str; 8] =
    ["Authorization", "Content-Type", "Idempotency-Key", "Accept", "Content-Length", "Sandbox-Signature", "Host", "X"];

/// Method, path, what fills its braces, query, headers, body; and whether the request comes with a token.
type Sketch = (u8, u8, String, String, Vec<(u8, String)>, Vec<u8>, bool);

#[test]
fn no_request_is_answered_with_a_failure() {
    let world = World::new();
    let paths: Vec<&String> = DESCRIPTION["paths"].as_object().unwrap().keys().collect();
    let send = AssertUnwindSafe(|sketch: &Sketch| {
        let (method, path, part, query, headers, body, with_token) = sketch;
        let template = paths[usize::from(*path) % paths.len()];
        let part: String = form_urlencoded::byte_serialize(part.as_bytes()).collect();
        let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let filled: Vec<&str> =
            template.split('/').map(|step| if step.starts_with('{') { &part } else { step }).collect();
        let mut request = Request::builder().method(METHODS[usize::from(*method) % METHODS.len()]).uri(format!(
            "{}?{}",
            filled.join("/"),
            query.replacen("%3D", "=", 1)
        ));
        if *with_token {
            request = request.header("Authorization", format!("Bearer {}", world.secrets[0]));
        }
        for (name, value) in headers.iter().take(20) {
            request = request.header(HEADERS[usize::from(*name) % HEADERS.len()], value.as_bytes());
        }
        // What is no request at all never gets here.
        let Ok(request) = request.body(Body::from(body.clone())) else { return };
        world.clock.on(Span::from_millis(7_000));
        let answer = world.runtime.block_on(exchange(world.router.clone(), request));
        assert!(answer.status.as_u16() < 500, "{template}: {}", answer.text());
    });
    check!().with_iterations(2_000).with_type::<Sketch>().for_each(|sketch| {
        let send = &send;
        send(sketch);
    });
}
