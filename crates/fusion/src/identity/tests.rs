//! Scans and visits as text in, who pays as text out.

use rand::RngExt;

use super::*;
use crate::base::rng::dice;

fn at(secs: f64) -> ShopTime {
    ShopTime::from_nanos(1_000_000_000_000) + Span::from_secs(secs)
}

fn cart(name: &str) -> CartId {
    CartId::derived(&[name])
}

/// Names of carts by their id, for reading.
fn name_of(id: CartId) -> String {
    ('a'..='z').map(String::from).find(|name| cart(name) == id).unwrap()
}

/// Tells what a text says, such as `scan a 0; scan b 3 for 2; visit 1 2; visit 2 5.5 inside`, in the order given.
fn tell(binder: &mut Binder, text: &str) {
    for line in text.split(';') {
        let words: Vec<&str> = line.split_whitespace().collect();
        let secs = at(words[2].parse().unwrap());
        match words[0] {
            "scan" => {
                let people = words.get(4).map_or(1, |people| people.parse().unwrap());
                binder.scan(
                    secs,
                    &GateScan { cart: cart(words[1]), gate: "way in".to_owned(), people, role: EntryRole::Shopper },
                );
            }
            _ => {
                let number = crate::base::TrackId::new(words[1].parse().unwrap());
                binder.visit(secs, VisitId::from_first_track(number), words.get(3) != Some(&"inside"));
            }
        }
    }
}

/// `VISIT CART PERCENT` or `expired CART`.
fn text_of(bound: &[Bound]) -> String {
    let text = |bound: &Bound| match bound {
        Bound::Expired(cart) => format!("expired {}", name_of(*cart)),
        Bound::Visit(VisitBound { visit, cart, probability, .. }) => {
            let cart = cart.map_or_else(|| "nobody".to_owned(), name_of);
            format!("{visit} {cart} {:.0}", probability.value() * 100.0)
        }
    };
    bound.iter().map(text).collect::<Vec<_>>().join(", ")
}

fn check(told: &str, expected: &str) {
    let mut binder = Binder::new(Options::USUAL);
    tell(&mut binder, told);
    let mut bound = Vec::new();
    for tick in 0..200 {
        bound.extend(binder.tick(at(f64::from(tick) * 0.5)));
    }
    assert_eq!(text_of(&bound), expected, "{told}");
    assert_eq!(binder.waiting(), 0, "{told}");
}

#[test]
fn who_comes_in_after_a_scan_pays_with_it() {
    check("scan a 0; visit 1 2", "1 a 100");
    check("visit 1 2; scan a 0", "1 a 100");
    check("scan a 0; visit 1 2; scan b 20; visit 2 21", "1 a 100, 2 b 100");
    check("scan a 0; visit 1 -2", "1 a 100");
    check("scan a 0; visit 1 2 inside", "1 a 99");
}

#[test]
fn nobody_pays_for_a_visit_without_a_scan() {
    check("visit 1 2", "1 nobody 100");
    check("scan a 0; visit 1 16", "expired a, 1 nobody 100");
    check("scan a 10; visit 1 6", "1 nobody 100, expired a");
    // Two came in behind one scan: the one it fits better has it.
    check("scan a 0; visit 1 2; visit 2 9", "1 a 97, 2 nobody 97");
    check("scan a 0; visit 1 2; visit 2 2.2", "1 a 50, 2 nobody 50");
}

#[test]
fn a_scan_that_nobody_comes_with_expires() {
    check("scan a 0", "expired a");
    check("scan a 0; scan b 12; visit 1 14", "1 b 97, expired a");
}

#[test]
fn who_comes_close_behind_may_be_swapped() {
    check("scan a 0; scan b 8; visit 1 2; visit 2 10", "1 a 100, 2 b 100");
    check("scan a 0; scan b 3; visit 1 2; visit 2 5", "1 a 89, 2 b 89");
    check("scan a 0; scan b 0.5; visit 1 2; visit 2 2.2", "1 a 51, 2 b 51");
}

#[test]
fn a_scan_for_several_lets_in_so_many() {
    check("scan a 0 for 2; visit 1 2; visit 2 2.2", "1 a 100, 2 a 100");
    check("scan a 0 for 2; visit 1 2; visit 2 3; visit 3 11", "1 a 97, 2 a 97, 3 nobody 94");
    check("scan a 0 for 3; visit 1 2", "1 a 100");
}

#[test]
fn the_same_scan_twice_is_one() {
    check("scan a 0; scan a 0.4; visit 1 2; visit 2 9", "1 a 97, 2 nobody 97");
    check("scan a 0; visit 1 2; visit 1 2", "1 a 100");
}

#[test]
fn the_order_of_telling_does_not_matter() {
    let told = "scan a 0; scan b 3; visit 1 2; visit 2 5; scan c 4; visit 3 7.5; visit 4 8";
    let mut lines: Vec<&str> = told.split("; ").collect();
    let decide = |lines: &[&str]| {
        let mut binder = Binder::new(Options::USUAL);
        tell(&mut binder, &lines.join("; "));
        binder.finish()
    };
    let expected = decide(&lines);
    for turn in 0..lines.len() {
        lines.rotate_left(turn);
        assert_eq!(decide(&lines), expected);
    }
}

#[test]
fn more_than_can_wait_are_decided_at_once() {
    let mut binder = Binder::new(Options::USUAL);
    let mut bound = 0;
    for number in 0..200 {
        tell(&mut binder, &format!("visit {number} 0"));
        let expires =
            GateScan { cart: cart(&number.to_string()), gate: String::new(), people: 1, role: EntryRole::Shopper };
        binder.scan(at(60.0), &expires);
        bound += binder.tick(at(0.0)).len();
        assert!(binder.waiting() <= 4 * WAITING_MAX + 2);
    }
    assert_eq!(bound + binder.finish().len(), 400);
}

#[test]
fn with_jitter_as_modelled_probabilities_mean_what_they_say() {
    let (mut right, mut sure, mut sure_right, mut expected, mut count) = (0, 0, 0, 0.0, 0);
    for seed in 0..40 {
        let mut dice = dice(seed, "binder");
        let mut binder = Binder::new(Options::USUAL);
        let mut now = 0.0;
        let mut scans = Vec::new();
        for number in 0..20_u64 {
            now += dice.random_range(0.5..12.0);
            // The sum of four dice is near enough to the bell of the model.
            let late: f64 = 2.0 + (0..4).map(|_| dice.random_range(-1.7..1.7)).sum::<f64>();
            let id = cart(&format!("{seed}/{number}"));
            binder
                .scan(at(now), &GateScan { cart: id, gate: "way in".to_owned(), people: 1, role: EntryRole::Shopper });
            binder.visit(at(now + late.max(-3.0)), VisitId::from_first_track(crate::base::TrackId::new(number)), true);
            scans.push(id);
        }
        // Stopped and started again half way, it decides the same.
        let mut twin: Binder = serde_json::from_str(&serde_json::to_string(&binder).unwrap()).unwrap();
        let mut bound = Vec::new();
        let mut again = Vec::new();
        for tick in 0..300 {
            bound.extend(binder.tick(at(f64::from(tick))));
            again.extend(twin.tick(at(f64::from(tick))));
        }
        assert_eq!(bound, again);
        assert_eq!(binder.waiting(), 0);
        for one in &bound {
            let Bound::Visit(VisitBound { visit, cart, probability, .. }) = one else { continue };
            let is_right = *cart == Some(scans[visit.number() as usize]);
            count += 1;
            right += u32::from(is_right);
            expected += probability.value();
            sure += u32::from(0.95 <= probability.value());
            sure_right += u32::from(0.95 <= probability.value() && is_right);
        }
    }
    assert_eq!(count, 800, "every visit is decided once");
    let (share, said) = (f64::from(right) / 800.0, expected / 800.0);
    assert!((share - said).abs() < 0.05, "{share:.3} are right, {said:.3} were said to be");
    assert!(0.75 < share, "{share:.3} are right");
    assert!(
        300 < sure && 0.98 <= f64::from(sure_right) / f64::from(sure),
        "{sure_right} of {sure} sure ones are right"
    );
}

#[test]
fn whoever_comes_in_as_staff_is_told_as_staff_and_whoever_slips_in_behind_somebody_is_told_too() {
    let mut binder = Binder::new(Options::USUAL);
    let scan = |name, role| GateScan { cart: cart(name), gate: "way in".to_owned(), people: 1, role };
    let visit = |number| VisitId::from_first_track(crate::base::TrackId::new(number));
    binder.scan(at(0.0), &scan("a", EntryRole::Restock));
    binder.visit(at(2.0), visit(1), true);
    // Another one at the entrance, with nothing to show; one who is first seen inside, and one long afterwards.
    binder.visit(at(5.5), visit(2), true);
    binder.visit(at(6.0), visit(3), false);
    binder.visit(at(60.0), visit(4), true);
    let told: Vec<_> = binder
        .finish()
        .into_iter()
        .filter_map(|bound| match bound {
            Bound::Visit(bound) => Some((bound.visit, bound.cart, bound.role, bound.behind)),
            Bound::Expired(_) => None,
        })
        .collect();
    let (shopper, a) = (EntryRole::Shopper, Some(cart("a")));
    assert_eq!(
        told,
        [
            (visit(1), a, EntryRole::Restock, None),
            (visit(2), None, shopper, a),
            (visit(3), None, shopper, None),
            (visit(4), None, shopper, None),
        ]
    );
}

#[test]
fn who_is_gone_before_it_is_known_for_good_is_decided_with_what_is_known() {
    let mut binder = Binder::new(Options::USUAL);
    let visit = |number: u64| VisitId::from_first_track(crate::base::TrackId::new(number));
    tell(&mut binder, "scan a 0; visit 1 2; scan b 6; visit 2 8; visit 3 9");
    assert_eq!(text_of(&binder.tick(at(10.0))), "");
    assert_eq!(text_of(&binder.over(visit(1))), "1 a 96");
    assert_eq!(binder.over(visit(1)), [], "once");
    assert_eq!(binder.over(visit(9)), [], "nobody");
    let later = text_of(&binder.finish());
    assert!(later.starts_with("2 b") && later.contains("3 nobody"), "{later}");
}

#[test]
fn what_is_likely_by_now_can_be_told_and_decides_nothing() {
    let mut binder = Binder::new(Options::USUAL);
    let likely = |binder: &Binder| text_of(&binder.likely().into_iter().map(Bound::Visit).collect::<Vec<_>>());
    assert_eq!(likely(&binder), "");
    tell(&mut binder, "scan a 0 for 2; visit 1 2");
    assert_eq!(text_of(&binder.tick(at(5.0))), "", "somebody else may come who shares the scan");
    let before = binder.clone();
    assert_eq!(likely(&binder), "1 a 100");
    assert_eq!(binder, before);
    // Two who come close behind each other are not told apart any sooner.
    tell(&mut binder, "scan b 20; scan c 20.2; visit 2 22");
    assert!(likely(&binder).ends_with("2 b 50") || likely(&binder).ends_with("2 b 51"), "{}", likely(&binder));
    assert_eq!(text_of(&binder.tick(at(30.0))), "1 a 100", "it comes out as it was likely");
    assert!(!likely(&binder).contains("1 a"), "{}", likely(&binder));
}
