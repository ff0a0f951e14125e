//! The folder of an open shop in which strips of pictures lie, each in a file of its own, encrypted. It knows what each is of, gives
//! pictures out, and deletes them: on time, oldest first where there is no room, and all that may show somebody who is to be
//! forgotten. What is no strip of its own it says and leaves until its time is over.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

use super::faces::hide;
use super::seal::{HEAD_BYTES_MAX, SealHead, ShopKey, WRAPPED_AT, dice, seal};
use super::strip::{Shot, Strip, StripName};
use crate::base::{Error, Result, ShopTime, Span, TimeRange, VisitId};
use crate::facts::FactRef;
use crate::image::{decode_picture, encode_jpeg};
use crate::ingest::devices::PictureRule;
use crate::output;
use crate::ports::{KeptPicture, KeptPictures, PictureCounts, PicturesOf};

/// What files of strips are called behind their names.
const ENDING: &str = ".strip";
/// Results on their way are called so; a process that was killed leaves them.
const PASSING: (&str, &str) = (".aisle-", ".part");
/// Strips that are known at once; of more the oldest are deleted.
const STRIPS_MAX: usize = 100_000;
/// JPEG quality of pictures that are kept.
pub(super) const QUALITY: u8 = 80;

/// Why strips are deleted.
const TIME: &str = "time";
const ROOM: &str = "room";
const FORGOTTEN: &str = "forgotten";

/// The strips of a shop.
pub struct Album {
    folder: PathBuf,
    /// None where pictures are not kept any more, and what is there only waits for its end.
    keeping: Option<(ShopKey, PictureRule)>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    strips: BTreeMap<StripName, Kept>,
    /// Files that cannot be read, with their ends and sizes.
    unreadable: BTreeMap<StripName, (ShopTime, u64)>,
    bytes: u64,
    counts: PictureCounts,
}

struct Kept {
    strip: Strip,
    until: ShopTime,
    bytes: u64,
}

impl Album {
    /// Opens the folder, which is made where it is not there and pictures are kept. What is over is deleted first, also where
    /// the key is not the one that it was written under.
    ///
    /// # Errors
    /// When the folder cannot be used, the key cannot be read, or strips are there that were written under another key.
    pub fn open(folder: &Path, rule: Option<&PictureRule>, now: ShopTime) -> Result<Self> {
        let read = rule.map(|rule| ShopKey::read(&rule.key).map(|key| (key, rule.clone()))).transpose();
        if read.is_err() && folder.exists() {
            // A key that is lost keeps nothing for longer.
            Album { folder: folder.to_owned(), keeping: None, state: Mutex::default() }.take_stock(now)?;
        }
        let keeping = read?;
        if keeping.is_some() && !folder.exists() {
            let mut builder = fs::DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(folder).map_err(|error| Error::io("make the folder", folder, &error))?;
        }
        let album = Album { folder: folder.to_owned(), keeping, state: Mutex::default() };
        if folder.exists() {
            album.take_stock(now)?;
        }
        Ok(album)
    }

    /// By which rule strips are kept; none where they are not kept any more.
    pub fn rule(&self) -> Option<&PictureRule> {
        self.keeping.as_ref().map(|(_, rule)| rule)
    }

    /// Keeps a strip with its pictures, each of a shot. Where there is no room the oldest strips are deleted.
    ///
    /// # Errors
    /// When the disk refuses, or it is larger than all the room there is.
    pub(super) fn keep(&self, strip: Strip, pictures: &[Vec<u8>]) -> Result<()> {
        let Some((key, rule)) = &self.keeping else { return Err(Error::broken("no pictures are kept here")) };
        let (name, at) = (StripName(dice()?), strip.span.end);
        let until = at + rule.kept;
        let told =
            serde_json::to_vec(&strip).map_err(|error| Error::broken(format!("a strip cannot be said: {error}")))?;
        let parts: Vec<&[u8]> = [&told[..]].into_iter().chain(pictures.iter().map(Vec::as_slice)).collect();
        let file = seal(key, name, (at, until), &parts)?;
        let bytes = file.len() as u64;
        if rule.disk_bytes < bytes {
            return Err(Error::input("the pictures of one change are larger than `pictures.disk_mib`"));
        }
        let mut state = self.lock();
        while rule.disk_bytes < state.bytes + bytes || STRIPS_MAX <= state.strips.len() + state.unreadable.len() {
            let Some(oldest) = state.oldest() else { break };
            self.delete(&mut state, oldest, ROOM)?;
        }
        output::write(&self.path(name), &file)?;
        state.bytes += bytes;
        state.strips.insert(name, Kept { strip, until, bytes });
        state.counts.kept += 1;
        Ok(())
    }

    /// No strip was made of a change, or a frame was left out, because of this.
    pub(super) fn dropped(&self, why: &'static str, count: u64) {
        if 0 < count {
            *self.lock().counts.dropped.entry(why).or_default() += count;
        }
    }

    /// When a strip is over: as was said when it was written, or as is said now, whichever comes first.
    fn end_of(&self, strip: &Strip, until: ShopTime) -> ShopTime {
        self.rule().map_or(until, |rule| until.min(strip.span.end + rule.kept))
    }

    /// Reads what is in the folder, and deletes what is over.
    fn take_stock(&self, now: ShopTime) -> Result<()> {
        let listed = |error: io::Error| Error::io("read the folder", &self.folder, &error);
        let (mut state, mut foreign) = (self.lock(), 0_u64);
        for entry in fs::read_dir(&self.folder).map_err(listed)? {
            let path = entry.map_err(listed)?.path();
            let file_name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if file_name.starts_with(PASSING.0) && file_name.ends_with(PASSING.1) {
                remove(&path)?;
                continue;
            }
            let Some(name) = file_name.strip_suffix(ENDING).and_then(|name| name.parse().ok()) else {
                tracing::warn!(file = %path.display(), "this is no strip of pictures; it is left as it is");
                continue;
            };
            let (until, bytes, strip) = self.look_into(&path, name)?;
            state.bytes += bytes;
            match strip {
                Ok(strip) => drop(state.strips.insert(name, Kept { strip, until, bytes })),
                Err(Unread { error, is_foreign }) => {
                    foreign += u64::from(is_foreign && now < until);
                    if !is_foreign && self.keeping.is_some() {
                        tracing::warn!(%error, "pictures that cannot be read; they are deleted when their time is over");
                    }
                    state.unreadable.insert(name, (until, bytes));
                }
            }
        }
        drop(state);
        self.forget(now, &BTreeSet::new())?;
        if 0 < foreign && self.keeping.is_some() {
            let message = format!("{foreign} strips of pictures here were written under another key");
            let hint = "give `pictures.key_file` or `pictures.key_env` that key, or delete the folder";
            return Err(Error::usage(message).at_path(&self.folder).hint(hint));
        }
        Ok(())
    }

    /// When a file is over, its size, and what it is of, if it can be read.
    fn look_into(&self, path: &Path, name: StripName) -> Result<(ShopTime, u64, std::result::Result<Strip, Unread>)> {
        let refused = |error: io::Error| Error::io("read", path, &error);
        let mut file = File::open(path).map_err(refused)?;
        let data = file.metadata().map_err(refused)?;
        let mut begin = Vec::new();
        Read::by_ref(&mut file).take(HEAD_BYTES_MAX as u64).read_to_end(&mut begin).map_err(refused)?;
        let unread = |error: Error, is_foreign| Unread { error: error.at_path(path), is_foreign };
        let head = match SealHead::of(&begin, data.len()) {
            Ok(head) => head,
            Err(error) => {
                // Nothing in it can be believed, so it has its time from when it came here.
                let written = data.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
                let written = written.map_or(ShopTime::MIN, |since| ShopTime::from_nanos(since.as_nanos() as i64));
                let until = written + self.rule().map_or(Span::ZERO, |rule| rule.kept);
                return Ok((until, data.len(), Err(unread(error, false))));
            }
        };
        let until = self.rule().map_or(head.until, |rule| head.until.min(head.at + rule.kept));
        let Some((key, _)) = &self.keeping else {
            let error = Error::input("pictures are not kept any more");
            return Ok((until, data.len(), Err(unread(error, false))));
        };
        let end = head.end_of(0).unwrap_or_default();
        file.seek(SeekFrom::Start(0)).map_err(refused)?;
        begin.clear();
        file.take(end as u64).read_to_end(&mut begin).map_err(refused)?;
        let strip = head.open(key, name, &begin, 0).and_then(|told| {
            let wrong = |_| Error::input("what is in this strip of pictures was written by another aisle");
            serde_json::from_slice(&told).map_err(wrong)
        });
        let is_foreign = !key.is_of(&head);
        Ok((until, data.len(), strip.map_err(|error| unread(error, is_foreign))))
    }

    /// Deletes a strip for good: the key in its head is written over first, for what a disk has freed it may still have.
    fn delete(&self, state: &mut State, name: StripName, why: &'static str) -> Result<()> {
        let path = self.path(name);
        blot_out(&path).and_then(|()| remove(&path))?;
        let bytes = state.strips.remove(&name).map(|kept| kept.bytes);
        let bytes = bytes.or_else(|| state.unreadable.remove(&name).map(|(_, bytes)| bytes));
        state.bytes = state.bytes.saturating_sub(bytes.unwrap_or(0));
        *state.counts.deleted.entry(why).or_default() += 1;
        Ok(())
    }

    fn path(&self, name: StripName) -> PathBuf {
        self.folder.join(format!("{name}{ENDING}"))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeptPictures for Album {
    fn about(&self, of: &PicturesOf) -> Vec<KeptPicture> {
        let state = self.lock();
        let mut found: Vec<(&StripName, &Strip)> =
            state.strips.iter().map(|(name, kept)| (name, &kept.strip)).collect();
        found.retain(|(_, strip)| is_about(strip, of));
        found.sort_by_key(|(name, strip)| (strip.span.start, **name));
        let pictures = |(name, strip): (&StripName, &Strip)| {
            let picture = |(index, shot): (usize, &Shot)| KeptPicture {
                name: format!("{name}-{index}"),
                event: strip.event.clone(),
                camera: shot.camera.clone(),
                at: shot.at,
                size_pixels: shot.size_pixels,
                bytes: shot.bytes,
            };
            strip.shots.iter().enumerate().map(picture).collect::<Vec<_>>()
        };
        found.into_iter().flat_map(pictures).collect()
    }

    fn read(&self, name: &str, of: &PicturesOf) -> Result<Option<Vec<u8>>> {
        let Some((key, _)) = &self.keeping else { return Ok(None) };
        let parts = name.split_once('-').and_then(|(strip, shot)| Some((strip.parse().ok()?, shot.parse().ok()?)));
        let Some((name, shot)): Option<(StripName, usize)> = parts else { return Ok(None) };
        let strip = self.lock().strips.get(&name).map(|kept| kept.strip.clone());
        let Some(strip) = strip.filter(|strip| is_about(strip, of)) else { return Ok(None) };
        let Some(told) = strip.shots.get(shot) else { return Ok(None) };
        let path = self.path(name);
        let file = match fs::read(&path) {
            // It was deleted just now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|error| Error::io("read", &path, &error))?,
        };
        let head = SealHead::of(&file, file.len() as u64).map_err(|error| error.at_path(&path))?;
        let jpeg = head.open(key, name, &file, shot + 1).map_err(|error| error.at_path(&path))?;
        let others: Vec<_> = told.heads.iter().filter(|head| Some(head.visit) != of.visit).collect();
        if others.is_empty() {
            return Ok(Some(jpeg));
        }
        let mut picture = decode_picture(&jpeg)?;
        others.iter().for_each(|head| hide(&mut picture, &head.bounds));
        encode_jpeg(&picture, QUALITY).map(Some)
    }

    fn forget(&self, now: ShopTime, visits: &BTreeSet<VisitId>) -> Result<u64> {
        let mut state = self.lock();
        let is_of = |strip: &Strip| strip.visits.iter().any(|visit| visits.contains(visit));
        let gone = state.strips.iter().filter_map(|(name, kept)| {
            let why = is_of(&kept.strip).then_some(FORGOTTEN);
            why.or((self.end_of(&kept.strip, kept.until) <= now).then_some(TIME)).map(|why| (*name, why))
        });
        let over = state.unreadable.iter().filter(|(_, (until, _))| *until <= now).map(|(name, _)| (*name, TIME));
        let gone: Vec<(StripName, &'static str)> = gone.chain(over).collect();
        let mut outcome = Ok(gone.len() as u64);
        for (name, why) in gone {
            if let Err(error) = self.delete(&mut state, name, why) {
                outcome = Err(error);
            }
        }
        outcome
    }

    fn counts(&self) -> PictureCounts {
        let state = self.lock();
        PictureCounts {
            sequences: state.strips.len() as u64,
            unreadable: state.unreadable.len() as u64,
            bytes: state.bytes,
            ..state.counts.clone()
        }
    }
}

impl State {
    fn oldest(&self) -> Option<StripName> {
        let strips = self.strips.iter().map(|(name, kept)| (kept.until, *name));
        let others = self.unreadable.iter().map(|(name, (until, _))| (*until, *name));
        strips.chain(others).min().map(|(_, name)| name)
    }
}

/// A file that cannot be read.
struct Unread {
    error: Error,
    /// Whether that is because it was written under another key.
    is_foreign: bool,
}

fn is_about(strip: &Strip, of: &PicturesOf) -> bool {
    // Numbers of events begin anew with a new book, so when it was has to fit too.
    let is_of = |(event, moved): &(FactRef, TimeRange)| *event == strip.event && moved.touches(strip.span);
    of.visit.is_some_and(|visit| strip.visits.contains(&visit)) || of.events.iter().any(is_of)
}

/// Writes over the key of a strip, where there is one.
fn blot_out(path: &Path) -> Result<()> {
    let refused = |error: io::Error| Error::io("delete", path, &error);
    let mut file = match OpenOptions::new().write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        open => open.map_err(refused)?,
    };
    let length = file.metadata().map_err(refused)?.len();
    if (WRAPPED_AT.end as u64) <= length {
        let nothing = [0_u8; WRAPPED_AT.end - WRAPPED_AT.start];
        let written = file.seek(SeekFrom::Start(WRAPPED_AT.start as u64)).and_then(|_| file.write_all(&nothing));
        written.and_then(|()| file.sync_data()).map_err(refused)?;
    }
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(|error| Error::io("delete", path, &error)),
    }
}
