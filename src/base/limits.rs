//! Every maximum of the program, named, with the relations between them checked at compile time.

use super::Span;

/// How far behind the newest arrival a fact may be and still be put in its place. The real shop's people arrive 2.3 s
/// after its weights; a message may stick in the network for 3 s, and whatever passes it on may hold it for 3 s more.
pub const WATERMARK_SPAN_MAX: Span = Span::from_millis(9_000);
/// Facts waiting in the reordering buffer; beyond it the oldest are released early and counted.
pub const REORDER_FACTS_MAX: usize = 65_536;
/// Facts that are read ahead of the engine; a source that is faster waits.
pub const READ_AHEAD_FACTS_MAX: usize = 1_024;
/// A ground fact this much ahead of all others is not believed before others of its time confirm it.
pub const LEAP_SPAN_MAX: Span = Span::from_millis(60_000);
/// Ground facts within [`WATERMARK_SPAN_MAX`] of each other that make a leap in time believed.
pub const LEAP_FACTS_MIN: usize = 4;
/// Leaping facts that wait to be believed; beyond it the one furthest ahead is dropped and counted.
pub const LEAP_FACTS_MAX: usize = 64;
/// Largest disagreement between people's and plates' clocks that is searched.
pub const CLOCK_OFFSET_SPAN_MAX: Span = Span::from_millis(600);
/// Plates on one shelf board.
pub const PLATES_PER_SHELF_MAX: usize = 64;
/// Samples in one plate batch.
pub const SAMPLES_PER_BATCH_MAX: usize = 6_000;
/// Time between the first and the last row of one plate batch.
pub const BATCH_SPAN_MAX: Span = Span::from_millis(120_000);
/// How far the stamp of a plate batch may be from its rows.
pub const BATCH_STAMP_OFF_MAX: Span = Span::from_millis(9_000);
/// People in one frame; more are dropped and counted.
pub const PEOPLE_PER_FRAME_MAX: usize = 256;
/// Bytes of one JSON line or MCAP message that is read.
pub const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// Bytes of one catalogue, planogram or shop file that is read whole.
pub const SHOP_FILE_BYTES_MAX: u64 = 64 << 20;
/// Times that an order with no clear answer is sent to a payment provider before a person looks at it.
pub const ORDER_TRIES_MAX: u32 = 40;
/// How long an order may be unsure. Providers remember what they carried out for a day at least.
pub const ORDER_UNSURE_MAX: Span = Span::from_millis(20 * 3_600_000);
/// How long an order that is surely not carried out is sent again and again.
pub const ORDER_AGE_MAX: Span = Span::from_millis(7 * 24 * 3_600_000);

/// Receipts that are kept in memory while the database cannot be used; beyond it no more facts are taken.
pub const LIVE_CLOSINGS_MAX: usize = 1_000;

const _: () = assert!(ORDER_UNSURE_MAX.as_nanos() < ORDER_AGE_MAX.as_nanos());
const _: () = assert!(WATERMARK_SPAN_MAX.as_nanos() < LEAP_SPAN_MAX.as_nanos());
const _: () = assert!(LEAP_FACTS_MIN < LEAP_FACTS_MAX);
const _: () = assert!(CLOCK_OFFSET_SPAN_MAX.as_nanos() < WATERMARK_SPAN_MAX.as_nanos());
