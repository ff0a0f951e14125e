//! One error for the whole program: a kind for the machine, a sentence for a person, the place, and what to do.

use std::fmt;
use std::path::{Path, PathBuf};

use super::text::{plain, told};

/// What sort of failure it is; decides the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The command line or a setting is wrong. Exit status 2.
    Usage,
    /// A file or stream is not what it should be. Exit status 3.
    Input,
    /// The operating system refused. Exit status 4.
    Io,
    /// A result was computed and does not reach what was asked. Exit status 1.
    Unmet,
    /// What was asked for is not there. Exit status 3.
    Missing,
    /// It was done before, or something else came in between; what was asked for no longer fits. Exit status 3.
    Conflict,
    /// What aisle wrote itself cannot be read back, or was changed by somebody else. Exit status 3.
    Broken,
    /// A database, a disk or a service cannot take it just now, and nothing was changed: trying again later may do.
    /// Exit status 5.
    Unavailable,
}

/// Where in the input something was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The file or folder, if there is one.
    pub path: Option<PathBuf>,
    /// Line, counted from 1.
    pub line: Option<u64>,
    /// Byte offset, counted from 0.
    pub byte: Option<u64>,
}

/// A failure with everything its reader needs.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: String,
    place: Place,
    hint: Option<String>,
}

/// What fallible functions of aisle return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A wrong command line or setting.
    pub fn usage(message: impl Into<String>) -> Self {
        Error::new(Kind::Usage, message)
    }

    /// Input that is not what it should be.
    pub fn input(message: impl Into<String>) -> Self {
        Error::new(Kind::Input, message)
    }

    /// A result below what was asked for.
    pub fn unmet(message: impl Into<String>) -> Self {
        Error::new(Kind::Unmet, message)
    }

    /// Something that is not there.
    pub fn missing(message: impl Into<String>) -> Self {
        Error::new(Kind::Missing, message)
    }

    /// Something that no longer fits what is there.
    pub fn conflict(message: impl Into<String>) -> Self {
        Error::new(Kind::Conflict, message)
    }

    /// Something of our own that is not what it should be.
    pub fn broken(message: impl Into<String>) -> Self {
        Error::new(Kind::Broken, message)
    }

    /// Something outside that cannot be reached, or is full or busy; nothing was changed.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Error::new(Kind::Unavailable, message)
    }

    /// A refusal of the operating system while doing `what` (such as "read") with `path`.
    pub fn io(what: &str, path: &Path, error: &std::io::Error) -> Self {
        let hint = match error.kind() {
            std::io::ErrorKind::NotFound => Some("check the path; it is taken relative to the current folder"),
            std::io::ErrorKind::PermissionDenied => Some("check who owns it and may use it"),
            _ => None,
        };
        let failure = Error::new(Kind::Io, format!("cannot {what}: {error}")).at_path(path);
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }

    fn new(kind: Kind, message: impl Into<String>) -> Self {
        // Much of what is said about a file stands in it; what is foreign in a sentence only shows itself.
        Error { kind, message: told(&message.into()).into_owned(), place: Place::default(), hint: None }
    }

    /// Adds the file it happened in, unless one is known already.
    pub fn at_path(mut self, path: &Path) -> Self {
        self.place.path.get_or_insert_with(|| path.to_owned());
        self
    }

    /// Adds the line, counted from 1.
    pub fn at_line(mut self, line: u64) -> Self {
        self.place.line = Some(line);
        self
    }

    /// Adds the byte offset, counted from 0.
    pub fn at_byte(mut self, byte: u64) -> Self {
        self.place.byte = Some(byte);
        self
    }

    /// Says in front of the sentence what was being done, such as one trip of many.
    pub fn during(mut self, what: &str) -> Self {
        self.message = format!("{}: {}", plain(what), self.message);
        self
    }

    /// Adds behind the sentence what else was said, such as by the others that were tried.
    pub fn further(mut self, what: &str) -> Self {
        self.message = format!("{}; {what}", self.message);
        self
    }

    /// Adds what the reader can do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(told(&hint.into()).into_owned());
        self
    }

    /// Adds another thing that the reader can do about it.
    pub fn hint_further(self, hint: &str) -> Self {
        let hint = match &self.hint {
            Some(first) => format!("{first}; {hint}"),
            None => hint.to_owned(),
        };
        self.hint(hint)
    }

    /// What sort of failure it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Where it was found.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The sentence, without place and hint.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The process exit status that stands for this kind.
    pub fn exit_status(&self) -> u8 {
        match self.kind {
            Kind::Unmet => 1,
            Kind::Usage => 2,
            Kind::Input | Kind::Missing | Kind::Conflict | Kind::Broken => 3,
            Kind::Io => 4,
            Kind::Unavailable => 5,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            f.write_str(&plain(&path.to_string_lossy()))?;
        }
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(byte) = self.byte {
            write!(f, " at byte {byte}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place != Place::default() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
