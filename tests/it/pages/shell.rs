//! A shell in an empty folder with `aisle` on its path, into which a page is typed, and the server that runs beside it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a command may take; far more than any does.
const COMMAND_MAX: Duration = Duration::from_secs(180);
/// How long a server may take until it listens.
const SERVER_MAX: Duration = Duration::from_secs(30);
/// Statuses that wait to be read; one is asked for at a time.
const STATUSES_MAX: usize = 4;
/// Between two looks at what a server has said.
const LOOK_PAUSE: Duration = Duration::from_millis(5);

/// What a command said, both streams as they came, and how it ended.
pub(super) struct Said {
    pub(super) status: i32,
    pub(super) text: String,
}

/// A shell; all that it began ends with it.
pub(super) struct Shell {
    folder: TempDir,
    child: Child,
    input: ChildStdin,
    statuses: Receiver<String>,
    typed: usize,
    /// The server that runs: what it says, and where it listens.
    server: Option<(PathBuf, String)>,
}

impl Shell {
    /// A shell that finds `aisle` and these tools beside those of the system, and has these variables.
    pub(super) fn start(tools: &[PathBuf], variables: &[(&str, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["bin", "home", "work", "said"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        // An answer that says what is wrong must fail.
        fs::write(folder.path().join("home/.curlrc"), "silent\nshow-error\nfail-with-body\n").unwrap();
        let bin = folder.path().join("bin");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_aisle"), bin.join("aisle")).unwrap();
        for tool in tools {
            std::os::unix::fs::symlink(tool, bin.join(tool.file_name().unwrap())).unwrap();
        }
        let mut command = Command::new("sh");
        command.current_dir(folder.path().join("work")).env_clear();
        command.env("PATH", format!("{}:/usr/bin:/bin", bin.display())).env("HOME", folder.path().join("home"));
        command
            .env("COLUMNS", "100")
            .env("LC_ALL", "C.UTF-8")
            .envs(variables.iter().map(|(name, value)| (name, value)));
        // Whatever is begun in it is of its group, and can be ended with it.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, statuses) = sync_channel(STATUSES_MAX);
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Shell { folder, child, input, statuses, typed: 0, server: None }
    }

    /// Where pages are typed.
    pub(super) fn folder(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// Types a command and waits for its end.
    ///
    /// # Errors
    /// When it does not end in time, or the shell itself ended with it.
    pub(super) fn run(&mut self, command: &str) -> Result<Said, String> {
        self.typed += 1;
        let said = self.folder.path().join("said").join(self.typed.to_string());
        // Braces, so that variables which it sets stay.
        let line = format!("{{ {command}\n}} > '{}' 2>&1 < /dev/null\nprintf '%s\\n' \"$?\"\n", said.display());
        let status = self.input.write_all(line.as_bytes()).map_err(|_| RecvTimeoutError::Disconnected);
        let status = status.and_then(|()| self.statuses.recv_timeout(COMMAND_MAX));
        let text = String::from_utf8_lossy(&fs::read(&said).unwrap_or_default()).into_owned();
        match status.map(|status| status.parse()) {
            Ok(Ok(status)) => Ok(Said { status, text }),
            Ok(Err(_)) => Err(format!("the shell said something else than a status\n{text}")),
            Err(RecvTimeoutError::Timeout) => Err(format!("it was not over after {} s\n{text}", COMMAND_MAX.as_secs())),
            Err(RecvTimeoutError::Disconnected) => Err(format!("the shell ended with it\n{text}")),
        }
    }

    /// Starts a server, at a port that is free, and waits until it listens.
    ///
    /// # Errors
    /// What it said, when it does not come to listen.
    pub(super) fn serve(&mut self, command: &str) -> Result<(), String> {
        let said = self.folder.path().join("said").join(format!("server-{}", self.typed));
        self.run(&format!("{command} > '{}' 2>&1 < /dev/null & SERVER=$!", said.display()))?;
        let begun = Instant::now();
        while begun.elapsed() < SERVER_MAX {
            let text = read(&said);
            let address = text.lines().find_map(|line| line.strip_prefix("listening on http://")).map(str::to_owned);
            if let Some(address) = address.filter(|_| text.ends_with('\n')) {
                self.server = Some((said, address));
                return Ok(());
            }
            if self.run("kill -0 $SERVER")?.status != 0 {
                let ended = self.run("wait $SERVER")?;
                return Err(format!("the server ended with status {}\n{}", ended.status, read(&said)));
            }
            thread::sleep(LOOK_PAUSE);
        }
        Err(format!("the server did not listen after {} s\n{}", SERVER_MAX.as_secs(), read(&said)))
    }

    /// Where the server listens.
    pub(super) fn address(&self) -> Option<&str> {
        self.server.as_ref().map(|(_, address)| address.as_str())
    }

    /// Ends the server, if one runs.
    ///
    /// # Errors
    /// When it does not end well.
    pub(super) fn stop(&mut self) -> Result<(), String> {
        let Some((said, _)) = self.server.take() else { return Ok(()) };
        match self.run("kill -TERM $SERVER && wait $SERVER")?.status {
            0 => Ok(()),
            status => Err(format!("the server ended with status {status} when it was stopped\n{}", read(&said))),
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.child.wait();
    }
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}
