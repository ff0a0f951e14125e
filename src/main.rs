//! The `aisle` command.

use std::process::ExitCode;

use aisle::cli::{check::Check, import::Import};
use clap::Parser;

/// Unmanned checkout.
#[derive(Parser)]
#[command(version)]
enum Command {
    Import(Import),
    Check(Check),
}

fn main() -> ExitCode {
    let outcome = match Command::parse() {
        Command::Import(import) => import.run(),
        Command::Check(check) => check.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_status())
        }
    }
}
