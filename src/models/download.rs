//! Fetching a file whose length and digest are known: resumed, checked, and never half there.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::ProgressBar;
use ring::digest::{Context, SHA256};
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body};

use crate::base::{Error, Result, hex, sha256};
use crate::config;
use crate::vision::{self, Weights};

/// Bytes at the beginning of a file by which its format is known.
const BEGINNING_BYTES: u64 = 4_096;
/// How long reaching a server, and then each answer of it, may take.
const CONNECT_SPAN_MAX: Duration = Duration::from_secs(10);
const ANSWER_SPAN_MAX: Duration = Duration::from_secs(60);
/// How long a server that is sending a file may send nothing.
const SILENCE_SPAN_MAX: Duration = Duration::from_secs(30);
/// Redirects that are followed for one file.
const REDIRECTS_MAX: usize = 5;
/// Times that a file is asked for again at once after it broke off and some of it came.
const RESUMES_MAX: usize = 8;
/// What to do when a server was lost.
const AGAIN: &str = "is the network there? run it again; it goes on from there";
/// Bytes that are read at once.
const CHUNK_BYTES: usize = 64 << 10;
/// Digits of a digest in the name of what is on its way.
const PART_DIGITS: usize = 16;
/// Bytes of a JSON document that are read.
const DOCUMENT_BYTES_MAX: u64 = 16 << 20;

/// Opens a file to be read.
fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|error| Error::io("open", path, &error))
}

/// Checks that a file is the one that was meant.
pub(super) fn check(path: &Path, weights: &Weights) -> Result<()> {
    let (length, digest) = digest(open(path)?, path)?;
    judge(path, length, &digest, weights)
}

/// The bytes of a file, once they are known to be the ones that were meant.
pub(super) fn read(path: &Path, weights: &Weights) -> Result<Vec<u8>> {
    let length = fs::metadata(path).map_err(|error| Error::io("read", path, &error))?.len();
    if length != weights.size_bytes {
        // A file of another length is not read, whatever its length is.
        return judge(path, length, "", weights).map(|()| Vec::new());
    }
    let bytes = fs::read(path).map_err(|error| Error::io("read", path, &error))?;
    judge(path, bytes.len() as u64, &sha256(&bytes), weights)?;
    Ok(bytes)
}

/// Whether bytes that are built in are the ones that were meant.
pub(super) fn check_bytes(bytes: &[u8], weights: &Weights) -> Result<()> {
    judge(Path::new(&weights.file), bytes.len() as u64, &sha256(bytes), weights)
}

fn judge(path: &Path, length: u64, digest: &str, weights: &Weights) -> Result<()> {
    differs(length, digest, weights).map_or(Ok(()), |why| {
        let is = |bytes: Vec<u8>| vision::other_format(&bytes);
        let (also, hint) = match beginning(path).and_then(is) {
            Some((is, hint)) => (format!("; it is {is}, no ONNX file"), hint),
            None => (String::new(), "move it away, then fetch it again or give the right one"),
        };
        Err(Error::input(format!("another file than the manifest means: {why}{also}")).at_path(path).hint(hint))
    })
}

/// The first bytes of a file, by which formats are known.
fn beginning(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(BEGINNING_BYTES).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// How a file differs from what was meant.
fn differs(length: u64, digest: &str, weights: &Weights) -> Option<String> {
    if length != weights.size_bytes {
        return Some(format!("{length} bytes in place of {}", weights.size_bytes));
    }
    (digest != weights.sha256).then(|| format!("its SHA-256 is {digest} in place of {}", weights.sha256))
}

fn digest(mut file: File, path: &Path) -> Result<(u64, String)> {
    let mut context = Context::new(&SHA256);
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut length = 0;
    loop {
        match file.read(&mut chunk).map_err(|error| Error::io("read", path, &error))? {
            0 => return Ok((length, hex(context.finish().as_ref()))),
            count => {
                context.update(&chunk[..count]);
                length += count as u64;
            }
        }
    }
}

/// Asks for an address, from a byte on. Redirects are followed to addresses that are as safe as it is.
fn ask(address: &str, from: u64) -> Result<Response<Body>> {
    let agent = agent();
    let mut here = checked(address, false)?;
    for _ in 0..=REDIRECTS_MAX {
        let mut request = agent.get(&here);
        if 0 < from {
            request = request.header("Range", format!("bytes={from}-"));
        }
        let answer = request.call().map_err(|error| Error::unavailable(format!("{here}: {error}")).hint(AGAIN))?;
        let moved = answer.status().is_redirection().then(|| answer.headers().get("location")).flatten();
        let Some(place) = moved else { return Ok(answer) };
        let place = place.to_str().map_err(|_| Error::input(format!("{here}: it redirects to no address")))?;
        here = checked(&absolute(&here, place), here.starts_with("https://"))?;
    }
    Err(Error::unavailable(format!("{address}: more than {REDIRECTS_MAX} redirects")))
}

/// An address that files may be fetched from; one that another led to is not less safe than that.
pub fn checked(address: &str, https_only: bool) -> Result<String> {
    if config::is_safe_address(address) && (!https_only || address.starts_with("https://")) {
        return Ok(address.to_owned());
    }
    Err(Error::input(format!("{address}: files are fetched over HTTPS only")).hint("give an https:// address"))
}

/// Where a redirect leads: an address, one without its scheme, or a place on the same server.
fn absolute(base: &str, place: &str) -> String {
    if place.contains("://") {
        return place.to_owned();
    }
    let (scheme, rest) = base.split_once("://").unwrap_or(("https", base));
    if let Some(rest) = place.strip_prefix("//") {
        return format!("{scheme}://{rest}");
    }
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    let folder = match place.starts_with('/') {
        true => path.split('/').next().unwrap_or_default().to_owned(),
        false => path.rsplit_once('/').map_or(format!("{path}/"), |(folder, _)| format!("{folder}/")),
    };
    format!("{scheme}://{folder}{place}")
}

fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_per_read(Some(SILENCE_SPAN_MAX))
        .timeout_connect(Some(CONNECT_SPAN_MAX))
        .timeout_resolve(Some(CONNECT_SPAN_MAX))
        .timeout_recv_response(Some(ANSWER_SPAN_MAX))
        .user_agent(concat!("aisle/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent()
}

/// Fetches a JSON document.
pub fn document(address: &str) -> Result<serde_json::Value> {
    let lost = |error: &dyn std::fmt::Display| Error::unavailable(format!("{address}: {error}"));
    let mut answer = ask(address, 0)?;
    refused(answer.status(), address)?;
    let bytes =
        answer.body_mut().with_config().limit(DOCUMENT_BYTES_MAX).read_to_vec().map_err(|error| lost(&error))?;
    serde_json::from_slice(&bytes).map_err(|error| Error::input(format!("{address}: not the JSON expected: {error}")))
}

/// What a status means that is no answer.
fn refused(status: StatusCode, address: &str) -> Result<()> {
    match status {
        status if status.is_success() => Ok(()),
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            Err(Error::missing(format!("{address}: the server has no such file ({status})")))
        }
        status => Err(Error::unavailable(format!("{address}: the server answered {status}")).hint("try again later")),
    }
}

/// Fetches a file to `path`, showing how far it has come, and resuming what an earlier try left beside it. What is at `path` afterwards is whole and
/// right; what is not yet lies beside it under a name made of its digest, so that nobody else's file is taken for it.
pub fn fetch(address: &str, path: &Path, weights: &Weights, progress: &ProgressBar) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| Error::io("create", folder, &error))?;
    }
    let mut part = Part::open(path, weights)?;
    if weights.size_bytes < part.length()? {
        // It is of another file.
        part.clear()?;
    }
    let resumed = 0 < part.length()?;
    part = pull_all(address, part, weights, progress)?;
    if resumed && part.differs(weights)?.is_some() {
        // What an earlier try left was of another file; only what comes from here now says what is here.
        part.clear()?;
        part = pull_all(address, part, weights, progress)?;
    }
    part.keep(path, address, weights)
}

/// Asks for what is missing until all is there.
fn pull_all(address: &str, mut part: Part, weights: &Weights, progress: &ProgressBar) -> Result<Part> {
    for _ in 0..RESUMES_MAX {
        let before = part.length()?;
        if before == weights.size_bytes {
            break;
        }
        match pull(address, &mut part, weights.size_bytes, progress) {
            Ok(()) => {}
            Err(error) if part.length()? <= before => {
                progress.finish_and_clear();
                return part.leave().and(Err(error));
            }
            Err(_) => {}
        }
    }
    progress.finish_and_clear();
    let length = part.length()?;
    if length < weights.size_bytes {
        return Err(Error::unavailable(format!("{address}: broke off at {length} of {} bytes", weights.size_bytes))
            .hint("run it again; it goes on from there"));
    }
    Ok(part)
}

/// Asks for what is missing and appends it.
fn pull(address: &str, part: &mut Part, size: u64, progress: &ProgressBar) -> Result<()> {
    let lost = |error: &dyn std::fmt::Display| Error::unavailable(format!("{address}: {error}")).hint(AGAIN);
    let have = part.length()?;
    let mut answer = ask(address, have)?;
    if answer.status() == StatusCode::RANGE_NOT_SATISFIABLE {
        // What lies here is as long as the file there, or longer.
        part.clear()?;
        return Err(Error::input(format!("{address}: the server's file is shorter than {size} bytes")));
    }
    refused(answer.status(), address)?;
    let from = match answer.status() {
        StatusCode::PARTIAL_CONTENT => {
            let range = answer.headers().get("content-range").and_then(|range| range.to_str().ok());
            let begin = range.and_then(|range| range.strip_prefix("bytes ")?.split('-').next()?.parse::<u64>().ok());
            begin.filter(|begin| *begin <= have).ok_or_else(|| lost(&"it sent another part than was asked for"))?
        }
        _ => 0,
    };
    part.seek(from)?;
    progress.set_position(from);
    // One byte more than there should be shows a file that is too long, without taking all of it.
    let mut body = answer.body_mut().with_config().limit(size - from + 1).reader();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut place = from;
    loop {
        match body.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                place += count as u64;
                if size < place {
                    part.clear()?;
                    return Err(Error::input(format!("{address}: the file is longer than {size} bytes")));
                }
                part.write(&chunk[..count])?;
                progress.set_position(place);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(lost(&error)),
        }
    }
}

/// A file on its way.
struct Part {
    file: File,
    path: PathBuf,
}

impl Part {
    /// Opens or begins the part of a file, under a name that says which file is meant. Two processes do not fetch one file at once.
    fn open(path: &Path, weights: &Weights) -> Result<Self> {
        let meant = sha256(format!("{}/{}", weights.sha256, weights.file).as_bytes());
        let path = path.with_file_name(format!(".aisle-{}.part", &meant[..PART_DIGITS]));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&path).map_err(|error| Error::io("write", &path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Part { file, path }),
            Err(TryLockError::WouldBlock) => {
                Err(Error::conflict("another aisle is fetching this file").at_path(&path).hint("wait for it"))
            }
            Err(TryLockError::Error(error)) => Err(Error::io("lock", &path, &error)),
        }
    }

    fn wrong(&self, what: &str, error: &std::io::Error) -> Error {
        Error::io(what, &self.path, error)
    }

    fn length(&self) -> Result<u64> {
        self.file.metadata().map(|data| data.len()).map_err(|error| self.wrong("read", &error))
    }

    /// Goes on writing at a place and forgets what was behind it.
    fn seek(&mut self, place: u64) -> Result<()> {
        let done = self.file.set_len(place).and_then(|()| self.file.seek(SeekFrom::Start(place)));
        done.map(drop).map_err(|error| self.wrong("write", &error))
    }

    fn clear(&mut self) -> Result<()> {
        self.seek(0)
    }

    /// What came stays for the next try; an empty file does not.
    fn leave(self) -> Result<()> {
        match self.length()? {
            0 => fs::remove_file(&self.path).map_err(|error| self.wrong("remove", &error)),
            _ => Ok(()),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| self.wrong("write", &error))
    }

    /// How the whole of it differs from what was meant.
    fn differs(&mut self, weights: &Weights) -> Result<Option<String>> {
        self.file.seek(SeekFrom::Start(0)).map_err(|error| self.wrong("read", &error))?;
        let copy = self.file.try_clone().map_err(|error| self.wrong("read", &error))?;
        let (length, digest) = digest(copy, &self.path)?;
        Ok(differs(length, &digest, weights))
    }

    /// Checks the whole file and gives it its name; a wrong one is removed.
    fn keep(mut self, path: &Path, address: &str, weights: &Weights) -> Result<()> {
        self.file.sync_all().map_err(|error| self.wrong("write", &error))?;
        if let Some(why) = self.differs(weights)? {
            fs::remove_file(&self.path).map_err(|error| self.wrong("remove", &error))?;
            return Err(Error::input(format!("{address}: another file than the manifest means: {why}"))
                .hint("its publisher changed it, or somebody stands between; nothing was kept"));
        }
        fs::rename(&self.path, path).map_err(|error| self.wrong("rename", &error))
    }
}
