//! Messages that could not be read, kept for somebody to look at. It takes what is wrong with each, and its payload unless that
//! may hold a secret; it holds so many files and no more, and never lets a device name a file or fill a disk.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::decode::Refusal;
use crate::base::text::plain;
use crate::base::{Error, Result, ShopTime};
use crate::output;

/// Files that are kept; the oldest goes.
const FILES_MAX: usize = 200;
/// Bytes of a payload that are kept.
const PAYLOAD_BYTES_MAX: usize = 64 << 10;
/// What has this word in it is not kept: it may be the question of a gate under a wrong name.
const SECRET: &[u8] = b"token";
/// Letters of a topic and of what is wrong that are kept.
const LETTERS_MAX: usize = 1_000;
/// Files that are written a second; more are only counted.
const FILES_PER_SECOND: u32 = 5;
/// What the names of our files begin and end with.
const BEGINNING: &str = "message-";
const ENDING: &str = ".txt";

/// The folder of what could not be read.
pub(super) struct Poison {
    folder: PathBuf,
    files: VecDeque<PathBuf>,
    number: u64,
    /// The second that is under way, and the files of it.
    second: (u64, u32),
}

impl Poison {
    /// Opens the folder, which is made where it is not there; what is in it of ours counts.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).map_err(|error| Error::io("create", folder, &error))?;
        let entries = fs::read_dir(folder).map_err(|error| Error::io("open", folder, &error))?;
        let is_ours = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with(BEGINNING) && name.ends_with(ENDING)
        };
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_ours).collect();
        files.sort();
        Ok(Poison { folder: folder.to_owned(), files: files.into(), number: 0, second: (0, 0) })
    }

    /// Keeps a message; whether it is kept. `is_secret` leaves the payload out.
    pub(super) fn keep(
        &mut self,
        topic: &str,
        payload: &[u8],
        refusal: &Refusal,
        is_secret: bool,
        arrived: ShopTime,
        elapsed: Duration,
    ) -> bool {
        if self.second.0 != elapsed.as_secs() {
            self.second = (elapsed.as_secs(), 0);
        }
        if FILES_PER_SECOND <= self.second.1 {
            return false;
        }
        self.second.1 += 1;
        let short = |text: &str| plain(text).chars().take(LETTERS_MAX).collect::<String>();
        let mut file = format!(
            "topic: {}\narrived: {arrived}\nbytes: {}\nreason: {}\ndetail: {}\n\n",
            short(topic),
            payload.len(),
            refusal.reason,
            short(&refusal.detail)
        )
        .into_bytes();
        let kept = &payload[..payload.len().min(PAYLOAD_BYTES_MAX)];
        if is_secret || kept.windows(SECRET.len()).any(|word| word.eq_ignore_ascii_case(SECRET)) {
            file.extend_from_slice(b"(what may hold a secret, as what gates send does, is not kept)\n");
        } else {
            file.extend_from_slice(kept);
        }
        self.number += 1;
        let name = format!("{BEGINNING}{:020}-{:08}{ENDING}", arrived.as_nanos().max(0), self.number);
        let path = self.folder.join(name);
        if let Err(error) = output::write_new(&path, &file) {
            tracing::warn!("a message that cannot be read is not kept: {error}");
            return false;
        }
        self.files.push_back(path);
        while FILES_MAX < self.files.len() {
            // Somebody may have taken it away.
            self.files.pop_front().map(fs::remove_file);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::mqtt::decode::Reason;

    fn refusal() -> Refusal {
        Refusal { reason: Reason::Undecodable, detail: "no\nJSON".to_owned() }
    }

    #[test]
    fn the_oldest_go_and_nothing_foreign_names_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut poison = Poison::open(folder.path()).unwrap();
        for number in 0..FILES_MAX as u64 + 3 {
            let at = ShopTime::from_nanos(number as i64);
            let kept = poison.keep("../../x\n", b"{", &refusal(), false, at, Duration::from_secs(number));
            assert!(kept);
        }
        let poison = Poison::open(folder.path()).unwrap();
        assert_eq!(poison.files.len(), FILES_MAX);
        assert!(poison.files[0].to_string_lossy().contains("00000000000000000003-"));
        let text = fs::read_to_string(&poison.files[0]).unwrap();
        assert!(text.starts_with("topic: ../../x \n") && text.ends_with("detail: no JSON\n\n{"), "{text}");
    }

    #[test]
    fn a_storm_is_only_counted_and_secrets_stay_out() {
        let folder = tempfile::tempdir().unwrap();
        let mut poison = Poison::open(folder.path()).unwrap();
        let at = ShopTime::from_nanos(1);
        let kept = (0..100).filter(|_| poison.keep("t", b"secret", &refusal(), true, at, Duration::ZERO)).count();
        assert_eq!(kept, FILES_PER_SECOND as usize);
        assert!(!fs::read_to_string(&poison.files[0]).unwrap().ends_with("secret"));
    }
}
