//! A connection as the HTTP library sees it: whole heads only, bodies that end where they say, and nothing behind what was
//! refused. It never acts on what it reads.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, header};
use http_body_util::BodyExt as _;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;

use super::enter::Refused;
use super::framing::Framing;
use super::problem::Problem;

/// Bytes that are read at a time.
const READ_BYTES: usize = 8 << 10;
/// Bytes that are still taken, and thrown away, from somebody whose request was refused; else they might never see why.
const LINGER_BYTES_MAX: usize = 256 << 10;
/// What stands in the line of the log for a request that never came to be one.
pub(super) const NO_PATH: &str = "/-";

/// A connection.
pub(super) struct Wire {
    stream: TcpStream,
    framing: Framing,
    /// What may be read, and from where on.
    ready: Vec<u8>,
    from: usize,
    /// Grows with whatever moves, in either direction.
    moved: Arc<AtomicU64>,
}

impl Wire {
    /// With what grows as long as something moves.
    pub(super) fn new(stream: TcpStream) -> (Self, Arc<AtomicU64>) {
        let moved = Arc::<AtomicU64>::default();
        (Wire { stream, framing: Framing::new(), ready: Vec::new(), from: 0, moved: moved.clone() }, moved)
    }

    /// Why it was refused to go on, if it was, and nobody has said so yet: what is wrong with a body, whoever reads it says.
    pub(super) fn refusal(&mut self) -> Option<Problem> {
        self.framing.refusal().filter(|_| self.framing.over() == Some(false))
    }

    /// Whether a head has begun and is not there as a whole.
    pub(super) fn is_within_head(&self) -> bool {
        self.framing.is_within_head()
    }

    /// Answers in place of the router, which makes the answer as it makes all others, and ends the connection.
    pub(super) async fn refuse(mut self, router: Router, problem: Problem) -> io::Result<()> {
        let answer = answer(router, problem).await;
        self.stream.write_all(&answer).await?;
        self.end().await
    }

    /// Ends the connection so that what was written last arrives.
    pub(super) async fn end(mut self) -> io::Result<()> {
        self.stream.shutdown().await?;
        let (mut thrown, mut left) = ([0; READ_BYTES], LINGER_BYTES_MAX);
        while 0 < left {
            match self.stream.read(&mut thrown).await? {
                0 => return Ok(()),
                count => left = left.saturating_sub(count),
            }
        }
        Ok(())
    }
}

/// The answer to what never was a request, as it goes over the wire.
pub(super) async fn answer(router: Router, problem: Problem) -> Vec<u8> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = NO_PATH.parse().unwrap_or_default();
    request.extensions_mut().insert(Refused(problem));
    let response = match TowerToHyperService::new(router).call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    written(response).await
}

async fn written(response: Response<Body>) -> Vec<u8> {
    let (head, body) = response.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let mut out = format!("HTTP/1.1 {}\r\n", head.status).into_bytes();
    let length = body.len().to_string();
    let date = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let own = [("connection", b"close".as_slice()), ("content-length", length.as_bytes()), ("date", date.as_bytes())];
    let told = |name: &str| name != header::CONTENT_LENGTH && name != header::CONNECTION;
    let given = head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    for (name, value) in given.filter(|(name, _)| told(name)).chain(own) {
        out.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(&body);
    out
}

impl Read for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, mut buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        loop {
            let ready = &wire.ready[wire.from..];
            if !ready.is_empty() {
                let count = ready.len().min(buffer.remaining());
                buffer.put_slice(&ready[..count]);
                wire.from += count;
                return Poll::Ready(Ok(()));
            }
            match wire.framing.over() {
                // The answers before are still given; then it ends.
                Some(false) => return Poll::Ready(Ok(())),
                Some(true) => return Poll::Ready(Err(io::ErrorKind::InvalidData.into())),
                None => {}
            }
            let mut space = [0; READ_BYTES];
            let mut read = ReadBuf::new(&mut space);
            ready!(Pin::new(&mut wire.stream).poll_read(cx, &mut read))?;
            if read.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            wire.moved.fetch_add(1, Ordering::Relaxed);
            wire.ready.clear();
            wire.from = 0;
            wire.framing.feed(read.filled(), &mut wire.ready);
        }
    }
}

impl Write for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let wire = self.get_mut();
        let written = ready!(Pin::new(&mut wire.stream).poll_write(cx, bytes))?;
        wire.moved.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wire = self.get_mut();
        let written = ready!(Pin::new(&mut wire.stream).poll_write_vectored(cx, pieces))?;
        wire.moved.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
