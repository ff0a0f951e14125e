//! Receipts in, transfers out.

use std::collections::BTreeMap;

use rand::RngExt;

use super::*;
use crate::base::rng::{Dice, dice};

/// `DEBIT>CREDIT AMOUNT`, without the shopper's name.
fn texts(transfers: &[Transfer]) -> Vec<String> {
    let name = |account: &Account| match account {
        Account::Shopper(_) => "shopper".to_owned(),
        other => other.to_string(),
    };
    transfers.iter().map(|one| format!("{}>{} {}", name(&one.debit), name(&one.credit), one.amount.minor)).collect()
}

fn sold(receipt: &Receipt) -> Result<Vec<Transfer>, Unbookable> {
    sale(shopper("ann"), cart("one"), 1, receipt, at(5))
}

fn credited(booked: &Receipt, now: &Receipt) -> Result<Vec<Transfer>, Unbookable> {
    credit(shopper("ann"), cart("one"), 2, booked, now, at(6))
}

#[test]
fn a_sale_is_its_net_and_each_tax() {
    let both = receipt(&[(1, 119, "full"), (2, 107, "food"), (1, 200, "")]);
    let transfers = sold(&both).unwrap();
    assert_eq!(texts(&transfers), ["shopper>revenue 500", "shopper>tax/food 14", "shopper>tax/full 19"]);
    assert!(transfers.iter().all(|one| one.receipt == Some(1) && one.at == at(5) && one.cart == cart("one")));
    assert_eq!(sold(&both).unwrap(), transfers);
    let mut book = Book::default();
    assert!(transfers.iter().all(|one| book.apply(one) == Ok(Admission::New)));
    assert_eq!(texts(&sold(&receipt(&[(1, 2, "food")])).unwrap()), ["shopper>revenue 2"]);
    assert_eq!(sold(&receipt(&[])), Ok(vec![]));
}

#[test]
fn what_does_not_add_up_is_not_booked() {
    let right = receipt(&[(1, 119, "full")]);
    let open = Receipt { total: None, ..right.clone() };
    assert_eq!(sold(&open), Err(Unbookable::NoTotal));
    let small = Receipt { total: Some(dollars(18)), ..right.clone() };
    assert_eq!(sold(&small), Err(Unbookable::Inconsistent));
    let foreign = Receipt { total: Some(Money::new(119, "EUR".parse().unwrap())), ..right.clone() };
    assert_eq!(sold(&foreign), Err(Unbookable::Inconsistent));
    let negative = Receipt { total: Some(dollars(-1)), taxes: vec![], ..right };
    assert_eq!(sold(&negative), Err(Unbookable::Inconsistent));
}

#[test]
fn a_credit_is_the_difference_or_all_anew() {
    let booked = receipt(&[(1, 119, "full"), (2, 107, "food")]);
    let fewer = receipt(&[(1, 119, "full"), (1, 107, "food")]);
    assert_eq!(texts(&credited(&booked, &fewer).unwrap()), ["refunds>shopper 100", "tax/food>shopper 7"]);
    assert_eq!(credited(&booked, &booked), Ok(vec![]));
    let nothing = texts(&credited(&booked, &receipt(&[])).unwrap());
    assert_eq!(nothing, ["refunds>shopper 300", "tax/food>shopper 14", "tax/full>shopper 19"]);
    // Two loaves were one more can of another tax.
    let swapped = receipt(&[(2, 119, "full")]);
    assert_eq!(
        texts(&credited(&booked, &swapped).unwrap()),
        [
            "refunds>shopper 300",
            "tax/food>shopper 14",
            "tax/full>shopper 19",
            "shopper>revenue 200",
            "shopper>tax/full 38"
        ]
    );
    let (booked, now) = (dollars(226), dollars(333));
    assert_eq!(credited(&fewer, &receipt(&[(1, 333, "")])), Err(Unbookable::Rises { booked, now }));
}

/// A receipt of up to three lines.
pub(super) fn any_receipt(dice: &mut Dice) -> Receipt {
    let lines: Vec<(u32, i64, &str)> = (0..dice.random_range(0..4))
        .map(|_| {
            let tax = ["", "food", "full"][dice.random_range(0..3_usize)];
            (dice.random_range(1..4), dice.random_range(0..900), tax)
        })
        .collect();
    receipt(&lines)
}

#[test]
fn after_any_credits_the_postings_are_those_of_the_last_receipt() {
    for seed in 0..300 {
        let mut dice = dice(seed, "credits");
        let mut versions: Vec<Receipt> = (0..4).map(|_| any_receipt(&mut dice)).collect();
        versions.sort_by_key(|receipt| std::cmp::Reverse(receipt.total.map(|total| total.minor)));
        let mut book = Book::default();
        let mut transfers = sold(&versions[0]).unwrap();
        for (version, pair) in (2..).zip(versions.windows(2)) {
            transfers.extend(credit(shopper("ann"), cart("one"), version, &pair[0], &pair[1], at(9)).unwrap());
        }
        for transfer in &transfers {
            assert_eq!(book.apply(transfer), Ok(Admission::New), "seed {seed}: {transfer:?}");
        }
        let owed = book.balance(&Account::Shopper(shopper("ann")), Currency::USD).net();
        assert_eq!(owed, versions[3].total.unwrap().minor, "seed {seed}");
        let mut taxes: BTreeMap<String, i64> = BTreeMap::new();
        for ((account, _), balance) in book.balances() {
            if let Account::Tax(name) = account {
                taxes.insert(name.clone(), -balance.net());
            }
        }
        taxes.retain(|_, minor| *minor != 0);
        let shares = versions[3].taxes.iter().map(|share| (share.name.clone(), share.tax.minor));
        assert_eq!(taxes, shares.filter(|(_, minor)| *minor != 0).collect(), "seed {seed}");
    }
}
