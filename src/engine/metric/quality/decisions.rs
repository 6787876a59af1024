//! What is read from the confusion matrix.

use super::super::{ConfusionTable, Context, Metric, Subject};
use super::Figure;
use crate::engine::catalogue::Family;
use crate::engine::settings::{CostMatrix, Task};
use crate::engine::summary::Confusion;
use crate::event::{Scalar, class_place};
use crate::stats::{self, ClassCounts, NoValue, interval};
use ndarray::{Array2, ArrayView2};
use std::sync::Arc;

/// Classes up to which a matrix is told: 20 make 400 counts.
const MOST_SHOWN: usize = 20;

/// Figures of a classifier as a whole, in the order of [`Metric::ALL`].
pub(super) fn metrics(task: Task) -> Vec<Metric> {
    let fits = |metric: &Metric| metric.family() == Family::Classes && Subject::Quality.has(*metric, task, None);
    Metric::ALL.iter().copied().filter(fits).collect()
}

/// What precision, recall and their like are about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scope<'a> {
    /// All classes that occur, each with the same weight.
    All,
    /// One class against the rest; `None`: the positive class of a label map that does not have it, so nothing is of it.
    Class(Option<&'a str>),
}

/// The classes of decisions that were made anew from scores.
const TWO: [&str; 2] = ["0", "1"];

impl<'a> Scope<'a> {
    /// The second class of [`Decisions::of_two`].
    pub(super) const SECOND: Scope<'static> = Scope::Class(Some(TWO[1]));

    /// The positive class of a binary model.
    pub(super) fn positive(ctx: &Context<'a>) -> Self {
        Self::Class(ctx.positive.and_then(|place| ctx.classes.get(place)).map(|name| &**name))
    }
}

/// Prediction against truth, dense. Window and reference may order their classes differently, so a class is found by name.
#[derive(Debug)]
pub(super) struct Decisions<'a> {
    matrix: Array2<u64>,
    classes: Vec<&'a str>,
    beta: f64,
    /// What each pair is worth, where that was said.
    values: Option<Array2<f64>>,
}

impl<'a> Decisions<'a> {
    pub(super) fn new(confusion: &Confusion, classes: &'a [Arc<str>], ctx: &Context<'_>) -> Self {
        let classes: Vec<&str> = classes.iter().map(|class| &**class).collect();
        let positive = ctx.positive.and_then(|place| ctx.classes.get(place));
        let positive = positive.and_then(|name| classes.iter().position(|class| **class == **name));
        Self { matrix: confusion.matrix(classes.len()), beta: ctx.beta, values: values(ctx.costs, &classes, positive), classes }
    }

    /// The positive class against the rest, as other decisions would have had it.
    pub(super) fn of_two(counts: ClassCounts, ctx: &Context<'_>) -> Self {
        Self { matrix: counts.matrix(), classes: TWO.to_vec(), beta: ctx.beta, values: values(ctx.costs, &TWO, Some(1)) }
    }

    /// The counts themselves, as far as a person can read them: of up to [`MOST_SHOWN`] classes; `None` also without any pair.
    pub(super) fn table(&self) -> Option<ConfusionTable> {
        if self.classes.len() > MOST_SHOWN || self.matrix.sum() == 0 {
            return None;
        }
        let counts = self.matrix.rows().into_iter().map(|row| row.to_vec()).collect();
        Some(ConfusionTable { classes: self.classes.iter().map(|&class| class.into()).collect(), counts })
    }

    /// One figure; `Empty` for one that is not read from decisions.
    pub(super) fn figure(&self, metric: Metric, scope: Scope<'_>) -> Figure {
        let n = self.matrix.sum();
        if n == 0 {
            return Figure::exact(Err(NoValue::Empty), 0);
        }
        let place = match scope {
            Scope::All => None,
            // beyond the matrix where the class is not in it: then nothing is of it
            Scope::Class(name) => {
                Some(name.and_then(|name| self.classes.iter().position(|class| *class == name)).unwrap_or(self.classes.len()))
            }
        };
        // what is about one class hangs on four counts, however many classes there are
        let of_class = place.filter(|_| is_of_class(metric)).map(|place| ClassCounts::of(self.matrix.view(), place).matrix());
        let (matrix, place) = match &of_class {
            Some(matrix) => (matrix.view(), Some(1)),
            None => (self.matrix.view(), None),
        };
        let read = |matrix: ArrayView2<'_, u64>| self.read(metric, place, matrix);
        let value = read(matrix);
        let share = proportion(metric, place, matrix);
        let interval = match (value, share) {
            (Err(_), _) => None,
            (_, Some((part, whole))) => interval::wilson(part, whole),
            _ => interval::jackknife(matrix, read),
        };
        Figure::exact(value, n).within(interval).about(share.map_or(n, |(_, whole)| whole))
    }

    /// One figure of a matrix over these classes.
    fn read(&self, metric: Metric, place: Option<usize>, matrix: ArrayView2<'_, u64>) -> Result<f64, NoValue> {
        let beta = self.beta;
        let f_beta = move |counts: ClassCounts| counts.f_beta(beta);
        let pooled = || ClassCounts::pooled(matrix);
        // of one class, or the mean over those that occur
        let each = |figure: &dyn Fn(ClassCounts) -> Result<f64, NoValue>| match place {
            Some(place) => figure(ClassCounts::of(matrix, place)),
            None => stats::macro_mean(matrix, figure),
        };
        match metric {
            Metric::Accuracy => stats::accuracy(matrix),
            Metric::BalancedAccuracy => stats::balanced_accuracy(matrix),
            Metric::Precision => each(&ClassCounts::precision),
            Metric::Recall => each(&ClassCounts::recall),
            Metric::F1 => each(&ClassCounts::f1),
            Metric::FBeta => each(&f_beta),
            Metric::Specificity => each(&ClassCounts::specificity),
            Metric::SelectionRate => each(&ClassCounts::selection_rate),
            Metric::PrecisionMacro => stats::macro_mean(matrix, ClassCounts::precision),
            Metric::RecallMacro => stats::macro_mean(matrix, ClassCounts::recall),
            Metric::F1Macro => stats::macro_mean(matrix, ClassCounts::f1),
            Metric::PrecisionMicro => pooled().precision(),
            Metric::RecallMicro => pooled().recall(),
            Metric::F1Micro => pooled().f1(),
            Metric::FBetaMicro => pooled().f_beta(beta),
            Metric::SpecificityMicro => pooled().specificity(),
            Metric::PrecisionWeighted => stats::weighted_mean(matrix, ClassCounts::precision),
            Metric::RecallWeighted => stats::weighted_mean(matrix, ClassCounts::recall),
            Metric::F1Weighted => stats::weighted_mean(matrix, ClassCounts::f1),
            Metric::FBetaWeighted => stats::weighted_mean(matrix, f_beta),
            Metric::SpecificityWeighted => stats::weighted_mean(matrix, ClassCounts::specificity),
            Metric::Matthews => stats::matthews(matrix),
            Metric::BusinessValue => match &self.values {
                Some(values) => stats::mean_value(matrix, values.view()),
                None => Err(NoValue::Empty),
            },
            _ => Err(NoValue::Empty),
        }
    }
}

/// Whether a figure of one class hangs on that class alone.
fn is_of_class(metric: Metric) -> bool {
    use Metric::{F1, FBeta, Matthews, Precision, Recall, SelectionRate, Specificity};
    matches!(metric, Precision | Recall | F1 | FBeta | Specificity | SelectionRate | Matthews)
}

/// Part and whole of a figure that is a plain share.
fn proportion(metric: Metric, place: Option<usize>, matrix: ArrayView2<'_, u64>) -> Option<(u64, u64)> {
    use Metric::{Accuracy, F1Micro, FBetaMicro, PrecisionMicro, RecallMicro, RecallWeighted};
    if matches!(metric, Accuracy | PrecisionMicro | RecallMicro | F1Micro | FBetaMicro | RecallWeighted) {
        return Some((matrix.diag().sum(), matrix.sum()));
    }
    let counts = ClassCounts::of(matrix, place?);
    let ClassCounts { true_positive, false_positive, false_negative, true_negative } = counts;
    match metric {
        Metric::Precision => Some((true_positive, true_positive + false_positive)),
        Metric::Recall => Some((true_positive, true_positive + false_negative)),
        Metric::Specificity => Some((true_negative, true_negative + false_positive)),
        Metric::SelectionRate => Some((true_positive + false_positive, counts.total())),
        _ => None,
    }
}

/// What each pair of label and prediction is worth.
fn values(costs: Option<&CostMatrix>, classes: &[&str], positive: Option<usize>) -> Option<Array2<f64>> {
    let shape = (classes.len(), classes.len());
    Some(match costs? {
        &CostMatrix::Binary { true_positive, false_positive, true_negative, false_negative } => {
            let is_positive = |class| positive == Some(class);
            Array2::from_shape_fn(shape, |(truth, answer)| match (is_positive(truth), is_positive(answer)) {
                (true, true) => true_positive,
                (false, true) => false_positive,
                (false, false) => true_negative,
                (true, false) => false_negative,
            })
        }
        CostMatrix::Classes(costs) => {
            let place = |class: &str| class_place(classes, &Scalar::Text(class.into()));
            let mut values = Array2::zeros(shape);
            for ((truth, answer), &worth) in costs {
                if let (Some(truth), Some(answer)) = (place(truth), place(answer)) {
                    values[[truth, answer]] = worth;
                }
            }
            values
        }
    })
}
