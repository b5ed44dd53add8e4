//! The operating system's random bytes. If the source fails, every caller gets the error, so that
//! no secret is made without it.

use anyhow::Context;

/// The operating system's source.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl valetkey_domain::Random for SystemRandom {
    fn fill(&mut self, buffer: &mut [u8]) -> bool {
        aws_lc_rs::rand::fill(buffer).is_ok()
    }
}

/// Fresh random bytes.
///
/// # Errors
/// When the system has none.
pub fn bytes<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut out = [0u8; N];
    aws_lc_rs::rand::fill(&mut out).ok().context("the system's random source failed; nothing was made")?;
    Ok(out)
}
