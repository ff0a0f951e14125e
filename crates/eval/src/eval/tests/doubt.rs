//! Reasons for doubt by kind, and the curve of what a bar for review buys.

use std::collections::BTreeSet;

use super::*;
use crate::facts::{Attribution, ClockEstimate, FactRef};

/// A case of receipts, one a line: probability, whether it is right, and the mark if there is one.
fn case_of(lines: &str, bar: f64) -> CaseScore {
    let (mut bought, mut written) = (Vec::new(), Vec::new());
    for (index, line) in lines.trim().lines().enumerate() {
        let mut words = line.trim().splitn(3, ' ');
        let (probability, right) = (words.next().unwrap().parse().unwrap(), words.next().unwrap() == "right");
        bought.push(format!("{index}: {}", if right { "tea" } else { "salt" }));
        let mut one = receipts(&format!("{index}: tea"), probability);
        one[0].interrupted = words.next().map(str::to_owned);
        written.extend(one);
    }
    score_case(&truth(&bought.join(";")), &written, &prices(), Prob::new(bar))
}

const DAY: &str = "
    0.99 right
    0.99 right
    0.98 right
    0.97 wrong
    0.94 right
    0.91 right
    0.72 wrong
    0.4 right the tracker's number 7 was 4.0 m away 1.2 s later
    0.9 wrong plate 3 went down by 12.0 g at 5, and no product there weighs that; was not seen leaving, and a plate changed afterwards";

fn day(bar: f64) -> Summary {
    Summary::of(vec![case("day", Some("room"), "seed 1", case_of(DAY, bar))], 1)
}

#[test]
fn the_curve_reads_like_this() {
    let text = day(0.9).frontier.to_text();
    let expected = "\n\
review against receipts that are wrong without a mark, by the bar:

     bar   review             95 %    unmarked      95 %  exact of the rest        95 %    cost
       0   22.2 %  2/9    6.3-54.7  22.2 % 2/9  6.3-54.7         71.4 % 5/7   35.9-91.8  0.2444
    0.75   33.3 %  3/9   12.1-64.6  11.1 % 1/9  2.0-43.5         83.3 % 5/6   43.6-97.0  0.1444
*    0.9   33.3 %  3/9   12.1-64.6  11.1 % 1/9  2.0-43.5         83.3 % 5/6   43.6-97.0  0.1444
    0.92   44.4 %  4/9   18.9-73.3  11.1 % 1/9  2.0-43.5         80.0 % 4/5   37.6-96.4  0.1556
    0.95   55.6 %  5/9   26.7-81.1  11.1 % 1/9  2.0-43.5         75.0 % 3/4   30.1-95.4  0.1667
    0.98   66.7 %  6/9   35.4-87.9   0.0 % 0/9  0.0-29.9        100.0 % 3/3  43.8-100.0  0.0667
    0.99   77.8 %  7/9   45.3-93.7   0.0 % 0/9  0.0-29.9        100.0 % 2/2  34.2-100.0  0.0778
   0.995  100.0 %  9/9  70.1-100.0   0.0 % 0/9  0.0-29.9              - 0/0           -  0.1000

bar     policy.review_probability_min of the shop's file; * is what it says, 0.9
marked  22.2 % of receipts (2/9) are for review at every bar, whatever their probability
cost    of a receipt, in wrong receipts, where a look costs 0.1 of one (--review-cost)
cheapest: review_probability_min = 0.98, 66.7 % for review, 0.0 % wrong without a mark; the shop's costs 2.17 times as much
";
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn the_cheapest_bar_follows_the_cost_of_a_look() {
    for (cost, bar) in [(0.0, 0.98), (0.1, 0.98), (0.5, 0.75), (2.0, 0.0)] {
        let cheapest = day(0.9).with_review_cost(cost).frontier.cheapest_bar;
        assert_eq!(cheapest, Some(Prob::new(bar)), "a look costs {cost}");
    }
    assert_eq!(Summary::of(Vec::new(), 1).frontier.cheapest_bar, None);
}

#[test]
fn a_bar_that_is_not_tried_otherwise_stands_in_the_curve_and_several_do_not() {
    let odd = day(0.915).frontier;
    assert!(odd.points.iter().any(|point| point.bar == Prob::new(0.915)), "{odd:?}");
    let both = [0.915, 0.9].map(|bar| case("day", None, "trip", case_of(DAY, bar)));
    let both = Summary::of(both.to_vec(), 1);
    assert_eq!(both.frontier.own_bar, None);
    assert!(both.frontier.to_text().contains("which says something else in each case"));
    assert_eq!(both.frontier.points.len(), day(0.0).frontier.points.len());
}

#[test]
fn what_a_bar_does_is_what_the_shop_would_do_with_it() {
    for bar in review::BARS {
        let summary = day(bar);
        let point = summary.frontier.points.iter().find(|point| point.bar == Prob::new(bar)).unwrap();
        let all = &summary.overall;
        assert_eq!((point.review, point.wrong_unreviewed), (all.review, all.wrong_unreviewed), "{bar}");
    }
}

#[test]
fn doubts_are_told_apart_by_what_they_say() {
    let text = day(0.9).to_text();
    let table = &text[text.find("scenario  doubt").unwrap()..text.find("\n\nwrong cases").unwrap()];
    let expected = "\
scenario  doubt       receipts  stated   right              95 %  review  unmarked
all       weight             1  90.0 %   0.0 %  0/1  0.000-0.793       1         0
all       identity           2  65.0 %  50.0 %  1/2  0.095-0.905       2         0
all       none               7  92.9 %  71.4 %  5/7  0.359-0.918       1         1
all       marked             2  65.0 %  50.0 %  1/2  0.095-0.905       2         0
all       not marked         7  92.9 %  71.4 %  5/7  0.359-0.918       1         1
all       all                9  86.7 %  66.7 %  6/9  0.354-0.879       3         1";
    assert_eq!(table, expected, "\n{text}");
}

#[test]
fn each_sentence_has_a_kind() {
    use DoubtKind::{Hands, Identity, Interruption, Other, Revised, Weight};
    for (mark, kinds) in [
        ("plate 3 went down by 12.0 g at 5, which fits tea (300 g) badly", vec![Weight]),
        ("plate 3 went up by 2.0 g at 5, more than noise and less than a product", vec![Weight]),
        ("plate 3 went down by 300.0 g at 5, as by tea, and nobody was seen there", vec![Hands]),
        ("plate 3 went down by 300.0 g at 5, with the hand at plate 4", vec![Hands]),
        ("may have been taken for somebody else who was lost at the same time, at 5", vec![Identity]),
        ("whoever goes on under the tracker's number 7 looks different", vec![Identity]),
        ("goods were moved on shelf 1 while aisle was stopped", vec![Interruption]),
        ("up to 12 % of the samples of shelf 1, 2 are missing", vec![Interruption]),
        ("plate 3 says nothing, and a hand was on it; 8 % of the input around the stay was lost", vec![Interruption]),
        (
            "the shopper came back after the receipt was made; not seen again after aisle was stopped",
            vec![Interruption, Revised],
        ),
        ("the moon was full", vec![Other]),
    ] {
        let score = case_of(&format!("0.9 right {mark}"), 0.9);
        let expected: BTreeSet<DoubtKind> = kinds.into_iter().collect();
        assert_eq!(score.receipts[0].doubts, expected, "{mark}");
    }
}

#[test]
fn evidence_is_a_reason_without_a_mark_too() {
    use DoubtKind::{Clock, Hands, Weight};
    let own = |share: f64| json!([{ "visit": "1", "wrist_metres": 0.1, "share": share }]);
    let unseen = json!([{ "visit": "1", "wrist_metres": null, "share": 1.0 }]);
    for (measured, takers, clock_millis, kinds) in [
        (-301.0, own(0.99), 40, vec![]),
        (-330.0, own(0.99), 40, vec![Weight]),
        (-301.0, own(0.6), 40, vec![Hands]),
        (-301.0, unseen, 40, vec![Hands]),
        (-301.0, json!([]), 40, vec![Hands]),
        (-330.0, own(0.6), 180, vec![Weight, Hands, Clock]),
    ] {
        let fact = FactRef { source: crate::base::SourceId::new("fusion"), sequence: 3 };
        let attribution: Attribution = serde_json::from_value(json!({
            "visit": "1", "movement": "take", "sku": "tea", "quantity": 1,
            "evidence": {
                "event": fact, "shelf": "1-1", "plates": [], "span": { "start": 0, "end": 1 }, "takers": takers,
                "weight": { "measured": measured, "sigma": 2.0, "expected": -300.0, "learned": false },
                "misplaced": false, "probability": 0.9
            }
        }))
        .unwrap();
        let sigma = Span::from_millis(clock_millis);
        let clock = Some(ClockEstimate { offset: Span::ZERO, sigma, events: 9 });
        let mut written = receipts("1: tea; 2: tea", 0.95);
        written[0].lines[0].attributions = vec![fact.clone()];
        let behind = Behind { attributions: vec![(fact, attribution)], clock };
        let score = score_case(&truth("1: tea; 2: tea"), &written, &prices(), Prob::new(0.9));
        let score = score.with_evidence(&written, &behind);
        let expected: BTreeSet<DoubtKind> = kinds.into_iter().collect();
        assert_eq!(score.receipts[0].doubts, expected, "{measured} {clock_millis}");
        assert!(score.receipts[1].doubts.is_empty(), "nothing is known of it");
    }
}

#[test]
fn a_share_of_few_is_not_certain_though_all_are_so() {
    for (count, of, low, high) in [(0, 100, 0.0, 0.037), (100, 100, 0.963, 1.0), (5, 10, 0.2366, 0.7634)] {
        let interval = Share::new(count, of).interval().unwrap();
        assert!((interval.low - low).abs() < 5e-4 && (interval.high - high).abs() < 5e-4, "{count}/{of}: {interval:?}");
    }
    assert_eq!(Share::new(0, 0).interval(), None);
}
