//! The `aisle` command.

use std::process::ExitCode;

/// An open shop runs for months; the allocator of glibc keeps what a busy moment took (docs/decisions/0034-allocator.md).
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    aisle::cli::main()
}
