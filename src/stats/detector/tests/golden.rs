//! Against river 0.26.1 on the error streams of elec2, and on the streams of its documentation (`tests/data/elec2`, `tests/data/river`).

use super::*;
use flate2::read::GzDecoder;
use serde_json::Value;

const STREAMS: &[u8] = include_bytes!("../../../../tests/data/elec2/error_streams.json.gz");
const GOLDEN: &str = include_str!("../../../../tests/data/elec2/stream_detectors.json");
const PEER: &str = include_str!("../../../../tests/data/river/examples.json");

/// Detectors of the golden file that there is no twin of, or whose draws differ.
const WITHOUT_TWIN: [&str; 2] = ["FHDDM(default)", "KSWIN(alpha=0.0001,window_size=300,stat_size=30,seed=42)"];

/// Points of the traces of one configuration, all streams together.
const TRACED: usize = 30;

/// The detector that a line of the golden file is about, and whether the warnings are counted alike.
fn twin(call: &str) -> Option<(Detector, bool)> {
    Some(match call {
        "ADWIN(delta=0.002)" => (Detector::Adwin(Adwin::new(0.002, 32)), false),
        "ADWIN(delta=0.0001)" => (Detector::Adwin(Adwin::new(0.0001, 32)), false),
        "ADWIN(delta=0.002,clock=1)" => (Detector::Adwin(Adwin::new(0.002, 1)), false),
        "PageHinkley(default: min_instances=30,delta=0.005,threshold=50,alpha=0.9999,mode=both)" => {
            (Detector::PageHinkley(PageHinkley::new(50.0, Sides::Both)), false)
        }
        "PageHinkley(threshold=20,mode=up)" => (Detector::PageHinkley(PageHinkley::new(20.0, Sides::Up)), false),
        "DDM(default: warm_start=30,warning=2.0,drift=3.0)" => (Detector::Ddm(Ddm::default()), true),
        // river's warning stays up at a change, and at a new high
        "EDDM(default: warm_start=30,alpha=0.95,beta=0.9)" => (Detector::Eddm(Eddm::new(0.95, 0.9)), false),
        "HDDM_A(default: drift_conf=0.001,warning_conf=0.005,two_sided=False)" => (Detector::HddmA(HddmA::new(0.001, Sides::Up)), true),
        "HDDM_A(two_sided_test=True)" => (Detector::HddmA(HddmA::new(0.001, Sides::Both)), false),
        "HDDM_W(default: drift_conf=0.001,warning_conf=0.005,lambda_val=0.05)" => (Detector::HddmW(HddmW::new(0.001, Sides::Up)), true),
        "HDDM_W(two_sided_test=True)" => (Detector::HddmW(HddmW::new(0.001, Sides::Both)), false),
        _ => return None,
    })
}

fn indices(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect()
}

fn stream(streams: &Value, name: &str) -> Vec<f64> {
    match &streams[name]["values"] {
        Value::String(bits) => bits.bytes().map(|b| f64::from(b - b'0')).collect(),
        values => values.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect(),
    }
}

#[test]
fn the_same_changes_as_river_on_real_streams() {
    let (streams, golden): (Value, Value) =
        (serde_json::from_reader(GzDecoder::new(STREAMS)).unwrap(), serde_json::from_str(GOLDEN).unwrap());
    let mut compared = 0;
    for (name, calls) in golden["river_0.26.1"].as_object().unwrap() {
        let values = stream(&streams, name);
        for (call, want) in calls.as_object().unwrap() {
            let Some((mut detector, same_warnings)) = twin(call) else {
                assert!(WITHOUT_TWIN.contains(&call.as_str()), "{call}");
                continue;
            };
            let (drifts, warnings) = run(&mut detector, values.iter().copied());
            assert_eq!(drifts, indices(&want["drift_indices"]), "{name} {call}");
            if same_warnings {
                assert_eq!(warnings.len() as u64, want["n_warning_steps"].as_u64().unwrap(), "{name} {call}");
                assert_eq!(warnings[..50], indices(&want["first_warnings"]), "{name} {call}");
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 38);
}

#[test]
fn the_window_of_adwin_between_changes() {
    let (streams, golden): (Value, Value) =
        (serde_json::from_reader(GzDecoder::new(STREAMS)).unwrap(), serde_json::from_str(GOLDEN).unwrap());
    let close = |got: f64, want: &Value| (got / want.as_f64().unwrap() - 1.0).abs() < 1e-9;
    let mut compared = 0;
    for (name, calls) in golden["river_0.26.1"].as_object().unwrap() {
        for (call, delta, clock) in
            [("ADWIN(delta=0.002)", 0.002, 32), ("ADWIN(delta=0.0001)", 0.0001, 32), ("ADWIN(delta=0.002,clock=1)", 0.002, 1)]
        {
            let mut adwin = Adwin::new(delta, clock);
            let mut points = calls[call]["trace_every_5000"].as_array().unwrap().iter().peekable();
            for (place, value) in stream(&streams, name).into_iter().enumerate() {
                adwin.update(value);
                if let Some(point) = points.next_if(|p| p["i"] == place) {
                    let (mean, variance) = adwin.moments().unwrap();
                    let what = format!("{name} {call} {place}");
                    assert_eq!(adwin.width() as f64, point["width"].as_f64().unwrap(), "{what}");
                    assert!(close(mean, &point["estimation"]) && close(variance * adwin.width() as f64, &point["variance"]), "{what}");
                    compared += 1;
                }
            }
            assert_eq!(points.next(), None);
        }
    }
    assert_eq!(compared, 3 * TRACED);
}

#[test]
fn the_examples_of_rivers_documentation() {
    let peer: Value = serde_json::from_str(PEER).unwrap();
    let mut compared = 0;
    for case in peer["cases"].as_array().unwrap() {
        let mut detector = match case["detector"].as_str().unwrap() {
            "ADWIN" => Detector::Adwin(Adwin::new(0.002, 32)),
            "PageHinkley" => Detector::PageHinkley(PageHinkley::new(50.0, Sides::Both)),
            "DDM" => Detector::Ddm(Ddm::default()),
            "EDDM" => Detector::Eddm(Eddm::new(0.8, 0.75)),
            "HDDM_A" => Detector::HddmA(HddmA::new(0.001, Sides::Up)),
            "HDDM_W" => Detector::HddmW(HddmW::new(0.001, Sides::Up)),
            other => {
                assert!(["KSWIN", "FHDDM"].contains(&other), "{other}");
                continue;
            }
        };
        let values = peer["streams"][case["stream"].as_str().unwrap()].as_array().unwrap();
        let (drifts, warnings) = run(&mut detector, values.iter().map(|v| v.as_f64().unwrap()));
        let want = &case["run_here_0.26.1"];
        assert_eq!(drifts, indices(&want["drifts"]), "{case}");
        if let Some(first) = want.get("first_warning_after_each_drift") {
            let starts = std::iter::once(0).chain(drifts.iter().map(|d| d + 1));
            let firsts: Vec<_> = starts.filter_map(|from| warnings.iter().copied().find(|w| *w >= from)).collect();
            let want = indices(first);
            assert!(
                firsts == want || firsts.iter().collect::<std::collections::BTreeSet<_>>() == want.iter().collect(),
                "{case} {firsts:?}"
            );
        }
        compared += 1;
    }
    assert_eq!(compared, 6);
}

/// KSWIN draws by another generator than river: the changes are the same, within a few values, where they are plain.
#[test]
fn kswin_finds_what_rivers_finds() {
    let (streams, golden, peer): (Value, Value, Value) = (
        serde_json::from_reader(GzDecoder::new(STREAMS)).unwrap(),
        serde_json::from_str(GOLDEN).unwrap(),
        serde_json::from_str(PEER).unwrap(),
    );
    let choices: Vec<f64> = peer["streams"]["doc_stream_choices"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
    let (drifts, _) = run(&mut Detector::Kswin(Kswin::new(0.0001, 100, 30, 42)), choices);
    assert!(drifts.len() == 1 && drifts[0].abs_diff(1016) <= 5, "river: [1016]; {drifts:?}");
    for (name, calls) in golden["river_0.26.1"].as_object().unwrap() {
        let want = indices(&calls[WITHOUT_TWIN[1]]["drift_indices"]).len() as f64;
        let (drifts, _) = run(&mut Detector::Kswin(Kswin::new(0.0001, 300, 30, 42)), stream(&streams, name));
        assert!((drifts.len() as f64 / want - 1.0).abs() < 0.25, "{name}: {} where river has {want}", drifts.len());
    }
}

/// `scipy.stats.ks_2samp([0]*30, [1]*h + [0]*(30 - h), method="exact").pvalue` is 1.2750060342394341e-06 for h = 20 and 2.5000118318420276e-07 for h = 21: with
/// the shipped 10⁻⁶ a step from 0 to 1 is a change with its 21st value, whichever older values are drawn, and one of 20 values is none.
#[test]
fn kswin_as_shipped_finds_a_step_with_its_21st_value() {
    let shipped = || Detector::Kswin(Kswin::new(1e-6, 100, 30, 42));
    for before in [100, 137, 500] {
        let step = std::iter::repeat_n(0.0, before).chain(std::iter::repeat_n(1.0, 40));
        assert_eq!(run(&mut shipped(), step).0, [before + 20], "{before}");
        let blip = std::iter::repeat_n(0.0, before).chain(std::iter::repeat_n(1.0, 20)).chain(std::iter::repeat_n(0.0, 10));
        assert_eq!(run(&mut shipped(), blip).0, [0; 0], "{before}");
    }
}
