//! Principal components and what they leave over.

use ndarray::{Array2, ArrayView2};

/// How many principal components carry more than `share` of the variance (scikit-learn's `PCA(n_components=share)`); `values`: the eigenvalues of the
/// covariance, falling. At least 1 where there is one.
pub fn components_for(values: &[f64], share: f64) -> usize {
    let total: f64 = values.iter().map(|v| v.max(0.0)).sum();
    let mut sum = 0.0;
    let beyond = values.iter().position(|v| {
        sum += v.max(0.0);
        sum > share * total
    });
    beyond.map_or(values.len().min(1), |place| place + 1)
}

/// For each dimension the mean squared part of a sample that lies outside the space of the components: the diagonal of (I−P)S(I−P), whose sum is
/// tr((I−P)S), the mean squared distance of a point from its reconstruction (I. T. Jolliffe, *Principal Component Analysis*, 2002, §3.2).
///
/// `second`: the sample's second moment about the centre of the components. `components`: one a row, orthonormal. `None` where the shapes do not fit
/// or a figure is not finite.
pub fn residuals(second: &Array2<f64>, components: ArrayView2<'_, f64>) -> Option<Vec<f64>> {
    let d = second.nrows();
    if second.ncols() != d || components.ncols() != d {
        return None;
    }
    // (I−P)S, then its part outside the space on the other side
    let left = second - &components.t().dot(&components.dot(second));
    let inside = left.dot(&components.t());
    let residual = |j: usize| left[[j, j]] - inside.row(j).dot(&components.column(j));
    let residuals: Vec<f64> = (0..d).map(|j| residual(j).max(0.0)).collect();
    residuals.iter().all(|r| r.is_finite()).then_some(residuals)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::symmetric_eigen;
    use ndarray::{Array1, array};
    use proptest::prelude::*;

    #[test]
    fn components_of_a_share() {
        // numpy: searchsorted(cumsum(ratio), 0.65, side="right") + 1
        for (values, kept) in [
            (&[3.0, 1.0][..], 1),
            (&[1.0, 1.0, 1.0, 1.0], 3),
            (&[65.0, 35.0], 2),
            (&[66.0, 34.0], 1),
            (&[0.0, 0.0], 1),
            (&[2.0, -1e-18], 1),
            (&[], 0),
        ] {
            assert_eq!(components_for(values, 0.65), kept, "{values:?}");
        }
    }

    #[test]
    fn one_component() {
        let second = array![[4.0, 0.0], [0.0, 9.0]];
        assert_eq!(residuals(&second, array![[0.0, 1.0]].view()), Some(vec![4.0, 0.0]));
        assert_eq!(residuals(&second, array![[0.0, 1.0, 0.0]].view()), None);
    }

    proptest! {
        #[test]
        fn as_point_by_point(rows in prop::collection::vec(prop::array::uniform4(-10.0f64..10.0), 2..40), kept in 1usize..4) {
            let n = rows.len() as f64;
            let points: Vec<Array1<f64>> = rows.iter().map(|row| Array1::from(row.to_vec())).collect();
            let second = Array2::from_shape_fn((4, 4), |(i, j)| points.iter().map(|p| p[i] * p[j]).sum::<f64>() / n);
            let eigen = symmetric_eigen(&second).unwrap();
            let components = eigen.vectors.slice_axis(ndarray::Axis(0), ndarray::Slice::from(..kept));
            let squared = |p: &Array1<f64>| (p - &components.t().dot(&components.dot(p))).mapv(|v| v * v).sum();
            let expected = points.iter().map(squared).sum::<f64>() / n;
            let got: f64 = residuals(&second, components).unwrap().iter().sum();
            prop_assert!((got - expected).abs() < 1e-9, "{got} {expected}");
        }
    }
}
