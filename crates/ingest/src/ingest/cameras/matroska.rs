//! Encoded frames as a Matroska stream (RFC 9559), one cluster a frame: the form in which a program that decodes takes frames one
//! by one, each with a number that it gives back with the picture.

/// Codecs that frames come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    H264,
    H265,
}

impl Codec {
    const fn matroska(self) -> &'static str {
        match self {
            Codec::H264 => "V_MPEG4/ISO/AVC",
            Codec::H265 => "V_MPEGH/ISO/HEVC",
        }
    }
}

/// Names of elements.
const EBML: u32 = 0x1a45_dfa3;
const DOC_TYPE: u32 = 0x4282;
const DOC_TYPE_VERSION: u32 = 0x4287;
const DOC_TYPE_READ_VERSION: u32 = 0x4285;
const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_a966;
const TIMESTAMP_SCALE: u32 = 0x002a_d7b1;
const TRACKS: u32 = 0x1654_ae6b;
const TRACK_ENTRY: u32 = 0xae;
const TRACK_NUMBER: u32 = 0xd7;
const TRACK_UID: u32 = 0x73c5;
const TRACK_TYPE: u32 = 0x83;
const CODEC_ID: u32 = 0x86;
const CODEC_PRIVATE: u32 = 0x63a2;
const VIDEO: u32 = 0xe0;
const PIXEL_WIDTH: u32 = 0xb0;
const PIXEL_HEIGHT: u32 = 0xba;
const CLUSTER: u32 = 0x1f43_b675;
const TIMESTAMP: u32 = 0xe7;
const SIMPLE_BLOCK: u32 = 0xa3;
/// A segment that goes on for ever.
const UNKNOWN_LENGTH: u64 = 0x01ff_ffff_ffff_ffff;
/// A millisecond, nanoseconds: what numbers of frames count here.
const SCALE: u64 = 1_000_000;
const IS_VIDEO: u64 = 1;
const IS_KEY: u8 = 0x80;

/// The beginning of a stream: codec, its parameters (`avcC` or `hvcC`), width and height.
pub(super) fn head(codec: Codec, parameters: &[u8], size_pixels: [u32; 2]) -> Vec<u8> {
    let mut ebml = Vec::new();
    element(&mut ebml, DOC_TYPE, b"matroska");
    number(&mut ebml, DOC_TYPE_VERSION, 4);
    number(&mut ebml, DOC_TYPE_READ_VERSION, 2);
    let mut video = Vec::new();
    number(&mut video, PIXEL_WIDTH, u64::from(size_pixels[0]));
    number(&mut video, PIXEL_HEIGHT, u64::from(size_pixels[1]));
    let mut track = Vec::new();
    number(&mut track, TRACK_NUMBER, 1);
    number(&mut track, TRACK_UID, 1);
    number(&mut track, TRACK_TYPE, IS_VIDEO);
    element(&mut track, CODEC_ID, codec.matroska().as_bytes());
    element(&mut track, CODEC_PRIVATE, parameters);
    element(&mut track, VIDEO, &video);
    let (mut info, mut tracks) = (Vec::new(), Vec::new());
    number(&mut info, TIMESTAMP_SCALE, SCALE);
    element(&mut tracks, TRACK_ENTRY, &track);
    let mut out = Vec::new();
    element(&mut out, EBML, &ebml);
    name(&mut out, SEGMENT);
    out.extend_from_slice(&UNKNOWN_LENGTH.to_be_bytes());
    element(&mut out, INFO, &info);
    element(&mut out, TRACKS, &tracks);
    out
}

/// A frame with its number, its parts each behind their length.
pub(super) fn frame(id: u32, is_key: bool, data: &[u8]) -> Vec<u8> {
    let mut cluster = Vec::with_capacity(data.len() + 32);
    number(&mut cluster, TIMESTAMP, u64::from(id));
    name(&mut cluster, SIMPLE_BLOCK);
    length(&mut cluster, data.len() + 4);
    // Track 1, at the time of the cluster.
    cluster.extend_from_slice(&[0x81, 0, 0, if is_key { IS_KEY } else { 0 }]);
    cluster.extend_from_slice(data);
    let mut out = Vec::with_capacity(cluster.len() + 12);
    element(&mut out, CLUSTER, &cluster);
    out
}

fn element(out: &mut Vec<u8>, id: u32, body: &[u8]) {
    name(out, id);
    length(out, body.len());
    out.extend_from_slice(body);
}

fn number(out: &mut Vec<u8>, id: u32, value: u64) {
    element(out, id, &value.to_be_bytes());
}

/// A name without the zeros before it.
fn name(out: &mut Vec<u8>, id: u32) {
    let bytes = id.to_be_bytes();
    out.extend_from_slice(&bytes[(id.leading_zeros() / 8) as usize..]);
}

/// A length, always in eight bytes.
fn length(out: &mut Vec<u8>, bytes: usize) {
    out.extend_from_slice(&(bytes as u64 | 1 << 56).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::{Codec, frame, head};

    #[test]
    fn elements_have_names_and_lengths() {
        let bytes = head(Codec::H264, &[1, 2, 3], [640, 360]);
        assert!(bytes.starts_with(&[0x1a, 0x45, 0xdf, 0xa3, 1, 0, 0, 0, 0, 0, 0]));
        assert!(bytes.windows(15).any(|part| part == b"V_MPEG4/ISO/AVC"));
        let bytes = frame(0x0102, true, b"data");
        assert!(bytes.ends_with(&[0xa3, 1, 0, 0, 0, 0, 0, 0, 8, 0x81, 0, 0, 0x80, b'd', b'a', b't', b'a']));
        assert_eq!(bytes[..4], [0x1f, 0x43, 0xb6, 0x75]);
        assert_eq!(usize::from(bytes[11]), bytes.len() - 12);
    }
}
