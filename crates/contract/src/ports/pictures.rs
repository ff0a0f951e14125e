//! Pictures around changes on shelves that an open shop keeps, for whoever decides a case: the shop writes, the API reads.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{CameraId, Result, ShopTime, TimeRange, VisitId};
use crate::facts::FactRef;

/// What pictures are asked for: those of a visit, and around changes that its evidence names, by when the goods moved.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PicturesOf {
    /// Whose case it is; none before that is known.
    pub visit: Option<VisitId>,
    /// The changes, and when they were.
    pub events: Vec<(FactRef, TimeRange)>,
}

/// A picture that is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptPicture {
    /// Its name: 32 hexadecimal digits, `-` and a number.
    pub name: String,
    /// The change on a shelf that it was kept for.
    pub event: FactRef,
    /// Which camera took it.
    pub camera: CameraId,
    /// When.
    pub at: ShopTime,
    /// Width and height, pixels.
    pub size_pixels: [u32; 2],
    /// How large it is as a file.
    pub bytes: u64,
}

/// What became of pictures since the process began, and what there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PictureCounts {
    /// Changes on shelves of which pictures were kept.
    pub kept: u64,
    /// Changes of which none were, and frames that were left out, by why.
    pub dropped: BTreeMap<&'static str, u64>,
    /// Changes whose pictures were deleted, by why.
    pub deleted: BTreeMap<&'static str, u64>,
    /// Changes of which there are pictures.
    pub sequences: u64,
    /// Files that are there and cannot be read.
    pub unreadable: u64,
    /// Disk space of all of it.
    pub bytes: u64,
}

/// Pictures that a shop keeps. It is asked on threads that may block.
pub trait KeptPictures: Send + Sync {
    /// Those that are there, change by change, oldest first.
    fn about(&self, of: &PicturesOf) -> Vec<KeptPicture>;

    /// One of them as JPEG, on which of those who may have taken the goods only this visit's shopper can be known; none where
    /// it is not one of these, or is kept no longer.
    ///
    /// # Errors
    /// When its file cannot be read or is not as it was written.
    fn read(&self, name: &str, of: &PicturesOf) -> Result<Option<Vec<u8>>>;

    /// Deletes what is over by now, and all that may show somebody of these visits; gives of how many changes that was.
    ///
    /// # Errors
    /// When the disk refuses; the rest is deleted all the same, and what is left the next time.
    fn forget(&self, now: ShopTime, visits: &BTreeSet<VisitId>) -> Result<u64>;

    /// What became of them.
    fn counts(&self) -> PictureCounts;
}
