//! Models (neural models as ONNX files): which are known, where their weights are and how they get here, which are used
//! where nobody names any, and which engine runs them. It takes names and folders and gives models that are loaded; it never
//! uses a file whose digest it has not checked.

mod choose;
pub mod download;
mod library;
mod runtime;

pub use choose::{Loading, Purpose};
pub use library::{Library, Place};
pub use runtime::{Chosen, Wanted, data_folder, is_library, runtime_folder};
