//! Cameras with which the program ffmpeg itself speaks: RTSP cameras that need it, and those of this machine. Its pictures have the
//! time at which their first bytes reached it.

use std::process::Command;
use std::time::Duration;

use crossbeam_channel::bounded;

use super::address::Address;
use super::child::{as_pictures, command, listen, read_pictures, start};
use super::clock::{Arrival, Device};
use super::session::{About, Event, Link, Picture, Session, Watches};
use super::trouble::Trouble;
use super::wanted::{Decoding, Wanted};
use crate::base::Span;

/// After a child wrote its last picture, its last words are waited for so long.
const LAST_WORDS: Duration = Duration::from_millis(1_000);
/// A time that is farther off than this is none.
const DELAY_MAX: Span = Span::from_millis(20_000);

/// Begins to read an RTSP camera.
///
/// # Errors
/// When ffmpeg is not installed or cannot be started.
pub(super) fn rtsp(
    address: &Address,
    silence: Span,
    decoding: &Decoding,
    watches: &Watches,
) -> Result<Session, Trouble> {
    let mut command = command("ffmpeg");
    if let Some(hardware) = &decoding.hardware {
        command.args(["-hwaccel", hardware]);
    }
    let micros = (silence.as_nanos() / 1_000).to_string();
    command.args(["-rtsp_transport", "tcp", "-timeout", &micros, "-use_wallclock_as_timestamps", "1"]);
    command.args(["-fflags", "discardcorrupt", "-flags", "low_delay", "-threads", "1", "-analyzeduration", "500000"]);
    command.arg("-i").arg(address.whole.reveal());
    as_pictures(&mut command, decoding.quality);
    run(command, "ffmpeg-rtsp", address, watches)
}

/// Begins to read a camera of this machine.
///
/// # Errors
/// As [`rtsp`].
pub(super) fn usb(
    address: &Address,
    device: &str,
    wanted: Wanted,
    decoding: &Decoding,
    watches: &Watches,
) -> Result<Session, Trouble> {
    let mut command = command("ffmpeg");
    // Motion JPEG is what a bus has room for.
    command.args(["-f", "v4l2", "-input_format", "mjpeg", "-use_wallclock_as_timestamps", "1"]);
    if let Some([width, height]) = wanted.size_pixels {
        command.args(["-video_size", &format!("{width}x{height}")]);
    }
    if let Some(rate) = wanted.rate_hertz {
        command.args(["-framerate", &rate.to_string()]);
    }
    command.args(["-i", device]);
    as_pictures(&mut command, decoding.quality);
    run(command, "ffmpeg-v4l2", address, watches)
}

fn run(command: Command, codec: &str, address: &Address, watches: &Watches) -> Result<Session, Trouble> {
    let (program, pipes) = start(command, false)?;
    let mut session = Session::new(watches);
    session.at_end({
        let program = program.clone();
        move || program.kill()
    });
    let (words, last_words) = bounded(1);
    let address = address.clone();
    let told = |link: &Link, told: super::child::Told| {
        if 0 < told.packets {
            link.tell(Event::Lost(told.packets));
        }
        if 0 < told.damaged {
            link.tell(Event::Undecodable(told.damaged));
        }
    };
    session.run("camera-words", move |link| {
        drop(words.send(listen(pipes.said, |line| address.scrubbed(line), |losses| told(&link, losses))));
    })?;
    let about = About { codec: codec.to_owned(), ..About::default() };
    session.run("camera-ffmpeg", move |link| {
        link.tell(Event::About(about));
        let read = read_pictures(pipes.output, |millis, data| {
            let arrival = arrival(millis, link.watches.now());
            link.tell(Event::Picture(Picture { data, device: Device::default(), arrival }))
        });
        program.kill();
        let said = last_words.recv_timeout(LAST_WORDS).unwrap_or_default();
        let lines = said.iter().map(String::as_str).chain(read.as_ref().err().map(String::as_str));
        link.tell(Event::Ended(Trouble::of(lines)));
    })?;
    Ok(session.begun())
}

/// When a frame arrived, of which the lower bits of the milliseconds since 1970 are known.
fn arrival(millis: u32, now: Arrival) -> Arrival {
    let now_millis = now.at.as_nanos().div_euclid(1_000_000);
    let ago = Span::from_millis(i64::from((now_millis as u32).wrapping_sub(millis).cast_signed()));
    if ago < Span::ZERO || DELAY_MAX < ago {
        return now;
    }
    Arrival { at: now.at - ago, running: now.running - ago }
}

#[cfg(test)]
mod tests {
    use super::{Arrival, arrival};
    use crate::base::{ShopTime, Span};

    #[test]
    fn the_lower_bits_of_a_time_are_enough_near_now() {
        let now = Arrival { at: ShopTime::from_nanos(1_800_000_000_000_000_000), running: Span::from_millis(60_000) };
        let now_millis = 1_800_000_000_000_u64 as u32;
        let ago =
            |millis: u32| (now.running - arrival(now_millis.wrapping_sub(millis), now).running).as_nanos() / 1_000_000;
        assert_eq!((ago(0), ago(35), ago(19_999)), (0, 35, 19_999));
        // Nonsense and the future are now.
        assert_eq!((ago(20_001), ago(u32::MAX - 5), arrival(0, now)), (0, 0, now));
        assert_eq!(now.at - arrival(now_millis.wrapping_sub(40), now).at, Span::from_millis(40));
    }
}
