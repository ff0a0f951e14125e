//! The `aisle` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    aisle::cli::main()
}
