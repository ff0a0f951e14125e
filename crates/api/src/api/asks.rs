//! Gates that do not speak HTTP: whoever hears them hands their questions in here, and each is answered as if it had come over HTTP, by
//! the same routes, with the same token, the same bounds and the same line in the log.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, header};
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use tokio::sync::{Semaphore, mpsc};

use super::enter::Refused;
use super::problem::{Problem, Sort};
use super::wire::NO_PATH;
use crate::base::Span;
use crate::base::limits::{GATE_ASKS_MAX, GATE_REQUESTS_MAX};
use crate::ports::{Clock, GateAsk, GateDesk, GateQuestion};

/// A question that is older, or as far ahead, is of another time: nobody stands at the gate any more, or its clock is wrong.
const AGE_MAX: Span = Span::from_millis(10_000);

/// Questions that were handed in.
pub struct Asked(mpsc::Receiver<GateAsk>);

/// Where questions of gates are handed in, and where they come out. What there is no room for is given back.
pub fn gate_desk() -> (GateDesk, Asked) {
    let (sender, receiver) = mpsc::channel(GATE_ASKS_MAX);
    let desk = GateDesk::new(move |ask| sender.try_send(ask).map_err(|error| Box::new(error.into_inner())));
    (desk, Asked(receiver))
}

impl Asked {
    /// Answers questions, many at a time, until nobody can ask any more.
    pub async fn answer(mut self, router: Router, clock: Arc<dyn Clock>) {
        let places = Arc::new(Semaphore::new(GATE_REQUESTS_MAX));
        while let Some(ask) = self.0.recv().await {
            // It is never closed.
            let Ok(place) = places.clone().acquire_owned().await else { return };
            let (router, clock) = (router.clone(), clock.clone());
            tokio::spawn(async move {
                answer(router, ask, clock.as_ref()).await;
                drop(place);
            });
        }
    }
}

async fn answer(router: Router, ask: GateAsk, clock: &dyn Clock) {
    let is_of_now = (clock.now() - ask.at).abs() <= AGE_MAX;
    let request = if is_of_now { request(&ask) } else { None };
    let request = request.unwrap_or_else(|| {
        let why = "nobody can ask so: the token or the name of the gate has letters that it cannot have";
        let old = "the question is more than 10 s old, or comes from so far ahead: ask anew, and set the gate's clock";
        let problem = match is_of_now {
            true => Problem::new(Sort::Malformed, why),
            false => Problem::new(Sort::Slow, old),
        };
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = NO_PATH.parse().unwrap_or_default();
        request.extensions_mut().insert(Refused(problem));
        request
    });
    let Ok(response) = TowerToHyperService::new(router).call(request).await;
    let status = response.status().as_u16();
    // What a route answers to a gate is in memory as a whole.
    let body = response.into_body().collect().await.map(|body| body.to_bytes().to_vec()).unwrap_or_default();
    (ask.answer)(status, body);
}

/// The request that such a gate would make; none where a token or a name cannot be in one.
fn request(ask: &GateAsk) -> Option<Request<Body>> {
    let gate = segment(&ask.gate);
    let (method, path) = match ask.question {
        GateQuestion::Enter => (Method::POST, "/v1/entries".to_owned()),
        GateQuestion::Leave => (Method::POST, format!("/v1/gates/{gate}/leave")),
        GateQuestion::Begin => (Method::POST, format!("/v1/gates/{gate}/visits")),
        GateQuestion::Rule => (Method::GET, format!("/v1/gates/{gate}")),
    };
    let mut token = HeaderValue::from_str(&format!("Bearer {}", ask.token.reveal())).ok()?;
    token.set_sensitive(true);
    let has_body = method != Method::GET;
    let mut request = Request::builder().method(method).uri(path).header(header::AUTHORIZATION, token);
    if has_body {
        request = request.header(header::CONTENT_TYPE, "application/json").header("Idempotency-Key", &ask.id);
    }
    request.body(if has_body { Body::from(ask.body.reveal().clone()) } else { Body::empty() }).ok()
}

/// A name as one part of a path.
fn segment(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    name.bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Secret, ShopTime};

    fn ask(question: GateQuestion, gate: &str, token: &str) -> GateAsk {
        GateAsk {
            gate: gate.to_owned(),
            id: "7".to_owned(),
            at: ShopTime::from_nanos(0),
            question,
            token: Secret::new(token.to_owned()),
            body: Secret::new(b"{}".to_vec()),
            answer: Box::new(|_, _| {}),
        }
    }

    #[test]
    fn a_question_is_the_request_that_the_gate_would_make() {
        let of = |question| request(&ask(question, "door/1 ä", "aisle_x")).unwrap();
        let leave = of(GateQuestion::Leave);
        assert_eq!((leave.method(), leave.uri().path()), (&Method::POST, "/v1/gates/door%2F1%20%C3%A4/leave"));
        assert_eq!(leave.headers()["authorization"], "Bearer aisle_x");
        assert_eq!(leave.headers()["idempotency-key"], "7");
        assert!(!format!("{leave:?}").contains("aisle_x"), "a request that is shown shows no token");
        assert_eq!(of(GateQuestion::Rule).method(), Method::GET);
        assert!(request(&ask(GateQuestion::Enter, "door", "a\nb")).is_none());
    }

    #[test]
    fn what_there_is_no_room_for_is_given_back() {
        let (desk, asked) = gate_desk();
        let give = || desk.ask(ask(GateQuestion::Rule, "door", "x"));
        assert!((0..GATE_ASKS_MAX).all(|_| give().is_ok()));
        assert!(give().is_err());
        drop(asked);
        assert!(give().is_err());
        assert!(GateDesk::default().ask(ask(GateQuestion::Rule, "door", "x")).is_err());
        assert!(!format!("{:?}", ask(GateQuestion::Rule, "door", "secret")).contains("secret"));
    }
}
