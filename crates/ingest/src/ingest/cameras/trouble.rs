//! Why there is no picture, in words for whoever can do something about it. It takes what programs, libraries and systems say,
//! and gives a cause and a remedy.

/// Of what is said, no more than this is repeated, letters.
const SAID_LETTERS_MAX: usize = 200;

/// Why a camera does not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// What is wrong.
    pub(super) cause: String,
    /// What somebody can do, where that is known.
    pub(super) remedy: Option<&'static str>,
    /// Whether it stays until somebody does.
    pub(super) lasting: bool,
}

/// What is found in a line, what that means, what to do, and whether it lasts. The first that is found counts.
type Known = (&'static [&'static str], &'static str, &'static str, bool);

const KNOWN: [Known; 21] = [
    (
        &["submitting video frame to the encoder", "non monotonically increasing"],
        "its frames come in another order than they are shown in (B-frames)",
        "switch B-frames off at the camera (profile Baseline), or say `client = \"ffmpeg\"`",
        false,
    ),
    (
        &["certificate", "UnknownIssuer", "invalid peer", "tls:", "rustls"],
        "its certificate is not trusted",
        "give http:// in a network of its own, or a certificate of an authority that is known",
        true,
    ),
    (
        &["401", "Unauthorized", "authorization failed"],
        "it refuses the login (401)",
        "check user and password in its URL (`@` is %40, `/` is %2F); some cameras want another user for RTSP, and some say this \
         when too many are connected",
        true,
    ),
    (
        &["403", "Forbidden"],
        "it does not let this user see it (403)",
        "let the user see the live picture, at the camera",
        true,
    ),
    (
        &["404", "Not Found"],
        "it has no stream of this name (404)",
        "check the path of its URL; its manual has it, or the page of the camera",
        true,
    ),
    (
        &["453", "Not Enough Bandwidth", "503", "Service Unavailable", "max clients"],
        "it has no room for one more (503)",
        "end other connections to it, restart it, or ask for its sub-stream",
        false,
    ),
    (
        &["461", "Unsupported Transport", "Unsupported transport"],
        "it does not send over TCP (461)",
        "allow RTP over TCP (interleaved) at the camera",
        true,
    ),
    (
        &["454", "Session Not Found"],
        "it has forgotten the session (454)",
        "nothing, unless it happens again and again",
        false,
    ),
    (
        &["onnection refused"],
        "nobody listens there (connection refused)",
        "check that it is on and the port is right (RTSP: 554), and that RTSP is switched on at the camera",
        false,
    ),
    (
        &["o route to host", "etwork is unreachable", "ost is unreachable", "Host unreachable"],
        "there is no way to it in the network",
        "check its cable, its power, and that it is in this network",
        false,
    ),
    (
        &["timed out", "timeout", "Timeout", "deadline"],
        "it does not answer in time",
        "check its power and cable; ping its address",
        false,
    ),
    (
        &[
            "failed to lookup",
            "Failed to resolve",
            "not known",
            "HostNotFound",
            "No address associated",
            "name resolution",
        ],
        "its name is not known",
        "give its address in numbers, or check the name server",
        false,
    ),
    (
        &[
            "onnection reset",
            "Broken pipe",
            "onnection aborted",
            "End of file",
            "nexpected EOF",
            "unexpected end",
            "peer disconnected",
        ],
        "it ended the connection",
        AGAIN,
        false,
    ),
    (
        &["hwaccel", "Device creation failed", "hw device", "No device available for decoder"],
        "this machine has no such decoder",
        "leave out `hardware`, or say one that `ffmpeg -hwaccels` lists and whose driver is installed",
        true,
    ),
    (
        &[
            "nsupported codec",
            "Decoder not found",
            "nknown decoder",
            "Could not find codec parameters",
            "no video stream",
        ],
        "it sends in a form that is not decoded here",
        "set the camera to H.264 (no `H.264+`, no smart codec), one key frame a second",
        true,
    ),
    (
        &["No space left on device"],
        "its bus has no room for its pictures",
        "plug it into a port of its own, not a hub with another camera, or ask for a smaller picture",
        true,
    ),
    (
        &["resource busy", "Device or resource busy"],
        "another program uses it",
        "end the other program: `fuser -v /dev/video0` names it",
        false,
    ),
    (&["ermission denied"], "this user may not open it", "let the user into the group `video`, or read the file", true),
    (
        &["o such file or directory", "No such device"],
        "there is nothing at this path",
        "check the path, and whether it is plugged in",
        true,
    ),
    (
        &["Invalid data found", "nvalid data", "ot RTSP", "bad response", "RTSP framing"],
        "what it sends cannot be understood",
        "check that the URL is of a camera; try `client = \"ffmpeg\"`; restart the camera",
        false,
    ),
    (
        &["rotocol not found", "ption not found", "nrecognized option"],
        "this ffmpeg lacks something",
        "install ffmpeg 5.1 or later",
        true,
    ),
];

/// What can be done about a connection that ends.
const AGAIN: &str =
    "nothing, unless it happens again and again: then its firmware, its power, or another who connects to it";

impl Trouble {
    /// Of the first line, of those that were said, whose meaning is known; else the last line as it is. What is said has no secret
    /// in it any more.
    pub(super) fn of<'a>(said: impl IntoIterator<Item = &'a str>) -> Trouble {
        let mut last = "";
        for line in said {
            if let Some(trouble) = Trouble::known(line) {
                return trouble;
            }
            last = line;
        }
        match last {
            "" => Trouble::new("it ended the connection without a word", Some(AGAIN)),
            line => Trouble::new(&shortened(line), Some("`aisle cameras test` says more of it")),
        }
    }

    /// What a line means, if that is known.
    fn known(line: &str) -> Option<Trouble> {
        let (_, cause, remedy, lasting) =
            KNOWN.iter().find(|(needles, ..)| needles.iter().any(|needle| holds(line, needle)))?;
        Some(Trouble { cause: format!("{cause}: {}", shortened(line)), remedy: Some(remedy), lasting: *lasting })
    }

    /// One that goes away by itself, perhaps.
    pub(super) fn new(cause: &str, remedy: Option<&'static str>) -> Trouble {
        Trouble { cause: cause.to_owned(), remedy, lasting: false }
    }

    /// One that lasts until somebody does something.
    pub(super) fn lasting(cause: impl Into<String>, remedy: Option<&'static str>) -> Trouble {
        Trouble { cause: cause.into(), remedy, lasting: true }
    }
}

/// Whether a line has a word; a number is one only by itself, not within an address or a port.
fn holds(line: &str, needle: &str) -> bool {
    let is_number = needle.bytes().all(|byte| byte.is_ascii_digit());
    line.match_indices(needle).any(|(at, _)| {
        let joins = |letter: char| letter.is_ascii_alphanumeric() || letter == ':' || letter == '.';
        let before = line[..at].chars().next_back().is_some_and(joins);
        let after = line[at + needle.len()..].chars().next().is_some_and(|letter| letter.is_ascii_alphanumeric());
        !is_number || !(before || after)
    })
}

/// A line without which part of a program says it, and not longer than what is read.
fn shortened(line: &str) -> String {
    let mut line = line.trim();
    while let Some((_, rest)) = line.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        line = rest.trim();
    }
    line.chars().take(SAID_LETTERS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::Trouble;

    #[test]
    fn what_operators_meet_has_a_cause_and_a_remedy() {
        for (said, cause, lasting) in [
            ("[rtsp @ 0x55] [error] method DESCRIBE failed: 401 Unauthorized", "it refuses the login", true),
            ("[error] rtsp://***@10.0.0.5/***: Server returned 404 Not Found", "no stream of this name", true),
            ("[error] rtsp://***@10.4.0.1:8554/***: Connection refused", "nobody listens there", false),
            (
                "[tcp @ 0x1] [error] Connection to tcp://10.0.0.5:554?timeout=3 failed: No route to host",
                "no way to it",
                false,
            ),
            (
                "[rtsp @ 0x1] [error] Could not find codec parameters for stream 0 (Video: av1): unspecified size",
                "not decoded",
                true,
            ),
            ("[error] Failed to resolve hostname camera1: Name or service not known", "its name is not known", false),
            ("[error] rtsp://***: Connection timed out", "does not answer in time", false),
            ("[error] method SETUP failed: 461 Unsupported transport", "does not send over TCP", true),
            (
                "[video4linux2,v4l2 @ 0x1] [error] /dev/video0: Device or resource busy",
                "another program uses it",
                false,
            ),
            ("[error] ioctl(VIDIOC_STREAMON): No space left on device", "its bus has no room", true),
            ("[fatal] Unrecognized hwaccel: nonsense.", "no such decoder", true),
            ("[error] Error submitting video frame to the encoder", "B-frames", false),
            ("[error] /***: Invalid data found when processing input", "cannot be understood", false),
        ] {
            let trouble = Trouble::of([said]);
            assert!(trouble.cause.contains(cause) && trouble.remedy.is_some(), "{said}: {trouble:?}");
            assert_eq!(trouble.lasting, lasting, "{said}");
            assert!(!trouble.cause.contains(" @ 0x"), "{trouble:?}");
        }
    }

    #[test]
    fn numbers_of_addresses_are_no_statuses() {
        let trouble = Trouble::of(["rtsp://10.0.4.1:404/***: something odd with 10.401.3.4:503"]);
        assert!(trouble.remedy.is_some_and(|remedy| remedy.contains("cameras test")) && !trouble.lasting);
        assert_eq!(Trouble::of([]).cause, "it ended the connection without a word");
        assert_eq!(Trouble::of([]).remedy, Some(super::AGAIN));
    }
}
