//! The compiled reference on disk: `driftd reference build` writes it, the daemon reads it at start.
//!
//! Layout: `DRFREF`, format version (u16, little endian), length of the body (u64, little endian), the body (postcard), CRC-32 of everything before
//! it (u32, little endian). A file is written whole or not at all; one that is not whole, or newer than this program, is refused by name.

use crate::engine::reference::Reference;
use crate::engine::reference::compile::{Compiled, DistinctCounts, Note};
use crate::engine::settings::Task;
use crate::event::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const MAGIC: &[u8; 6] = b"DRFREF";
/// Version of the layout and of everything inside the body. A change of any type that the body holds is a new version.
const VERSION: u16 = 1;
/// Magic, version and length.
const HEAD: usize = 6 + 2 + 8;
/// The checksum.
const TAIL: usize = 4;
/// Longest body: 10,000 columns of the default resolution take about a tenth of it.
const MAX_BODY: u64 = 1 << 30;

/// A compiled reference with where it came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReferenceFile {
    /// Name of the file it was compiled from.
    pub source: String,
    /// When it was compiled.
    pub created_at: Timestamp,
    /// The version of the model that it describes, where it was said.
    pub version: Option<Arc<str>>,
    /// What the model predicts; `None` without outputs.
    pub task: Option<Task>,
    /// The positive class, where it was said.
    pub positive: Option<Arc<str>>,
    /// Distinct values by column.
    pub distinct: DistinctCounts,
    /// Remarks of the compiler.
    pub notes: Vec<Note>,
    /// The reference.
    pub reference: Reference,
}

/// Why a compiled reference cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceFileError {
    /// The system refused.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another kind of file.
    #[error("{0} is no compiled reference; make one with `driftd reference build`")]
    NotAReference(PathBuf),
    /// Written by a newer program.
    #[error("{path} has format version {found}, this program reads up to {VERSION}; update driftd, or build the reference again")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u16,
    },
    /// Shorter or longer than it says.
    #[error("{path} is torn: {found} bytes where its head says {expected}; build the reference again")]
    Torn {
        /// The file.
        path: PathBuf,
        /// Bytes that belong to a whole file.
        expected: u64,
        /// Bytes there are.
        found: u64,
    },
    /// Changed since it was written.
    #[error("{0} is damaged: its checksum does not fit; build the reference again")]
    Checksum(PathBuf),
    /// Whole, but not what this version writes.
    #[error("{path} cannot be understood: {problem}; build the reference again")]
    Body {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

impl ReferenceFile {
    /// What a compiler made, with where it came from.
    pub fn new(compiled: Compiled, source: impl Into<String>, created_at: Timestamp, version: Option<Arc<str>>) -> Self {
        let Compiled { reference, task, positive, distinct, notes } = compiled;
        Self { source: source.into(), created_at, version, task, positive, distinct, notes, reference }
    }

    /// The bytes of the file.
    pub fn encode(&self) -> Vec<u8> {
        let body = postcard::to_allocvec(self).expect("plain data of known length always serialises");
        let mut bytes = Vec::with_capacity(HEAD + body.len() + TAIL);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&body);
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    /// Reads the bytes of a file; `path` is for messages.
    pub fn decode(bytes: &[u8], path: &Path) -> Result<Self, ReferenceFileError> {
        let Some(after_magic) = bytes.strip_prefix(MAGIC) else {
            return Err(ReferenceFileError::NotAReference(path.to_owned()));
        };
        let torn = |expected: u64| ReferenceFileError::Torn { path: path.to_owned(), expected, found: bytes.len() as u64 };
        let (Some(version), Some(length)) = (after_magic.first_chunk::<2>(), after_magic.get(2..).and_then(<[u8]>::first_chunk::<8>))
        else {
            return Err(torn((HEAD + TAIL) as u64));
        };
        let version = u16::from_le_bytes(*version);
        if version > VERSION {
            return Err(ReferenceFileError::Newer { path: path.to_owned(), found: version });
        }
        let expected = u64::from_le_bytes(*length).saturating_add((HEAD + TAIL) as u64);
        if expected != bytes.len() as u64 {
            return Err(torn(expected));
        }
        let (covered, checksum) = bytes.split_at(bytes.len() - TAIL);
        if crc32fast::hash(covered).to_le_bytes() != checksum {
            return Err(ReferenceFileError::Checksum(path.to_owned()));
        }
        let body = |problem: String| ReferenceFileError::Body { path: path.to_owned(), problem };
        let (file, rest) = postcard::take_from_bytes::<Self>(&covered[HEAD..]).map_err(|error| body(error.to_string()))?;
        if !rest.is_empty() {
            return Err(body(format!("{} bytes too many", rest.len())));
        }
        file.reference.check().map_err(body)?;
        Ok(file)
    }

    /// Writes the file so that a reader finds either the whole of it or what was there before: a temporary file beside it, synced, then renamed.
    pub fn save(&self, path: &Path) -> Result<(), ReferenceFileError> {
        let failed = |action| move |source| ReferenceFileError::Io { action, path: path.to_owned(), source };
        let mut name = path.file_name().map(|name| name.to_os_string()).unwrap_or_default();
        name.push(".tmp");
        let temporary = path.with_file_name(name);
        let written = File::create(&temporary).and_then(|mut file| {
            file.write_all(&self.encode())?;
            file.sync_all()
        });
        if let Err(source) = written.and_then(|()| fs::rename(&temporary, path)) {
            drop(fs::remove_file(&temporary));
            return Err(failed("write")(source));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("sync the folder of"))
    }

    /// Reads a file.
    pub fn load(path: &Path) -> Result<Self, ReferenceFileError> {
        let failed = |source| ReferenceFileError::Io { action: "read", path: path.to_owned(), source };
        let mut bytes = Vec::new();
        File::open(path).and_then(|file| file.take(MAX_BODY).read_to_end(&mut bytes)).map_err(failed)?;
        Self::decode(&bytes, path)
    }
}

/// Whether a file begins as a compiled reference does.
pub fn is_reference_file(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut start)?;
    Ok(start == MAGIC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::catalogue::{Metric, Subject};
    use crate::engine::reference::compile::{CompileSpec, compile};
    use crate::engine::reference::table::{Column, Table};
    use crate::engine::reference::{Calibration, Variation};
    use crate::event::Scalar;
    use std::collections::BTreeMap;

    /// Small, and with something of everything: both kinds, other and new, missing and invalid, outputs, notes, a calibration.
    fn example() -> ReferenceFile {
        let number = |name: &str, f: fn(u32) -> f64| Column::of(name, (0..40).map(|i| Scalar::Number(f(i))));
        let country =
            Column::of("country", (0..40).map(|i| if i % 7 == 0 { Scalar::Null } else { Scalar::Text(format!("c{}", i % 5).into()) }));
        let odd = Column::of("odd", (0..40).map(|i| if i % 9 == 0 { Scalar::NonFinite } else { Scalar::Number(f64::from(i % 3)) }));
        let columns = vec![
            number("amount", |i| f64::from(i * i) / 8.0),
            number("constant", |_| 0.25),
            country,
            odd,
            number("prediction", |i| f64::from(i % 2)),
            number("score", |i| f64::from(i) / 40.0),
            number("label", |i| f64::from(i % 3 % 2)),
        ];
        let spec = CompileSpec { cells: 16, max_categories: 3, positive: Some("1".into()), ..CompileSpec::default() };
        let mut compiled = compile(&Table::new(columns), &spec).unwrap();
        let figure = Variation { timed: true, lasting: 0.5, windows: 9, n: 4, mean: 0.5, std: 0.25, min: 0.125, max: 1.0, ceiling: 1.5 };
        let figures = BTreeMap::from([((Subject::Feature("amount".into()), Metric::Psi), figure)]);
        compiled.reference.calibration = Some(Calibration { window_ms: 60_000, windows: 9, figures, ..Calibration::default() });
        compiled.reference.id = compiled.reference.content_id();
        ReferenceFile::new(compiled, "example.parquet", Timestamp(1_795_340_400_123), Some("v1".into()))
    }

    fn refusal(bytes: &[u8]) -> String {
        ReferenceFile::decode(bytes, Path::new("x.reference")).unwrap_err().to_string()
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fraud.reference");
        for _ in 0..2 {
            example().save(&path).unwrap();
        }
        assert_eq!(ReferenceFile::load(&path).unwrap(), example());
        assert!(is_reference_file(&path).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays");
        assert!(example().save(&folder.path().join("no/such/folder")).is_err());
    }

    #[test]
    fn refusals_have_names() {
        let bytes = example().encode();
        assert!(refusal(b"a,b\n1,2\n").contains("no compiled reference"));
        assert!(refusal(b"").contains("no compiled reference"));
        let mut newer = bytes.clone();
        newer[6] = 9;
        assert!(refusal(&newer).contains("format version 9"));
        for cut in 6..bytes.len() {
            assert!(refusal(&bytes[..cut]).contains("torn"), "{cut}");
        }
        assert!(refusal(&[&bytes[..], b"x"].concat()).contains("torn"));
        for place in HEAD..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1;
            assert!(refusal(&damaged).contains("checksum"), "{place}");
        }
        assert!(ReferenceFile::load(Path::new("/nowhere/x")).unwrap_err().to_string().starts_with("cannot read /nowhere/x: "));
    }

    /// The promise of the format: a file that an earlier program wrote is read as it was meant. `DRIFTD_BLESS=1` writes it anew, which is right only
    /// together with a new VERSION (or before the first release).
    #[test]
    fn the_golden_file_of_version_1_is_still_read() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reference-v1.driftd");
        if std::env::var_os("DRIFTD_BLESS").is_some() {
            example().save(&path).unwrap();
        }
        let file = ReferenceFile::load(&path).unwrap();
        assert_eq!(
            (file.source.as_str(), file.created_at, file.version.as_deref()),
            ("example.parquet", Timestamp(1_795_340_400_123), Some("v1"))
        );
        assert_eq!((file.task, file.positive.as_deref(), file.reference.rows), (Some(Task::Binary), Some("1"), 40));
        let names: Vec<&str> = file.reference.inputs.iter().map(|input| &*input.name).collect();
        assert_eq!(names, ["amount", "constant", "country", "odd"]);
        let country = &file.reference.inputs[2].column.counts;
        assert_eq!((country.slots.as_slice(), country.missing), ([7, 7, 7, 13, 0].as_slice(), 6));
        assert_eq!(file.encode(), fs::read(&path).unwrap(), "and would be written the same");
    }
}
