//! What is wanted of a camera and of what decodes it.

/// What a shop wants of a camera, where it says so.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted {
    /// Frames a second: of pictures which have no rate of their own, and of cameras that can be asked.
    pub(super) rate_hertz: Option<f64>,
    /// Width and height of its frames, pixels.
    pub(super) size_pixels: Option<[u32; 2]>,
}

/// How what comes encoded becomes pictures.
#[derive(Clone, Debug)]
pub(super) struct Decoding {
    /// JPEG quality, 1 to 100.
    pub(super) quality: u8,
    /// Decoder of this machine that ffmpeg is told to use.
    pub(super) hardware: Option<String>,
}
