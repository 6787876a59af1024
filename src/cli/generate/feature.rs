//! The inputs of the generated model: how each is drawn and what it says.
//!
//! A numeric input is a function of a latent standard normal, so that a shift by so many standard deviations means the same for each of them,
//! whatever its distribution looks like from outside.

use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// Every input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// Amount of the payment in euros: log-normal, whole cents.
    Amount,
    /// Age of the payer in years: near normal, whole.
    Age,
    /// Days since the account was opened: log-normal, whole.
    AccountDays,
    /// Payments of the account in the last hour: a skewed count.
    Velocity,
    /// Kilometres from the last payment: heavy-tailed, some missing.
    DistanceKm,
    /// Local hour of the payer, 0 to 23: peaks after noon.
    Hour,
    /// Country of the card.
    Country,
    /// Device of the payer.
    Device,
    /// Channel of the payment.
    Channel,
}

/// Number of numeric inputs; they come first in `Feature::ALL`.
pub(super) const N_NUMERIC: usize = 6;
/// Number of categorical inputs.
pub(super) const N_CATEGORICAL: usize = 3;
/// Number of inputs.
pub(super) const N_FEATURES: usize = N_NUMERIC + N_CATEGORICAL;

/// A category, its share of the traffic, and what it adds to the risk (in standard deviations of all countries, devices, channels).
type Category = (&'static str, f64, f64);

const COUNTRIES: &[Category] =
    &[("DE", 0.34, -0.7), ("FR", 0.20, -0.2), ("NL", 0.14, 0.1), ("PL", 0.12, 1.3), ("ES", 0.11, 0.4), ("IT", 0.09, 0.8)];
const DEVICES: &[Category] = &[("android", 0.42, 0.4), ("ios", 0.38, -1.2), ("web", 0.20, 1.4)];
const CHANNELS: &[Category] = &[("app", 0.55, -0.7), ("web", 0.30, 1.3), ("pos", 0.15, -0.1)];

impl Feature {
    /// Every input, in the order in which events carry them, numeric ones first.
    pub const ALL: [Self; N_FEATURES] = [
        Self::Amount,
        Self::Age,
        Self::AccountDays,
        Self::Velocity,
        Self::DistanceKm,
        Self::Hour,
        Self::Country,
        Self::Device,
        Self::Channel,
    ];

    /// The name that events carry.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Amount => "amount",
            Self::Age => "age",
            Self::AccountDays => "account_days",
            Self::Velocity => "velocity",
            Self::DistanceKm => "distance_km",
            Self::Hour => "hour",
            Self::Country => "country",
            Self::Device => "device",
            Self::Channel => "channel",
        }
    }

    /// Whether it is a number.
    pub fn is_numeric(self) -> bool {
        self.index() < N_NUMERIC
    }

    /// Whether its numbers are whole.
    pub(super) fn is_whole(self) -> bool {
        matches!(self, Self::Age | Self::AccountDays | Self::Velocity | Self::Hour)
    }

    /// Share of the healthy traffic in which it is missing.
    pub(super) fn missing_share(self) -> f64 {
        if self == Self::DistanceKm { 0.02 } else { 0.0 }
    }

    pub(super) fn index(self) -> usize {
        self as usize
    }

    /// The value that belongs to the latent standard normal `u`. For numeric inputs.
    pub(super) fn value(self, u: f64) -> f64 {
        match self {
            Self::Amount => ((3.6 + 0.9 * u).exp() * 100.0).round().clamp(1.0, 1e9) / 100.0,
            Self::Age => (44.0 + 13.0 * u).round().clamp(18.0, 95.0),
            Self::AccountDays => (5.6 + u).exp().floor().clamp(0.0, 7300.0),
            Self::Velocity => (1.2 + 0.8 * u).exp().floor().clamp(0.0, 1000.0),
            Self::DistanceKm => ((2.5 + 1.5 * u).exp() * 10.0).round().clamp(0.0, 200_000.0) / 10.0,
            Self::Hour => (13.5 + 4.8 * u).floor().rem_euclid(24.0),
            Self::Country | Self::Device | Self::Channel => 0.0,
        }
    }

    /// What a value says: near mean 0 and deviation 1 in healthy traffic. For numeric inputs.
    pub(super) fn signal(self, value: f64) -> f64 {
        match self {
            Self::Amount => (value.ln() - 3.6) / 0.9,
            Self::Age => (value - 44.0) / 13.0,
            Self::AccountDays => (value + 0.5).ln() - 5.6,
            Self::Velocity => ((value + 0.5).ln() - 1.2) / 0.8,
            Self::DistanceKm => ((value + 0.05).ln() - 2.5) / 1.5,
            // largest at two in the night
            Self::Hour => 1.6 * ((TAU * (value - 2.0) / 24.0).cos() + 0.43),
            Self::Country | Self::Device | Self::Channel => 0.0,
        }
    }

    /// The category at place `share` (0 to 1) of the cumulated shares. For categorical inputs.
    pub(super) fn category(self, share: f64) -> &'static str {
        let mut rest = share;
        for &(name, part, _) in self.categories() {
            if rest < part {
                return name;
            }
            rest -= part;
        }
        self.categories().first().map_or("", |c| c.0)
    }

    /// What a category says; an unknown one says nothing. For categorical inputs.
    pub(super) fn category_signal(self, category: &str) -> f64 {
        self.categories().iter().find(|c| c.0 == category).map_or(0.0, |c| c.2)
    }

    fn categories(self) -> &'static [Category] {
        match self {
            Self::Country => COUNTRIES,
            Self::Device => DEVICES,
            Self::Channel => CHANNELS,
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_names_agree_with_serde() {
        for (i, feature) in Feature::ALL.into_iter().enumerate() {
            assert_eq!(feature.index(), i);
            assert_eq!(serde_json::to_value(feature).unwrap(), feature.as_str());
            assert_eq!(feature.is_numeric(), feature.categories().is_empty());
        }
    }

    #[test]
    fn shares_of_categories_add_up_and_signals_are_centred() {
        for feature in &Feature::ALL[N_NUMERIC..] {
            let total: f64 = feature.categories().iter().map(|c| c.1).sum();
            let mean: f64 = feature.categories().iter().map(|c| c.1 * c.2).sum();
            assert!((total - 1.0).abs() < 1e-12, "{feature:?} {total}");
            assert!(mean.abs() < 0.1, "{feature:?} {mean}");
        }
        assert_eq!(Feature::Country.category(0.0), "DE");
        assert_eq!(Feature::Country.category(0.9999), "IT");
    }
}
