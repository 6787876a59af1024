//! Symmetric matrices.

use ndarray::Array2;

/// Sweeps after which a matrix that has not converged is given up; ordinary ones take fewer than ten.
const MOST_SWEEPS: usize = 60;

/// Eigenvalues and eigenvectors of a symmetric matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Eigen {
    /// Eigenvalues, falling.
    pub values: Vec<f64>,
    /// Row i is the eigenvector of `values[i]`, of length 1, its largest component positive.
    pub vectors: Array2<f64>,
}

/// Eigenvalues and eigenvectors by cyclic Jacobi rotations (C. G. J. Jacobi 1846; Golub, Van Loan, *Matrix Computations*, §8.5): slow beside other methods
/// for large matrices, but short, and exact to rounding for the few hundred dimensions here.
///
/// Only the upper triangle is read. `None` where an element is not finite, the matrix is not square, or it does not converge.
pub fn symmetric_eigen(matrix: &Array2<f64>) -> Option<Eigen> {
    let n = matrix.nrows();
    let mut a = checked(matrix)?;
    let mut v: Vec<f64> = (0..n * n).map(|i| if i % (n + 1) == 0 { 1.0 } else { 0.0 }).collect();
    rotate(&mut a, n, Some(&mut v))?;
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| a[j * n + j].total_cmp(&a[i * n + i]));
    let mut vectors = Array2::zeros((n, n));
    for (row, &i) in order.iter().enumerate() {
        let vector = &v[i * n..(i + 1) * n];
        let largest = vector.iter().copied().reduce(|a, b| if b.abs() > a.abs() { b } else { a }).unwrap_or(1.0);
        vectors.row_mut(row).iter_mut().zip(vector).for_each(|(to, from)| *to = from * largest.signum());
    }
    Some(Eigen { values: order.iter().map(|&i| a[i * n + i]).collect(), vectors })
}

/// Eigenvalues alone, in no order; `None` as for [`symmetric_eigen`].
pub fn symmetric_eigenvalues(matrix: &Array2<f64>) -> Option<Vec<f64>> {
    let n = matrix.nrows();
    let mut a = checked(matrix)?;
    rotate(&mut a, n, None)?;
    Some((0..n).map(|i| a[i * n + i]).collect())
}

/// The matrix by rows, symmetric by its upper triangle.
fn checked(matrix: &Array2<f64>) -> Option<Vec<f64>> {
    let n = matrix.nrows();
    let sound = matrix.ncols() == n && matrix.iter().all(|v| v.is_finite());
    sound.then(|| (0..n * n).map(|at| matrix[[(at / n).min(at % n), (at / n).max(at % n)]]).collect())
}

/// Rotates until nothing is left beside the diagonal; the rows of `v` go with the rows of `a`.
fn rotate(a: &mut [f64], n: usize, mut v: Option<&mut Vec<f64>>) -> Option<()> {
    let scale = a.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    let negligible = scale * f64::EPSILON * 1e-3;
    for _ in 0..MOST_SWEEPS {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                let off = a[p * n + q];
                if off.abs() <= negligible {
                    continue;
                }
                rotated = true;
                let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * off);
                let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
                let c = 1.0 / t.hypot(1.0);
                let s = t * c;
                for k in 0..n {
                    let (x, y) = (a[k * n + p], a[k * n + q]);
                    (a[k * n + p], a[k * n + q]) = (c * x - s * y, s * x + c * y);
                }
                turn_rows(a, n, p, q, c, s);
                (a[p * n + q], a[q * n + p]) = (0.0, 0.0);
                if let Some(v) = v.as_deref_mut() {
                    turn_rows(v, n, p, q, c, s);
                }
            }
        }
        if !rotated {
            return a.iter().all(|x| x.is_finite()).then_some(());
        }
    }
    None
}

/// Turns row p by row q, p < q.
fn turn_rows(a: &mut [f64], n: usize, p: usize, q: usize, c: f64, s: f64) {
    let (head, tail) = a.split_at_mut(q * n);
    for (x, y) in head[p * n..(p + 1) * n].iter_mut().zip(&mut tail[..n]) {
        (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use proptest::prelude::*;

    #[test]
    fn two_by_two() {
        let eigen = symmetric_eigen(&array![[2.0, 1.0], [1.0, 2.0]]).unwrap();
        let half = 0.5f64.sqrt();
        assert!((eigen.values[0] - 3.0).abs() < 1e-14 && (eigen.values[1] - 1.0).abs() < 1e-14);
        assert!((eigen.vectors[[0, 0]] - half).abs() < 1e-14 && (eigen.vectors[[0, 1]] - half).abs() < 1e-14);
    }

    #[test]
    fn what_has_no_answer() {
        assert_eq!(symmetric_eigen(&array![[1.0, f64::NAN], [0.0, 1.0]]), None);
        assert_eq!(symmetric_eigen(&Array2::zeros((2, 3))), None);
        assert_eq!(symmetric_eigen(&Array2::zeros((0, 0))).unwrap().values, [0.0; 0]);
        assert_eq!(symmetric_eigenvalues(&Array2::zeros((3, 3))), Some(vec![0.0; 3]));
    }

    proptest! {
        #[test]
        fn the_parts_make_the_matrix(n in 1usize..9, cells in prop::collection::vec(-1e3f64..1e3, 81)) {
            let matrix = Array2::from_shape_fn((n, n), |(i, j)| cells[i.min(j) * 9 + i.max(j)]);
            let eigen = symmetric_eigen(&matrix).unwrap();
            let back = eigen.vectors.t().dot(&Array2::from_diag(&ndarray::Array1::from(eigen.values.clone()))).dot(&eigen.vectors);
            prop_assert!(matrix.iter().zip(&back).all(|(a, b)| (a - b).abs() < 1e-9));
            let unit = eigen.vectors.dot(&eigen.vectors.t());
            let off = (&unit - &Array2::<f64>::eye(n)).iter().fold(0.0f64, |most, v| most.max(v.abs()));
            prop_assert!(off < 1e-12);
            prop_assert!(eigen.values.is_sorted_by(|a, b| a >= b));
            let mut alone = symmetric_eigenvalues(&matrix).unwrap();
            alone.sort_by(|a, b| b.total_cmp(a));
            prop_assert!(alone.iter().zip(&eigen.values).all(|(a, b)| (a - b).abs() < 1e-9));
        }
    }
}
