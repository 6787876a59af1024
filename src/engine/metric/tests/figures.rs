//! Figures as they are shipped, each against a number that another library returned (numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1; the call stands
//! beside it) or that is worked out by hand.

use super::*;
use crate::engine::reference::compile::{CompileSpec, compile};
use crate::engine::reference::table::{Column, Table};
use crate::engine::summary::{ScoreSums, Scores};
use crate::event::Scalar;

#[track_caller]
fn close(what: &str, got: &Measurement, want: f64) {
    let value = got.reading.value().unwrap_or_else(|| panic!("{what}: {got:?}"));
    assert!((value - want).abs() <= 1e-9 * want.abs(), "{what}: got {value}, want {want}");
    assert_eq!(got.error_bound, 0.0, "{what}");
}

/// Names 1, 2, 3 of the reference, and 4, which is new: counts of reference and window.
fn of_names(reference_counts: [usize; 3], window: [usize; 4]) -> Vec<Measurement> {
    let spell = |counts: &[usize]| -> Vec<Seen> {
        let names = counts.iter().enumerate();
        names.flat_map(|(name, &n)| std::iter::repeat_n(Seen::Number(name as f64 + 1.0), n)).collect()
    };
    let known = reference(vec![("x", categorical(&spell(&reference_counts)))], OutputReference::default());
    let pane = InputPane { inputs: vec![counts(&known.inputs[0].column, &spell(&window))], ..InputPane::default() };
    let stream = stream();
    measure_inputs(&context(&stream, Task::Binary, &[], Some(&known)), &pane, &SERVICE)
}

/// p, q = (c + .5) / (c.sum() + .5 * 4) of the reference's and the window's counts; `scipy.stats.entropy(q, p)`: of the window from the reference, and not the
/// other way round (0.3096186527388761). Both together are PSI.
#[test]
fn kullback_leibler_is_of_the_window_from_the_reference() {
    let measured = of_names([5000, 3000, 2000], [40, 70, 100, 7]);
    close("kl", reading(&measured, &feature("x"), Metric::KullbackLeibler), 0.44351336408762954);
    close("psi", reading(&measured, &feature("x"), Metric::Psi), 0.44351336408762954 + 0.3096186527388761);
}

/// By Bergsma's formula in Python from `chi2, n = scipy.stats.chi2_contingency([[30, 20, 50], [10, 40, 50]], correction=False)[0], 200`:
/// `sqrt(max(0, chi2/n - 2/199) / min(2 - 1/199 - 1, 3 - 4/199 - 1))`. Uncorrected (`scipy.stats.contingency.association`) it is 0.2886751345948129.
#[test]
fn cramers_v_is_corrected_for_bias() {
    close("V", reading(&of_names([30, 20, 50], [10, 40, 50, 0]), &feature("x"), Metric::CramersV), 0.27139122803288734);
}

/// `abs(numpy.quantile(z, q, method="inverted_cdf") - numpy.quantile(x, q, method="inverted_cdf")) / x.std()`.
#[test]
fn quantiles_are_those_of_the_inverted_distribution() {
    let x = [3.5, -1.0, 2.25, 8.0, 0.5, 4.75, 6.0, 1.25, 9.5, -2.0, 5.5, 7.0, 2.0, 3.0, 12.0, 0.0, 1.0, 10.0, 4.0, 2.5, 11.0];
    let z: Vec<f64> = x[..14].iter().map(|v| v * 1.5 + 0.75).collect();
    let cells = Cells::new(x.iter().chain(&z).copied().collect(), true);
    let column = column((0..cells.n_cells() as u16).collect(), Slots::Numeric(cells), &numbers(&x));
    let known = reference(vec![("x", column)], OutputReference::default());
    let pane = InputPane { inputs: vec![counts(&known.inputs[0].column, &numbers(&z))], ..InputPane::default() };
    let stream = stream();
    let measured = measure_inputs(&context(&stream, Task::Binary, &[], Some(&known)), &pane, &SERVICE);
    close("median", reading(&measured, &feature("x"), Metric::MedianShift), 0.44465903563764125);
    close("p95", reading(&measured, &feature("x"), Metric::P95Shift), 1.0163635100288944);
}

const LABELS: [usize; 12] = [0, 1, 2, 2, 1, 0, 0, 1, 2, 0, 1, 0];
const SCORES: [[f64; 3]; 12] = [
    [0.7, 0.2, 0.1],
    [0.1, 0.6, 0.3],
    [0.2, 0.2, 0.6],
    [0.1, 0.5, 0.4],
    [0.3, 0.3, 0.4],
    [0.5, 0.4, 0.1],
    [0.2, 0.7, 0.1],
    [0.1, 0.8, 0.1],
    [0.25, 0.05, 0.7],
    [0.9, 0.05, 0.05],
    [0.4, 0.5, 0.1],
    [0.35, 0.4, 0.25],
];
/// `numpy.argmax(SCORES, axis=1)`.
const ANSWERS: [u16; 12] = [0, 1, 2, 1, 2, 0, 1, 1, 2, 0, 1, 1];

fn three_classes() -> Vec<Measurement> {
    let (mut confusion, mut scores) = (Confusion::default(), ScoreSums::default());
    for ((&label, of_row), answer) in LABELS.iter().zip(SCORES).zip(ANSWERS) {
        confusion.add(label as u16, answer);
        scores.tally(&Scores::Classes(of_row.into()), label, None, true);
    }
    let pane = OutcomePane { expected: 12, labelled: 12, scores, ..OutcomePane::new(Quality::Classes(confusion), None) };
    let (stream, classes) = (stream(), classes(&["a", "b", "c"]));
    measure_outcomes(&context(&stream, Task::Multiclass, &classes, None), &pane)
}

/// With Y = numpy.eye(3)[LABELS], S = SCORES: `average_precision_score(Y, S, average=…)`, `roc_auc_score(LABELS, S, multi_class="ovr", average=…)`,
/// `log_loss(LABELS, S)`, `((S - Y)**2).sum(1).mean()`; of a class its columns, `brier_score_loss(Y[:, k], S[:, k])`. The calibration error with
/// b = numpy.digitize(s, [.1, …, .9], right=True): `abs(bincount(b, s) - bincount(b, y)).sum() / 12`, its mean over the classes.
#[test]
fn scores_of_three_classes() {
    let measured = three_classes();
    for (metric, want) in [
        (Metric::Brier, 0.40458333333333335),
        (Metric::LogLoss, 0.6857769280528535),
        (Metric::PrAuc, 0.8264814814814815),
        (Metric::PrAucWeighted, 0.8226851851851852),
        (Metric::RocAuc, 0.883261684303351),
        (Metric::RocAucWeighted, 0.8740906084656085),
        (Metric::CalibrationError, 0.21944444444444444),
    ] {
        close(metric.as_str(), reading(&measured, &Subject::Quality, metric), want);
    }
    for (class, want) in [
        ("a", [0.8714285714285714, 0.8711111111111112, 0.14958333333333335, 0.21666666666666667]),
        ("b", [0.796875, 0.6916666666666667, 0.17374999999999996, 0.27499999999999997]),
        ("c", [0.9814814814814815, 0.9166666666666665, 0.08125, 0.16666666666666666]),
    ] {
        for (metric, want) in [Metric::RocAuc, Metric::PrAuc, Metric::Brier, Metric::CalibrationError].into_iter().zip(want) {
            close(metric.as_str(), reading(&measured, &Subject::ClassQuality(class.into()), metric), want);
        }
    }
}

/// `precision_score(LABELS, ANSWERS, average=…)` and so on, `fbeta_score(…, beta=2)`; specificity from `multilabel_confusion_matrix`.
#[test]
fn means_over_three_classes() {
    let measured = three_classes();
    for (metric, want) in [
        (Metric::PrecisionMacro, 0.7222222222222222),
        (Metric::RecallMacro, 0.6722222222222222),
        (Metric::F1Macro, 0.6722222222222222),
        (Metric::Precision, 0.7222222222222222),
        (Metric::FBeta, 0.6668862538427756),
        (Metric::FBetaMicro, 0.6666666666666666),
        (Metric::FBetaWeighted, 0.6656785243741766),
        (Metric::PrecisionWeighted, 0.75),
        (Metric::RecallWeighted, 0.6666666666666666),
        (Metric::F1Weighted, 0.6791666666666667),
        (Metric::Specificity, 0.8379629629629629),
        (Metric::SpecificityMicro, 0.8333333333333334),
        (Metric::SpecificityWeighted, 0.8472222222222222),
    ] {
        close(metric.as_str(), reading(&measured, &Subject::Quality, metric), want);
    }
    let accuracy = reading(&measured, &Subject::Quality, Metric::Accuracy);
    let table = accuracy.confusion.as_ref().unwrap();
    // confusion_matrix(LABELS, ANSWERS)
    assert_eq!(table.counts, [[3, 2, 0], [0, 3, 1], [0, 1, 2]]);
    assert_eq!(table.classes, classes(&["a", "b", "c"]));
    assert!(measured.iter().all(|m| m.confusion.is_none() || m.metric == Metric::Accuracy));
}

/// A matrix that nobody can read is not told.
#[test]
fn the_matrix_of_many_classes_stays_where_it_is() {
    let (stream, window) = (stream(), pane(&[&[5, 1], &[2, 4]]));
    for (n, told) in [(20, true), (21, false)] {
        let classes: Vec<Arc<str>> = (0..n).map(|i| format!("{i:02}").into()).collect();
        let measured = measure_outcomes(&context(&stream, Task::Multiclass, &classes, None), &window);
        assert_eq!(reading(&measured, &Subject::Quality, Metric::Accuracy).confusion.is_some(), told, "{n}");
    }
}

/// y, p of the matrix [[50, 10], [5, 35]]: `precision_score(y, p, average=…)`, and with `pos_label=0`; scores (0.1 and 0.4 of the 60, 0.35 and 0.8 of the 40)
/// for the other class as `average_precision_score(1 - y, 1 - s)`.
#[test]
fn both_classes_of_a_binary_model() {
    let mut window = pane(&[&[50, 10], &[5, 35]]);
    for (score, truth, n) in [(0.1, 0, 30), (0.4, 0, 30), (0.35, 1, 20), (0.8, 1, 20)] {
        (0..n).for_each(|_| window.scores.tally(&Scores::Positive(score), truth, Some(1), true));
    }
    let (stream, classes) = (stream(), classes(&["0", "1"]));
    let ctx = Context { each_class: true, ..context(&stream, Task::Binary, &classes, None) };
    let measured = measure_outcomes(&ctx, &window);
    for (metric, want) in [
        (Metric::PrecisionMacro, 0.8434343434343434),
        (Metric::RecallMacro, 0.8541666666666667),
        (Metric::F1Macro, 0.8465473145780051),
        (Metric::PrecisionWeighted, 0.8565656565656566),
        (Metric::RecallWeighted, 0.85),
        (Metric::F1Weighted, 0.8511508951406648),
        (Metric::FBetaWeighted, 0.8499379909053328),
        (Metric::SpecificityWeighted, 0.8583333333333334),
        (Metric::Precision, 0.7777777777777778),
    ] {
        close(metric.as_str(), reading(&measured, &Subject::Quality, metric), want);
    }
    for (class, want) in [
        ("0", [0.9090909090909091, 0.8333333333333334, 0.8695652173913043, 0.847457627118644]),
        ("1", [0.7777777777777778, 0.875, 0.8235294117647058, 0.8536585365853658]),
    ] {
        for (metric, want) in [Metric::Precision, Metric::Recall, Metric::F1, Metric::FBeta].into_iter().zip(want) {
            close(class, reading(&measured, &Subject::ClassQuality(class.into()), metric), want);
        }
    }
    for (class, want) in [("0", [0.75, 0.875, 0.1435]), ("1", [0.75, 0.7857142857142857, 0.1435])] {
        for (metric, want) in [Metric::RocAuc, Metric::PrAuc, Metric::Brier].into_iter().zip(want) {
            let got = reading(&measured, &Subject::ClassQuality(class.into()), metric);
            assert!((got.reading.value().unwrap() - want).abs() < 1e-9, "{class} {metric:?}: {got:?}");
        }
    }
    // what nobody looks at is not there
    let measured = measure_outcomes(&context(&stream, Task::Binary, &classes, None), &window);
    assert!(measured.iter().all(|m| !matches!(m.subject, Subject::ClassQuality(_))));
}

/// "abcd" has the 3-grams abc and bcd, "abce" abc and bce: half of the grams have moved. Jensen–Shannon √½, Hellinger √½, L∞ ½.
#[test]
fn grams_of_texts_by_hand() {
    let texts = |text: &'static str, n: usize| std::iter::repeat_n(Scalar::Text(text.into()), n);
    let spec = CompileSpec { text: vec!["t".into()], ..CompileSpec::default() };
    let known = compile(&Table::new(vec![Column::of("t", texts("ABCD", 40))]), &spec).unwrap().reference;
    let place = known.inputs.iter().position(|input| *input.name == *"t#ngrams").unwrap();
    let mut inputs: Vec<ColumnCounts> = known.inputs.iter().map(|input| input.column.empty_counts()).collect();
    let grams = known.encodings.texts[0].figures("abce").grams;
    assert_eq!(grams.iter().sum::<u64>(), 2);
    inputs[place].slots.iter_mut().zip(&grams).for_each(|(slot, n)| *slot = 30 * n);
    let (stream, pane) = (stream(), InputPane { inputs, ..InputPane::default() });
    let measured = measure_inputs(&context(&stream, Task::Binary, &[], Some(&known)), &pane, &SERVICE);
    let of = |metric| reading(&measured, &feature("t#ngrams"), metric);
    close("total variation", of(Metric::TotalVariation), 0.5);
    close("largest", of(Metric::LInfinity), 0.5);
    close("Jensen-Shannon", of(Metric::JensenShannon), 0.5f64.sqrt());
    close("Hellinger", of(Metric::Hellinger), 0.5f64.sqrt());
    // (30 + ½)/(60 + 3/2) of each of two grams and ½/(60 + 3/2) of the third; 40.5/81.5 and 0.5/81.5 in the reference
    let (p, q) = ([40.5 / 81.5, 40.5 / 81.5, 0.5 / 81.5], [30.5 / 61.5, 0.5 / 61.5, 30.5 / 61.5]);
    let psi: f64 = p.iter().zip(q).map(|(p, q): (&f64, f64)| (q - p) * (q / p).ln()).sum();
    close("psi", of(Metric::Psi), psi);
    assert_eq!((of(Metric::Psi).n_current, of(Metric::Psi).n_reference), (60, 80));
}

/// Segments of 180 labels: selection rates 78/180 and 76/180; precision 56/76 and 48/78. The interval of the ratio of recalls by Katz et al. 1978 with half a
/// case added: exp(ln((48.5/80.5) / (56.5/80.5)) ± 1.959963984540054·√(1/48.5 − 1/80.5 + 1/56.5 − 1/80.5)).
#[test]
fn ratios_between_two_segments() {
    let segments = [("country=DE", pane(&[&[80, 20], &[24, 56]])), ("country=FR", pane(&[&[70, 30], &[32, 48]]))]
        .map(|(name, pane)| (Arc::from(name), pane));
    let (stream, classes) = (stream(), classes(&["0", "1"]));
    let measured = measure_fairness(&context(&stream, Task::Binary, &classes, None), &"country".into(), Some(&segments));
    let of = |metric| reading(&measured, &Subject::Fairness("country".into()), metric);
    close("selection", of(Metric::SelectionRateRatio), 0.9743589743589743);
    close("precision", of(Metric::PrecisionRatio), 0.8351648351648352);
    close("recall", of(Metric::RecallRatio), 0.8571428571428571);
    let (from, to) = of(Metric::RecallRatio).interval.unwrap();
    let spread = (1.0 / 48.5 - 1.0 / 80.5 + 1.0 / 56.5 - 1.0 / 80.5f64).sqrt() * 1.959_963_984_540_054;
    let centre = (48.5f64 / 56.5).ln();
    assert!((from - (centre - spread).exp()).abs() < 1e-9 && (to - (centre + spread).exp().min(1.0)).abs() < 1e-9, "{from} {to}");
    // cut at 1
    assert!((from - 0.6837411808524794).abs() < 1e-9 && to == 1.0, "{from} {to}");
}
