//! Anchors of a book: written to where the book is not, and held against it.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use ring::rand::{SecureRandom, SystemRandom};

use crate::base::{Error, Result, Secret, ShopTime, hex};
use crate::ledger::{Anchor, AnchorKey, ChainEnd};

/// Where the ends of a book's chains are kept, so that the book cannot be taken back to an earlier state unseen.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct AnchorArgs {
    /// Add the ends of the book's chains to this file, a line each time: a file elsewhere, a pipe, a printer
    #[arg(long, value_name = "FILE")]
    anchors: Option<PathBuf>,
    /// The key that signs these lines; `aisle ledger anchor --new-key FILE` makes one
    #[arg(long, value_name = "FILE", requires = "anchors")]
    anchor_key: Option<PathBuf>,
}

/// A file that anchors are added to.
pub(super) struct Anchors {
    path: PathBuf,
    key: Option<AnchorKey>,
    /// What was added last; the same ends are not added twice.
    last: Option<[ChainEnd; 2]>,
}

impl AnchorArgs {
    pub(super) fn are_given(&self) -> bool {
        self.anchors.is_some()
    }

    /// The file, if one was named.
    pub(super) fn open(&self) -> Result<Option<Anchors>> {
        let key = self.anchor_key.as_deref().map(read_key).transpose()?;
        Ok(self.anchors.clone().map(|path| Anchors { path, key, last: None }))
    }
}

impl Anchors {
    /// Adds a line, on the disk before this returns; whether there was anything new to add.
    pub(super) fn add(&mut self, ends: [ChainEnd; 2], at: ShopTime) -> Result<bool> {
        if self.last.as_ref() == Some(&ends) {
            return Ok(false);
        }
        let [transfers, seals] = ends.clone();
        add_line(&self.path, &Anchor::new(at, transfers, seals, self.key.as_ref()))?;
        self.last = Some(ends);
        Ok(true)
    }
}

/// Adds an anchor at the end of a file, which its owner alone reads where it is new.
pub(super) fn add_line(path: &Path, anchor: &Anchor) -> Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let failed = |error: std::io::Error| Error::io("add an anchor to", path, &error);
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(format!("{anchor}\n").as_bytes()).map_err(failed)?;
    match file.sync_data() {
        // What is no file on a disk has nothing to flush.
        Err(error) if !matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Err(failed(error)),
        _ => Ok(()),
    }
}

/// The anchors of a file with the numbers of their lines.
pub(super) fn read(path: &Path) -> Result<Vec<(usize, Anchor)>> {
    let text = fs::read_to_string(path).map_err(|error| Error::io("read the anchors", path, &error))?;
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let (mut anchors, mut wrong) = (Vec::new(), Vec::new());
    for (number, line) in lines {
        match line.trim().parse() {
            Ok(anchor) => anchors.push((number, anchor)),
            Err(message) => wrong.push(format!("line {number}: {message}")),
        }
    }
    if !wrong.is_empty() {
        return Err(Error::input(format!("these are not anchors: {}", wrong.join("; ")))
            .at_path(path)
            .hint("they are made by `aisle ledger anchor`; a last line that was cut off may be removed"));
    }
    if anchors.is_empty() {
        return Err(Error::input("there is no anchor in this file, so that it proves nothing").at_path(path));
    }
    Ok(anchors)
}

pub(super) fn read_key(path: &Path) -> Result<AnchorKey> {
    let text = fs::read_to_string(path).map_err(|error| Error::io("read the key", path, &error))?;
    AnchorKey::parse(&Secret::new(text)).map_err(|error| error.at_path(path))
}

/// Makes a key in a file that is not there yet, for its owner alone; gives the key.
pub(super) fn make_key(path: &Path) -> Result<AnchorKey> {
    let mut seed = [0; 32];
    let filled = SystemRandom::new().fill(&mut seed);
    filled.map_err(|_| Error::unavailable("the operating system gave no random numbers"))?;
    let secret = Secret::new(hex(&seed));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let failed = |error: std::io::Error| Error::io("make the key", path, &error);
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(format!("{}\n", secret.reveal()).as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    AnchorKey::parse(&secret)
}
