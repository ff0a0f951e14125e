//! Fuzzing of what comes from outside.
