use std::fs;

use crate::ingest::cameras::find::{FoundCamera, local_in};

#[test]
fn cameras_of_this_machine_are_named_once_each() {
    let folder = tempfile::tempdir().unwrap();
    for (node, index) in [("video0", "0"), ("video1", "1"), ("video2", "0")] {
        let path = folder.path().join("class").join(node);
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("name"), format!("Camera {node}\n")).unwrap();
        fs::write(path.join("index"), index).unwrap();
    }
    let found = local_in(&folder.path().join("class"), &folder.path().join("by-id"));
    let camera =
        |at: &str, name: &str| FoundCamera { at: at.to_owned(), name: Some(name.to_owned()), ..Default::default() };
    assert_eq!(found, [camera("/dev/video0", "Camera video0"), camera("/dev/video2", "Camera video2")]);
    assert_eq!(local_in(&folder.path().join("none"), folder.path()), []);
}
