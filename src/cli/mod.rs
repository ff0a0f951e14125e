//! The commands that people type: one file each. Here they are parsed, run, and their failure is told.

mod anchors;
mod book;
mod cameras;
mod charge;
mod check;
mod completions;
mod demo;
mod devices;
mod doctor;
mod engine;
mod eval;
mod export;
mod feed;
mod import;
mod learned;
mod ledger;
mod listen;
mod log;
mod looking;
mod lost;
mod man;
mod models;
mod open;
mod receipt;
mod receipts;
mod record;
mod repeats;
mod replay;
mod review;
mod see;
mod serve;
mod shops;
mod simulate;
mod token;
mod track;
mod watch;

use std::io::{ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use crate::base::text::{escaped, plain};
use crate::base::{Error, Result};
use crate::output;

/// Unmanned checkout: cameras and shelf sensors in, an explained receipt per shopper out.
#[derive(Parser)]
#[command(name = "aisle", version, propagate_version = true)]
#[command(
    after_help = "Exit status: 0 done, 1 result below what was asked, 2 wrong command, 3 bad input, 4 refused by \
                        the system, 5 not reachable just now.\nFirst steps: `aisle demo`, then `aisle replay --help`."
)]
struct Command {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Demo(demo::Demo),
    Replay(replay::Replay),
    Import(import::Import),
    Simulate(simulate::Simulate),
    Eval(eval::Eval),
    Export(export::Export),
    Check(check::Check),
    Track(track::Track),
    Review(review::Review),
    Receipt(receipt::Receipt),
    Ledger(ledger::Ledger),
    Serve(serve::Serve),
    Record(record::Record),
    Token(token::TokenCommand),
    Cameras(cameras::CamerasCommand),
    Models(models::Models),
    See(see::See),
    Doctor(doctor::Doctor),
    Completions(completions::Completions),
    Man(man::Man),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let command = Command::parse();
    match run(command.verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The reader of a pipe may be gone; there is nobody left to tell.
            let _ = writeln!(std::io::stderr(), "error: {}", escaped(&error.to_string()));
            ExitCode::from(error.exit_status())
        }
    }
}

fn run(verb: Verb) -> Result<()> {
    match verb {
        Verb::Demo(demo) => demo.run(),
        Verb::Replay(replay) => replay.run(),
        Verb::Import(import) => import.run(),
        Verb::Simulate(simulate) => simulate.run(),
        Verb::Eval(eval) => eval.run(),
        Verb::Export(export) => export.run(),
        Verb::Check(check) => check.run(),
        Verb::Track(track) => track.run(),
        Verb::Review(review) => review.run(),
        Verb::Receipt(receipt) => receipt.run(),
        Verb::Ledger(ledger) => ledger.run(),
        Verb::Serve(serve) => serve.run(),
        Verb::Record(record) => record.run(),
        Verb::Token(token) => token.run(),
        Verb::Cameras(cameras) => cameras.run(),
        Verb::Models(models) => models.run(),
        Verb::See(see) => see.run(),
        Verb::Doctor(doctor) => doctor.run(),
        Verb::Completions(completions) => completions.run(),
        Verb::Man(man) => man.run(),
    }
}

/// Writes to standard output; what foreign names hold that would steer a terminal is written as an escape, in JSON too.
/// Where a result goes to standard output, to standard error.
fn print(text: &str) -> Result<()> {
    let text = escaped(text);
    if !output::is_stdout_taken() {
        return print_as_it_is(&text);
    }
    let mut out = std::io::stderr().lock();
    match out.write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::io("write", Path::new("standard error"), &error))
        }
        _ => Ok(()),
    }
}

/// Says on standard error what is amiss; the sentence stays on its line.
fn warn(sentence: &str) {
    // The reader of a pipe may be gone; there is nobody left to tell.
    let _ = writeln!(std::io::stderr(), "warning: {}", plain(sentence));
}

/// Writes a document to standard output, to the byte. A reader that went away (such as `head`) is no failure; a full disk is.
fn print_as_it_is(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::io("write", Path::new("standard output"), &error))
        }
        _ => Ok(()),
    }
}

/// A bar on standard error, if a person is there to see it. `template` is one of `indicatif`.
fn progress(length: u64, template: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory as _;

    /// The parser checks it itself only where assertions are on, and never says it in a release.
    #[test]
    fn no_two_options_of_a_command_are_called_the_same() {
        let mut commands = vec![super::Command::command()];
        while let Some(command) = commands.pop() {
            let mut names = BTreeSet::new();
            for argument in command.get_arguments() {
                assert!(names.insert(argument.get_id()), "{} of {}", argument.get_id(), command.get_name());
            }
            commands.extend(command.get_subcommands().cloned());
        }
    }
}
