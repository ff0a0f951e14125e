//! The one integration binary.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops at the line")]

mod tidy;
