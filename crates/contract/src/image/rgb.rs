//! A picture of three bytes a pixel.

use std::fmt;

/// A picture: rows from the top, pixels from the left, red, green and blue (sRGB) one byte each.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RgbImage {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl RgbImage {
    /// A black picture.
    pub fn new(width: u32, height: u32) -> Self {
        RgbImage { width, height, pixels: vec![0; width as usize * height as usize * 3] }
    }

    /// From its bytes, three a pixel; `None` when there are not `width * height * 3` of them.
    pub fn from_pixels(width: u32, height: u32, pixels: Vec<u8>) -> Option<Self> {
        (pixels.len() == width as usize * height as usize * 3).then_some(RgbImage { width, height, pixels })
    }

    /// Makes it another size; what its pixels are then is not said. Memory that is there is used again.
    pub fn resize(&mut self, width: u32, height: u32) {
        self.pixels.resize(width as usize * height as usize * 3, 0);
        (self.width, self.height) = (width, height);
    }

    /// Width, pixels.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Height, pixels.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// All bytes, row after row.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// All bytes, to be changed.
    pub fn pixels_mut(&mut self) -> &mut [u8] {
        &mut self.pixels
    }

    /// The bytes without the picture around them.
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }

    /// A pixel; `None` outside the picture.
    pub fn get(&self, x: u32, y: u32) -> Option<[u8; 3]> {
        let inside = x < self.width && y < self.height;
        let at = (y as usize * self.width as usize + x as usize) * 3;
        inside.then(|| [self.pixels[at], self.pixels[at + 1], self.pixels[at + 2]])
    }

    /// Sets a pixel; outside the picture nothing happens.
    pub fn set(&mut self, x: u32, y: u32, colour: [u8; 3]) {
        if x < self.width && y < self.height {
            let at = (y as usize * self.width as usize + x as usize) * 3;
            self.pixels[at..at + 3].copy_from_slice(&colour);
        }
    }
}

impl fmt::Debug for RgbImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RgbImage({}x{})", self.width, self.height)
    }
}
