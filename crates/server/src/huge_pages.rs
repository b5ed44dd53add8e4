//! Large pages for the memory of a server.
//!
//! A check reads a few places in memory that are far apart. With pages of 2 MiB the processor finds
//! them faster. The C library asks the system for such pages only if an environment variable is set
//! when the program starts, so `serve` starts itself once more: in the same process, before it
//! opens anything. It must never do so twice, and never keep a server from starting.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

/// What the C library of Linux reads when a program starts.
const TUNABLES: &str = "GLIBC_TUNABLES";
/// Asks for large pages with `madvise`.
const SETTING: &str = "glibc.malloc.hugetlb=1";
const NAME: &str = "glibc.malloc.hugetlb";
/// Marks a program that was started so, in case the C library drops the variable.
const MARK: &str = "VALETKEY_HUGE_PAGES";
/// How Linux uses large pages; the word in brackets is the current mode.
const MODE: &str = "/sys/kernel/mm/transparent_hugepage/enabled";

/// Starts the program once more with large pages, if that changes anything. It returns if it does
/// not, or if it fails.
pub fn ask() {
    let mode = std::fs::read_to_string(MODE).unwrap_or_default();
    let Some(setting) = wanted(&mode, std::env::var_os(TUNABLES), std::env::var_os(MARK).is_some()) else { return };
    // The file may have been replaced meanwhile; the link in `/proc` leads to the running one.
    let own = std::env::current_exe().ok().filter(|path| path.exists());
    let mut again = Command::new(own.as_deref().unwrap_or(Path::new("/proc/self/exe")));
    again.args(std::env::args_os().skip(1)).env(TUNABLES, setting).env(MARK, "1");
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::process::CommandExt as _;
        if let Some(name) = std::env::args_os().next() {
            again.arg0(name);
        }
        let error = again.exec();
        anstream::eprintln!("large pages are not in use: {error}");
    }
}

/// The value of the variable that asks for large pages; none if asking changes nothing.
fn wanted(mode: &str, found: Option<OsString>, is_marked: bool) -> Option<OsString> {
    let asks_each = mode.contains("[madvise]");
    if is_marked || !asks_each || !cfg!(all(target_os = "linux", target_env = "gnu")) {
        return None;
    }
    match found {
        None => Some(SETTING.into()),
        Some(found) if found.is_empty() => Some(SETTING.into()),
        // If the user set it, that setting is kept.
        Some(found) if found.to_string_lossy().contains(NAME) => None,
        Some(mut found) => {
            found.push(":");
            found.push(SETTING);
            Some(found)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn large_pages_are_asked_for_once_and_where_that_changes_anything() {
        let asks = "always [madvise] never";
        let ask = |mode: &str, found: Option<&str>, is_marked| {
            wanted(mode, found.map(OsString::from), is_marked).map(|text| text.to_string_lossy().into_owned())
        };
        assert_eq!(ask(asks, None, false).as_deref(), Some(SETTING));
        assert_eq!(ask(asks, Some(""), false).as_deref(), Some(SETTING));
        assert_eq!(ask(asks, Some("a.b=1"), false).as_deref(), Some("a.b=1:glibc.malloc.hugetlb=1"));
        assert_eq!(ask(asks, Some("glibc.malloc.hugetlb=0"), false), None);
        assert_eq!(ask(asks, None, true), None);
        assert_eq!(ask("[always] madvise never", None, false), None);
        assert_eq!(ask("always madvise [never]", None, false), None);
        assert_eq!(ask("", None, false), None);
    }
}
