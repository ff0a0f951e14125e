//! `aisle man`: the manual, made from the table that parses commands.

use std::path::{Path, PathBuf};

use clap::{Args, Command, CommandFactory as _};
use clap_mangen::Man as Page;

use crate::base::{Error, Result};
use crate::output::{OutputFolder, write_new};

/// Write the manual: the page of `aisle` on standard output, or a page for every command into a folder.
#[derive(Args)]
#[command(after_help = "\
Examples:
  aisle man | man -l -
  aisle man -o man1                    then man -l man1/aisle-replay.1")]
pub(super) struct Man {
    /// The folder to write: one that does not exist yet, or is empty. It is there only when it is whole.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

impl Man {
    pub(super) fn run(self) -> Result<()> {
        let mut command = super::Command::command().disable_help_subcommand(true);
        command.build();
        let Some(path) = self.output else {
            let (_, text) = page(command)?;
            return super::print_as_it_is(&text);
        };
        let folder = OutputFolder::create(&path)?;
        let count = write(&command, folder.passing_path())?;
        folder.finish()?;
        super::print(&format!("{}: {count} pages\n", path.display()))
    }
}

/// Writes the pages of a command and of all below it; how many they are.
fn write(command: &Command, folder: &Path) -> Result<usize> {
    let (name, text) = page(command.clone())?;
    write_new(&folder.join(name), text.as_bytes())?;
    let below = command.get_subcommands().filter(|below| !below.is_hide_set());
    below.map(|below| write(below, folder)).try_fold(1, |sum, count| Ok(sum + count?))
}

/// The page of one command, and the name of its file.
fn page(command: Command) -> Result<(String, String)> {
    let page = Page::new(command).source(concat!("aisle ", env!("CARGO_PKG_VERSION"))).manual("aisle");
    let mut text = Vec::new();
    page.render(&mut text).map_err(|error| Error::io("write", Path::new(&page.get_filename()), &error))?;
    Ok((page.get_filename(), String::from_utf8_lossy(&text).into_owned()))
}
