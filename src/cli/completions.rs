//! `aisle completions`: what a shell needs to complete commands and options, made from the table that parses them.

use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};

use crate::base::Result;

/// Write the completions of a shell: commands, options and their values.
#[derive(Args)]
#[command(after_help = "\
Examples:
  aisle completions bash > ~/.local/share/bash-completion/completions/aisle
  aisle completions zsh > ~/.zfunc/_aisle            a folder of $fpath
  aisle completions fish > ~/.config/fish/completions/aisle.fish")]
pub(super) struct Completions {
    /// The shell.
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Result<()> {
        let mut command = super::Command::command();
        let mut script = Vec::new();
        generate(self.shell, &mut command, "aisle", &mut script);
        super::print_as_it_is(&String::from_utf8_lossy(&script))
    }
}
