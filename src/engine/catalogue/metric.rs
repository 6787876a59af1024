//! Every metric by name, and what kind of number it is.

use super::measured::subjects_of;
use serde::{Deserialize, Serialize};

/// What a metric is a statement about; decides on which subjects it is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// The distribution of one column against its baseline.
    Distance,
    /// A share of one column's events.
    Rate,
    /// All inputs together against the reference.
    Inputs,
    /// The stream of events itself.
    Data,
    /// Classes against truth.
    Classes,
    /// Numbers against truth.
    Numbers,
    /// Ranked lists against truth.
    Ranking,
    /// Segments against each other.
    Fairness,
    /// How labels come.
    Arrival,
    /// Latency, throughput, errors.
    Service,
    /// A change detector on a stream of single values.
    Detector,
}

/// The values that a metric can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Range {
    /// 0 to 1.
    Unit,
    /// −1 to 1.
    Correlation,
    /// 0 or more.
    NonNegative,
    /// Any finite number.
    Real,
}

macro_rules! metrics {
    ($(#[doc = $doc:literal] $name:ident => $text:literal, $family:ident, $range:ident;)*) => {
        /// Every metric. The name is the contract: it stands in rules, output, API and metric labels.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Metric { $(#[doc = $doc] $name,)* }

        impl Metric {
            /// Every metric, for tables and suites.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name used in configuration and output.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The metric of that name.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|m| m.as_str() == name)
            }

            /// What it says, in a sentence.
            pub fn help(self) -> &'static str {
                match self { $(Self::$name => $doc.trim_ascii(),)* }
            }

            /// What it is a statement about.
            pub fn family(self) -> Family {
                match self { $(Self::$name => Family::$family,)* }
            }

            /// The values that it can take.
            pub fn range(self) -> Range {
                match self { $(Self::$name => Range::$range,)* }
            }
        }
    };
}

metrics! {
    // distance
    /// Population stability index over bins, Jeffreys-smoothed.
    Psi => "psi", Distance, NonNegative;
    /// Kolmogorov–Smirnov distance sup|F−G| (numeric columns).
    Ks => "ks", Distance, Unit;
    /// Total variation distance ½Σ|p−q| (numeric columns: over bins).
    TotalVariation => "total_variation", Distance, Unit;
    /// Jensen–Shannon distance over bins: the root of the divergence, base 2.
    JensenShannon => "jensen_shannon", Distance, Unit;
    /// Hellinger distance (1/√2)·‖√p−√q‖₂ over bins.
    Hellinger => "hellinger", Distance, Unit;
    /// Kullback–Leibler divergence of the window from the reference over bins, in nats, Jeffreys-smoothed.
    KullbackLeibler => "kl_divergence", Distance, NonNegative;
    /// Largest change of a share, max|p−q| (numeric columns: over bins).
    LInfinity => "l_infinity", Distance, Unit;
    /// Chi-square statistic of homogeneity of two samples over bins, those with few expected values pooled.
    ChiSquare => "chi_square", Distance, NonNegative;
    /// Cramér's V, bias-corrected: the size of what chi-square tests.
    CramersV => "cramers_v", Distance, Unit;
    /// Wasserstein-1 distance ∫|F−G|dx, in the column's unit (numeric columns).
    Wasserstein => "wasserstein", Distance, NonNegative;
    /// Wasserstein-1 distance over the reference's standard deviation (numeric columns).
    WassersteinScaled => "wasserstein_scaled", Distance, NonNegative;
    /// Cramér–von Mises two-sample statistic T (numeric columns).
    CramerVonMises => "cramer_von_mises", Distance, NonNegative;
    /// Anderson–Darling two-sample statistic, standardised (numeric columns).
    AndersonDarling => "anderson_darling", Distance, Real;
    /// Energy distance √(2∫(F−G)²dx), in the root of the column's unit (numeric columns).
    Energy => "energy_distance", Distance, NonNegative;
    /// Change of the mean, in standard deviations of the reference (numeric columns).
    MeanShift => "mean_shift", Distance, NonNegative;
    /// Change of the median, in standard deviations of the reference (numeric columns).
    MedianShift => "median_shift", Distance, NonNegative;
    /// Change of the 95th percentile, in standard deviations of the reference (numeric columns).
    P95Shift => "p95_shift", Distance, NonNegative;
    /// Squared maximum mean discrepancy by random Fourier features (vector columns).
    Mmd => "mmd", Distance, NonNegative;

    // rate
    /// Share of nulls and absent keys (0 to 1).
    MissingRate => "missing_rate", Rate, Unit;
    /// Share of values that could not be used (0 to 1).
    InvalidRate => "invalid_rate", Rate, Unit;
    /// Share of valid values whose category the reference does not have (0 to 1).
    NewCategoryRate => "new_category_rate", Rate, Unit;
    /// Share of valid values outside the reference's least and greatest (numeric columns, 0 to 1).
    OutOfRangeRate => "out_of_range_rate", Rate, Unit;
    /// 1 where all values are equal although the reference's are not, else 0.
    Constant => "constant", Rate, Unit;

    // inputs
    /// Share of features whose distribution has drifted by the rules (0 to 1).
    DriftedShare => "drifted_share", Inputs, Unit;
    /// Root of the mean squared distance of the inputs from the reference's principal components, in standard deviations of the reference.
    PcaError => "pca_reconstruction_error", Inputs, NonNegative;
    /// Squared Fréchet distance of mean and covariance of the inputs, in standard deviations of the reference.
    Frechet => "frechet_distance", Inputs, NonNegative;

    // data
    /// Share of predictions whose id had come before (0 to 1).
    DuplicateRate => "duplicate_rate", Data, Unit;
    /// Number of features of the reference that no event carries any more.
    VanishedFeatures => "vanished_features", Data, NonNegative;
    /// Number of features that the reference does not have.
    NewFeatures => "new_features", Data, NonNegative;
    /// 95th percentile of how far timestamps lie after their arrival, in seconds.
    ClockSkew => "clock_skew_seconds", Data, NonNegative;
    /// Time from the last request to the end of the window, in seconds.
    Silence => "silence_seconds", Data, NonNegative;
    /// Time from the last label to the end of the window, in seconds.
    LabelSilence => "label_silence_seconds", Data, NonNegative;

    // classes
    /// Share of labelled predictions that are right (0 to 1).
    Accuracy => "accuracy", Classes, Unit;
    /// Mean recall over the classes that have labels.
    BalancedAccuracy => "balanced_accuracy", Classes, Unit;
    /// Share of positive predictions that are right; multiclass: mean over the classes that occur.
    Precision => "precision", Classes, Unit;
    /// Share of positives that were found; multiclass: mean over the classes that occur.
    Recall => "recall", Classes, Unit;
    /// Harmonic mean of precision and recall; multiclass: mean over the classes that occur.
    F1 => "f1", Classes, Unit;
    /// Weighted harmonic mean of precision and recall, recall counting `beta` times as much.
    FBeta => "f_beta", Classes, Unit;
    /// Share of negatives that were recognised; multiclass: mean over the classes that occur.
    Specificity => "specificity", Classes, Unit;
    /// Precision over all decisions of all classes (multiclass).
    PrecisionMicro => "precision_micro", Classes, Unit;
    /// Recall over all decisions of all classes (multiclass).
    RecallMicro => "recall_micro", Classes, Unit;
    /// F1 over all decisions of all classes (multiclass).
    F1Micro => "f1_micro", Classes, Unit;
    /// Mean precision of the classes by their number of labels.
    PrecisionWeighted => "precision_weighted", Classes, Unit;
    /// Mean recall of the classes by their number of labels.
    RecallWeighted => "recall_weighted", Classes, Unit;
    /// Mean F1 of the classes by their number of labels.
    F1Weighted => "f1_weighted", Classes, Unit;
    /// Area under the ROC curve, from score cells; multiclass: mean of each class against the rest.
    RocAuc => "roc_auc", Classes, Unit;
    /// Average precision, from score cells; multiclass: mean of each class against the rest.
    PrAuc => "pr_auc", Classes, Unit;
    /// Mean negative logarithm of the score of the true class, in nats.
    LogLoss => "log_loss", Classes, NonNegative;
    /// Mean squared difference of score and truth; multiclass: summed over the classes.
    Brier => "brier_score", Classes, NonNegative;
    /// Mean distance of score and share of positives over ten equal score bins, by their size.
    CalibrationError => "expected_calibration_error", Classes, Unit;
    /// Matthews correlation coefficient.
    Matthews => "matthews_correlation", Classes, Correlation;
    /// Share of predictions that are of the positive class, or of the class.
    SelectionRate => "selection_rate", Classes, Unit;
    /// Mean value of a labelled prediction by the model's cost matrix.
    BusinessValue => "business_value", Classes, Real;

    // numbers
    /// Mean absolute error, in the label's unit.
    Mae => "mae", Numbers, NonNegative;
    /// Root of the mean squared error, in the label's unit.
    Rmse => "rmse", Numbers, NonNegative;
    /// Coefficient of determination.
    R2 => "r2", Numbers, Real;
    /// Mean absolute error over the label's magnitude, labels of 0 left out.
    Mape => "mape", Numbers, NonNegative;
    /// Median absolute error within 1 %, in the label's unit.
    MedianAbsoluteError => "median_absolute_error", Numbers, NonNegative;
    /// Mean of prediction minus label (bias), in the label's unit.
    MeanError => "mean_error", Numbers, Real;

    // ranking
    /// Normalised discounted cumulative gain of the first k of a ranked list.
    Ndcg => "ndcg_at_k", Ranking, Unit;
    /// Share of the first k of a ranked list that is relevant.
    PrecisionAtK => "precision_at_k", Ranking, Unit;
    /// Share of what is relevant that is among the first k of a ranked list.
    RecallAtK => "recall_at_k", Ranking, Unit;
    /// Mean of one over the rank of the first relevant item.
    Mrr => "mrr", Ranking, Unit;

    // fairness
    /// Largest difference of the selection rate between two segments.
    SelectionRateDifference => "selection_rate_difference", Fairness, Unit;
    /// Least selection rate of a segment over the greatest.
    SelectionRateRatio => "selection_rate_ratio", Fairness, Unit;
    /// Largest difference of recall between two segments.
    RecallDifference => "recall_difference", Fairness, Unit;
    /// Least recall of a segment over the greatest.
    RecallRatio => "recall_ratio", Fairness, Unit;
    /// Largest difference of precision between two segments.
    PrecisionDifference => "precision_difference", Fairness, Unit;
    /// Least precision of a segment over the greatest.
    PrecisionRatio => "precision_ratio", Fairness, Unit;
    /// Largest difference between two segments of the share of wrong predictions.
    ErrorDifference => "error_difference", Fairness, Unit;
    /// Least share of wrong predictions of a segment over the greatest.
    ErrorRatio => "error_ratio", Fairness, Unit;

    // arrival
    /// Share of predictions that have a label (0 to 1).
    LabelCoverage => "label_coverage", Arrival, Unit;
    /// Median time from prediction to label, in seconds.
    LabelDelayP50 => "label_delay_p50_seconds", Arrival, NonNegative;
    /// 95th percentile of the time from prediction to label, in seconds.
    LabelDelayP95 => "label_delay_p95_seconds", Arrival, NonNegative;

    // service
    /// Median latency, in milliseconds.
    LatencyP50 => "latency_p50_ms", Service, NonNegative;
    /// 95th percentile of the latency, in milliseconds.
    LatencyP95 => "latency_p95_ms", Service, NonNegative;
    /// 99th percentile of the latency, in milliseconds.
    LatencyP99 => "latency_p99_ms", Service, NonNegative;
    /// Requests per second of the model, all its versions together.
    Throughput => "throughput_rps", Service, NonNegative;
    /// Share of failed requests (0 to 1).
    ErrorRate => "error_rate", Service, Unit;

    // detector
    /// Changes that ADWIN found in the window.
    Adwin => "adwin", Detector, NonNegative;
    /// Changes that the Page–Hinkley test found in the window.
    PageHinkley => "page_hinkley", Detector, NonNegative;
    /// Changes that DDM found in the window.
    Ddm => "ddm", Detector, NonNegative;
    /// Changes that EDDM found in the window.
    Eddm => "eddm", Detector, NonNegative;
    /// Changes that HDDM-A found in the window.
    HddmA => "hddm_a", Detector, NonNegative;
    /// Changes that HDDM-W found in the window.
    HddmW => "hddm_w", Detector, NonNegative;
    /// Changes that KSWIN found in the window.
    Kswin => "kswin", Detector, NonNegative;
    /// Changes that CUSUM found in the window.
    Cusum => "cusum", Detector, NonNegative;

    // further means over classes; at the end, because files of references keep a metric by its place
    /// Mean precision of the classes that occur, each with the same weight.
    PrecisionMacro => "precision_macro", Classes, Unit;
    /// Mean recall of the classes that occur, each with the same weight.
    RecallMacro => "recall_macro", Classes, Unit;
    /// Mean F1 of the classes that occur, each with the same weight.
    F1Macro => "f1_macro", Classes, Unit;
    /// F-beta over all decisions of all classes (multiclass).
    FBetaMicro => "f_beta_micro", Classes, Unit;
    /// Mean F-beta of the classes by their number of labels.
    FBetaWeighted => "f_beta_weighted", Classes, Unit;
    /// Specificity over all decisions of all classes (multiclass).
    SpecificityMicro => "specificity_micro", Classes, Unit;
    /// Mean specificity of the classes by their number of labels.
    SpecificityWeighted => "specificity_weighted", Classes, Unit;
    /// Mean area under the ROC curve of each class against the rest, by its number of labels (multiclass).
    RocAucWeighted => "roc_auc_weighted", Classes, Unit;
    /// Mean average precision of each class against the rest, by its number of labels (multiclass).
    PrAucWeighted => "pr_auc_weighted", Classes, Unit;
}

impl Metric {
    /// Whether it is read from the scores of labelled predictions.
    pub fn needs_scores(self) -> bool {
        use Metric::{Brier, CalibrationError, LogLoss, PrAuc, PrAucWeighted, RocAuc, RocAucWeighted};
        matches!(self, RocAuc | PrAuc | LogLoss | Brier | CalibrationError | RocAucWeighted | PrAucWeighted)
    }

    /// Whether it can be estimated before labels arrive.
    pub fn is_estimated(self) -> bool {
        use Metric::{Accuracy, BalancedAccuracy, F1, Mae, Precision, Recall, Rmse, RocAuc, Specificity};
        matches!(self, Accuracy | BalancedAccuracy | Precision | Recall | F1 | Specificity | RocAuc | Mae | Rmse)
    }
}

/// Every metric as a Markdown table, in the order of `Metric::ALL`.
pub fn markdown_table() -> String {
    let mut text = String::from("| metric | measured on | says |\n|---|---|---|\n");
    for &metric in Metric::ALL {
        let usual = if MetricSet::usual().contains(metric) { " (always measured)" } else { "" };
        let subjects = subjects_of(metric);
        let help = metric.help().replace('|', "\\|");
        text.push_str(&format!("| `{}`{usual} | {subjects} | {help} |\n", metric.as_str()));
    }
    text
}

/// A set of metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MetricSet(u128);

impl MetricSet {
    /// What is measured without being asked for: cheap, and what the documented thresholds are about.
    pub fn usual() -> Self {
        USUAL.iter().copied().collect()
    }

    /// Every metric.
    pub fn all() -> Self {
        Metric::ALL.iter().copied().collect()
    }

    /// Whether `metric` is in it.
    pub fn contains(self, metric: Metric) -> bool {
        self.0 & (1 << metric as u32) != 0
    }

    /// Adds `metric`.
    pub fn insert(&mut self, metric: Metric) {
        self.0 |= 1 << metric as u32;
    }

    /// The metrics in it, in the order of [`Metric::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Metric> {
        Metric::ALL.iter().copied().filter(move |&metric| self.contains(metric))
    }
}

impl FromIterator<Metric> for MetricSet {
    fn from_iter<I: IntoIterator<Item = Metric>>(metrics: I) -> Self {
        let mut set = Self::default();
        metrics.into_iter().for_each(|metric| set.insert(metric));
        set
    }
}

const _: () = assert!(Metric::ALL.len() <= 128, "a metric set has 128 places");

const USUAL: &[Metric] = &[
    Metric::Psi,
    Metric::Ks,
    Metric::TotalVariation,
    Metric::MissingRate,
    Metric::InvalidRate,
    Metric::NewCategoryRate,
    Metric::Accuracy,
    Metric::Precision,
    Metric::Recall,
    Metric::F1,
    Metric::Mae,
    Metric::Rmse,
    Metric::R2,
    Metric::LabelCoverage,
    Metric::LabelDelayP50,
    Metric::LabelDelayP95,
    Metric::LatencyP50,
    Metric::LatencyP95,
    Metric::LatencyP99,
    Metric::Throughput,
    Metric::ErrorRate,
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    #[test]
    fn names_are_plain_and_distinct() {
        for (place, metric) in Metric::ALL.iter().enumerate() {
            let name = metric.as_str();
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{name}");
            assert_eq!((Metric::parse(name), *metric as usize), (Some(*metric), place));
            assert!(metric.help().ends_with('.'), "{name}");
        }
        assert_eq!(MetricSet::all().iter().count(), Metric::ALL.len());
    }

    /// `DRIFTD_BLESS=1` writes the table of the page anew.
    #[test]
    fn the_page_has_the_table() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/STATISTICS.md");
        let page = fs::read_to_string(&path).unwrap();
        let (head, rest) = page.split_once("<!-- every metric -->\n").unwrap();
        let (table, tail) = rest.split_once("<!-- end of every metric -->").unwrap();
        if std::env::var_os("DRIFTD_BLESS").is_some() {
            let page = format!("{head}<!-- every metric -->\n{}<!-- end of every metric -->{tail}", markdown_table());
            fs::write(&path, page).unwrap();
        } else {
            assert_eq!(table, markdown_table(), "DRIFTD_BLESS=1 cargo test --lib catalogue");
        }
    }
}
