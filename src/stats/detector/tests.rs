use super::*;
use std::hint::black_box;

mod golden;
mod runs;

/// One of each, as the daemon uses them.
fn each() -> Vec<Detector> {
    vec![
        Detector::Adwin(Adwin::new(0.002, 32)),
        Detector::PageHinkley(PageHinkley::new(50.0, Sides::Both)),
        Detector::Ddm(Ddm::default()),
        Detector::Eddm(Eddm::new(0.95, 0.9)),
        Detector::HddmA(HddmA::new(0.001, Sides::Up)),
        Detector::HddmW(HddmW::new(0.001, Sides::Up)),
        Detector::Kswin(Kswin::new(1e-6, 100, 30, 7)),
        Detector::Cusum(Cusum::new(1e6, 1000)),
    ]
}

/// Indices of the drifts, and the number of warnings.
fn run(detector: &mut Detector, values: impl IntoIterator<Item = f64>) -> (Vec<usize>, Vec<usize>) {
    let (mut drifts, mut warnings) = (Vec::new(), Vec::new());
    for (place, value) in values.into_iter().enumerate() {
        match detector.update(value) {
            Change::Drift => drifts.push(place),
            Change::Warning => warnings.push(place),
            Change::None => {}
        }
    }
    (drifts, warnings)
}

/// Right and wrong answers at a rate that rises halfway, evenly spread by the golden ratio.
fn answers(n: usize) -> impl Iterator<Item = f64> {
    (0..n).map(move |i| {
        let rate = if i < n / 2 { 0.1 } else { 0.9 };
        f64::from(u8::from((i as f64 * 0.618_033_988_749_895).fract() < rate))
    })
}

fn bytes(detector: &Detector) -> Vec<u8> {
    postcard::to_stdvec(detector).unwrap()
}

#[test]
fn every_detector_sees_a_rate_that_rises() {
    for mut detector in each() {
        let name = format!("{detector:?}");
        let (drifts, _) = run(&mut detector, answers(8000));
        assert!(drifts.iter().any(|at| (4000..5000).contains(at)), "{drifts:?} {name}");
    }
}

#[test]
fn stored_and_read_back_after_every_value_it_says_the_same() {
    for mut detector in each() {
        let mut stored = detector.clone();
        for value in answers(6000).chain(answers(500).map(|v| 1.0 - v)) {
            stored = postcard::from_bytes(&bytes(&stored)).unwrap();
            assert_eq!(stored.update(value), detector.update(value));
        }
        assert_eq!(stored, detector);
    }
}

#[test]
fn the_state_stays_small() {
    for mut detector in each() {
        run(&mut detector, (0..200_000).map(|i| f64::from(u8::from(i % 7 == 0))));
        let size = bytes(&detector).len();
        assert!(size < 2000, "{size}");
    }
}

#[test]
fn no_value_makes_a_state_that_is_no_number() {
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, 5e-324, -5e-324, 0.0, 1e300, -1e300, 1.0];
    for mut detector in each() {
        for round in 0..3000 {
            for value in odd {
                detector.update(if round % 2 == 0 { value } else { -value });
            }
        }
        // NaN is not equal to itself: so neither is a state with one in it
        assert_eq!(detector, detector.clone());
        assert_eq!(postcard::from_bytes::<Detector>(&bytes(&detector)).unwrap(), detector);
        let text = format!("{detector:?}");
        assert!(!text.contains("inf") && !text.contains("NaN"), "{text}");
    }
}

#[test]
fn what_is_not_a_number_is_passed_over() {
    for mut detector in each() {
        let before = detector.clone();
        assert_eq!(detector.update(f64::NAN), Change::None);
        assert_eq!(detector, before);
    }
}

#[test]
fn a_constant_stream_does_not_change() {
    for constant in [0.0, 0.3, 1.0, 1e6] {
        for mut detector in each() {
            assert_eq!(run(&mut detector, std::iter::repeat_n(black_box(constant), 5000)).0, [0; 0], "{constant} {detector:?}");
        }
    }
}

#[test]
fn numbers_of_any_unit_come_to_one_scale() {
    let scaled = |unit: f64, offset: f64| -> Vec<Option<f64>> {
        let mut standard = Standard::new(100);
        (0..300).map(|i| standard.scale(offset + unit * f64::from(i * 37 % 101))).collect()
    };
    let one = scaled(1.0, 0.0);
    assert_eq!(one.iter().filter(|v| v.is_none()).count(), 100);
    for (unit, offset) in [(1000.0, 5.0), (1e-6, 0.0), (0.25, -7.0)] {
        for (a, b) in scaled(unit, offset).iter().zip(&one) {
            assert!(a.zip(*b).map_or(a == b, |(a, b)| (a - b).abs() < 1e-6), "{a:?} {b:?}");
        }
    }
    let mut constant = Standard::new(10);
    assert!((0..1000).all(|_| constant.scale(3.0).is_none()), "equal values have no scale");
    let mut outlier = Standard::new(10);
    (0..10).for_each(|i| assert_eq!(outlier.scale(f64::from(i)), None));
    assert_eq!(outlier.scale(1e300), Some(2.5));
}

#[test]
fn moments_of_the_learned_values() {
    // scipy.stats: np.mean, np.std, skew of [1, 2, 2, 3, 9]
    let mut moments = Moments::default();
    [1.0, 2.0, 2.0, 3.0, 9.0].into_iter().for_each(|v| moments.add(v));
    assert!((moments.mean() - 3.4).abs() < 1e-12);
    assert!((moments.deviation().unwrap() - 8.24f64.sqrt()).abs() < 1e-12);
    // Σ(x−m)³/n = (−13.824 −2.744 −2.744 −0.064 +175.616)/5 = 31.248
    assert!((moments.skewness() - 31.248 / 8.24f64.powf(1.5)).abs() < 1e-12);
}
