//! `aisle models`: fetches from a server on this machine that breaks off, lies and redirects; and the faster engine from an
//! index of packages.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use aisle::base::sha256;

use super::cli::{Answer, aisle};

/// What the server does about a call for a path with the first byte that is asked for.
type React = dyn FnMut(&str, Option<usize>) -> Reaction + Send;

enum Reaction {
    /// Status, headers, body; `length` is what it promises.
    Reply { status: u16, headers: Vec<String>, body: Vec<u8>, length: usize },
}

/// An HTTP server that answers one call a connection and notes what was asked.
struct Server {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    /// From which byte each call asked.
    calls: Arc<Mutex<Vec<Option<usize>>>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(mut react: Box<React>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (stopped, noted) = (stop.clone(), calls.clone());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Acquire) {
                    return;
                }
                let mut stream = stream.unwrap();
                if let Some((path, from)) = read(&stream) {
                    noted.lock().unwrap().push(from);
                    let Reaction::Reply { status, headers, body, length } = react(&path, from);
                    let mut head =
                        format!("HTTP/1.1 {status} Said\r\nConnection: close\r\nContent-Length: {length}\r\n");
                    headers.iter().for_each(|header| head += &format!("{header}\r\n"));
                    // Whoever asked may have gone.
                    let _ = stream.write_all((head + "\r\n").as_bytes()).and_then(|()| stream.write_all(&body));
                }
            }
        });
        Server { address, stop, calls, thread: Some(thread) }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    fn froms(&self) -> Vec<Option<usize>> {
        self.calls.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // Wakes the thread up.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let outcome = thread.join();
            if !std::thread::panicking() {
                outcome.unwrap();
            }
        }
    }
}

fn read(stream: &TcpStream) -> Option<(String, Option<usize>)> {
    let mut lines = BufReader::new(stream).lines();
    let path = lines.next()?.ok()?.split(' ').nth(1)?.to_owned();
    let mut from = None;
    for line in lines {
        let line = line.ok()?.to_lowercase();
        if line.is_empty() {
            break;
        }
        from = from.or(line.strip_prefix("range: bytes=").and_then(|range| range.trim_end_matches('-').parse().ok()));
    }
    Some((path, from))
}

fn reply(status: u16, body: &[u8]) -> Reaction {
    Reaction::Reply { status, headers: Vec::new(), body: body.to_vec(), length: body.len() }
}

/// The rest of a file from where it was asked for, of which only `sent` bytes come.
fn rest(file: &[u8], from: usize, sent: usize) -> Reaction {
    let body = file[from..].iter().copied().take(sent).collect();
    let headers = vec![format!("Content-Range: bytes {from}-{}/{}", file.len() - 1, file.len())];
    Reaction::Reply { status: 206, headers, body, length: file.len() - from }
}

fn file() -> Vec<u8> {
    (0..300_000_u32).map(|at| (at * 7 % 251) as u8).collect()
}

/// A folder with the manifest of a model that is fetched from an address.
fn folder(source: &str, file: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "role = \"appearance\"\nfile = \"own.onnx\"\nsize_bytes = {}\nsha256 = \"{}\"\nlicence = \"MIT\"\nsource = \
         \"{source}\"\n[input]\nwidth = 8\nheight = 8\ncolour = \"rgb\"\n[decoder]\nkind = \"embedding\"\nlength = 4\n",
        file.len(),
        sha256(file)
    );
    fs::write(folder.path().join("own.toml"), text).unwrap();
    folder
}

fn ask(folder: &Path, arguments: &[&str]) -> Answer {
    let mut command = aisle(folder, arguments);
    for variable in
        ["AISLE_MODELS", "AISLE_ONNXRUNTIME", "ORT_DYLIB_PATH", "LD_LIBRARY_PATH", "HTTP_PROXY", "http_proxy"]
    {
        command.env_remove(variable);
    }
    let output = command.env("XDG_DATA_HOME", folder).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Answer { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn fetch(folder: &Path) -> Answer {
    ask(folder, &["models", "fetch", "own", "--models", "."])
}

/// What lies in the folder beside the manifest.
fn left(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "own.toml");
    names.sort();
    names
}

#[test]
fn a_fetch_that_breaks_off_goes_on_where_it_was() {
    let whole = file();
    let served = whole.clone();
    // A third each time, the first without any range.
    let server = Server::start(Box::new(move |_, from| match from {
        None => {
            Reaction::Reply { status: 200, headers: vec![], body: served[..100_000].to_vec(), length: served.len() }
        }
        Some(from) => rest(&served, from, 100_000),
    }));
    let folder = folder(&server.url("own.onnx"), &whole);
    let answer = fetch(folder.path());
    assert_eq!((answer.status, answer.err.as_str()), (Some(0), ""));
    assert_eq!(fs::read(folder.path().join("own.onnx")).unwrap(), whole);
    assert_eq!(server.froms(), [None, Some(100_000), Some(200_000)]);
    assert_eq!(left(folder.path()), ["own.onnx"]);
    // The second time there is nothing to do.
    assert!(fetch(folder.path()).out.contains("already"));
    assert_eq!(server.froms().len(), 3);
    assert_eq!(ask(folder.path(), &["models", "verify", "own", "--models", "."]).status, Some(0));
}

/// What a file is called until it is whole.
fn part_name(whole: &[u8]) -> String {
    format!(".aisle-{}.part", &sha256(format!("{}/own.onnx", sha256(whole)).as_bytes())[..16])
}

#[test]
fn what_an_earlier_run_left_is_used_or_begun_anew() {
    let whole = file();
    for knows_ranges in [true, false] {
        let served = whole.clone();
        let server = Server::start(Box::new(move |_, from| match from.filter(|_| knows_ranges) {
            Some(from) => rest(&served, from, usize::MAX),
            None => reply(200, &served),
        }));
        let folder = folder(&server.url("own.onnx"), &whole);
        fs::write(folder.path().join(part_name(&whole)), &whole[..12_345]).unwrap();
        assert_eq!(fetch(folder.path()).status, Some(0));
        assert_eq!(fs::read(folder.path().join("own.onnx")).unwrap(), whole);
        assert_eq!(server.froms(), [Some(12_345)]);
    }
}

#[test]
fn what_an_earlier_run_left_of_another_file_is_fetched_anew() {
    let whole = file();
    let mut other = whole.clone();
    other[7] ^= 1;
    let longer = [other.as_slice(), b"more"].concat();
    for (before, froms) in
        [(&other[..12_345], vec![Some(12_345), None]), (other.as_slice(), vec![None]), (longer.as_slice(), vec![None])]
    {
        let served = whole.clone();
        let server = Server::start(Box::new(move |_, from| match from {
            Some(from) => rest(&served, from, usize::MAX),
            None => reply(200, &served),
        }));
        let folder = folder(&server.url("own.onnx"), &whole);
        fs::write(folder.path().join(part_name(&whole)), before).unwrap();
        let answer = fetch(folder.path());
        assert_eq!(answer.status, Some(0), "{}", answer.err);
        assert_eq!(fs::read(folder.path().join("own.onnx")).unwrap(), whole);
        assert_eq!(server.froms(), froms);
    }
}

#[test]
fn files_come_over_plain_http_from_this_machine_only() {
    let whole = file();
    for source in
        ["http://example.org/own.onnx", "http://localhost:x@example.org/own.onnx", "http://127.0.0.1.example.org/"]
    {
        let folder = folder(source, &whole);
        let answer = fetch(folder.path());
        assert_eq!(answer.status, Some(3), "{}", answer.err);
        assert!(answer.err.contains("source is"), "{}", answer.err);
        let index = source.trim_end_matches("/own.onnx");
        let answer = ask(folder.path(), &["models", "runtime", "--index", index]);
        assert_eq!(answer.status, Some(3), "{}", answer.err);
        assert!(answer.err.contains("over HTTPS only"), "{}", answer.err);
    }
    let server = Server::start(Box::new(|_, _| Reaction::Reply {
        status: 302,
        headers: vec!["Location: http://example.org/own.onnx".to_owned()],
        body: vec![],
        length: 0,
    }));
    let folder = folder(&server.url("own.onnx"), &whole);
    let answer = fetch(folder.path());
    assert_eq!(answer.status, Some(3), "{}", answer.err);
    assert!(answer.err.contains("over HTTPS only"), "{}", answer.err);
}

#[test]
fn a_server_that_sends_nothing_more_is_told_and_keeps_what_came() {
    let whole = file();
    let served = whole.clone();
    let server = Server::start(Box::new(move |_, from| {
        rest(&served, from.unwrap_or(0), if from.is_none() { 1_000 } else { 0 })
    }));
    let folder = folder(&server.url("own.onnx"), &whole);
    let answer = fetch(folder.path());
    assert_eq!(answer.status, Some(5), "{}", answer.err);
    assert!(answer.err.contains("goes on from there"), "{}", answer.err);
    assert_eq!(left(folder.path()), [part_name(&whole)]);
}

#[test]
fn another_file_is_not_kept() {
    let whole = file();
    let mut changed = whole.clone();
    changed[5] ^= 1;
    let longer = [whole.as_slice(), b"more"].concat();
    for (body, why) in [(changed, "SHA-256"), (longer, "longer than 300000 bytes")] {
        let server = Server::start(Box::new(move |_, _| reply(200, &body)));
        let folder = folder(&server.url("own.onnx"), &whole);
        let answer = fetch(folder.path());
        assert_eq!(answer.status, Some(3), "{}", answer.err);
        assert!(answer.err.contains(why), "{}", answer.err);
        assert!(!folder.path().join("own.onnx").exists());
    }
}

#[test]
fn refusals_name_their_address() {
    let whole = file();
    for (status, exit) in [(404, 3), (500, 5), (403, 5)] {
        let server = Server::start(Box::new(move |_, _| reply(status, b"")));
        let folder = folder(&server.url("own.onnx"), &whole);
        let answer = fetch(folder.path());
        assert_eq!(answer.status, Some(exit), "{}", answer.err);
        assert!(answer.err.contains(&status.to_string()) && answer.err.contains("/own.onnx"), "{}", answer.err);
    }
    // Nobody is there.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = folder(&format!("http://{gone}/own.onnx"), &whole);
    assert_eq!(fetch(folder.path()).status, Some(5));
}

#[test]
fn a_redirect_is_followed() {
    let whole = file();
    let served = whole.clone();
    let server = Server::start(Box::new(move |path, _| match path {
        "/old" => Reaction::Reply { status: 302, headers: vec!["Location: /new".to_owned()], body: vec![], length: 0 },
        _ => reply(200, &served),
    }));
    let folder = folder(&server.url("old"), &whole);
    assert_eq!(fetch(folder.path()).status, Some(0));
    assert_eq!(fs::read(folder.path().join("own.onnx")).unwrap(), whole);
}

#[test]
fn wrong_weights_are_told_and_all_problems_of_a_manifest_are_listed() {
    let whole = file();
    let folder = folder("https://example.org/own.onnx", &whole);
    fs::write(folder.path().join("own.onnx"), b"something else").unwrap();
    let answer = ask(folder.path(), &["models", "verify", "--models", "."]);
    assert_eq!(answer.status, Some(3));
    assert!(answer.err.contains("14 bytes in place of 300000"), "{}", answer.err);
    fs::write(
        folder.path().join("own.toml"),
        "role = \"cats\"\nfile = \"../own\"\nsize_bytes = 0\nsha256 = \"12\"\nlicence = \"MIT\"\nsource = \"ftp://x\"\n\
         extra = 1\n[input]\nwidth = 0\nheight = 8\ncolour = \"rgb\"\n[decoder]\nkind = \"crystal ball\"\n",
    )
    .unwrap();
    let answer = ask(folder.path(), &["models", "list", "--models", "."]);
    assert_eq!(answer.status, Some(3));
    for problem in [
        "role is `cats`",
        "file is `../own`",
        "size_bytes",
        "sha256",
        "source is",
        "`extra`",
        "width is 0",
        "is not a kind of decoder",
    ] {
        assert!(answer.err.contains(problem), "{problem} is not in {}", answer.err);
    }
    assert!(answer.err.contains("own.toml:1:") && answer.err.contains("8 problems"), "{}", answer.err);
}

#[test]
fn the_faster_engine_comes_out_of_its_wheel() {
    let mut wheel = std::io::Cursor::new(Vec::new());
    let mut zip = zip::ZipWriter::new(&mut wheel);
    for (name, bytes) in [
        ("onnxruntime/__init__.py", b"".as_slice()),
        ("onnxruntime/capi/libonnxruntime_providers_shared.so", b"no"),
        ("onnxruntime/capi/libonnxruntime.so.1.99.0", b"no library, but where it should be"),
        ("onnxruntime/capi/libonnxruntime.1.99.0.dylib", b"no library, but where it should be"),
        ("onnxruntime/capi/onnxruntime.dll", b"no library, but where it should be"),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
    let wheel = wheel.into_inner();
    let listed: Vec<String> =
        ["manylinux_2_28_x86_64", "manylinux_2_28_aarch64", "macosx_14_0_universal2", "win_amd64"]
            .iter()
            .map(|tag| {
                let name = format!("onnxruntime-1.99.0-cp311-cp311-{tag}.whl");
                let (size, digest) = (wheel.len(), sha256(&wheel));
                format!(r#"{{"filename":"{name}","size":{size},"digests":{{"sha256":"{digest}"}},"url":"URL/{name}"}}"#)
            })
            .collect();
    let listed = format!(r#"{{"urls":[{}]}}"#, listed.join(","));
    let address = Arc::new(Mutex::new(String::new()));
    let told = address.clone();
    let server = Server::start(Box::new(move |path, _| match path {
        "/pypi/onnxruntime/1.99.0/json" => reply(200, listed.replace("URL", &told.lock().unwrap()).as_bytes()),
        path if path.ends_with(".whl") => reply(200, &wheel),
        _ => reply(404, b""),
    }));
    *address.lock().unwrap() = server.url("files");
    let folder = tempfile::tempdir().unwrap();
    let index = server.url("");
    let answer = ask(folder.path(), &["models", "runtime", "--release", "1.99.0", "--index", &index]);
    // It arrives, and is then found to be no library.
    assert_eq!(answer.status, Some(5), "{}", answer.err);
    assert!(answer.err.contains("cannot use ONNX Runtime"), "{}", answer.err);
    let kept = folder.path().join("aisle/onnxruntime");
    assert!(left(&kept).is_empty(), "{:?}", left(&kept));
    // One that lies there all the same was named by nobody, so it is left alone, and told.
    fs::write(kept.join("libonnxruntime.so.1.99.0"), b"no library").unwrap();
    let answer = ask(folder.path(), &["doctor"]);
    assert_eq!(answer.status, Some(0), "{}", answer.err);
    assert!(answer.out.contains("embedded") && answer.out.contains("aisle models runtime"), "{}", answer.out);
    let answer = ask(folder.path(), &["doctor", "--onnxruntime", "no/such/file"]);
    assert_eq!(answer.status, Some(5), "{}", answer.err);
    let missing = ask(folder.path(), &["models", "runtime", "--release", "1.98.0", "--index", &index]);
    assert_eq!(missing.status, Some(3), "{}", missing.err);
}
