//! The shop of the demonstration: it is rendered, opened as `aisle serve` opens one, played, watched, and summed up.

use std::fmt::Write as _;
use std::fs;
use std::io::IsTerminal;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};

use super::super::listen::Listen;
use super::super::serve::{Running, Serve};
use super::super::simulate::{Played, Staged};
use super::super::{print, shops};
use super::score::{Score, Sums};
use super::story::Story;
use crate::album::new_key;
use crate::api::{Grant, Role, create_token};
use crate::base::{Error, Result, Secret, Span, Stage};
use crate::output;
use crate::ports::{Clock, WallClock};
use crate::sim::{self, Level, Options, Scenario};
use crate::till::lock;

/// Where it listens unless somebody says otherwise.
const ADDRESS: &str = "127.0.0.1:8080";
/// Between the shop's opening and the first picture, so that whoever opens the page misses nothing.
const LEAD: Duration = Duration::from_secs(3);
/// How often it is looked what has happened.
const LOOK: Duration = Duration::from_millis(50);
/// Whoever was shown after the last shopper has left is shown by then, and so is a receipt that takes its time.
const EMPTY: Span = Span::from_millis(8_000);
/// How long after the film the last receipts may take.
const PATIENCE: Duration = Duration::from_secs(45);
/// Who the audit log says made the token.
const BY: (&str, &str) = ("aisle demo", "operator");

/// What is shown.
pub(super) struct LiveDemo {
    pub(super) shop: PathBuf,
    pub(super) secs: f64,
    pub(super) rate_hertz: f64,
    pub(super) seed: u64,
    pub(super) listen: Option<Listen>,
    /// Whether the page stays when the last shopper has left, should somebody sit at a terminal.
    pub(super) waits: bool,
}

impl LiveDemo {
    pub(super) fn run(&self) -> Result<()> {
        let made = tempfile::Builder::new().prefix("aisle-demo-").tempdir();
        let folder = made.map_err(|error| Error::io("make", &std::env::temp_dir(), &error))?;
        let begun = Instant::now();
        let staged = self.render(folder.path())?;
        print(&format!("Rendered in {:.0} s. ", begun.elapsed().as_secs_f64()))?;
        let shop = staged.shop().clone();
        staged.write_shop(&folder.path().join("shop"))?;
        keep_pictures(&folder.path().join("shop"))?;
        let clock: Arc<dyn Clock> = Arc::new(WallClock);
        let (running, token) = self.open(folder.path(), &clock)?;
        let api = format!("http://{}", running.address());
        print(&format!(
            "The shop is open: {api}/\nSign in there with this token: {}\n\nSeconds, and what the shop sees:\n",
            token.reveal()
        ))?;
        let begins = clock.now() + Span::from_secs(LEAD.as_secs_f64());
        let at = Instant::now() + LEAD;
        let cast = staged.cast(begins);
        let empty_from = cast.left.values().max().map_or(begins, |last| *last) + EMPTY;
        let mut story = Story::new(&shop, running.around().screens.clone(), begins, Score::new(cast));
        let token_file = folder.path().join("token");
        let ending = Arc::new(AtomicBool::new(false));
        let asked = ending.clone();
        let player = thread::Builder::new().name("player".to_owned());
        // Of the first who is let in; anybody can have one, whoever looks needs no more.
        let (tell, pages) = bounded(1);
        let player = player.spawn(move || staged.play((&api, &token_file), (begins, at), &asked, tell));
        let player = player.map_err(|error| Error::io("start", Path::new("a thread"), &error))?;
        let is_empty = || running.around().screens.carts().is_none_or(|(_, visits)| visits.is_empty());
        let have_all_left = || empty_from <= clock.now() && is_empty();
        let is_over = watch(&running, &mut story, (&clock, &pages), || player.is_finished() || have_all_left())?;
        ending.store(true, Ordering::Relaxed);
        let length = clock.now() - begins;
        let played = player.join().map_err(|_| Error::broken("whoever plays the film has panicked"))??;
        if !is_over {
            // Somebody wants it to end before the film does.
            let closed = running.stop();
            played.close();
            return closed;
        }
        let mut left = PATIENCE;
        while !is_empty() && !left.is_zero() {
            watch(&running, &mut story, (&clock, &pages), || true)?;
            left = left.saturating_sub(LOOK);
        }
        watch(&running, &mut story, (&clock, &pages), || true)?;
        print(&summary(&story, &played, &running, length))?;
        if self.waits && std::io::stdout().is_terminal() {
            print("\nThe page stays open until Ctrl-C.\n")?;
            running.is_asked_to_end(None);
        }
        let closed = running.stop();
        played.close();
        closed
    }

    fn render(&self, folder: &Path) -> Result<Staged> {
        let (shop, _) = shops::open(Some(&self.shop))?;
        if shop.cameras().is_empty() {
            let error = Error::usage("this shop has no cameras, so there is nothing to look at");
            return Err(error.hint("`--shop micro-market` and `--shop convenience` have some; `--quick` needs none"));
        }
        let shop = Arc::new(sim::with_frames(&shop, None, Some(self.rate_hertz))?);
        print(&format!(
            "This shop is simulated: invented people, goods and prices, known truth. {} cameras, {} shelves.\n",
            shop.cameras().len(),
            shop.shelves().len()
        ))?;
        let (scenario, level, secs) = (Scenario::Open, Level::Clean, Some(self.secs));
        let options = Options { shop, scenario, level, seed: self.seed, secs };
        Staged::render(&options, &folder.join("film.mcap"))
    }

    /// Opens the shop of a folder as `aisle serve` does; beside it the token of somebody who may do everything.
    fn open(&self, folder: &Path, clock: &Arc<dyn Clock>) -> Result<(Running, Secret<String>)> {
        let (shop, book) = (folder.join("shop"), folder.join("book.db"));
        let arguments = ["--shop".as_ref(), shop.as_os_str(), "--db".as_ref(), book.as_os_str()];
        let prepared = Serve::typed(arguments)?.prepare(clock)?;
        let grant = Grant { role: Role::Operator, holder: Some("demo".to_owned()), shopper: None, days: Some(1) };
        let (_, token) = create_token(&mut *lock(&prepared.till), &grant, BY, clock.now())?;
        let token_file = folder.join("token");
        output::write(&token_file, token.reveal().as_bytes())?;
        let running = Running::start(prepared, clock, &self.address()?)?;
        Ok((running, token))
    }

    fn address(&self) -> Result<Listen> {
        if let Some(listen) = &self.listen {
            return Ok(listen.clone());
        }
        let is_free = TcpListener::bind(ADDRESS).is_ok();
        let address = if is_free { ADDRESS } else { "127.0.0.1:0" };
        address.parse().map_err(Error::usage)
    }
}

/// Pictures around changes are kept for the desk of reviewers, under a key that is gone with the folder.
fn keep_pictures(shop: &Path) -> Result<()> {
    let path = shop.join("devices.toml");
    let devices = fs::read_to_string(&path).map_err(|error| Error::io("read", &path, &error))?;
    output::write(&shop.join("pictures.key"), new_key()?.reveal().as_bytes())?;
    output::write(&path, format!("{devices}\n[pictures]\nkey_file = \"pictures.key\"\n").as_bytes())
}

/// Tells what happens, until this is over; `false` where somebody wants an end before.
fn watch(
    running: &Running,
    story: &mut Story<'_>,
    (clock, pages): (&Arc<dyn Clock>, &Receiver<Secret<String>>),
    is_over: impl Fn() -> bool,
) -> Result<bool> {
    loop {
        let over = is_over();
        let asked = running.is_asked_to_end(Some(LOOK));
        if let Ok(page) = pages.try_recv() {
            print(&format!("\nWhat the first shopper sees on their phone: {}\n\n", page.reveal()))?;
        }
        for line in story.go_on(clock.now()) {
            print(&format!("{line}\n"))?;
        }
        if asked || over {
            return Ok(!asked);
        }
    }
}

fn summary(story: &Story<'_>, played: &Played, running: &Running, length: Span) -> String {
    let sums = story.score.sums(&story.lines);
    let Sums { shoppers, without, receipts, right, wrong_for_review, for_review, unit_f1, .. } = sums;
    let wrong = receipts - right;
    let mut text = format!(
        "\n{shoppers} shoppers, {without} without a receipt; {receipts} receipts: {right} right, {wrong} wrong ({wrong_for_review} of these for review); \
         {for_review} for review; unit F1 {unit_f1:.3}\n"
    );
    let opened = played.entered.iter().filter(|(_, cart)| cart.is_some()).count();
    let looked = running.around().reports.latest().into_iter().find(|report| report.stage == Stage::Eyes);
    let looked = looked.map_or(0, |report| report.sent);
    // Writing to a string cannot fail.
    let _ = writeln!(text, "gates: {} scans, {opened} doors opened", played.entered.len());
    let _ = writeln!(text, "pick to cart on screen: {}", delays(&sums.picks_secs));
    let _ = writeln!(text, "exit to receipt in the book: {}", delays(&sums.exits_secs));
    let rate = |count: u64| count as f64 / length.as_secs().max(1.0);
    let _ = writeln!(text, "frames: {} sent, {looked} looked at, {:.1} a second", played.frames, rate(looked));
    if 0 < played.dropped {
        let _ = writeln!(text, "messages that the broker had no room for: {}", played.dropped);
    }
    if let Some(lost) = &played.lost {
        let _ = writeln!(text, "lost on the way: {lost}");
    }
    if 0 < story.missed {
        let _ = writeln!(text, "changes that this list missed: {}", story.missed);
    }
    text
}

/// Median and the longest of some, seconds.
fn delays(secs: &[f64]) -> String {
    match secs {
        [] => "none".to_owned(),
        [.., most] => format!("{:.1} s in the middle, {most:.1} s at most ({})", secs[secs.len() / 2], secs.len()),
    }
}
