//! `aisle replay --watch`: the dashboard over a recording, with a time line. The recording is decided first, as `aisle replay` does;
//! then any moment of it can be looked at.

mod book;
mod deck;
mod player;
mod spool;
mod tape;
mod timeline;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::listen::Listen;
use super::looking::LookArgs;
use super::serve::{runtime, stop_signal};
use super::{lost, print, receipts};
use crate::api::{Api, serve};
use crate::base::text::plain;
use crate::base::{Error, Result, Secret, Span};
use crate::eval::Names;
use crate::pipeline::{RunOptions, Watched};
use crate::ports::{FactSource, ReplayDesk, ReplayWish, TimeVerdict, WallClock};
use crate::recording::{Cut, Entry, Reader};
use crate::replay::{Format, Replay};
use crate::till::Bell;
use crate::tracking::FrameLoss;
use crate::truth::Truth;
use book::Book;
use deck::Deck;
use player::Player;
use tape::{Decisions, Tape, lay_out};
use timeline::Told;

/// Where it listens unless somebody says otherwise.
const ADDRESS: &str = "127.0.0.1:8080";

/// A recording that was laid out, and what was decided.
type Laid = (Tape, Decisions);

/// How a recording is watched.
#[derive(Args, Clone, Debug)]
pub(super) struct WatchArgs {
    /// Address to listen on; 127.0.0.1:8080 unless given, or any free port where that is taken
    #[arg(long, value_name = "ADDRESS", requires = "watch")]
    listen: Option<Listen>,
    /// Begin so long after the beginning: seconds, or 1:30, or 1:02:03
    #[arg(long, value_name = "TIME", requires = "watch", value_parser = parse_from)]
    from: Option<f64>,
    /// How many times as fast as it was recorded, from 0.25 to 16
    #[arg(long, value_name = "FACTOR", requires = "watch", default_value_t = 1.0, value_parser = parse_speed)]
    speed: f64,
}

/// A recording to be watched.
pub(super) struct Watching<'a> {
    pub(super) path: &'a Path,
    pub(super) source: Replay,
    pub(super) options: RunOptions,
    /// How frames are looked at, where people are made of them.
    pub(super) looking: Option<&'a LookArgs>,
    pub(super) args: &'a WatchArgs,
}

fn parse_from(text: &str) -> std::result::Result<f64, String> {
    let parts: Option<Vec<f64>> =
        text.split(':').map(|part| part.parse::<f64>().ok().filter(|part| 0.0 <= *part)).collect();
    let secs = match parts.as_deref() {
        Some([secs]) => Some(*secs),
        Some([minutes, secs]) => Some(60.0 * minutes + secs),
        Some([hours, minutes, secs]) => Some(3_600.0 * hours + 60.0 * minutes + secs),
        _ => None,
    };
    secs.filter(|secs| secs.is_finite()).ok_or_else(|| "write seconds such as 90, or 1:30, or 1:02:03".to_owned())
}

fn parse_speed(text: &str) -> std::result::Result<f64, String> {
    let speed = text.parse::<f64>().ok().filter(|speed| (0.25..=16.0).contains(speed));
    speed.ok_or_else(|| "write a number from 0.25 to 16, such as 4 for four times as fast".to_owned())
}

impl Watching<'_> {
    /// Decides the recording, shows it, and ends when somebody wants it to; gives the share of the input that was lost, and what
    /// was lost of frames.
    ///
    /// # Errors
    /// When it cannot be read or decided, holds nothing, is of a shop that can sell nothing, or the address cannot be had.
    pub(super) fn run(self) -> Result<(f64, Option<FrameLoss>)> {
        let Watching { path, mut source, options, looking, args } = self;
        let begun = Instant::now();
        // What can be said before it is decided is said before.
        let runtime = runtime()?;
        let listener = args.address()?.bind(&runtime)?;
        super::shops::check_trade(source.shop()).map_err(|error| error.at_path(path))?;
        let truth = source.truth().filter(|truth| is_of_somebody(truth)).cloned();
        let (laid, frames) = decide(path, &mut source, options, looking, truth.is_some())?;
        let Some((tape, decisions)) = laid else {
            return Err(Error::input("this recording holds no facts, so there is nothing to watch").at_path(path));
        };
        // Who is who is known only where somebody knows where everybody was.
        let is_named = looking.is_none() || decisions.names.is_some();
        let notes = notes(&source, &decisions, frames.as_ref(), truth.is_some() && !is_named);
        let truth = truth.filter(|_| is_named);
        let name = receipts::headline(path);
        let text = receipts::text(&name, &tape.shop, &decisions.outcome, begun.elapsed().as_secs_f64());
        print(&text)?;
        let Told { line, truths } = timeline::tell(plain(&name).into_owned(), &tape, &decisions, truth.as_ref(), notes);
        for note in &line.notes {
            print(&format!("note: {}\n", plain(note)))?;
        }
        print(&verdict(line.verdict))?;
        let share = decisions.outcome.loss.share;
        let (desk, wished) = ReplayDesk::new(line, args.speed);
        let (book, token) = Book::begin(&tape.shop, tape.begins)?;
        let (till, providers) = (book.till(), book.providers());
        let deck = Deck::new(tape, truths, desk.clone(), book, options.engine)?;
        let (boards, pictures) = (deck.boards(), deck.pictures());
        let player = Player::start(deck, desk.clone(), wished, options.engine)?;
        if let Some(secs) = args.from {
            desk.wish(vec![ReplayWish::Seek(Span::from_secs(secs))])?;
        }
        let api = Api::new(till, providers, Arc::new(desk.clone()), Bell::new(1).0)
            .with_live(boards.screens)
            .with_plates(boards.plates)
            .with_seen(boards.seen)
            .with_pictures(pictures)
            .with_replay(desk, Arc::new(WallClock));
        let shown = show(&runtime, listener, api, &token);
        player.stop();
        shown.map(|()| (share, frames))
    }
}

/// Listens until somebody wants it to end.
fn show(runtime: &Runtime, listener: TcpListener, api: Api, token: &Secret<String>) -> Result<()> {
    let address = listener.local_addr().map_err(|error| Error::io("listen on", Path::new("the address"), &error))?;
    let (end, mut ended) = watch::channel(false);
    let stop = runtime.block_on(async { stop_signal(None) })?;
    let server = runtime.spawn(serve(listener, api.router(), async move {
        // It is over as well when nobody is left who could say so.
        let _ = ended.wait_for(|ended| *ended).await;
    }));
    print(&format!(
        "listening on http://{address}\nSign in there with this token: {}\nThe recording stands still until somebody plays it; \
         Ctrl-C ends this.\n",
        token.reveal()
    ))?;
    runtime.block_on(stop);
    end.send_replace(true);
    if let Err(panic) = runtime.block_on(server) {
        tracing::error!(%panic, "the server ended");
    }
    Ok(())
}

/// Lays a source out; beside it what was lost of frames, where people are made of them.
fn decide(
    path: &Path,
    source: &mut Replay,
    options: RunOptions,
    looking: Option<&LookArgs>,
    has_truth: bool,
) -> Result<(Option<Laid>, Option<FrameLoss>)> {
    let Some(looking) = looking else { return Ok((lay_out(source, options, None)?, None)) };
    let eyes = looking.eyes_for(source)?;
    let may_know = has_truth && source.format() == Format::Mcap && path.is_file();
    // Where it cannot be read to its end, that is told of the facts; who is who is then not known.
    let names = may_know.then(|| names(path).ok().flatten()).flatten();
    let mut watched = Watched::new(source, eyes);
    let laid = lay_out(&mut watched, options, names)?;
    let (loss, (_, sight)) = (watched.loss(), watched.counters());
    if sight.frames == 0 && loss.dropped() == 0 {
        return Err(lost::no_frames().at_path(path));
    }
    Ok((laid, Some(loss)))
}

/// Where everybody really was; none where the recording does not know.
fn names(path: &Path) -> Result<Option<Names>> {
    let mut reader = Reader::open(path)?;
    let mut names = None;
    while let Some(entry) = reader.next_entry()? {
        if let Entry::Scene(scene) = entry {
            names.get_or_insert_with(Names::default).take_scene(scene);
        }
    }
    Ok(names)
}

/// Everything that `aisle replay` says of a recording beside its receipts, a sentence each.
fn notes(source: &Replay, decisions: &Decisions, frames: Option<&FrameLoss>, is_nameless: bool) -> Vec<String> {
    let outcome = &decisions.outcome;
    let mut notes: Vec<String> = outcome.loss.sentence().map(|lost| format!("lost: {lost}")).into_iter().collect();
    notes.extend(outcome.breaks.iter().map(|error| format!("broken: {error}")));
    if let Some(frames) = frames {
        notes.extend(lost::text(frames).lines().map(str::to_owned));
        notes.extend(lost::check(frames).err().map(|error| error.message().to_owned()));
    }
    notes.extend(source.warnings());
    if source.cut() != Cut::Decided {
        notes.extend(lost::silent(outcome).map(str::to_owned));
    }
    if is_nameless {
        let why = "the truth has other numbers than the people made of frames, and does not say where they were: it is not used";
        notes.push(why.to_owned());
    }
    notes
}

fn is_of_somebody(truth: &Truth) -> bool {
    !truth.receipts.is_empty() || !truth.actions.is_empty() || !truth.ghosts.is_empty()
}

/// How many are right, for people.
fn verdict(verdict: Option<TimeVerdict>) -> String {
    match verdict {
        None => "The truth of this recording is not known: nothing can be said of what is wrong.\n".to_owned(),
        Some(TimeVerdict { judged: 1, wrong: 0, .. }) => "The one receipt is right.\n".to_owned(),
        Some(TimeVerdict { judged, wrong: 0, .. }) => format!("All {judged} receipts are right.\n"),
        Some(TimeVerdict { judged, wrong, wrong_lines }) => {
            format!(
                "{wrong} of {judged} receipts are wrong, in {wrong_lines} lines: they are marked on the time line.\n"
            )
        }
    }
}

impl WatchArgs {
    fn address(&self) -> Result<Listen> {
        if let Some(listen) = &self.listen {
            return Ok(listen.clone());
        }
        let is_free = std::net::TcpListener::bind(ADDRESS).is_ok();
        let address = if is_free { ADDRESS } else { "127.0.0.1:0" };
        address.parse().map_err(Error::usage)
    }
}
