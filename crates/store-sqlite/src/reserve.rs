//! The reserve: space that is kept on the disk of the data folder, so that credentials can be taken
//! away even when the disk is full.
//!
//! It holds no data. Its bytes are really written, because a sparse file keeps no space. Only a change
//! that takes something away, and the repair of a commit that failed half way, may use it.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use valetkey_store::StoreError;

use crate::connection::Engine;

/// The name of the file in the data folder.
const RESERVE_NAME: &str = "valetkey.reserve";
/// How much space is kept: enough for some hundred commits that take something away.
const RESERVE_BYTES: u64 = 8 * 1024 * 1024;
/// How much is released at a time.
const GIVE_BYTES: u64 = 1024 * 1024;
/// How much is written at a time. If less space than this is left, it is not reserved.
const PIECE_BYTES: u64 = 64 * 1024;
/// The size of a page of SQLite.
const PAGE_BYTES: u64 = 4096;
/// The pause between two attempts to fill it again.
const REFILL_PAUSE: Duration = Duration::from_secs(60);

/// The space that a store may use: its reserve, and the limit that tests set.
pub(crate) struct Space {
    reserve: Reserve,
    /// The most pages that the data may take, and how many are kept by the reserve beside them.
    limit_pages: Option<u32>,
    is_used: bool,
    /// A commit failed in its last step because the disk was full, and there was no space since.
    is_suspected: bool,
}

impl Space {
    /// The space of a folder. The reserve is not filled yet.
    pub(crate) fn of(folder: &Path, limit_pages: Option<u32>) -> Space {
        Space { reserve: Reserve::open(folder, REFILL_PAUSE), limit_pages, is_used: false, is_suspected: false }
    }

    /// Runs what must succeed even on a full disk, and then fills the reserve as far as it goes.
    pub(crate) fn use_for<T>(&mut self, run: impl Fn() -> Result<T, StoreError>) -> Result<T, StoreError> {
        loop {
            match run() {
                Err(StoreError::Full(_)) if self.reserve.give() > 0 => {}
                ended => {
                    self.reserve.fill_or_warn();
                    return ended;
                }
            }
        }
    }

    /// Makes some space out of the reserve; says whether it did.
    pub(crate) fn make(&mut self, engine: &Engine) -> bool {
        self.is_used = true;
        let released = self.reserve.give() > 0;
        self.set_limit(engine);
        released
    }

    /// A disk on which nothing can be reserved, and which never gets space again.
    #[cfg(all(test, target_os = "linux"))]
    pub(crate) fn without_end() -> Space {
        let file = OpenOptions::new().write(true).open("/dev/full").ok();
        let reserve = Reserve { file, length_bytes: 0, refill_pause: REFILL_PAUSE, filled_at: Instant::now() };
        Space { reserve, limit_pages: None, is_used: false, is_suspected: false }
    }

    /// Notes that a commit found the disk full.
    pub(crate) fn suspect(&mut self) {
        self.is_suspected = true;
    }

    /// Whether the disk was full, and still is.
    pub(crate) fn is_tight(&mut self) -> bool {
        self.is_suspected = self.is_suspected && !self.reserve.can_grow();
        self.is_suspected
    }

    /// Fills the reserve again after [`Space::make`]. Otherwise, after a success, tries now and then
    /// to fill what is missing.
    pub(crate) fn restore(&mut self, engine: &Engine, succeeded: bool) {
        if std::mem::take(&mut self.is_used) {
            self.reserve.fill();
            self.set_limit(engine);
        } else if succeeded {
            self.reserve.refill();
        }
    }

    /// A limit acts as a disk of that size, a part of which the reserve takes.
    fn set_limit(&self, engine: &Engine) {
        let Some(limit) = self.limit_pages else { return };
        let released = (RESERVE_BYTES - self.reserve.length_bytes) / PAGE_BYTES;
        if let Err(error) = engine.command(&format!("PRAGMA max_page_count = {}", u64::from(limit) + released)) {
            tracing::warn!(%error, "the limit of the data file could not be set");
        }
    }
}

/// The reserve itself.
#[derive(Debug)]
struct Reserve {
    /// `None` if the file can't be opened.
    file: Option<File>,
    length_bytes: u64,
    refill_pause: Duration,
    filled_at: Instant,
}

impl Reserve {
    /// Opens the file in a folder, and makes it if need be.
    fn open(folder: &Path, refill_pause: Duration) -> Reserve {
        let path = folder.join(RESERVE_NAME);
        let opened = private_file(&path).and_then(|file| Ok((file.metadata()?, file)));
        let (file, length_bytes) = match opened {
            Ok((metadata, file)) => (Some(file), kept_bytes(&metadata)),
            Err(error) => {
                tracing::warn!(%error, file = %path.display(), "no space can be kept for revocations on a full disk");
                (None, 0)
            }
        };
        Reserve { file, length_bytes, refill_pause, filled_at: Instant::now() }
    }

    fn fill_or_warn(&mut self) {
        self.fill();
        if self.is_short() {
            tracing::warn!(
                kept_bytes = self.length_bytes,
                wanted_bytes = RESERVE_BYTES,
                "the disk has too little space to keep some for revocations; free some"
            );
        }
    }

    /// Whether the reserve is smaller than it should be.
    fn is_short(&self) -> bool {
        self.length_bytes < RESERVE_BYTES
    }

    /// Gives some space back to the disk; says how much. 0 when nothing is left.
    fn give(&mut self) -> u64 {
        let released = GIVE_BYTES.min(self.length_bytes);
        let Some(file) = self.file.as_ref().filter(|_| released > 0) else { return 0 };
        if let Err(error) = file.set_len(self.length_bytes - released) {
            tracing::error!(%error, "space that was kept for revocations can't be given back");
            return 0;
        }
        self.length_bytes -= released;
        tracing::warn!(left_bytes = self.length_bytes, "the disk is full; space that was kept for revocations is used");
        released
    }

    /// Whether the disk has space beside the reserve: some is taken and given back. Without a reserve
    /// this can't be known. A limit on the size of one file says nothing about the disk.
    fn can_grow(&mut self) -> bool {
        let length_bytes = self.length_bytes;
        let Some(file) = &mut self.file else { return true };
        let written = write_piece(file, length_bytes, GIVE_BYTES);
        match written.and(file.set_len(length_bytes)) {
            Ok(()) => true,
            Err(error) => error.kind() == std::io::ErrorKind::FileTooLarge,
        }
    }

    /// Takes back as much as there is, at once.
    fn fill(&mut self) {
        self.filled_at = Instant::now();
        while self.is_short() {
            let next = PIECE_BYTES.min(RESERVE_BYTES - self.length_bytes);
            let Some(file) = &mut self.file else { return };
            if write_piece(file, self.length_bytes, next).is_err() {
                // The written part of the piece is given back to the disk.
                let _ = file.set_len(self.length_bytes);
                return;
            }
            self.length_bytes += next;
        }
    }

    /// The same, but not too often: called after each commit.
    fn refill(&mut self) {
        if self.is_short() && self.filled_at.elapsed() >= self.refill_pause {
            self.fill();
        }
    }
}

/// How much of a file of an earlier run is really on disk. Copying the folder may have made the file
/// sparse; then it is filled anew.
fn kept_bytes(metadata: &std::fs::Metadata) -> u64 {
    let length = metadata.len().min(RESERVE_BYTES);
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::blocks(metadata).saturating_mul(512) < length {
        return 0;
    }
    length
}

/// Writes bytes that no file system can compress.
fn write_piece(file: &mut File, from: u64, length_bytes: u64) -> std::io::Result<()> {
    let mut state = from;
    let words = (0..length_bytes / 8).flat_map(|_| {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed ^ (mixed >> 27)).to_le_bytes()
    });
    let bytes: Vec<u8> = words.collect();
    file.seek(SeekFrom::Start(from))?;
    file.write_all(&bytes)
}

fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    fn real_bytes(folder: &Path) -> u64 {
        let metadata = std::fs::metadata(folder.join(RESERVE_NAME)).unwrap();
        std::os::unix::fs::MetadataExt::blocks(&metadata) * 512
    }

    #[cfg(unix)]
    #[test]
    fn the_reserve_takes_real_space_gives_it_back_in_steps_and_is_filled_again() {
        let folder = std::env::temp_dir().join(format!("valetkey-reserve-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut reserve = Reserve::open(&folder, Duration::ZERO);
        reserve.fill();
        assert!(!reserve.is_short());
        assert!(real_bytes(&folder) >= RESERVE_BYTES, "a file of holes keeps no space");
        let mut released = 0;
        while let step @ 1.. = reserve.give() {
            released += step;
            assert!(real_bytes(&folder) <= RESERVE_BYTES - released + 4096, "{released} bytes were given back");
        }
        assert_eq!(released, RESERVE_BYTES);
        reserve.refill();
        assert!(!reserve.is_short() && real_bytes(&folder) >= RESERVE_BYTES);
        // Copying the folder may have made the file sparse.
        drop(reserve);
        std::fs::remove_file(folder.join(RESERVE_NAME)).unwrap();
        File::create(folder.join(RESERVE_NAME)).unwrap().set_len(RESERVE_BYTES).unwrap();
        assert!(real_bytes(&folder) < 4096 + 1);
        let mut reserve = Reserve::open(&folder, REFILL_PAUSE);
        reserve.fill();
        assert!(!reserve.is_short() && real_bytes(&folder) >= RESERVE_BYTES);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_folder_that_takes_no_file_has_no_reserve() {
        let mut reserve = Reserve::open(Path::new("/nowhere/at/all"), REFILL_PAUSE);
        assert!(reserve.is_short());
        assert_eq!(reserve.give(), 0);
        reserve.fill();
        assert!(reserve.is_short());
    }
}
