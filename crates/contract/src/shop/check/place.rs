//! What can be wrong with where a shop is: its time zone, its language, its names in EPCIS.

use jiff::tz::{Offset, TimeZone};

use super::super::{EpcisDraft, EpcisOptions, Locale};
use super::complaints::Complaints;

pub(super) fn check_timezone(name: Option<&str>, complaints: &mut Complaints) -> TimeZone {
    let Some(name) = name else { return TimeZone::UTC };
    let zone = fixed(name).or_else(|| TimeZone::get(name).ok());
    zone.unwrap_or_else(|| {
        complaints.say(format!(
            "timezone `{name}` is not known: write a name of the IANA database such as \"Asia/Tokyo\", or an offset such as \"+09:00\""
        ));
        TimeZone::UTC
    })
}

/// An offset in hours and minutes.
fn fixed(text: &str) -> Option<TimeZone> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let number =
        |text: &str| text.parse::<i32>().ok().filter(|_| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit()));
    let (hours, minutes) = digits.split_once(':')?;
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    // Fourteen hours east is the farthest that a place of the world is.
    let seconds = (hours * 60 + minutes) * 60;
    (minutes < 60 && seconds <= 14 * 3_600).then_some(())?;
    Offset::from_seconds(sign * seconds).ok().map(TimeZone::fixed)
}

pub(super) fn check_locale(name: Option<&str>, complaints: &mut Complaints) -> Locale {
    let Some(name) = name else { return Locale::default() };
    name.parse().unwrap_or_else(|message: String| {
        complaints.say(message);
        Locale::default()
    })
}

pub(super) fn check_epcis(draft: &Option<EpcisDraft>, complaints: &mut Complaints) -> EpcisOptions {
    let Some(draft) = draft else { return EpcisOptions::default() };
    let options = EpcisOptions {
        location: draft.location.clone(),
        places: draft.places.clone(),
        products: draft.products.clone(),
    };
    for problem in options.problems() {
        complaints.say(format!("epcis: {problem}"));
    }
    options
}
