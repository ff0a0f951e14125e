use std::sync::Arc;

use clap::Parser;

use super::*;
use crate::base::{Kind, VisitId};
use crate::eval::{Behind, Label};
use crate::facts;
use crate::shop::{Shop, ShopDraft};
use crate::truth::{Purchase, Truth};

/// Makes trips that nobody bought anything in; at level `room` the receipt is missing.
struct Empty;

impl Runner for Empty {
    fn scenarios(&self) -> Vec<(String, bool)> {
        vec![("one".to_owned(), true), ("two".to_owned(), true), ("day".to_owned(), false)]
    }

    fn run_path(&self, _: &Path) -> Result<Trip> {
        Err(Error::input("this recording does not know its truth"))
    }

    fn run_scenario(&self, job: &Job) -> Result<Trip> {
        let visit: VisitId = job.seed.to_string().parse().unwrap();
        let receipt = eval_receipt(visit);
        Ok(Trip {
            label: Label {
                group: job.scenario.clone(),
                level: Some(job.level.to_owned()),
                name: format!("seed {}", job.seed),
                replay: String::new(),
            },
            shop: Arc::new(Shop::check(ShopDraft { name: "empty".to_owned(), ..ShopDraft::default() }).unwrap()),
            truth: Truth { receipts: vec![Purchase { target_id: visit, products: Vec::new() }], ..Truth::default() },
            receipts: if job.level == "room" { Vec::new() } else { vec![receipt] },
            behind: Behind::default(),
            receipt_delays: Vec::new(),
            identity: None,
        })
    }
}

fn eval_receipt(visit: VisitId) -> facts::Receipt {
    serde_json::from_value(serde_json::json!({
        "visit": visit, "entered": 0, "left": 0, "closing": "left", "lines": [], "total": null, "probability": 1.0
    }))
    .unwrap()
}

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    eval: Eval,
}

fn parse(line: &str) -> std::result::Result<Eval, clap::Error> {
    Line::try_parse_from(std::iter::once("eval").chain(line.split_whitespace())).map(|line| line.eval)
}

#[test]
fn arguments_are_checked() {
    for wrong in [
        "",
        "--seeds 5",
        "--scenarios all --seeds 0",
        "x --min-f1 1.5",
        "x --min-exact nan",
        "x --level room",
        "x --without-zones",
        "x --review-cost -1",
    ] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
    let right = parse("--scenarios one,two --seeds 3 --level both --threads 1 --min-f1 0.5").unwrap();
    assert_eq!(right.work(&Empty.scenarios()).unwrap().len(), 2 * 2 * 3);
}

#[test]
fn an_unknown_scenario_is_refused_with_the_known_ones() {
    let error = parse("--scenarios one,three").unwrap().judge(&Empty).unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    assert!(error.to_string().contains("write `all` or some of: one, two"), "{error}");
}

#[test]
fn scores_below_what_was_asked_fail_with_status_one() {
    let eval = parse("--scenarios all --seeds 2 --level both --threads 2 --min-f1 0.6 --min-exact 0.5").unwrap();
    let summary = eval.judge(&Empty).unwrap();
    assert_eq!(summary.overall.cases, 8);
    let error = eval.check(&summary).unwrap_err();
    assert_eq!((error.kind(), error.exit_status()), (Kind::Unmet, 1));
    assert_eq!(error.message(), "mean F1 is 0.5000, asked for at least 0.6");
}

#[test]
fn a_path_that_fails_is_named() {
    let error = parse("no-truth.mcap").unwrap().judge(&Empty).unwrap_err();
    assert!(error.to_string().starts_with("no-truth.mcap: this recording"), "{error}");
}

#[test]
fn the_curve_is_priced_as_asked() {
    let summary = |line: &str| parse(line).unwrap().judge(&Empty).unwrap();
    for (line, cost) in [("--scenarios all", 0.1), ("--scenarios all --frontier --review-cost 0.25", 0.25)] {
        assert_eq!(summary(line).frontier.review_cost, cost, "{line}");
    }
    let text = summary("--scenarios all --level both").frontier.to_text();
    assert!(text.contains("marked  0.0 % of receipts (0/10)"), "{text}");
}
