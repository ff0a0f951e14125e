//! Summaries, as numbers, text and JSON.

use super::*;

pub(super) fn mixed() -> Summary {
    let delayed = score("1: tea; 2:", "1: tea; 2:").with_receipt_delays([Span::from_secs(20.0), Span::from_secs(22.0)]);
    let cases = vec![
        case("hand_over", Some("room"), "seed 1", score("1: tea; 2:", "1:; 2: tea")),
        case("hand_over", Some("clean"), "seed 1", delayed),
        case("single_pick", Some("room"), "seed 2", score("1: bread 2", "1: bread, salt; 9: soap")),
        case("single_pick", Some("room"), "seed 1", score("1: bread", "1: bread")),
    ];
    Summary::of(cases, 1)
}

#[test]
fn the_score_of_many_cases_is_the_mean_over_cases() {
    let summary = mixed();
    assert_eq!(summary.overall.cases, 4);
    // 0, 1, 2 * 1 / 5 and 1.
    assert!((summary.overall.mean_f1 - 0.6).abs() < 1e-12);
    assert_eq!(summary.overall.exact_receipts, Share::new(3, 7));
    assert_eq!(summary.overall.exact_cases, Share::new(2, 4));
    assert_eq!(summary.overall.unit_precision, Share::new(3, 6));
    let names: Vec<&str> = summary.groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(names, ["hand_over", "single_pick"]);
    let wrong: Vec<f64> = summary.wrong_cases().iter().map(|case| case.score.f1).collect();
    assert_eq!(wrong, [0.0, 0.4]);
}

#[test]
fn the_table_reads_like_this() {
    let text = mixed().to_text();
    let expected = "\
scenario     level  cases     F1         95 %    exact       review  unmarked  missing  nobody  IDF1   after
hand_over    clean      1  1.000            -  100.0 %  2/2   0.0 %     0.0 %        0       0     -  22.0 s
hand_over    room       1  0.000            -    0.0 %  0/2   0.0 %   100.0 %        0       0     -       -
single_pick  room       2  0.700  0.400-1.000   33.3 %  1/3   0.0 %    66.7 %        0       1     -       -
all          clean      1  1.000            -  100.0 %  2/2   0.0 %     0.0 %        0       0     -  22.0 s
all          room       3  0.467  0.000-1.000   20.0 %  1/5   0.0 %    80.0 %        0       1     -       -
all          -          4  0.600  0.200-1.000   42.9 %  3/7   0.0 %    57.1 %        0       1     -  22.0 s

unit precision        50.0 % (3/6)
unit recall           60.0 % (3/5)
wrong units           3 (1 wrong shopper, 1 wrong product, 0 missed, 1 invented)
exact cases           50.0 % (2/4)
missing               0 shoppers without a receipt (0.0 %)
nobody                1 receipts of nobody (14.3 %)
money                 13.50 USD owed; 3.00 USD too much, 4.50 USD too little, 1.071 USD wrong for each receipt
                      1 units have no price and count as free
review                0.0 % of receipts for a person (0/7)
unmarked              57.1 % of receipts wrong without a mark, and nobody looks (4/7)
after leaving         median 22.0 s, 95 % within 22.0 s
line probabilities    Brier 0.6025, calibration error 0.6167 (over 6)
receipt probabilities Brier 0.5168, calibration error 0.5214 (over 7)

scenario     doubt       receipts  stated   right              95 %  review  unmarked
hand_over    none               4  95.0 %  50.0 %  2/4  0.150-0.850       0         2
hand_over    not marked         4  95.0 %  50.0 %  2/4  0.150-0.850       0         2
hand_over    all                4  95.0 %  50.0 %  2/4  0.150-0.850       0         2
single_pick  none               3  95.0 %  33.3 %  1/3  0.061-0.792       0         2
single_pick  not marked         3  95.0 %  33.3 %  1/3  0.061-0.792       0         2
single_pick  all                3  95.0 %  33.3 %  1/3  0.061-0.792       0         2
all          none               7  95.0 %  42.9 %  3/7  0.158-0.750       0         4
all          not marked         7  95.0 %  42.9 %  3/7  0.158-0.750       0         4
all          all                7  95.0 %  42.9 %  3/7  0.158-0.750       0         4

wrong cases, the worst first:

  hand_over, room, seed 1: F1 0.000
    shopper 1
      - 1 x tea tea <&>
    shopper 2
      + 1 x tea tea <&>
    $ aisle eval --scenarios hand_over

  single_pick, room, seed 2: F1 0.400
    shopper 1
      - 1 x bread bread <&>
      + 1 x salt salt <&>
    shopper 9 is nobody the truth knows
      + 1 x soap soap <&>
    $ aisle eval --scenarios single_pick
";
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn no_cases_are_a_summary_too() {
    let summary = Summary::of(Vec::new(), 1);
    assert_eq!(summary.overall.mean_f1, 0.0);
    assert!(summary.to_text().starts_with("scenario"));
    assert!(summary.overall.exact_receipts.share.is_none());
}

#[test]
fn json_names_stay() {
    let json = serde_json::to_value(mixed()).unwrap();
    assert_eq!(json["version"], 1);
    for path in [
        "/overall/mean_f1",
        "/overall/exact_receipts/share",
        "/overall/exact_cases/count",
        "/overall/money/absolute_minor_per_receipt",
        "/overall/review/share",
        "/overall/receipt_delay/median_secs",
        "/overall/receipt_reliability/bins/9/count",
        "/overall/doubts/0/kind",
        "/overall/doubts/0/right/share",
        "/frontier/review_cost",
        "/frontier/own_bar",
        "/frontier/cheapest_bar",
        "/frontier/marked/count",
        "/frontier/points/0/bar",
        "/frontier/points/0/review_interval/low",
        "/frontier/points/0/wrong_unreviewed/share",
        "/frontier/points/0/exact_unreviewed/share",
        "/groups/0/totals/mean_f1",
        "/levels/1/name",
        "/cells/0/level",
        "/line_reliability/bins/9/count",
        "/cases/0/label/replay",
        "/cases/0/score/f1",
        "/cases/0/score/receipts/0/for_review",
        "/cases/0/score/receipts/0/doubts",
        "/cases/1/score/receipts/0/missing/0/sku",
    ] {
        assert!(json.pointer(path).is_some_and(|value| !value.is_null()), "{path}");
    }
}
