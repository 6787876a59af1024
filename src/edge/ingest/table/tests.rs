use super::*;
use crate::engine::reference::Reference;
use crate::engine::reference::compile::{CompileSpec, compile};
use crate::engine::reference::table::Origin;
use crate::event::Scalar;
use std::path::PathBuf;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reference").join(name)
}

fn read(path: &Path) -> Result<Table, TableError> {
    read_table(path, &mut |_, _| {})
}

/// Reads `text` from a file of that name.
fn read_text(name: &str, text: impl AsRef<[u8]>) -> Result<Table, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    read(&path).map_err(|error| error.to_string().replace(&folder.path().display().to_string(), "…"))
}

fn column<'a>(table: &'a Table, name: &str) -> Vec<Scalar<'a>> {
    table.column(name).unwrap_or_else(|| panic!("no column {name}")).values.iter().collect()
}

const NULL: Scalar<'static> = Scalar::Null;

fn n(value: f64) -> Scalar<'static> {
    Scalar::Number(value)
}

fn t(value: &str) -> Scalar<'_> {
    Scalar::Text(value.into())
}

fn v(numbers: &[f64]) -> Scalar<'_> {
    Scalar::Vector(numbers.into())
}

#[test]
fn parquet_types_under_every_codec() {
    for codec in ["snappy", "gzip", "lz4", "zstd", "none"] {
        let table = read(&data(&format!("types-{codec}.parquet"))).unwrap();
        let check = |name: &str, want: [Scalar<'_>; 4]| assert_eq!(column(&table, name), want, "{codec} {name}");
        check("flag", [t("true"), NULL, t("false"), t("true")]);
        check("tiny", [n(1.0), n(-2.0), NULL, n(3.0)]);
        check("unsigned32", [n(4_294_967_295.0), n(0.0), NULL, n(1.0)]);
        check("unsigned64", [n(18_446_744_073_709_551_615.0), n(0.0), NULL, n(1.0)]);
        check("big", [n(9_007_199_254_740_992.0), n(-1.0), NULL, n(1.0)]);
        check("single", [n(0.5), Scalar::NonFinite, Scalar::NonFinite, NULL]);
        check("double", [n(0.1), n(1e300), n(5e-324), NULL]);
        check("price32", [n(12.34), n(-0.01), NULL, n(0.0)]);
        check("price", [n(12_345_678_901_234_567_890.12), n(-0.01), NULL, n(0.1)]);
        check("name", [t("a"), t("ä"), NULL, t("")]);
        check("colour", [t("red"), NULL, t("red"), t("blue")]);
        check("bytes", [Scalar::Structured, NULL, t("ok"), Scalar::Structured]);
        check("at", [n(1_795_340_400_000.0), NULL, n(0.0), n(-1000.0)]);
        check("on", [n(1.0), NULL, n(0.0), n(-1.0)]);
        check("nothing", [NULL, NULL, NULL, NULL]);
        check("list", [v(&[1.0]), NULL, Scalar::Structured, v(&[2.0, 3.0])]);
        for nested in ["pair", "half"] {
            check(nested, [Scalar::Structured, Scalar::Structured, Scalar::Structured, Scalar::Structured]);
        }
        assert!(table.column("timestamp").is_none());
        assert_eq!((table.rows, table.columns.iter().filter(|c| &*c.name == "pair").count()), (4, 1));
        let compiled = compile(&table, &CompileSpec::default()).unwrap();
        assert!(compiled.reference.input("pair").is_none(), "a nested column is left out");
        assert!(compiled.notes.iter().any(|note| note.to_string() == "pair: holds arrays, objects or bytes, and is left out"));
    }
}

#[test]
fn parquet_csv_and_json_lines_give_the_same_reference() {
    for (name, categorical) in [("elec2", Some("day")), ("car-price", None), ("credit-card", None)] {
        let spec = CompileSpec { categorical: categorical.into_iter().map(Into::into).collect(), ..CompileSpec::default() };
        let reference = |table: &Table| -> Reference { compile(table, &spec).unwrap().reference };
        let parquet = read(&data(&format!("{name}-500.parquet"))).unwrap();
        let csv = read(&data(&format!("{name}-500.csv"))).unwrap();
        assert_eq!((parquet.rows, csv.rows), (500, 500));
        assert_eq!(reference(&parquet), reference(&csv), "{name}");
        let lines = read_text("events.jsonl", events(&parquet)).unwrap();
        assert_eq!(reference(&parquet), reference(&lines), "{name}");
    }
}

/// The table as events with their labels, features inside `features` and scores inside `scores`.
fn events(table: &Table) -> String {
    use serde_json::{Map, Value, json};
    let value = |scalar: Scalar<'_>| match scalar {
        Scalar::Number(number) => json!(number),
        Scalar::Text(text) => json!(text),
        _ => Value::Null,
    };
    let mut lines = String::new();
    for row in 0..table.rows {
        let (mut event, mut features, mut scores) = (Map::new(), Map::new(), Map::new());
        for column in &table.columns {
            let cell = value(column.values.get(row));
            match (&*column.name, column.name.strip_prefix("score_")) {
                ("prediction" | "label" | "score", _) => drop(event.insert(column.name.to_string(), cell)),
                (_, Some(class)) => drop(scores.insert(class.to_owned(), cell)),
                _ => drop(features.insert(column.name.to_string(), cell)),
            }
        }
        event.insert("features".into(), features.into());
        event.insert("scores".into(), scores.into());
        event.insert("model".into(), "m".into());
        lines += &format!("{}\n", Value::from(event));
    }
    lines
}

#[test]
fn csv_infers_kinds_from_what_is_written() {
    let text = "\u{feff}a,b,zip,gap,flag,prediction_id,\"q,q\"\n1,x,00123,,true,p1,\"say \"\"hi\"\"\"\n-2.5e3,1,1,NaN,false,p2,\n nan ,2,2,4,true,p3,inf\n";
    let table = read_text("t.csv", text).unwrap();
    assert_eq!(column(&table, "a"), [n(1.0), n(-2500.0), NULL]);
    assert_eq!(column(&table, "b"), [t("x"), t("1"), t("2")]);
    assert_eq!(column(&table, "zip"), [t("00123"), t("1"), t("2")]);
    assert_eq!(column(&table, "gap"), [NULL, NULL, n(4.0)]);
    assert_eq!(column(&table, "flag"), [t("true"), t("false"), t("true")]);
    assert_eq!(column(&table, "q,q"), [t("say \"hi\""), NULL, t("inf")]);
    assert!(table.column("prediction_id").is_none());
    assert_eq!(column(&read_text("t.csv", "a;b\n1;inf\n").unwrap(), "b"), [Scalar::NonFinite]);
    assert_eq!(column(&read_text("t.tsv", "a\tb,c\n1\t2\n").unwrap(), "b,c"), [n(2.0)]);
    assert_eq!(column(&read_text("t", "a,b\n1,2\n").unwrap(), "b"), [n(2.0)]);
}

#[test]
fn numbers_are_parsed_exactly() {
    // two of the numbers that a fast float parser gets wrong in the last bit
    let (a, b) = (0.739_379_842_041_239_9, 1.000_000_000_000_000_2);
    let csv = read_text("t.csv", format!("x\n{a}\n{b}\n")).unwrap();
    let lines = read_text("t.jsonl", format!("{{\"x\":{a}}}\n{{\"x\":{b}}}\n")).unwrap();
    assert_eq!(column(&csv, "x"), [n(a), n(b)]);
    assert_eq!(column(&lines, "x"), [n(a), n(b)]);
}

#[test]
fn json_lines_may_be_flat_mixed_and_incomplete() {
    let text = "{\"a\":1,\"label\":0}\n\n{\"a\":\"x\",\"b\":true,\"c\":[1],\"status\":\"ok\"}\r\n{\"features\":{\"model\":\"bmw\"},\"extra\":1,\"scores\":{\"k\":0.5}}";
    let table = read_text("t.jsonl", text).unwrap();
    assert_eq!(table.rows, 3);
    assert_eq!(column(&table, "a"), [n(1.0), t("x"), NULL]);
    assert_eq!(column(&table, "b"), [NULL, t("true"), NULL]);
    assert_eq!(column(&table, "c"), [NULL, v(&[1.0]), NULL]);
    assert_eq!(column(&table, "score_k"), [NULL, NULL, n(0.5)]);
    assert_eq!(table.column("model").unwrap().origin, Origin::Features);
    assert!(table.column("extra").is_none());
}

#[test]
fn errors_name_the_place_and_what_to_do() {
    let error = |name: &str, text: &[u8]| read_text(name, text).unwrap_err();
    assert_eq!(error("t.csv", b"a,b\n1,2\n3\n"), "…/t.csv, line 3: 1 cells where the header has 2; is a text with commas not quoted?");
    assert_eq!(error("t.csv", b"a\n1\n\xff\n"), "…/t.csv, line 3: not UTF-8; convert the file");
    assert_eq!(error("t.jsonl", b"{\"a\":1}\n{\"a\":NaN}\n"), "…/t.jsonl, line 2: not JSON: expected value at column 6");
    assert_eq!(error("t.json", b"[{\"a\":1}]"), "…/t.json, line 1: an array; write one object a line");
    assert_eq!(error("t.json", b"{\n\"a\":1}"), "…/t.json, line 1: the object does not end on its line; write one object a line");
    assert_eq!(error("t.jsonl", b"{\"features\":3}"), "…/t.jsonl, line 1: `features` is not an object");
    assert_eq!(error("t.csv.gz", b"\x1f\x8b\x08"), "…/t.csv.gz is compressed; unpack it first");
    assert!(error("t.parquet", b"PAR1 but nothing else").starts_with("…/t.parquet cannot be read as Parquet: "));
    assert!(read(Path::new("/nowhere/t.csv")).unwrap_err().to_string().starts_with("cannot read /nowhere/t.csv: "));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wide.csv");
    std::fs::write(&path, "a,b,c\n1,2,3\n").unwrap();
    assert!(matches!(read_table_within(&path, TableLimits { columns: 2 }, &mut |_, _| {}), Err(TableError::TooManyColumns { max: 2, .. })));
}

#[test]
fn a_damaged_parquet_file_is_refused_and_never_a_panic() {
    let bytes = std::fs::read(data("types-zstd.parquet")).unwrap();
    for cut in (0..bytes.len()).step_by(97) {
        assert!(read_text("t.parquet", &bytes[..cut]).is_err(), "{cut}");
    }
    for place in (0..bytes.len()).step_by(13) {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x55;
        drop(read_text("t.parquet", damaged));
    }
}

#[test]
fn progress_ends_with_the_number_of_rows() {
    for name in ["elec2-500.csv", "elec2-500.parquet"] {
        let mut last = (0, None);
        read_table(&data(name), &mut |rows, total| last = (rows, total)).unwrap();
        assert_eq!(last, (500, Some(500)), "{name}");
    }
}

#[test]
fn formats_have_names() {
    assert_eq!(TableFormat::ALL.map(TableFormat::as_str), ["parquet", "csv", "jsonl"]);
}

#[test]
fn times_of_rows_come_back_as_milliseconds_from_every_format() {
    let times = |table: &Table| table.times.iter().map(|cell| cell_number(&cell)).collect::<Vec<_>>();
    let csv = read_text("t.csv", "timestamp,x\n2026-11-22T09:40:00.5Z,1\n1795340400500,2\nyesterday,3\n,4\n").unwrap();
    assert_eq!(csv.columns.len(), 1);
    let at = Some(1_795_340_400_500.0);
    assert_eq!(times(&csv), [at, at, None, None]);
    let lines = concat!(
        r#"{"x":1}"#,
        "\n",
        r#"{"timestamp":"2026-11-22T09:40:00.500Z","x":2}"#,
        "\n",
        r#"{"timestamp":1795340400500,"features":{"timestamp":"a feature","x":3}}"#,
        "\n"
    );
    let table = read_text("t.jsonl", lines).unwrap();
    assert_eq!(column(&table, "timestamp")[2], t("a feature"));
    assert_eq!(times(&table), [None, at, at]);
    let [parquet, csv] = ["elec2-500.parquet", "elec2-500.csv"].map(|name| times(&read(&data(name)).unwrap()));
    assert_eq!((parquet.len(), parquet[0]), (500, Some(840_427_200_000.0)));
    assert_eq!(parquet, csv);
    // written in milliseconds, microseconds and nanoseconds
    assert_eq!([1.0, 1e3, 1e6].map(|unit| cell_number(&parquet::in_milliseconds(n(1_795_340_400_500.0 * unit), unit))), [at; 3]);
}

fn cell_number(cell: &Scalar<'_>) -> Option<f64> {
    if let Scalar::Number(number) = cell { Some(*number) } else { None }
}
