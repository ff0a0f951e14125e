//! Every maximum of the program, named, with the relations between them checked at compile time.

use super::Span;

/// How far behind the newest arrival a fact may be and still be put in its place. The real shop's people arrive 2.3 s
/// after its weights; a message may stick in the network for 3 s, and whatever passes it on may hold it for 3 s more.
pub const WATERMARK_SPAN_MAX: Span = Span::from_millis(9_000);
/// For how long, by its own time, a gap in the numbers of a source is waited for: a message may stick in the network for 3 s. By how much a source is later than others does not matter to it.
pub const WATERMARK_GAP_SPAN_MIN: Span = Span::from_millis(3_050);
/// The same of a source one of whose messages was later lately, and of one that is new: whatever passes a message on may hold it
/// for 3 s more.
pub const WATERMARK_GAP_SPAN_MAX: Span = Span::from_millis(6_500);
/// A source whose message comes so much later, by its own time, than one that was true after it may hold others for as long.
pub const SOURCE_OVERTAKEN_SPAN: Span = Span::from_millis(3_000);
/// For how long that is remembered of it, by its own time.
pub const SOURCE_OVERTAKEN_KEPT_SPAN: Span = Span::from_millis(300_000);
/// How far behind the newest arrival facts are given while a source is out, so that it finds its place when it comes back.
pub const WATERMARK_SPAN_MIN: Span = Span::from_millis(3_000);
/// Sources whose numbers are followed; beyond it the one that was heard longest ago is forgotten.
pub const SOURCES_MAX: usize = 1_024;
/// A source that was silent for so long is waited for no more, not even a little.
pub const SOURCE_FORGOTTEN_SPAN_MAX: Span = Span::from_millis(600_000);
/// Facts of one source that came from beyond a gap in its numbers; beyond it the gap is taken for a loss.
pub const SOURCE_AHEAD_FACTS_MAX: usize = REORDER_FACTS_MAX;
/// Gaps in the numbers of one source that are remembered; what comes late from one that is forgotten is taken for a double.
pub const SOURCE_GAPS_MAX: usize = 64;
/// So many facts of a source in a row show by how much it counts.
pub const SOURCE_STEP_FACTS: u32 = 32;
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
/// How far the stamp of a plate batch may be from its rows, and that of a board's event from its end.
pub const BATCH_STAMP_OFF_MAX: Span = Span::from_millis(9_000);
/// People in one frame; more are dropped and counted.
pub const PEOPLE_PER_FRAME_MAX: usize = 256;
/// Side of a picture.
pub const PICTURE_SIDE_PIXELS_MAX: u32 = 16_384;
/// Memory that the pixels of one picture may take while it is decoded; a file of that many bytes is not read either.
pub const PICTURE_BYTES_MAX: u64 = 256 << 20;
/// Passes in which one JPEG picture may come; cameras and programs write up to twenty.
pub const JPEG_SCANS_MAX: usize = 100;
/// How many times a frame may be as wide as its camera was when it was calibrated, and the other way round.
pub const FRAME_SCALE_MAX: f64 = 8.0;
/// Spans of lost frames that are remembered of one camera; beyond it the last one grows.
pub const LOST_SPANS_MAX: usize = 64;
/// Sizes of frames that are remembered of one camera, those that were scaled or left out.
pub const FRAME_SIZES_MAX: usize = 8;
/// Cameras of a shop.
pub const CAMERAS_MAX: usize = 256;
/// Things seen in one frame of one camera; the least sure beyond it are dropped and counted.
pub const DETECTIONS_PER_FRAME_MAX: usize = 1_024;
/// Tracks of one camera that are open, whether seen or lost; beyond it none is begun, which is counted.
pub const TRACKS_PER_CAMERA_MAX: usize = 1_024;
/// Bytes of one tensor of a network, as its file declares it; a network that would make a larger one is not loaded.
pub const NETWORK_TENSOR_BYTES_MAX: u64 = 1 << 30;
/// Bytes of all tensors that a network would hold at one time, without its weights; one that would hold more is not loaded.
pub const NETWORK_BYTES_MAX: u64 = 4 << 30;
/// Bytes of one JSON line or MCAP message that is read.
pub const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// Bytes of one catalogue, planogram or shop file that is read whole.
pub const SHOP_FILE_BYTES_MAX: u64 = 64 << 20;
/// Longest file of what was learned of a shop, bytes: some hundred for each plate and each product that is off.
pub const LEARNED_FILE_BYTES_MAX: u64 = 8 << 20;
/// Letters of a name in a shop's files: of the shop itself, a product, a tax, a promotion, a zone.
pub const NAME_LETTERS_MAX: usize = 200;
/// Letters of a product's code.
pub const SKU_LETTERS_MAX: usize = 64;
/// Times that an old order is sent to a payment provider before a person looks at it (again).
pub const ORDER_TRIES_MIN: u32 = 20;
/// How long an order may be unsure before a person looks at it: longer than a day without the provider.
pub const ORDER_UNSURE_MAX: Span = Span::from_millis(72 * 3_600_000);
/// How long an order that is surely not carried out is sent again and again.
pub const ORDER_AGE_MAX: Span = Span::from_millis(7 * 24 * 3_600_000);

/// Facts from devices that wait for the core; beyond it devices are not acknowledged and send again.
pub const INTAKE_FACTS_MAX: usize = 4_096;
/// Changes in an open shop that are kept for screens that are slow; of more the oldest are lost for them.
pub const LIVE_CHANGES_MAX: usize = 1_024;
/// How long back the curve of a plate goes.
pub const CURVE_SPAN: Span = Span::from_millis(120_000);
/// Changes of a plate that are kept for its curve; of more the oldest go.
pub const PLATE_EVENTS_MAX: usize = 64;
/// Cameras of which it is kept what was seen last.
pub const CAMERAS_SEEN_MAX: usize = 256;
/// Reads of tags in one fact.
pub const TAG_READS_MAX: usize = 4_096;
/// Messages of a connection over MQTT that wait to be taken: as many as a broker can number before it needs an acknowledgement.
pub const MQTT_HELD_MESSAGES_MAX: usize = 65_536;
/// Bytes of the payloads of these; beyond it the connection is ended, and the broker sends again what was not acknowledged.
pub const MQTT_HELD_BYTES_MAX: usize = 64 << 20;
/// What a connection over MQTT is to say and has not said yet; more is refused and counted.
pub const MQTT_SAYINGS_MAX: usize = 1_024;
/// Questions of gates over MQTT that wait for their turn; further ones are answered that they should come again.
pub const GATE_ASKS_MAX: usize = 64;
/// Spans that wait to be sent to a collector; more are dropped and counted.
pub const SPANS_MAX: usize = 2_048;
/// Facts that the core stores and takes at a time.
pub const INTAKE_BATCH_MAX: usize = 512;
/// Bytes of one file of the journal of facts that the book does not know yet.
pub const JOURNAL_SEGMENT_BYTES: u64 = 8 << 20;
/// Bytes of the whole journal; it grows only while the book cannot be written. Beyond it no facts are taken.
pub const JOURNAL_BYTES_MAX: u64 = 4 << 30;
/// Receipts that are kept in memory while the database cannot be used; beyond it no more facts are taken.
pub const LIVE_CLOSINGS_MAX: usize = 1_000;

/// Connections to the API that are open at once: fewer than the files that a process may have open, so that the book finds
/// room beside them. Beyond it the oldest on which nobody has shown a valid token ends.
pub const CONNECTIONS_MAX: usize = 768;
/// Connections of one address; beyond it the oldest of that address on which nobody has shown a valid token ends.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 256;
/// How long a connection may be without a byte in either direction.
pub const CONNECTION_IDLE_SPAN_MAX: Span = Span::from_millis(45_000);
/// Requests of gates that are answered at once; further ones are asked to come again. Each class of callers has its own.
pub const GATE_REQUESTS_MAX: usize = 64;
/// Requests of operators and reviewers that are answered at once.
pub const STAFF_REQUESTS_MAX: usize = 16;
/// Requests of screens that are answered at once.
pub const SCREEN_REQUESTS_MAX: usize = 16;
/// Requests of shoppers that are answered at once.
pub const SHOPPER_REQUESTS_MAX: usize = 16;
/// Messages of payment providers that are read at once.
pub const NOTICES_AT_ONCE_MAX: usize = 16;
/// Other requests without a token that are answered at once.
pub const OPEN_REQUESTS_MAX: usize = 8;
/// Of the dashboard and its files, of which a browser asks for six at once.
pub const PAGE_REQUESTS_MAX: usize = 48;
/// Questions whether the shop is alive and ready that are answered at once.
pub const HEALTH_REQUESTS_MAX: usize = 8;
/// All requests that are answered at once.
pub const REQUESTS_MAX: usize = GATE_REQUESTS_MAX
    + STAFF_REQUESTS_MAX
    + SCREEN_REQUESTS_MAX
    + SHOPPER_REQUESTS_MAX
    + NOTICES_AT_ONCE_MAX
    + OPEN_REQUESTS_MAX
    + PAGE_REQUESTS_MAX
    + HEALTH_REQUESTS_MAX;
/// Operators and reviewers who look at what is live at once, and as many screens; further ones are asked to come again.
pub const LIVE_STREAMS_MAX: usize = 32;
/// Streams that shoppers read at one time, and of these with the pass of one stay or with one token: beyond it a page asks again and again instead.
pub const LIVE_SHOPPERS_MAX: usize = 64;
/// See [`LIVE_SHOPPERS_MAX`].
pub const LIVE_OF_STAY_MAX: usize = 8;
/// How long a live stream says nothing before it says that it is still there.
pub const LIVE_BEAT_SPAN: Span = Span::from_millis(15_000);
/// How long a live stream goes on before whoever reads it has to show their token again.
pub const LIVE_STREAM_SPAN_MAX: Span = Span::from_millis(600_000);
/// Tokens that are looked up at once; further requests wait for that.
pub const LOOKUPS_MAX: usize = 16;
/// Bytes of bodies of one class of callers that are in memory at once.
pub const BODY_BYTES_AT_ONCE_MAX: usize = 16 << 20;
/// How long a request may take, from its first byte to its answer.
pub const REQUEST_SPAN_MAX: Span = Span::from_millis(30_000);
/// How long the head of a request may take to arrive, from the answer before.
pub const REQUEST_HEAD_SPAN_MAX: Span = Span::from_millis(10_000);
/// How long the body of a request may take to arrive.
pub const REQUEST_BODY_SPAN_MAX: Span = Span::from_millis(8_000);
/// Bytes of the head of a request.
pub const REQUEST_HEAD_BYTES_MAX: usize = 32 << 10;
/// Lines of the head of a request.
pub const REQUEST_HEADERS_MAX: usize = 64;
/// Bytes of the body of a request.
pub const REQUEST_BODY_BYTES_MAX: usize = 256 << 10;
/// Bytes of a payment provider's message.
pub const NOTICE_BODY_BYTES_MAX: usize = 1 << 20;
/// Requests of one token, a second, in the long run.
pub const TOKEN_REQUESTS_PER_SECOND: u32 = 100;
/// Requests of one token that may come at one moment.
pub const TOKEN_REQUESTS_BURST: u32 = 200;
/// Requests of one address with a token that nobody has, a minute, in the long run.
pub const WRONG_TOKENS_PER_MINUTE: u32 = 10;
/// Requests of one address with a token that nobody has, at one moment.
pub const WRONG_TOKENS_BURST: u32 = 20;
/// Codes that nobody has, from all addresses together, a minute and at one moment: a code is short enough to be guessed by many.
pub const WRONG_CODES_PER_MINUTE: u32 = 60;
/// See [`WRONG_CODES_PER_MINUTE`].
pub const WRONG_CODES_BURST: u32 = 60;
/// Tokens and addresses whose rate is remembered; beyond it the one that is nearest to being free again is forgotten.
pub const RATES_MAX: usize = 4_096;
/// Rows of a list in one answer.
pub const PAGE_ROWS_MAX: u32 = 200;
/// How long a shopper waits at a gate for the provider's hold; then the policy decides.
pub const HOLD_WAIT_SPAN_MAX: Span = Span::from_millis(8_000);
/// Holds that are asked for at once; beyond it the policy decides at once, and the hold is asked for later.
pub const HOLDS_MAX: usize = 64;

const _: () = assert!(HOLD_WAIT_SPAN_MAX.as_nanos() < REQUEST_SPAN_MAX.as_nanos());
const _: () = assert!(REQUEST_BODY_BYTES_MAX <= NOTICE_BODY_BYTES_MAX);
const _: () = assert!(NOTICE_BODY_BYTES_MAX < BODY_BYTES_AT_ONCE_MAX);
const _: () =
    assert!(REQUEST_HEAD_SPAN_MAX.as_nanos() + REQUEST_BODY_SPAN_MAX.as_nanos() < REQUEST_SPAN_MAX.as_nanos());
const _: () = assert!(REQUEST_SPAN_MAX.as_nanos() < CONNECTION_IDLE_SPAN_MAX.as_nanos());
const _: () = assert!(LIVE_BEAT_SPAN.as_nanos() * 2 < CONNECTION_IDLE_SPAN_MAX.as_nanos());
const _: () = assert!(2 * LIVE_STREAMS_MAX < CONNECTIONS_PER_ADDRESS_MAX);
const _: () = assert!(CONNECTIONS_PER_ADDRESS_MAX < CONNECTIONS_MAX);
const _: () = assert!(LOOKUPS_MAX < WRONG_TOKENS_BURST as usize);
const _: () = assert!(ORDER_UNSURE_MAX.as_nanos() < ORDER_AGE_MAX.as_nanos());
const _: () = assert!(WATERMARK_SPAN_MAX.as_nanos() < LEAP_SPAN_MAX.as_nanos());
const _: () = assert!(WATERMARK_SPAN_MIN.as_nanos() < WATERMARK_GAP_SPAN_MIN.as_nanos());
const _: () = assert!(WATERMARK_GAP_SPAN_MIN.as_nanos() < WATERMARK_GAP_SPAN_MAX.as_nanos());
const _: () = assert!(SOURCE_OVERTAKEN_SPAN.as_nanos() < WATERMARK_GAP_SPAN_MIN.as_nanos());
const _: () = assert!(WATERMARK_GAP_SPAN_MAX.as_nanos() < WATERMARK_SPAN_MAX.as_nanos());
const _: () = assert!(WATERMARK_SPAN_MAX.as_nanos() < SOURCE_FORGOTTEN_SPAN_MAX.as_nanos());
const _: () = assert!(NETWORK_TENSOR_BYTES_MAX <= NETWORK_BYTES_MAX);
const _: () = assert!(LEAP_FACTS_MIN < LEAP_FACTS_MAX);
const _: () = assert!(CLOCK_OFFSET_SPAN_MAX.as_nanos() < WATERMARK_SPAN_MAX.as_nanos());
