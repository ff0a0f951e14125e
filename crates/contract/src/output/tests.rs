use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::{OutputFile, OutputFolder, check_apart, check_inputs, write, write_new};
use crate::base::Kind;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_result_is_there_when_it_is_whole_and_never_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("result.json");
    let mut output = OutputFile::create(&path).unwrap();
    output.write_all(b"half").unwrap();
    assert!(!path.exists() && names(folder.path()).len() == 1);
    drop(output);
    assert!(names(folder.path()).is_empty());
    fs::write(&path, "old").unwrap();
    let mut output = OutputFile::create(&path).unwrap();
    output.write_all(b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"old");
    output.finish().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(names(folder.path()), ["result.json"]);
}

#[test]
fn passing_files_of_others_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let theirs = ["x.json.part", "x.part", ".x.json.part", ".aisle.part"];
    theirs.iter().for_each(|name| fs::write(path(name), name).unwrap());
    write(&path("x.json"), b"{}").unwrap();
    drop(OutputFile::create(&path("x.json")).unwrap());
    theirs.iter().for_each(|name| assert_eq!(fs::read_to_string(path(name)).unwrap(), *name));
    // What somebody else has put in the place of ours is not ours.
    let output = OutputFile::create(&path("y.json")).unwrap();
    let passing = output.passing_path().to_owned();
    fs::remove_file(&passing).unwrap();
    fs::write(path("other"), "theirs").unwrap();
    fs::rename(path("other"), &passing).unwrap();
    drop(output);
    assert_eq!(fs::read_to_string(&passing).unwrap(), "theirs");
}

#[test]
fn a_name_may_be_as_long_as_a_name_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("n".repeat(255));
    write(&path, b"x").unwrap();
    assert_eq!(fs::read(path).unwrap(), b"x");
}

#[test]
fn folders_and_books_are_no_files_to_write_to() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = |path: PathBuf| write(&path, b"x").unwrap_err();
    assert_eq!(wrong(folder.path().to_owned()).kind(), Kind::Usage);
    assert_eq!(wrong(folder.path().join("new/")).kind(), Kind::Usage);
    assert_eq!(wrong(folder.path().join("none/new")).kind(), Kind::Io);
    let book = folder.path().join("till.db");
    fs::write(&book, b"SQLite format 3\0and so on").unwrap();
    assert!(wrong(book.clone()).to_string().contains("this file is a database"));
    assert_eq!(fs::read(&book).unwrap(), b"SQLite format 3\0and so on");
}

#[test]
fn an_input_is_known_by_every_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("case/deep")).unwrap();
    fs::write(path("trip.mcap"), "x").unwrap();
    fs::write(path("case/deep/plates.json"), "x").unwrap();
    fs::hard_link(path("trip.mcap"), path("hard.mcap")).unwrap();
    fs::hard_link(path("case/deep/plates.json"), path("plates.json")).unwrap();
    let mut same = vec!["trip.mcap", "./trip.mcap", "case/../trip.mcap", "hard.mcap"];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("hard.mcap", path("link.mcap")).unwrap();
        same.push("link.mcap");
    }
    for name in same {
        let error = check_inputs(&path(name), [path("trip.mcap").as_path()]).unwrap_err();
        assert!(error.message().contains("this would replace") && error.message().contains("trip.mcap"), "{error}");
    }
    for name in ["case/deep/plates.json", "case/deep/../deep/plates.json", "plates.json"] {
        let error = check_inputs(&path(name), [path("case").as_path()]).unwrap_err();
        assert!(error.message().contains("a file of"), "{error}");
    }
    for name in ["other.mcap", "case/new.json", "trip.mcap.new"] {
        check_inputs(&path(name), [path("trip.mcap").as_path(), &path("case")]).unwrap();
    }
}

#[test]
fn two_results_do_not_go_to_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("old"), "x").unwrap();
    fs::create_dir(path("in")).unwrap();
    for (one, two) in [("new", "new"), ("new", "in/../new"), ("old", "./old")] {
        assert!(check_apart([path(one).as_path(), &path(two)]).is_err(), "{one} and {two}");
    }
    check_apart([path("new").as_path(), &path("in/new"), &path("old"), Path::new("/dev/null"), Path::new("/dev/null")])
        .unwrap();
}

#[test]
fn a_folder_is_there_when_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("look");
    fs::create_dir(&path).unwrap();
    let output = OutputFolder::create(&path).unwrap();
    write_new(&output.passing_path().join("a.jpg"), b"a").unwrap();
    assert!(write_new(&output.passing_path().join("a.jpg"), b"b").is_err());
    assert!(names(&path).is_empty());
    output.finish().unwrap();
    assert_eq!((names(&path), names(folder.path()).len()), (vec!["a.jpg".to_owned()], 1));
    assert!(OutputFolder::create(&path).is_err());
    drop(OutputFolder::create(&folder.path().join("other")).unwrap());
    assert_eq!(names(folder.path()), ["look"]);
}

#[cfg(unix)]
mod unix {
    use std::fs::{self, Permissions};
    use std::io::Read;
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
    use std::path::Path;
    use std::process::Command;

    use super::super::{OutputFile, OutputFolder, write};
    use super::names;

    #[test]
    fn a_link_stays_and_its_file_has_the_result() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("elsewhere")).unwrap();
        fs::write(path("elsewhere/real.json"), "old").unwrap();
        symlink("elsewhere/real.json", path("link.json")).unwrap();
        symlink("link.json", path("again.json")).unwrap();
        symlink("elsewhere/new.json", path("dangling.json")).unwrap();
        for (link, real) in [("again.json", "elsewhere/real.json"), ("dangling.json", "elsewhere/new.json")] {
            write(&path(link), link.as_bytes()).unwrap();
            assert!(fs::symlink_metadata(path(link)).unwrap().is_symlink(), "{link}");
            assert_eq!(fs::read_to_string(path(real)).unwrap(), link);
        }
        assert_eq!(names(&path("elsewhere")), ["new.json", "real.json"]);
        symlink("round", path("round")).unwrap();
        assert!(write(&path("round"), b"x").is_err());
        symlink("elsewhere/look", path("look")).unwrap();
        let output = OutputFolder::create(&path("look")).unwrap();
        output.finish().unwrap();
        assert!(path("elsewhere/look").is_dir() && fs::symlink_metadata(path("look")).unwrap().is_symlink());
    }

    #[test]
    fn permissions_and_other_names_of_a_file_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("secret.json"), "old and longer than the new").unwrap();
        fs::set_permissions(path("secret.json"), Permissions::from_mode(0o640)).unwrap();
        let output = OutputFile::create(&path("secret.json")).unwrap();
        assert_eq!(fs::metadata(output.passing_path()).unwrap().mode() & 0o777, 0o640);
        output.finish().unwrap();
        assert_eq!(fs::metadata(path("secret.json")).unwrap().mode() & 0o777, 0o640);
        fs::write(path("one"), "old and longer than the new").unwrap();
        fs::hard_link(path("one"), path("two")).unwrap();
        write(&path("one"), b"new").unwrap();
        assert_eq!(fs::read(path("two")).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["one", "secret.json", "two"]);
    }

    #[test]
    fn pipes_and_devices_take_what_a_shell_would_give_them() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = {
            let pipe = pipe.clone();
            std::thread::spawn(move || {
                let mut text = String::new();
                fs::File::open(pipe).unwrap().read_to_string(&mut text).unwrap();
                text
            })
        };
        write(&pipe, b"through the pipe").unwrap();
        assert_eq!(reader.join().unwrap(), "through the pipe");
        assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
        let device = fs::metadata("/dev/null").unwrap();
        write(Path::new("/dev/null"), b"away").unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        assert_eq!(fs::metadata("/dev/null").unwrap().mode(), device.mode());
        // A reader of a pipe comes to an end also where there is no result.
        let reader = {
            let pipe = pipe.clone();
            std::thread::spawn(move || fs::read(pipe).unwrap())
        };
        drop(OutputFile::create(&pipe).unwrap());
        assert!(reader.join().unwrap().is_empty());
        assert_eq!(names(folder.path()), ["pipe"]);
    }
}
