//! Cameras as they speak now.
