//! A token that leaked is handed in over standard input: shown, and revoked.

use std::process::Stdio;

use crate::cli::{issue, ready};

#[test]
fn a_leaked_token_is_found_and_revoked_by_its_text() {
    let folder = ready();
    let token = issue(&folder, &[]);
    let over = |line: &[&str], text: &str| {
        let all = [line, &["--data", "d"]].concat();
        let mut command = folder.command(&all);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), format!("{text}\n").as_bytes()).unwrap();
        let ended = child.wait_with_output().unwrap();
        let said = [ended.stdout, ended.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (ended.status.success(), said.concat())
    };
    for line in [&["token", "find", "-"][..], &["token", "show", "-"]] {
        let (is_done, said) = over(line, &token);
        assert!(is_done && said.contains("Robot") && said.contains("live"), "{said}");
        assert!(!said.contains(&token), "the text is not repeated");
    }
    let (is_done, said) = over(&["token", "find", "-"], &token[..30]);
    assert!(is_done && said.contains("malformed"), "{said}");
    let (is_done, said) = over(&["token", "revoke", "-"], &token);
    assert!(is_done && said.contains("revoked; no use is accepted any more"), "{said}");
    let (is_done, said) = over(&["token", "find", "-"], &token);
    assert!(is_done && said.contains("revoked"), "{said}");
    let typed = folder.run(&["token", "find", &token, "--data", "d"]);
    assert!(typed.error().contains("shows in the list of processes") && !typed.err.contains(&token), "{typed:?}");
}
