//! `[model.costs]`: what answers are worth, by what was true.

use super::raw::Raw;
use super::reader::{Fallback, Section};
use crate::engine::settings::{CostMatrix, Task};
use ::config::{Value, ValueKind};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// What a single answer may be worth.
const WORTH: RangeInclusive<f64> = -1e12..=1e12;

/// The cost matrix of a model; `None` where there is none.
pub(crate) fn costs(section: &Section<'_>, task: Option<Task>, classes: &[String]) -> Option<CostMatrix> {
    match task {
        Some(Task::Binary) => {
            let table = section.table("costs");
            table.is_there().then(|| binary(table))
        }
        Some(Task::Multiclass) => {
            let doc = "multiclass: what an answer is worth by what was true, `{ truth = { answer = -5, truth = 1 } }`; pairs that are not named are \
                       worth 0.";
            section.take("costs", "table of tables", Fallback::Nothing, doc, |raw| by_class(raw, classes), print)
        }
        Some(Task::Regression) | None => {
            let there = section.value("costs").is_some();
            if task.is_some() && there {
                section.refuse("costs", "a regression model has no costs by class: leave it out");
            }
            None
        }
    }
}

fn binary(table: Section<'_>) -> CostMatrix {
    let worth = |key, doc| table.take(key, "number", Fallback::Required, doc, |raw| raw.number(&WORTH), f64::to_string).unwrap_or(0.0);
    let costs = CostMatrix::Binary {
        true_positive: worth("true_positive", "binary: what a positive that was found is worth; negative where it costs."),
        false_positive: worth("false_positive", "A false alarm."),
        true_negative: worth("true_negative", "A negative that was recognised."),
        false_negative: worth("false_negative", "A positive that was missed."),
    };
    table.finish();
    costs
}

/// Tables by truth of numbers by answer.
fn by_class(raw: Raw<'_>, classes: &[String]) -> Result<CostMatrix, String> {
    let table = |value: &Value, of: &str| match &value.kind {
        ValueKind::Table(table) => Ok(table.clone().into_iter().collect::<BTreeMap<String, Value>>()),
        _ => Err(format!("{of}is a table, but {} stands there", Raw(value).found())),
    };
    let known = |class: &str| match classes.is_empty() || classes.iter().any(|known| known == class) {
        true => Ok(Arc::<str>::from(class)),
        false => Err(format!("{class:?} is none of the model's classes")),
    };
    let mut costs = BTreeMap::new();
    for (truth, answers) in table(raw.0, "")? {
        for (answer, worth) in table(&answers, &format!("{truth:?} "))? {
            let worth = Raw(&worth).number(&WORTH).map_err(|message| format!("{truth:?}, {answer:?}: {message}"))?;
            costs.insert((known(&truth)?, known(&answer)?), worth);
        }
    }
    Ok(CostMatrix::Classes(costs))
}

fn print(costs: &CostMatrix) -> String {
    let CostMatrix::Classes(costs) = costs else { return String::new() };
    let pairs: Vec<String> = costs.iter().map(|((truth, answer), worth)| format!("{truth:?}.{answer:?} = {worth}")).collect();
    format!("{{ {} }}", pairs.join(", "))
}
