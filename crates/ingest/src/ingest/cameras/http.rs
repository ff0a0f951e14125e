//! Cameras that send JPEG over HTTP: one picture after the other in one answer, or one picture an answer, which is then asked for
//! again and again. Pictures pass as they are.

use std::io::Read;
use std::time::{Duration, Instant};

use http_auth::{PasswordClient, PasswordParams};
use ureq::Agent;
use ureq::Body;
use ureq::http::{Response, header};

use super::address::Address;
use super::clock::Device;
use super::multipart::{Multipart, PICTURE_BYTES_MAX};
use super::session::{About, Event, Link, Picture, Session, Watches, duration};
use super::trouble::Trouble;
use crate::base::Span;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_millis(1_500);
/// A camera that gives one picture an answer is asked so often, unless the shop says otherwise, Hz.
const POLL_HERTZ: f64 = 5.0;
const READ_BYTES: usize = 64 << 10;
/// The answer was about a login, and there is none; or it is refused.
const UNAUTHORIZED: u16 = 401;

/// Begins to read a camera.
///
/// # Errors
/// When no thread can be started.
pub(super) fn open(address: &Address, silence: Span, rate: Option<f64>, watches: &Watches) -> Result<Session, Trouble> {
    let mut session = Session::new(watches);
    let config = Agent::config_builder()
        .timeout_connect(Some(CONNECT))
        .timeout_per_read(Some(duration(silence)))
        .timeout_per_write(Some(CONNECT))
        .http_status_as_error(false)
        .proxy(None)
        .no_delay(true)
        // Many cameras close a connection after an answer without saying so: what is asked next would be lost.
        .max_idle_connections(0)
        .user_agent(concat!("aisle/", env!("CARGO_PKG_VERSION")))
        .build();
    let agent = Agent::new_with_config(config);
    session.at_end({
        let agent = agent.clone();
        move || agent.shutdown()
    });
    let mut client = Client { address: address.clone(), agent, login: None };
    let interval = Duration::from_secs_f64(1.0 / rate.unwrap_or(POLL_HERTZ));
    session.run("camera-http", move |link| {
        let ended = client.read(&link, interval).err().unwrap_or_else(|| Trouble::of([]));
        link.tell(Event::Ended(ended));
    })?;
    Ok(session.begun())
}

struct Client {
    address: Address,
    agent: Agent,
    login: Option<PasswordClient>,
}

impl Client {
    /// Reads until the camera ends it.
    fn read(&mut self, link: &Link, interval: Duration) -> Result<(), Trouble> {
        let mut told = false;
        loop {
            let begun = Instant::now();
            let response = self.ask()?;
            let kind =
                response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
            let kind = kind.to_ascii_lowercase();
            let server = response.headers().get(header::SERVER).and_then(|name| name.to_str().ok()).map(str::to_owned);
            let is_single = kind.starts_with("image/");
            if kind.starts_with("text/") {
                let remedy = "give the URL of its MJPEG stream or of a snapshot; its manual has it";
                return Err(Trouble::lasting(format!("it answers with {kind}, which is no picture"), Some(remedy)));
            }
            if !told {
                let codec = if is_single { "jpeg" } else { "mjpeg" };
                link.tell(Event::About(About { codec: codec.to_owned(), program: server, ..About::default() }));
                told = true;
            }
            if !is_single {
                // The kind keeps its letters: a boundary may have capitals.
                let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
                let multipart = Multipart::new(kind.unwrap_or_default());
                return self.stream(response, multipart, link);
            }
            let mut data = Vec::new();
            let mut body = response.into_body().into_reader().take(PICTURE_BYTES_MAX as u64);
            body.read_to_end(&mut data).map_err(|error| self.trouble(&error.to_string()))?;
            let picture = Picture { data, device: Device::default(), arrival: link.watches.now() };
            if !link.tell(Event::Picture(picture)) || !link.wait(interval.saturating_sub(begun.elapsed())) {
                return Ok(());
            }
        }
    }

    fn stream(&self, response: Response<Body>, mut multipart: Multipart, link: &Link) -> Result<(), Trouble> {
        let mut body = response.into_body().into_reader();
        let mut bytes = vec![0; READ_BYTES];
        loop {
            let read = body.read(&mut bytes).map_err(|error| self.trouble(&error.to_string()))?;
            if read == 0 {
                return Ok(());
            }
            let arrival = link.watches.now();
            multipart.feed(&bytes[..read]);
            while let Some(part) = multipart.next() {
                let since = part.own_nanos.map(Span::from_nanos);
                let device = Device { since, own_nanos: part.own_nanos, ours: None };
                if !link.tell(Event::Picture(Picture { data: part.data, device, arrival })) {
                    return Ok(());
                }
            }
            let garbage = std::mem::take(&mut multipart.garbage);
            if 0 < garbage && !link.tell(Event::Undecodable(garbage)) {
                return Ok(());
            }
        }
    }

    /// Asks once, and once more with the login where one is wanted.
    fn ask(&mut self) -> Result<Response<Body>, Trouble> {
        let response = self.get()?;
        if response.status().as_u16() != UNAUTHORIZED || self.address.login.is_none() {
            return self.checked(response);
        }
        let challenges = response.headers().get_all(header::WWW_AUTHENTICATE);
        let challenges: Vec<&str> = challenges.iter().filter_map(|challenge| challenge.to_str().ok()).collect();
        let client = PasswordClient::try_from(challenges.join(", ").as_str());
        self.login = Some(client.map_err(|_| Trouble::of(["401: it wants a kind of login that is not known"]))?);
        let response = self.get()?;
        self.checked(response)
    }

    fn get(&mut self) -> Result<Response<Body>, Trouble> {
        let url = self.address.plain.reveal();
        let mut request = self.agent.get(url);
        if let (Some(client), Some(login)) = (&mut self.login, &self.address.login) {
            let path = url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).unwrap_or("/");
            let (username, password) = (login.user.as_str(), login.password.reveal().as_str());
            let params = PasswordParams { username, password, uri: path, method: "GET", body: Some(&[]) };
            let answer = client.respond(&params).map_err(|_| Trouble::of(["401: its login cannot be answered"]))?;
            request = request.header(header::AUTHORIZATION, answer);
        }
        request.call().map_err(|error| self.trouble(&error.to_string()))
    }

    fn checked(&self, response: Response<Body>) -> Result<Response<Body>, Trouble> {
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.trouble(&format!("it answers {}", response.status())))
    }

    fn trouble(&self, said: &str) -> Trouble {
        Trouble::of([self.address.scrubbed(said).as_str()])
    }
}
