//! Starts the command line, nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    doorlight::cli::main()
}

/// One heap for all threads. glibc's keeps freed memory for each thread: with 1,024 connections the process held twice
/// as much.
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;
