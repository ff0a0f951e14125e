//! The command line: one file per command. It parses, calls the floors below, and prints.

pub mod check;
pub mod import;
