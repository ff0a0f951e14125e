//! The `aisle` command.

use std::process::ExitCode;

/// An open shop runs for months; the allocator of glibc keeps what a busy moment took (docs/decisions/0034-allocator.md).
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Settings of jemalloc: two arenas for all threads, and what is free goes back to the system after a second.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "jemalloc reads a symbol of this name, which nothing else has")]
#[unsafe(export_name = "_rjem_malloc_conf")]
static ALLOCATOR_SETTINGS: &[u8; 30] = b"narenas:2,dirty_decay_ms:1000\0";

fn main() -> ExitCode {
    aisle::cli::main()
}
