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
scenario     level  cases  mean F1         95 %  exact receipts       exact cases  error/receipt  review
hand_over    clean      1    1.000            -         100.0 %  2/2          1/1      0.000 USD   0.0 %
hand_over    room       1    0.000            -           0.0 %  0/2          0/1      3.000 USD   0.0 %
single_pick  room       2    0.700  0.400-1.000          33.3 %  1/3          1/2      0.500 USD   0.0 %
all          clean      1    1.000            -         100.0 %  2/2          1/1      0.000 USD   0.0 %
all          room       3    0.467  0.000-1.000          20.0 %  1/5          1/3      1.500 USD   0.0 %
all          -          4    0.600  0.200-1.000          42.9 %  3/7          2/4      1.071 USD   0.0 %

unit precision        50.0 % (3/6)
unit recall           60.0 % (3/5)
wrong units           3 (1 wrong shopper, 1 wrong product, 0 missed, 1 invented)
shoppers              0 without a receipt, 1 charged and not there
money                 13.50 USD owed; 3.00 USD too much, 4.50 USD too little
                      1 units have no price and count as free
beside review         57.1 % of receipts wrong with nobody looking (4/7)
time to receipt       median 22.0 s, 95 % within 22.0 s
line probabilities    Brier 0.6025, calibration error 0.6167 (over 6)
receipt probabilities Brier 0.5168, calibration error 0.5214 (over 7)

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
        "/groups/0/totals/mean_f1",
        "/levels/1/name",
        "/cells/0/level",
        "/line_reliability/bins/9/count",
        "/cases/0/label/replay",
        "/cases/0/score/f1",
        "/cases/1/score/receipts/0/missing/0/sku",
    ] {
        assert!(json.pointer(path).is_some_and(|value| !value.is_null()), "{path}");
    }
}
