//! From a draft to a shop, or to the list of everything that is wrong with it.
//! It takes what somebody wrote and gives a checked shop, or all complaints about it at once; it reads no file.

mod cameras;
mod complaints;
mod place;
mod prices;
mod products;
mod shelves;

pub(super) use complaints::Trust;

use self::cameras::{check_cameras, check_room, check_zones};
use self::complaints::Complaints;
use self::place::{check_epcis, check_locale, check_timezone};
use self::prices::{check_promotions, check_taxes};
use self::products::check_catalogue;
use self::shelves::check_shelves;
use super::{PaymentPolicy, Policy, PolicyDraft, Problem, Shop, ShopDraft};
use crate::base::limits::NAME_LETTERS_MAX;
use crate::base::{Currency, Money, Prob, Span};

pub(super) fn check(draft: ShopDraft, trust: Trust) -> Result<Shop, Vec<Problem>> {
    let mut complaints = Complaints::about_shop(trust);
    complaints.name("name", &draft.name, NAME_LETTERS_MAX);
    let zone = check_timezone(draft.timezone.as_deref(), &mut complaints);
    let locale = check_locale(draft.locale.as_deref(), &mut complaints);
    let epcis = check_epcis(&draft.epcis, &mut complaints);
    let policy = check_policy(&draft.policy, &mut complaints);
    let taxes = check_taxes(&draft.taxes, &mut complaints);
    let catalogue = check_catalogue(&draft.products, policy.currency, &taxes, &mut complaints);
    let promotions = check_promotions(&draft.promotions, &catalogue, &mut complaints);
    let shelves = check_shelves(&draft.shelves, &catalogue, &mut complaints);
    let zones = check_zones(&draft.zones, &mut complaints);
    let room = draft.room.as_ref().map(|room| check_room(room, &mut complaints));
    let cameras = check_cameras(&draft.cameras, &mut complaints);
    let found = complaints.into_found();
    if !found.is_empty() {
        return Err(found);
    }
    let shelf_index = shelves.iter().enumerate().map(|(index, shelf)| (shelf.id, index)).collect();
    let name = draft.name.clone();
    Ok(Shop {
        name,
        zone,
        locale,
        epcis,
        catalogue,
        taxes,
        promotions,
        shelves,
        shelf_index,
        zones,
        room,
        cameras,
        policy,
        draft,
    })
}

fn check_policy(draft: &PolicyDraft, complaints: &mut Complaints) -> Policy {
    complaints.about("policy".to_owned(), None);
    let currency = draft.currency.parse().unwrap_or_else(|message: String| {
        complaints.say(message);
        Currency::USD
    });
    complaints.range("absence_secs_max", draft.absence_secs_max, 0.999, 3_600.0);
    complaints.range("review_probability_min", draft.review_probability_min, -f64::EPSILON, 1.0);
    complaints.range("offline_hours_max", draft.offline_hours_max, -f64::EPSILON, 168.0);
    complaints.range("evidence_days_max", draft.evidence_days_max, -f64::EPSILON, 3_650.0);
    complaints.range("contest_days_max", draft.contest_days_max, -f64::EPSILON, 3_650.0);
    if draft.hold_minor < 0 {
        complaints.say("hold_minor is negative; write 0 for no hold");
    }
    Policy {
        currency,
        absence_max: Span::from_secs(draft.absence_secs_max),
        review_below: Prob::new(draft.review_probability_min),
        payment: PaymentPolicy {
            hold: Some(Money::new(draft.hold_minor, currency)).filter(|hold| 0 < hold.minor),
            debt_blocks_entry: draft.debt_blocks_entry,
            offline_max: Span::from_secs(draft.offline_hours_max * 3_600.0),
            evidence_kept: Span::from_secs(draft.evidence_days_max * 86_400.0),
            contest_max: Span::from_secs(draft.contest_days_max * 86_400.0),
        },
        prices_include_tax: draft.prices_include_tax,
        tax_rounding: draft.tax_rounding,
    }
}
