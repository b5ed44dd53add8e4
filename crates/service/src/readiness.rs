//! Whether a node can do its work, for `/readyz`.

/// Whether changes can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    Works,
    /// The last attempt failed, or the store did not answer in time.
    Fails,
    /// A commit was sent, and its outcome is not known yet. Until it is known, nothing is written.
    OutcomeUnknown,
}

/// What a node can do. Its text has a sentence for each problem, or `ready` if there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readiness {
    /// It can show that it knows every change, and so it answers.
    pub is_fresh: bool,
    pub writing: Writing,
    /// Changes that are in force here and not written yet. They are lost if the node stops.
    pub not_durable: usize,
}

impl Readiness {
    /// Whether there is no problem.
    pub fn is_ready(&self) -> bool {
        self.is_fresh && self.writing == Writing::Works && self.not_durable == 0
    }
}

impl std::fmt::Display for Readiness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_ready() {
            return f.write_str("ready\n");
        }
        if !self.is_fresh {
            f.write_str("this node can't show that it is up to date\n")?;
        }
        match self.writing {
            Writing::Works => {}
            Writing::Fails => f.write_str("the store can't write; reads and checks go on\n")?,
            Writing::OutcomeUnknown => f.write_str(
                "it is not known yet whether the last changes were written; until then nothing is written, and reads and \
                 checks go on\n",
            )?,
        }
        match self.not_durable {
            0 => Ok(()),
            1 => {
                f.write_str("1 revocation is in force on this node and not written yet; it is lost if the node stops\n")
            }
            n => {
                writeln!(
                    f,
                    "{n} revocations are in force on this node and not written yet; they are lost if the node stops"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_ready_only_if_nothing_is_amiss() {
        let ready = Readiness { is_fresh: true, writing: Writing::Works, not_durable: 0 };
        assert!(ready.is_ready());
        for (amiss, word) in [
            (Readiness { is_fresh: false, ..ready }, "up to date"),
            (Readiness { writing: Writing::Fails, ..ready }, "can't write"),
            (Readiness { writing: Writing::OutcomeUnknown, ..ready }, "not known yet"),
            (Readiness { not_durable: 1, ..ready }, "1 revocation is in force"),
            (Readiness { not_durable: 2, ..ready }, "2 revocations are in force"),
        ] {
            let text = amiss.to_string();
            assert!(!amiss.is_ready() && text.contains(word) && text.lines().count() == 1, "{text}");
        }
    }
}
