//! RTSP cameras, spoken with by the library retina over one TCP connection: each frame has the time that the camera gave it, and
//! nothing is decoded that leans on what was lost. Encoded frames go on to a decoder; JPEG over RTP passes as it is.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use retina::client::{Credentials, Demuxed, PlayOptions, SessionGroup, SessionOptions, SetupOptions, Stream};
use retina::client::{TcpTransportOptions, Transport};
use retina::codec::{CodecItem, FrameFormat, ParametersRef, VideoFrame};
use tokio::sync::oneshot;

use super::address::Address;
use super::clock::{Device, Unwrapped};
use super::decoder::Decoder;
use super::matroska::Codec;
use super::session::{About, Event, Link, Picture, Session, Watches};
use super::trouble::Trouble;
use super::wanted::Decoding;
use crate::base::Span;

/// An answer to one of the three questions takes no longer.
const ANSWER: Duration = Duration::from_secs(5);
/// The camera is told that we go, and has so long to answer.
const GOODBYE: Duration = Duration::from_millis(300);
/// Seconds from 1900, where NTP begins, to 1970.
const NTP_UNIX_SECS: i64 = 2_208_988_800;

/// Begins to read a camera.
///
/// # Errors
/// When its URL is none, or no thread can be started.
pub(super) fn open(address: &Address, decoding: &Decoding, watches: &Watches) -> Result<Session, Trouble> {
    let url = url::Url::parse(address.plain.reveal())
        .map_err(|error| Trouble::lasting(format!("its URL cannot be read: {error}"), Some("rtsp://HOST:PORT/PATH")))?;
    let mut session = Session::new(watches);
    let (stop, stopped) = oneshot::channel::<()>();
    session.at_end(move || {
        // Nobody hears it where the thread has ended by itself.
        let _ = stop.send(());
    });
    let (address, decoding) = (address.clone(), decoding.clone());
    session.run("camera-rtsp", move |link| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => {
                link.tell(Event::Ended(Trouble::new(&format!("no runtime can be started: {error}"), None)));
                return;
            }
        };
        let group = Arc::new(SessionGroup::default());
        let mut reader = Reader::new(address, decoding, link.clone());
        runtime.block_on(async {
            tokio::select! {
                () = reader.read(url, Arc::clone(&group)) => {}
                _ = stopped => {}
            }
            // The session is gone by now, and says goodbye by itself.
            drop(tokio::time::timeout(GOODBYE, group.await_teardown()).await);
        });
    })?;
    Ok(session.begun())
}

struct Reader {
    address: Address,
    decoding: Decoding,
    link: Link,
    decoder: Option<Decoder>,
    ticks: Unwrapped,
    clock_hertz: i64,
    /// The last report of the camera: RTP time on our axis, and its own clock, nanoseconds since 1970.
    report: Option<(i64, i64)>,
    /// Frames lean on one that was lost: nothing is decoded before the next key frame.
    waits_for_key: bool,
}

impl Reader {
    fn new(address: Address, decoding: Decoding, link: Link) -> Self {
        let (ticks, clock_hertz) = (Unwrapped::default(), 90_000);
        Reader { address, decoding, link, decoder: None, ticks, clock_hertz, report: None, waits_for_key: true }
    }

    /// Reads until it ends, and tells why.
    async fn read(&mut self, url: url::Url, group: Arc<SessionGroup>) {
        let ended = match self.play(url, group).await {
            Ok(()) => Trouble::of(["the camera ended the connection: end of stream, unexpected end"]),
            Err(trouble) => trouble,
        };
        self.link.tell(Event::Ended(ended));
    }

    async fn play(&mut self, url: url::Url, group: Arc<SessionGroup>) -> Result<(), Trouble> {
        let (mut demuxed, place, kind) = self.connect(url, group).await?;
        while let Some(item) = demuxed.next().await {
            let item = item.map_err(|error| self.trouble(&error))?;
            match item {
                CodecItem::VideoFrame(frame) if frame.stream_id() == place => {
                    let stream = &demuxed.streams()[place];
                    if !self.frame(frame, stream, kind)? {
                        return Ok(());
                    }
                }
                CodecItem::Rtcp(packets) if packets.stream_id() == place => {
                    let reports = packets.pkts().filter_map(|packet| packet.as_sender_report().ok().flatten());
                    for report in reports {
                        let own = unix_nanos(report.ntp_timestamp().0);
                        self.report = self.ticks.near(report.rtp_timestamp()).map(|ticks| (ticks, own));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Asks what there is, and for the first stream of pictures that can be used.
    async fn connect(
        &self,
        url: url::Url,
        group: Arc<SessionGroup>,
    ) -> Result<(Demuxed, usize, Option<Codec>), Trouble> {
        let login = self.address.login.as_ref();
        let creds =
            login.map(|login| Credentials { username: login.user.clone(), password: login.password.reveal().clone() });
        let options = SessionOptions::default()
            .creds(creds)
            .session_group(group)
            .user_agent(concat!("aisle/", env!("CARGO_PKG_VERSION")).to_owned());
        let mut session = self.answered(retina::client::Session::describe(url, options)).await?;
        let usable = |stream: &Stream| stream.media() == "video" && kind_of(stream).is_some();
        let Some(place) = session.streams().iter().position(usable) else {
            let has: Vec<String> = session
                .streams()
                .iter()
                .map(|stream| format!("{}/{}", stream.media(), stream.encoding_name()))
                .collect();
            let said = format!("no video stream in a form that is known; it has {}", has.join(", "));
            return Err(Trouble::of([said.as_str()]));
        };
        let kind = kind_of(&session.streams()[place]).flatten();
        self.tell_about(&session.streams()[place], session.tool().map(|tool| tool.to_string()));
        let transport = Transport::Tcp(TcpTransportOptions::default());
        let options = SetupOptions::default().transport(transport).frame_format(FrameFormat::MP4);
        self.answered(session.setup(place, options)).await?;
        let playing = self.answered(session.play(PlayOptions::default())).await?;
        let demuxed = playing.demuxed().map_err(|error| self.trouble(&error))?;
        Ok((demuxed, place, kind))
    }

    async fn answered<T>(&self, question: impl Future<Output = Result<T, retina::Error>>) -> Result<T, Trouble> {
        match tokio::time::timeout(ANSWER, question).await {
            Ok(answer) => answer.map_err(|error| self.trouble(&error)),
            Err(_) => Err(Trouble::of(["it was asked over RTSP, and the question timed out"])),
        }
    }

    fn tell_about(&self, stream: &Stream, program: Option<String>) {
        let parameters = match stream.parameters() {
            Some(ParametersRef::Video(parameters)) => Some(parameters),
            _ => None,
        };
        let rate = parameters.and_then(retina::codec::VideoParameters::frame_rate);
        let rate = rate.filter(|(over, _)| 0 < *over).map(|(over, under)| f64::from(under) / f64::from(over));
        self.link.tell(Event::About(About {
            codec: stream.encoding_name().to_owned(),
            profile: parameters.map(|parameters| parameters.rfc6381_codec().to_owned()),
            size_pixels: parameters.map(|parameters| parameters.pixel_dimensions().into()),
            declared_hertz: stream.framerate().map(f64::from).or(rate),
            program,
        }));
    }

    /// Takes a frame; `false` when nobody looks any more.
    fn frame(&mut self, frame: VideoFrame, stream: &Stream, kind: Option<Codec>) -> Result<bool, Trouble> {
        let arrival = self.link.watches.at(frame.end_ctx().received());
        let device = self.device(&frame);
        if 0 < frame.loss() && !self.link.tell(Event::Lost(u64::from(frame.loss()))) {
            return Ok(false);
        }
        let Some(codec) = kind else {
            return Ok(self.link.tell(Event::Picture(Picture { data: frame.into_data(), device, arrival })));
        };
        let is_key = frame.is_random_access_point();
        if is_key && !self.link.tell(Event::Key) {
            return Ok(false);
        }
        self.waits_for_key = !is_key && (self.waits_for_key || 0 < frame.loss());
        if self.waits_for_key {
            return Ok(self.link.tell(Event::Undecodable(1)));
        }
        if self.decoder.is_none() || frame.has_new_parameters() {
            let Some(ParametersRef::Video(parameters)) = stream.parameters() else {
                self.waits_for_key = true;
                return Ok(self.link.tell(Event::Undecodable(1)));
            };
            let size = parameters.pixel_dimensions().into();
            if self.decoder.is_some() {
                self.tell_about(stream, None);
            }
            let (decoding, address, link) = (&self.decoding, &self.address, &self.link);
            self.decoder = None;
            self.decoder = Some(Decoder::start(codec, parameters.extra_data(), size, decoding, address, link)?);
        }
        let taken = self.decoder.as_mut().is_some_and(|decoder| decoder.put(is_key, frame.data(), device, arrival));
        self.waits_for_key = !taken;
        Ok(taken || self.link.tell(Event::Undecodable(1)))
    }

    /// What the camera says of a frame's time.
    fn device(&mut self, frame: &VideoFrame) -> Device {
        self.clock_hertz = i64::from(frame.timestamp().clock_rate().get());
        let ticks = self.ticks.next(frame.timestamp().timestamp() as u32);
        let nanos = |ticks: i64| ticks.saturating_mul(1_000_000_000) / self.clock_hertz;
        let own_nanos = self.report.map(|(at, own)| own.saturating_add(nanos(ticks - at)));
        Device { since: Some(Span::from_nanos(nanos(ticks))), own_nanos, ours: None }
    }

    /// What the library says first, without what is secret. Behind it stand connections and bytes.
    fn trouble(&self, error: &retina::Error) -> Trouble {
        let said = error.to_string();
        Trouble::of([self.address.scrubbed(said.lines().next().unwrap_or_default()).as_str()])
    }
}

/// How the frames of a stream come: encoded, or (inner `None`) as JPEG; `None` where it is not known.
fn kind_of(stream: &Stream) -> Option<Option<Codec>> {
    match stream.encoding_name() {
        "h264" => Some(Some(Codec::H264)),
        "h265" => Some(Some(Codec::H265)),
        "jpeg" => Some(None),
        _ => None,
    }
}

/// Seconds since 1900 with 32 bits behind the point, as nanoseconds since 1970.
fn unix_nanos(ntp: u64) -> i64 {
    let secs = (ntp >> 32) as i64 - NTP_UNIX_SECS;
    let nanos = ((ntp & u64::from(u32::MAX)) * 1_000_000_000) >> 32;
    secs * 1_000_000_000 + nanos as i64
}

#[cfg(test)]
mod tests {
    use super::unix_nanos;

    #[test]
    fn the_time_of_a_report_counts_from_1900() {
        assert_eq!(unix_nanos((2_208_988_800_u64 << 32) | (1 << 31)), 500_000_000);
        assert_eq!(unix_nanos(0), -2_208_988_800_000_000_000);
    }
}
