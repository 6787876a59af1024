//! The layers under the validated configuration: the TOML file, over it the environment, merged by the `config` crate.
//!
//! Invariant: every value knows its origin (`driftd.toml:14`, or the environment), and every key path of the file its line.
//! The built-in defaults are the lowest layer; they stand beside the keys they belong to, in the reader's calls.
//! Nothing here knows a key: what a value means is the reader's business.

use super::Problem;
use ::config::{ConfigError, Environment, Map, Source, Value, ValueKind};
use std::collections::BTreeMap;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// A table of raw values.
pub(crate) type Table = Map<String, Value>;

/// What begins the name of every variable that overrides a key.
pub(crate) const PREFIX: &str = "DRIFTD__";
/// What the `config` crate writes as the origin of a variable's value.
pub(crate) const ENVIRONMENT: &str = "the environment";
/// Arrays of tables: the environment cannot name one of their blocks.
const BLOCKS: [&str; 2] = ["model", "receiver"];
/// Most syntax errors told of one file; the later ones are mostly echoes of the earlier.
const MOST_SYNTAX_ERRORS: usize = 10;

/// A place where the file is no TOML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong there; never the text of the line, which may hold a secret.
    pub message: String,
}

/// The merged layers.
#[derive(Debug)]
pub(crate) struct Layers {
    /// Every value, each with its origin.
    pub(crate) root: Table,
    /// The line of every key path of the file.
    pub(crate) lines: BTreeMap<String, usize>,
    /// What is wrong with the environment.
    pub(crate) problems: Vec<Problem>,
    /// What was ignored.
    pub(crate) warnings: Vec<Problem>,
}

/// Reads `text` and lays the environment over it; `file` names it in origins.
///
/// # Errors
/// Where `text` is no TOML: the places.
pub(crate) fn merge(text: &str, file: &str, env: &BTreeMap<String, String>) -> Result<Layers, Vec<SyntaxError>> {
    let (root, lines) = parse(text, file)?;
    let mut problems = Vec::new();
    let mut warnings = Vec::new();
    let variables = variables(env, &root, &mut problems, &mut warnings);
    let merged = ::config::Config::builder()
        .add_source(FileLayer(root.clone()))
        .add_source(Environment::with_prefix("DRIFTD").separator("__").source(Some(variables)))
        .build();
    let root = match merged.map(|merged| merged.cache.kind) {
        Ok(ValueKind::Table(root)) => root,
        Ok(_) => root,
        Err(error) => {
            problems.push(Problem::new(ENVIRONMENT, error.to_string()));
            root
        }
    };
    Ok(Layers { root, lines, problems, warnings })
}

/// The key path of `key` below `path`.
pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// The variable that overrides the key at `path`.
pub(crate) fn variable_of(path: &str) -> String {
    format!("{PREFIX}{}", path.to_uppercase().replace('.', "__"))
}

/// The file as a layer. It sets keys as they are; the crate's own file layer would read a quoted `"a.b"` as a path.
#[derive(Debug, Clone)]
struct FileLayer(Table);

impl Source for FileLayer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Table, ConfigError> {
        Ok(self.0.clone())
    }

    fn collect_to(&self, cache: &mut Value) -> Result<(), ConfigError> {
        cache.kind = ValueKind::Table(self.0.clone());
        Ok(())
    }
}

/// The variables that may be laid over the file; the others become problems, empty ones warnings.
fn variables(
    env: &BTreeMap<String, String>,
    root: &Table,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Problem>,
) -> Map<String, String> {
    let mut taken = Map::new();
    for (name, value) in env {
        let Some(rest) = name.strip_prefix(PREFIX) else { continue };
        if value.is_empty() {
            warnings.push(Problem::new(name, "is set but empty, and was ignored"));
            continue;
        }
        let parts: Vec<&str> = rest.split("__").collect();
        let plain = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        if parts.len() < 2 || !parts.iter().all(plain) {
            problems.push(Problem::new(name, "names no key: write DRIFTD__SECTION__KEY in capitals, e.g. DRIFTD__WINDOW__SIZE"));
            continue;
        }
        if BLOCKS.contains(&parts[0].to_lowercase().as_str()) {
            let block = parts[0].to_lowercase();
            problems.push(Problem::new(name, format!("the environment sets single values; write the [[{block}]] block in the file")));
            continue;
        }
        if let Some(scalar) = scalar_above(root, &parts) {
            problems.push(Problem::new(name, format!("{scalar} is a value and has no keys below it")));
            continue;
        }
        if env.keys().any(|other| other.strip_prefix(name.as_str()).is_some_and(|below| below.starts_with("__"))) {
            problems.push(Problem::new(name, "is set together with a variable below it; unset one of them"));
            continue;
        }
        taken.insert(name.clone(), value.clone());
    }
    taken
}

/// The key path of the first value on the way to `parts` that is no table.
fn scalar_above(root: &Table, parts: &[&str]) -> Option<String> {
    let mut table = root;
    let mut path = String::new();
    for part in &parts[..parts.len() - 1] {
        let key = part.to_lowercase();
        path = join(&path, &key);
        match table.get(&key).map(|value| &value.kind) {
            None => return None,
            Some(ValueKind::Table(below)) => table = below,
            Some(_) => return Some(path),
        }
    }
    None
}

type Lines = BTreeMap<String, usize>;

fn parse(text: &str, file: &str) -> Result<(Table, Lines), Vec<SyntaxError>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut walk = Walk { text, file, starts: line_starts(text), lines: Lines::new(), errors: Vec::new() };
    for error in errors.iter().take(MOST_SYNTAX_ERRORS) {
        walk.refuse(error.span().unwrap_or_default(), error.message());
    }
    if !walk.errors.is_empty() {
        return Err(walk.errors);
    }
    let table = walk.table(document.get_ref(), "");
    if walk.errors.is_empty() { Ok((table, walk.lines)) } else { Err(walk.errors) }
}

fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

/// The way through the parsed document.
struct Walk<'a> {
    text: &'a str,
    file: &'a str,
    starts: Vec<usize>,
    lines: Lines,
    errors: Vec<SyntaxError>,
}

impl Walk<'_> {
    fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at)
    }

    fn refuse(&mut self, span: Range<usize>, message: &str) {
        let line = self.line(span.start);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let column = self.text.get(start..span.start).map_or(0, |before| before.chars().count()) + 1;
        self.errors.push(SyntaxError { line, column, message: message.replace('\n', "; ") });
    }

    fn table(&mut self, table: &DeTable<'_>, path: &str) -> Table {
        let mut taken = Table::new();
        for (key, value) in table {
            let below = join(path, key.get_ref());
            self.lines.insert(below.clone(), self.line(key.span().start));
            taken.insert(key.get_ref().to_string(), self.value(value.get_ref(), value.span(), &below));
        }
        taken
    }

    fn value(&mut self, value: &DeValue<'_>, span: Range<usize>, path: &str) -> Value {
        let kind = match value {
            DeValue::String(text) => ValueKind::String(text.to_string()),
            DeValue::Boolean(flag) => ValueKind::Boolean(*flag),
            DeValue::Datetime(time) => ValueKind::String(time.to_string()),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => ValueKind::I64(number),
                Err(_) => {
                    self.refuse(span.clone(), "the integer does not fit into 64 bits");
                    ValueKind::Nil
                }
            },
            DeValue::Float(number) => ValueKind::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Table(table) => ValueKind::Table(self.table(table, path)),
            DeValue::Array(array) => ValueKind::Array(
                array
                    .iter()
                    .enumerate()
                    .map(|(i, item)| {
                        let below = format!("{path}[{i}]");
                        self.lines.insert(below.clone(), self.line(item.span().start));
                        self.value(item.get_ref(), item.span(), &below)
                    })
                    .collect(),
            ),
        };
        let origin = format!("{}:{}", self.file, self.line(span.start));
        Value::new(Some(&origin), kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn the_environment_lies_over_the_file_and_each_value_knows_its_origin() {
        let text = "[window]\nsize = \"1h\"\nslide = \"5m\"\n\"a.b\" = 1\n";
        let layers = merge(text, "c.toml", &env(&[("DRIFTD__WINDOW__SIZE", "2h"), ("DRIFTD_BLESS", "1"), ("HOME", "/")])).unwrap();
        let ValueKind::Table(window) = &layers.root["window"].kind else { panic!("{layers:?}") };
        assert_eq!((window["size"].origin(), &window["size"].kind), (Some(ENVIRONMENT), &ValueKind::String("2h".into())));
        assert_eq!(window["slide"].origin(), Some("c.toml:3"));
        assert_eq!(window["a.b"].kind, ValueKind::I64(1));
        assert_eq!(layers.lines["window.slide"], 3);
        assert!(layers.problems.is_empty() && layers.warnings.is_empty());
    }

    #[test]
    fn variables_that_name_no_key_are_refused() {
        let names = [
            "DRIFTD__WINDOW",
            "DRIFTD__window__size",
            "DRIFTD__WINDOW__",
            "DRIFTD__MODEL__NAME",
            "DRIFTD__WINDOW__SIZE__X",
            "DRIFTD__MODEL[99999999999]__NAME",
            "DRIFTD__LOG__LEVEL__A",
            "DRIFTD__LOG__LEVEL",
        ];
        let pairs: Vec<_> = names.iter().map(|name| (*name, "1")).chain([("DRIFTD__LOG__FORMAT", "")]).collect();
        let layers = merge("[window]\nsize = \"1h\"\n", "c.toml", &env(&pairs)).unwrap();
        let refused: Vec<_> = layers.problems.iter().map(|p| p.path.as_str()).collect();
        for name in &names {
            assert_eq!(refused.contains(name), *name != "DRIFTD__LOG__LEVEL__A", "{name} in {refused:?}");
        }
        assert_eq!(layers.warnings[0].to_string(), "DRIFTD__LOG__FORMAT: is set but empty, and was ignored");
    }

    #[test]
    fn all_syntax_errors_with_their_places() {
        let errors = merge("[window]\nsize = \nslide = \"5m\nx = 99999999999999999999\n", "c.toml", &env(&[])).unwrap_err();
        assert_eq!(errors.iter().map(|e| e.line).collect::<Vec<_>>(), [2, 3], "{errors:?}");
        let errors = merge("x = 99999999999999999999\n", "c.toml", &env(&[])).unwrap_err();
        assert_eq!((errors[0].line, errors[0].column), (1, 5));
    }
}
