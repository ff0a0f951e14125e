//! The address of a camera: what is behind it, how it is logged into, and how it is shown. A password never leaves it but to
//! the camera.

use std::path::PathBuf;

use crate::base::Secret;
use crate::ingest::devices::{CameraAddress, host_and_port};

/// What stands for what is not shown.
const HIDDEN: &str = "***";
/// Shorter passwords are only hidden where a URL is around them: they would be found in every other word.
const PASSWORD_LETTERS_MIN: usize = 4;

/// What kind of camera is at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A camera that speaks RTSP.
    Rtsp,
    /// A camera that sends JPEG over HTTP.
    Http,
    /// A video file.
    Film(PathBuf),
    /// A folder of pictures.
    Pictures(PathBuf),
    /// A camera of this machine, such as `/dev/video0`.
    Usb(PathBuf),
}

/// Who logs in.
#[derive(Clone, Debug)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: Secret<String>,
}

/// An address that was read.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub(super) place: Place,
    /// The URL as it was given, and without the login.
    pub(super) whole: Secret<String>,
    pub(super) plain: Secret<String>,
    pub(super) login: Option<Login>,
    shown: String,
}

impl Address {
    /// Reads where a camera is.
    ///
    /// # Errors
    /// A sentence without any part of what was read.
    pub(super) fn read(address: &CameraAddress) -> Result<Address, String> {
        match address {
            CameraAddress::Url(url) => Address::parse(url),
            CameraAddress::Hidden(place) => {
                let url = place.read("url", |text| Address::parse(text).is_ok(), "the address of a camera")?;
                Address::parse(url.reveal())
            }
        }
    }

    /// Reads an address: `rtsp://`, `http://`, `https://`, `usb:/dev/video0`, `file:PATH`, or the path of a video or of a
    /// folder of pictures.
    ///
    /// # Errors
    /// A sentence without any part of the address.
    pub(super) fn parse(text: &str) -> Result<Address, String> {
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err("an address is one line and not empty".to_owned());
        }
        if let Some(device) = text.strip_prefix("usb:") {
            return Ok(Address::local(text, Place::Usb(PathBuf::from(device))));
        }
        let path = text.strip_prefix("file:").map(|path| path.strip_prefix("//").unwrap_or(path));
        if let Some(path) = path.or_else(|| (!text.contains("://")).then_some(text)) {
            let path = PathBuf::from(path);
            let place = if path.is_dir() { Place::Pictures(path) } else { Place::Film(path) };
            return Ok(Address::local(text, place));
        }
        let (scheme, rest) = text.split_once("://").unwrap_or_default();
        let place = match scheme.to_ascii_lowercase().as_str() {
            "rtsp" => Place::Rtsp,
            "http" | "https" => Place::Http,
            "rtsps" => return Err("rtsps:// is not spoken; give rtsp://, in a network of its own".to_owned()),
            _ => {
                let known = "rtsp://, http://, https://, file: and usb: are";
                return Err(format!("an address that begins so is not known; {known}"));
            }
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        // Operators write passwords with `@` as they are, also with `/`: then the host would be part of the password.
        let (login, host) = match authority.rsplit_once('@') {
            Some((login, host)) => (Some(login), host),
            None if path.contains('@') => {
                return Err("a `/`, `?` or `#` of a password is written %2F, %3F or %23".to_owned());
            }
            None => (None, authority),
        };
        if host.is_empty() || host.contains(char::is_whitespace) {
            return Err("there is no host in the address".to_owned());
        }
        let hidden = if path.len() <= 1 { path } else { "/***" };
        let before = if login.is_some() { "***@" } else { "" };
        Ok(Address {
            place,
            whole: Secret::new(text.to_owned()),
            plain: Secret::new(format!("{scheme}://{host}{path}")),
            login: login.map(|login| {
                let (user, password) = login.split_once(':').unwrap_or((login, ""));
                Login { user: decoded(user), password: Secret::new(decoded(password)) }
            }),
            shown: format!("{scheme}://{before}{host}{hidden}"),
        })
    }

    fn local(text: &str, place: Place) -> Address {
        let secret = Secret::new(text.to_owned());
        Address { place, whole: secret.clone(), plain: secret, login: None, shown: text.to_owned() }
    }

    /// The address for people: no login, no path, which may hold one.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// Where it is in the network, if it is: host and port.
    pub(super) fn host(&self) -> Option<(String, u16)> {
        let port = match self.place {
            Place::Rtsp => 554,
            Place::Http if self.plain.reveal().to_ascii_lowercase().starts_with("https") => 443,
            Place::Http => 80,
            _ => return None,
        };
        let (_, rest) = self.plain.reveal().split_once("://")?;
        let host = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
        host_and_port(host, port)
    }

    /// What somebody said about this camera, without what is secret.
    pub(super) fn scrubbed(&self, text: &str) -> String {
        if matches!(self.place, Place::Film(_) | Place::Pictures(_) | Place::Usb(_)) {
            return text.to_owned();
        }
        let mut text = text.replace(self.whole.reveal(), &self.shown).replace(self.plain.reveal(), &self.shown);
        if let Some(login) = &self.login {
            let password = login.password.reveal();
            for secret in [format!("{}:{password}", login.user), password.clone()] {
                if PASSWORD_LETTERS_MIN <= secret.len() {
                    text = text.replace(&secret, HIDDEN);
                }
            }
        }
        without_urls(&text)
    }
}

/// A text in which the login and the path of every URL are hidden.
fn without_urls(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, behind) = rest.split_at(at + 3);
        out.push_str(before);
        let end = behind.find(|letter: char| letter.is_whitespace() || "'\"<>,".contains(letter));
        let (url, after) = behind.split_at(end.unwrap_or(behind.len()));
        let url_host = url.rsplit_once('@').map_or(url, |(_, host)| host);
        let host = &url_host[..url_host.find(['/', '?', '#']).unwrap_or(url_host.len())];
        if url.contains('@') {
            out.push_str("***@");
        }
        out.push_str(host);
        if host.len() + 1 < url_host.len() {
            out.push_str("/***");
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// What `%40` and the like in a URL stand for.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        match after.get(..2).filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit)).and_then(hex) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{Address, Place};

    #[test]
    fn logins_and_paths_are_not_shown() {
        let address = Address::parse("rtsp://ad%40min:ge:he@im@10.0.0.5:554/Streaming?channel=1").unwrap();
        assert_eq!(address.shown(), "rtsp://***@10.0.0.5:554/***");
        let login = address.login.as_ref().unwrap();
        assert_eq!((login.user.as_str(), login.password.reveal().as_str()), ("ad@min", "ge:he@im"));
        assert_eq!(address.plain.reveal(), "rtsp://10.0.0.5:554/Streaming?channel=1");
        for said in [
            "rtsp://ad%40min:ge:he@im@10.0.0.5:554/Streaming?channel=1: Connection refused",
            "cannot open 'rtsp://10.0.0.5:554/Streaming?channel=1', user ad@min:ge:he@im",
            "auth ge:he@im failed for http://x:y@10.0.0.5/Streaming",
        ] {
            let scrubbed = address.scrubbed(said);
            assert!(!scrubbed.contains("he@im") && !scrubbed.contains("Streaming"), "{scrubbed}");
        }
        assert!(!format!("{address:?}").contains("he@im"));
    }

    #[test]
    fn every_kind_of_address_is_known_by_its_beginning() {
        let place = |text: &str| Address::parse(text).map(|address| address.place);
        assert_eq!(place("http://127.0.0.1/video"), Ok(Place::Http));
        assert_eq!(place("file:film.mp4"), Ok(Place::Film("film.mp4".into())));
        assert_eq!(place("file:///films/a.mp4"), Ok(Place::Film("/films/a.mp4".into())));
        assert_eq!(place("usb:/dev/video0"), Ok(Place::Usb("/dev/video0".into())));
        for wrong in ["", "rtsps://x/", "gopher://x", "rtsp:///path", "rtsp://a:b/c@host/", "rtsp://h\n/"] {
            let error = place(wrong).unwrap_err();
            assert!(!error.contains("b/c"), "{error}");
        }
    }
}
