//! Every maximum of the program, named, with the relations between them checked at compile time.

use super::Span;

/// How far behind the newest arrival a fact may be and still be put in its place; the real shop's people arrive
/// 2.3 s after its weights, and arrival may be shuffled by 3 s.
pub const WATERMARK_SPAN_MAX: Span = Span::from_millis(6_000);
/// Facts waiting in the reordering buffer; beyond it the oldest are released early and counted.
pub const REORDER_FACTS_MAX: usize = 65_536;
/// Largest disagreement between people's and plates' clocks that is searched.
pub const CLOCK_OFFSET_SPAN_MAX: Span = Span::from_millis(600);
/// Plates on one shelf board.
pub const PLATES_PER_SHELF_MAX: usize = 64;
/// Samples in one plate batch.
pub const SAMPLES_PER_BATCH_MAX: usize = 6_000;
/// People in one frame; more are dropped and counted.
pub const PEOPLE_PER_FRAME_MAX: usize = 256;
/// Bytes of one JSON line or MCAP message that is read.
pub const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// Bytes of one catalogue, planogram or shop file that is read whole.
pub const SHOP_FILE_BYTES_MAX: u64 = 64 << 20;

const _: () = assert!(CLOCK_OFFSET_SPAN_MAX.as_nanos() < WATERMARK_SPAN_MAX.as_nanos());
