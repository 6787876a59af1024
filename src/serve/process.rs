//! What the operating system knows of this process.

/// Facts that are not the engine's, read when a scrape asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProcessFacts {
    /// Resident memory; `None` where the system does not say (no `/proc`).
    pub resident_bytes: Option<u64>,
}

impl ProcessFacts {
    /// Reads the facts of this process.
    pub fn read() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self { resident_bytes: resident_bytes(&status) }
    }
}

/// Finds `VmRSS:   1234 kB` in the text of `/proc/self/status` (proc(5): the unit is always kB, meaning 1024 bytes).
fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_in_bytes() {
        assert_eq!(resident_bytes("Name:\tdriftd\nVmRSS:\t   12345 kB\nRssAnon:\t 1 kB\n"), Some(12345 * 1024));
        assert_eq!(resident_bytes("Name:\tdriftd\n"), None);
        assert_eq!(resident_bytes("VmRSS:\tmany kB\n"), None);
    }
}
