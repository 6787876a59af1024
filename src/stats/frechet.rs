//! Fréchet distance of two normal distributions.

use super::Eigen;
use super::symmetric_eigenvalues;
use ndarray::{Array1, Array2};

/// Squared Fréchet distance of two normal distributions, ‖μ₁−μ₂‖² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½) (Dowson, Landau, J. Multivariate Analysis 12, 1982): the
/// squared Wasserstein-2 distance, and the form that is reported as the Fréchet inception distance (Heusel et al., NeurIPS 2017).
///
/// tr (Σ₁Σ₂)^½ is the sum of the roots of the eigenvalues of Σ₁^½Σ₂Σ₁^½, which is symmetric. `first` is the decomposition of Σ₁. Negative eigenvalues of
/// a covariance are rounding and count as 0. `None` where the shapes do not fit or a figure is not finite.
pub fn frechet_squared(mean_first: &[f64], first: &Eigen, mean_second: &[f64], second: &Array2<f64>) -> Option<f64> {
    let d = first.values.len();
    if [mean_first.len(), mean_second.len(), second.nrows(), second.ncols(), first.vectors.nrows(), first.vectors.ncols()] != [d; 6] {
        return None;
    }
    let roots: Array1<f64> = first.values.iter().map(|v| v.max(0.0).sqrt()).collect();
    let in_axes = first.vectors.dot(second).dot(&first.vectors.t());
    let product = Array2::from_shape_fn((d, d), |(i, j)| roots[i] * in_axes[[i, j]] * roots[j]);
    let trace_of_root: f64 = symmetric_eigenvalues(&product)?.iter().map(|v| v.max(0.0).sqrt()).sum();
    let between: f64 = mean_first.iter().zip(mean_second).map(|(a, b)| (a - b).powi(2)).sum();
    let traces: f64 = first.values.iter().map(|v| v.max(0.0)).sum::<f64>() + second.diag().sum();
    let distance = between + traces - 2.0 * trace_of_root;
    distance.is_finite().then(|| distance.max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::symmetric_eigen;
    use ndarray::array;

    #[track_caller]
    fn check(first: ([f64; 2], Array2<f64>), second: ([f64; 2], Array2<f64>), expected: f64) {
        let distance = |a: &([f64; 2], Array2<f64>), b: &([f64; 2], Array2<f64>)| {
            frechet_squared(&a.0, &symmetric_eigen(&a.1).unwrap(), &b.0, &b.1).unwrap()
        };
        for got in [distance(&first, &second), distance(&second, &first)] {
            assert!((got - expected).abs() < 1e-12 * expected.max(1.0), "{got} {expected}");
        }
    }

    #[test]
    fn by_hand() {
        let unit = || array![[1.0, 0.0], [0.0, 1.0]];
        check(([0.0, 0.0], unit()), ([3.0, 4.0], unit()), 25.0);
        // diagonal: Σ(√a − √b)²
        check(([0.0, 1.0], array![[4.0, 0.0], [0.0, 9.0]]), ([0.0, 0.0], unit()), 1.0 + 1.0 + 4.0);
        check(([0.0, 0.0], Array2::zeros((2, 2))), ([0.0, 0.0], unit()), 2.0);
    }

    #[test]
    fn of_matrices_that_do_not_commute() {
        // tr √M = √(tr M + 2√det M) for a 2×2 matrix M of non-negative eigenvalues (Levinger, Mathematics Magazine 53, 1980)
        let (a, b) = (array![[2.0, 1.0], [1.0, 2.0]], array![[2.0, 0.0], [0.0, 0.5]]);
        let root = (5.0f64 + 2.0 * 3.0f64.sqrt()).sqrt();
        check(([0.0, 0.0], a.clone()), ([1.0, 0.0], b), 1.0 + 4.0 + 2.5 - 2.0 * root);
        check(([1.0, 1.0], a.clone()), ([1.0, 1.0], a), 0.0);
    }

    #[test]
    fn shapes_that_do_not_fit() {
        let eigen = symmetric_eigen(&Array2::zeros((2, 2))).unwrap();
        assert_eq!(frechet_squared(&[0.0], &eigen, &[0.0, 0.0], &Array2::zeros((2, 2))), None);
        assert_eq!(frechet_squared(&[0.0, 0.0], &eigen, &[f64::MAX, 0.0], &Array2::zeros((2, 2))), None);
    }
}
