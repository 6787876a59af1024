//! What NannyML 0.13.1 and Evidently 0.7.23 say of the data sets, every column and every chunk, from driftd's functions over their bins and their
//! smoothing; and their quality, from what driftd measures.

use super::real::{SETS, load};
use crate::stats::tests::bins::*;
use crate::stats::tests::peers::met;
use crate::stats::{chi_square, chi_square_tail, hellinger, jensen_shannon, ks_p_value, l_infinity};
use serde_json::Value;

/// Distances of numbers. Not met: Evidently's `ks` on elec2, an exact probability; `wasserstein` of a constant, over 0.001 instead of σ; `t_test`, `mannw`.
#[test]
fn numbers_of_both_peers() {
    let (mut nannyml, mut evidently, mut verdicts) = (0, 0, 0);
    for set in SETS.map(load) {
        let mut drifted = vec![0; set.chunks().count()];
        for (name, figures) in set.figures["numerical"].as_object().unwrap() {
            let (reference, chunks) = set.numbers(name);
            let theirs = &figures["nannyml"];
            let doane = doane(&reference);
            let edges: Vec<f64> = serde_json::from_value(theirs["doane_edges"].clone()).unwrap();
            assert!(
                doane.len() == edges.len() && doane.iter().zip(&edges).all(|(a, b)| (a - b).abs() <= 1e-12 * b.abs().max(1.0)),
                "{name}"
            );
            let r = histogram(&reference, &edges);
            let (steps, areas) = (Estimated::new(&reference, false), Estimated::new(&reference, true));
            let mean = reference.iter().sum::<f64>() / reference.len() as f64;
            let std = (reference.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / reference.len() as f64).sqrt();
            for (place, current) in chunks.iter().enumerate() {
                let what = format!("{} {name} {place}", set.name);
                let c = histogram(current, &edges);
                nannyml += met(&what, jensen_shannon(&r, &c).unwrap(), &theirs["jensen_shannon"][place], 1e-15);
                nannyml += met(&what, hellinger(&r, &c).unwrap(), &theirs["hellinger"][place], 1e-15);
                nannyml += met(&what, steps.kolmogorov_smirnov(current), &theirs["kolmogorov_smirnov"][place], 1e-12);
                nannyml += met(&what, areas.wasserstein(current), &theirs["wasserstein"][place], 1e-12 * std);
                let theirs = &figures["evidently"];
                let [psi, kl, js] = evidently_numbers(&reference, current);
                evidently += met(&what, psi, &theirs["psi"][place], 1e-15);
                evidently += met(&what, kl, &theirs["kl_div"][place], 1e-15);
                evidently += met(&what, js, &theirs["jensenshannon"][place], 1e-15);
                // 1 − Σ√(pq) keeps half the digits where nothing moved
                evidently += met(&what, evidently_hellinger(&reference, current), &theirs["hellinger"][place], 1e-8);
                if set.name != "elec2" {
                    evidently += met(
                        &what,
                        ks_p_value(figures["ks_stat"][place].as_f64().unwrap(), reference.len() as u64, current.len() as u64),
                        &theirs["ks"][place],
                        1e-13,
                    );
                }
                // the exact distance is that of `numerical`, which `golden` meets
                let over = figures["wasserstein"][place].as_f64().unwrap() / std.max(0.001);
                evidently += met(&what, over, &theirs["wasserstein"][place], 0.0);
                // a report takes one of the two, by the number of distinct values in the chunk
                let either = ["wasserstein", "jensenshannon"].map(|key| theirs[key][place].as_f64().unwrap());
                if let Some(score) = set.figures["evidently_preset"][place]["score"][name].as_f64() {
                    assert!(either.iter().any(|figure| (figure - score).abs() <= 1e-9 * score), "{what}");
                    drifted[place] += u32::from(score >= theirs["default_threshold"].as_f64().unwrap());
                }
            }
        }
        for (name, figures) in set.figures["categorical"].as_object().unwrap() {
            let theirs = &figures["evidently"];
            for (place, drifted) in drifted.iter_mut().enumerate() {
                if set.figures["evidently_preset"][place]["score"][name].is_number() {
                    let score = theirs[theirs["default_stattest"].as_str().unwrap()][place].as_f64().unwrap();
                    *drifted += u32::from(score >= theirs["default_threshold"].as_f64().unwrap());
                }
            }
        }
        for (place, drifted) in drifted.into_iter().enumerate() {
            assert_eq!(Some(f64::from(drifted)), set.figures["evidently_preset"][place]["drifted_count"].as_f64(), "{} {place}", set.name);
            verdicts += 1;
        }
    }
    // 224 chunks of a column, 84 of them of elec2
    assert_eq!((nannyml, evidently, verdicts), (224 * 4, 224 * 5 + 140, 32));
}

fn tally(value: &Value) -> Vec<u64> {
    serde_json::from_value(value.clone()).unwrap()
}

/// Distances of categories. Not met: Evidently's `z`, a test of two proportions.
#[test]
fn categories_of_both_peers() {
    let (mut nannyml, mut evidently) = (0, 0);
    for set in SETS.map(load) {
        for (name, figures) in set.figures["categorical"].as_object().unwrap() {
            let r = tally(&figures["reference_counts"]);
            for (place, chunk) in figures["counts"].as_array().unwrap().iter().enumerate() {
                let (c, theirs) = (tally(chunk), &figures["nannyml"]);
                nannyml += met(name, jensen_shannon(&r, &c).unwrap(), &theirs["jensen_shannon"][place], 1e-15);
                nannyml += met(name, hellinger(&r, &c).unwrap(), &theirs["hellinger"][place], 1e-15);
                nannyml += met(name, l_infinity(&r, &c).unwrap(), &theirs["l_infinity"][place], 1e-15);
                let statistic = if r.len() == 2 { with_yates(&r, &c) } else { chi_square(&r, &c, 0.0).unwrap().statistic };
                nannyml += met(name, statistic, &theirs["chi2"][place], 1e-13);
                let (theirs, (psi, kl)) = (&figures["evidently"], evidently_psi_and_kl(&r, &c));
                evidently += met(name, psi, &theirs["psi"][place], 1e-15);
                evidently += met(name, kl, &theirs["kl_div"][place], 1e-15);
                evidently += met(name, jensen_shannon(&r, &c).unwrap() * LN_2_ROOT, &theirs["jensenshannon"][place], 1e-15);
                evidently += met(name, hellinger(&r, &c).unwrap(), &theirs["hellinger"][place], 1e-15);
                evidently += met(name, goodness_of_fit(&r, &c), &theirs["chisquare"][place], 1e-300);
                assert!(chi_square_tail(statistic, r.len() as u32 - 1) <= 1.0);
            }
        }
    }
    // 106 chunks of a column
    assert_eq!((nannyml, evidently), (106 * 4, 106 * 5));
}
