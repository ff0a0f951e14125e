//! The command line, one file per command. Takes arguments, gives text, files and an exit status.
//! What a command does lives below; here it is only asked for and shown.

pub mod eval;
