//! Each rule, one by one.

use super::*;

fn hold() -> Reservation {
    Reservation { transfer: transfer("hold", Reason::Hold, 500, ""), resolved: None }
}

fn refusal(transfer: &Transfer, reservation: Option<&Reservation>) -> Refusal {
    admit(transfer, None, reservation).unwrap_err()
}

#[test]
fn every_reason_is_admitted_with_its_own_kind_and_accounts() {
    use Reason::*;
    for reason in [Sale, Tax, Hold, Charge, CreditNote, TaxCredit, Refund, WriteOff, Dispute, Reinstatement, Recovery] {
        assert_eq!(admit(&transfer("a", reason, 1, ""), None, None), Ok(Admission::New), "{reason:?}");
    }
    for posting in [transfer("a", Capture, 500, "hold"), transfer("a", Hold, 0, "hold")] {
        assert_eq!(admit(&posting, None, Some(&hold())), Ok(Admission::New), "{posting:?}");
    }
}

#[test]
fn the_same_id_is_the_same_transfer_or_refused() {
    let known = transfer("a", Reason::Sale, 100, "");
    let later = Transfer { at: at(2), ..known.clone() };
    assert_eq!(admit(&later, Some(&known), None), Ok(Admission::Already));
    let others = [
        Transfer { amount: dollars(101), ..known.clone() },
        Transfer { credit: Account::Refunds, ..known.clone() },
        Transfer { debit: Account::Shopper(shopper("bob")), ..known.clone() },
        Transfer { kind: TransferKind::Reserve, ..known.clone() },
        Transfer { reason: Reason::Tax, ..known.clone() },
        Transfer { cart: cart("two"), ..known.clone() },
        Transfer { receipt: Some(2), ..known.clone() },
    ];
    for other in others {
        assert_eq!(admit(&other, Some(&known), None), Err(Refusal::OtherContent(known.id)), "{other:?}");
    }
}

#[test]
fn a_retry_of_what_resolved_a_reservation_is_no_second_resolving() {
    let capture = transfer("capture", Reason::Capture, 400, "hold");
    let resolved = Reservation { resolved: Some(capture.id), ..hold() };
    assert_eq!(admit(&capture, Some(&capture), Some(&resolved)), Ok(Admission::Already));
}

#[test]
fn accounts_amounts_and_reasons_must_fit() {
    let sale = transfer("a", Reason::Sale, 100, "");
    let one = Transfer { credit: sale.debit.clone(), ..sale.clone() };
    assert_eq!(refusal(&one, None), Refusal::OneAccount(sale.debit.clone()));
    for minor in [0, -1, i64::MIN] {
        let wrong = transfer("a", Reason::Sale, minor, "");
        assert_eq!(refusal(&wrong, None), Refusal::Amount(dollars(minor)));
    }
    assert_eq!(refusal(&transfer("a", Reason::Hold, 1, "hold"), Some(&hold())), Refusal::Amount(dollars(1)));
    let turned = Transfer { debit: sale.credit.clone(), credit: sale.debit.clone(), ..sale.clone() };
    assert_eq!(refusal(&turned, None), Refusal::Reason(Reason::Sale));
    let reserved = Transfer { kind: TransferKind::Reserve, ..sale };
    assert_eq!(refusal(&reserved, None), Refusal::Reason(Reason::Sale));
}

#[test]
fn only_an_open_reservation_between_the_same_accounts_can_be_resolved() {
    let (hold, capture) = (hold(), transfer("capture", Reason::Capture, 500, "hold"));
    assert_eq!(refusal(&capture, None), Refusal::NoReservation(hold.transfer.id));
    let sale = Reservation { transfer: transfer("hold", Reason::Sale, 500, ""), resolved: None };
    assert_eq!(refusal(&capture, Some(&sale)), Refusal::NoReservation(hold.transfer.id));
    let other = Reservation { transfer: transfer("other", Reason::Hold, 500, ""), resolved: None };
    assert_eq!(refusal(&capture, Some(&other)), Refusal::NoReservation(hold.transfer.id));
    let resolved = Reservation { resolved: Some(id("void")), ..hold.clone() };
    let by = id("void");
    assert_eq!(refusal(&capture, Some(&resolved)), Refusal::Resolved { reservation: hold.transfer.id, by });
    let more = transfer("capture", Reason::Capture, 501, "hold");
    assert_eq!(refusal(&more, Some(&hold)), Refusal::AboveReservation { posted: dollars(501), reserved: dollars(500) });
    let euros = Money::new(500, "EUR".parse().unwrap());
    let strangers = [
        Transfer { credit: Account::Shopper(shopper("bob")), ..capture.clone() },
        Transfer { debit: Account::Clearing("stripe".to_owned()), ..capture.clone() },
        Transfer { cart: cart("two"), ..capture.clone() },
        Transfer { amount: euros, ..capture },
    ];
    for stranger in strangers {
        assert_eq!(refusal(&stranger, Some(&hold)), Refusal::OtherReservation(hold.transfer.id));
    }
}

#[test]
fn a_digest_depends_on_everything_and_on_what_came_before() {
    let one = transfer("a", Reason::Sale, 100, "");
    let digests = [
        digest("", &one),
        digest("x", &one),
        digest("", &Transfer { at: at(2), ..one.clone() }),
        digest("", &Transfer { amount: dollars(101), ..one.clone() }),
        digest("", &Transfer { receipt: Some(1), ..one.clone() }),
    ];
    assert!(digests.iter().all(|text| text.len() == 64));
    assert_eq!(std::collections::BTreeSet::from(digests).len(), 5);
    // Pinned: a ledger that was written once must verify for ever.
    assert_eq!(digest("", &one), "3b32300303ffc04a8f2ee7fe8d08c6139ea197515988ebb4c1c0ff6b81282b06");
}
