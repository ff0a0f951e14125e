//! The competition's rule, and what goes beyond it.

use super::*;

#[test]
fn unit_f1_follows_the_competition() {
    let table = [
        // bought | on the receipts | right, predicted, expected | F1 | exact receipts of judged
        ("1: tea", "1: tea", (1, 1, 1), 1.0, (1, 1)),
        ("1: tea 2", "1: tea", (1, 1, 2), 2.0 / 3.0, (0, 1)),
        ("1: tea", "1: tea 3", (1, 3, 1), 0.5, (0, 1)),
        ("1: tea", "1: salt", (0, 1, 1), 0.0, (0, 1)),
        ("1: tea; 2: salt", "1: salt; 2: tea", (0, 2, 2), 0.0, (0, 2)),
        ("1: tea; 2:", "1: tea; 2:", (1, 1, 1), 1.0, (2, 2)),
        // Several lines of one product, and several receipts of one shopper, add up.
        ("1: tea 3", "1: tea, tea 2", (3, 3, 3), 1.0, (1, 1)),
        ("1: tea, salt; 1: tea", "1: tea 2; 1: salt", (3, 3, 3), 1.0, (1, 1)),
        ("1: tea, salt 0", "1: tea, bread 0", (1, 1, 1), 1.0, (1, 1)),
        // A stranger's goods are wrong units and a wrong receipt; a stranger's empty receipt is nothing.
        ("1: tea", "1: tea; 9: salt", (1, 2, 1), 2.0 / 3.0, (1, 2)),
        ("1: tea", "1: tea; 9:", (1, 1, 1), 1.0, (1, 1)),
        ("", "9: salt", (0, 1, 0), 0.0, (0, 1)),
        // A missing shopper costs the units, and the receipt also when it would have been empty.
        ("1: tea; 2: salt", "1: tea", (1, 1, 2), 2.0 / 3.0, (1, 2)),
        ("1: tea; 2:", "1: tea", (1, 1, 1), 1.0, (1, 2)),
        // Nothing bought: right when everybody has an empty receipt.
        ("1:", "1:", (0, 0, 0), 1.0, (1, 1)),
        ("1:; 2:", "1:", (0, 0, 0), 0.0, (1, 2)),
        ("1:", "1: tea", (0, 1, 0), 0.0, (0, 1)),
        ("", "", (0, 0, 0), 1.0, (0, 0)),
    ];
    for (bought, written, (right, predicted, expected), f1, (exact, judged)) in table {
        let score = score(bought, written);
        assert_eq!(score.units, UnitCount { right, predicted, expected }, "{bought} | {written}");
        assert!((score.f1 - f1).abs() < 1e-12, "{bought} | {written}: {}", score.f1);
        let exacts = score.receipts.iter().filter(|receipt| receipt.exact).count();
        assert_eq!((exacts, score.receipts.len()), (exact, judged), "{bought} | {written}");
        assert_eq!(score.exact, exact == judged, "{bought} | {written}");
    }
}

#[test]
fn precision_and_recall_are_one_of_nothing() {
    let none = score("1: tea", "1:");
    assert_eq!((none.precision, none.recall), (1.0, 0.0));
    let surplus = score("1:", "1: tea");
    assert_eq!((surplus.precision, surplus.recall), (0.0, 1.0));
}

#[test]
fn missing_and_unknown_shoppers_are_listed() {
    let mut truth = truth("1: tea; 2:");
    truth.ghosts = vec![crate::base::TrackId::new(8)];
    let score = score_case(&truth, &receipts("1: tea; 8: salt; 9: salt; 10:", 0.95), &prices(), Prob::new(0.9));
    let missing: Vec<u64> = score.missing_shoppers.iter().map(|visit| visit.number()).collect();
    assert_eq!(missing, [2]);
    let standings: Vec<_> = score.receipts.iter().map(|one| (one.visit.number(), one.standing)).collect();
    let expected = [(1, Standing::Judged), (2, Standing::Missing), (8, Standing::Ghost), (9, Standing::Unknown)];
    assert_eq!(standings, expected);
    assert_eq!(score.idle_receipts, 1);
}

#[test]
fn every_wrong_unit_is_sorted_once() {
    let kinds = |bought, written| {
        let m = score(bought, written).mistakes;
        (m.wrong_shopper, m.wrong_product, m.missed, m.invented)
    };
    assert_eq!(kinds("1: tea; 2:", "1:; 2: tea"), (1, 0, 0, 0));
    assert_eq!(kinds("1: tea", "1: salt"), (0, 1, 0, 0));
    assert_eq!(kinds("1: tea 2", "1: salt"), (0, 1, 1, 0));
    assert_eq!(kinds("1:", "1: salt 2"), (0, 0, 0, 2));
    assert_eq!(kinds("1: tea; 2: salt", "1: salt; 2: tea"), (2, 0, 0, 0));
    assert_eq!(kinds("1: tea 2; 2: bread", "1: tea; 2: tea"), (1, 0, 1, 0));
}

#[test]
fn money_is_counted_by_receipt_and_both_ways() {
    let score = score("1: tea; 2: salt; 3: soap", "1: salt; 2: salt 2; 3:");
    let money = score.money;
    assert_eq!(money.currency.map(|currency| currency.to_string()), Some("USD".to_owned()));
    assert_eq!((money.owed_minor, money.over_minor, money.under_minor, money.unpriced_units), (400, 100, 200, 1));
}

#[test]
fn the_bar_sends_receipts_to_review() {
    let mut written = receipts("1: tea; 2: salt", 0.95);
    written.extend(receipts("3: bread; 4: bread", 0.8));
    let score = score_case(&truth("1: tea; 2: tea; 3: bread; 4: tea"), &written, &prices(), Prob::new(0.9));
    let bar = Prob::new(0.9);
    let expected = ReviewCount { bar, receipts: 4, for_review: 2, marked: 0, wrong_unreviewed: 1, exact_unreviewed: 1 };
    assert_eq!(score.review, expected);
}

#[test]
fn probabilities_are_held_against_outcomes() {
    let beliefs = [(0.95, true), (0.95, false), (1.0, true), (0.2, false)];
    let beliefs = beliefs.map(|(stated, right)| Belief::new(Prob::new(stated), right));
    let table = Reliability::of(&beliefs);
    let brier = (0.05_f64.powi(2) + 0.95_f64.powi(2) + 0.0 + 0.2_f64.powi(2)) / 4.0;
    assert!((table.brier.unwrap() - brier).abs() < 1e-12);
    // Three in the last bin: stated 2.9 / 3, right 2 / 3; one in the third: stated 0.2, right 0.
    let error = (3.0 * (2.9 / 3.0 - 2.0 / 3.0) + 0.2) / 4.0;
    assert!((table.calibration_error.unwrap() - error).abs() < 1e-12);
    let counts: Vec<u64> = table.bins.iter().map(|bin| bin.count).collect();
    assert_eq!(counts, [0, 0, 1, 0, 0, 0, 0, 0, 0, 3]);
    assert_eq!(Reliability::of(&[]).brier, None);
}

#[test]
fn a_line_is_right_when_its_quantity_is() {
    let right = |bought, written| -> Vec<bool> {
        score(bought, written).line_beliefs.iter().map(|belief| belief.right).collect()
    };
    assert_eq!(right("1: tea 2, salt", "1: tea, salt"), [false, true]);
    assert_eq!(right("1: tea", "2: tea"), [false]);
}

#[test]
fn the_bootstrap_is_seeded_and_knows_when_it_knows_nothing() {
    let cases: Vec<(f64, f64)> = (0..50).map(|index| (f64::from(index % 5 != 0), 1.0)).collect();
    let one = bootstrap::interval(&cases, 1, "f1").unwrap();
    assert_eq!(Some(one), bootstrap::interval(&cases, 1, "f1"));
    // A normal interval around 0.8 of 50 is 0.69 to 0.91.
    assert!((0.64..0.74).contains(&one.low) && (0.86..0.94).contains(&one.high), "{one:?}");
    assert_eq!(bootstrap::interval(&cases[1..5], 1, "f1"), None);
    assert_eq!(bootstrap::interval(&cases[..1], 1, "f1"), None);
    assert_eq!(bootstrap::interval(&[], 1, "f1"), None);
}
