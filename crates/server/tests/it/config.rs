//! A wrong configuration stops the server before it touches anything.

use crate::program::Folder;

#[test]
fn an_unknown_key_is_named_with_its_place() {
    let folder = Folder::new();
    std::fs::write(folder.join("valetkey.toml"), "data = \"d\"\n\nlissten = \"127.0.0.1:0\"\n").unwrap();
    let ended = folder.run(&["serve"]);
    assert_eq!(ended.error(), "error: valetkey.toml, line 3, lissten: there is no such key; did you mean `listen`?");
    assert!(!folder.join("d").exists());
}

#[test]
fn plain_http_to_the_outside_is_refused_before_the_store_is_opened() {
    let folder = Folder::new();
    assert!(
        folder.run(&["init", "--business", "Acme", "--admin-email", "ada@example.com", "--data", "d"]).status.success()
    );
    let before = std::fs::metadata(folder.join("d/valetkey.db")).unwrap().modified().unwrap();
    let ended = folder.run(&["serve", "--data", "d", "--listen", "0.0.0.0:0"]);
    assert!(ended.error().contains("--behind-proxy"), "{ended:?}");
    assert_eq!(std::fs::metadata(folder.join("d/valetkey.db")).unwrap().modified().unwrap(), before);
}

#[test]
fn a_certificate_that_is_not_there_is_named() {
    let folder = Folder::new();
    assert!(
        folder.run(&["init", "--business", "Acme", "--admin-email", "ada@example.com", "--data", "d"]).status.success()
    );
    std::fs::write(folder.join("v.toml"), "data = \"d\"\n[tls]\ncert = \"none.pem\"\nkey = \"none.key\"\n").unwrap();
    let ended = folder.run(&["serve", "--config", "v.toml"]);
    assert!(ended.error().contains("none.pem"), "{ended:?}");
}
