//! A second server is kept out even if the lock files are deleted.

use crate::program::{Folder, Running};

/// Removes every lock file of a data folder, and gives their number.
pub fn remove_lock_files(folder: &Folder, data: &str) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir(folder.join(data)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "lock") {
            std::fs::remove_file(path).unwrap();
            count += 1;
        }
    }
    count
}

#[test]
fn deleting_every_lock_file_under_a_running_server_lets_no_second_one_in() {
    let folder = Folder::new();
    let init = ["init", "--business", "Acme", "--admin-email", "ada@example.com", "--data", "d"];
    assert!(folder.run(&init).status.success());
    let serve = || folder.command(&["serve", "--port", "0", "--data", "d"]);
    let first = Running::serve(serve());
    assert_eq!(remove_lock_files(&folder, "d"), 2);
    let refused = Running::refused(serve());
    assert!(refused.contains("another valetkey works on"), "{refused}");
    // The first server is not affected: it still answers and writes.
    assert_eq!(first.get("/readyz", None).0, 200);
    let made = folder.run(&["business", "create", "Second", "--admin-email", "b@example.com", "--data", "d"]);
    assert!(made.status.success(), "{made:?}");
    first.stop();
    Running::serve(serve()).stop();
}
