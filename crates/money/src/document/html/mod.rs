//! The receipt as one page that needs nothing else: no script, no font, no picture from elsewhere. For a phone, a screen in
//! the dark, and paper. Takes a sheet, gives text. Everything that comes from outside is escaped.

mod evidence;

use quick_xml::escape::escape;

use super::words::{self, plain};
use super::{Credit, Sheet, Standing};
use crate::facts::ReceiptLine;

/// The style sheet: light, dark, narrow and printed.
const STYLE: &str = include_str!("style.css");

pub(super) fn render(sheet: &Sheet<'_>) -> String {
    let shop = text(sheet.shop.name());
    let body = [receipt(sheet), evidence::section(sheet)].concat();
    format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"robots\" content=\"noindex\">\n\
         <title>{} · {shop}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        sheet.shop.locale().tag(),
        words::phrases(sheet).receipt,
    )
}

/// Text that means itself in elements and in quoted attributes.
fn text(raw: &str) -> String {
    escape(plain(raw)).into_owned()
}

fn receipt(sheet: &Sheet<'_>) -> String {
    let mut html = format!("<div class=\"paper\">\n<article class=\"receipt\">\n{}", head(sheet));
    html += &goods(sheet);
    html += &sum(sheet);
    if let Standing::Credited { credit, .. } = &sheet.standing {
        html += &credited(sheet, credit);
    }
    html += &visit(sheet);
    html + &format!(
        "<footer><span>{}</span> <span>{} {}</span></footer>\n</article>\n</div>\n",
        text(&sheet.cart.to_string()),
        words::phrases(sheet).version,
        sheet.version
    )
}

/// The shop, what it comes to, and where it stands.
fn head(sheet: &Sheet<'_>) -> String {
    let total = match sheet.receipt.total {
        Some(total) => format!("{}<small>{}</small>", sheet.shop.locale().amount(total), total.currency),
        None => "–".to_owned(),
    };
    let (said, at) = words::sentence(sheet);
    let sentence = match at {
        Some(at) => format!(
            "{} <time datetime=\"{}\">{}</time>",
            text(&said),
            words::rfc3339(at, sheet.zone),
            words::time_with_offset(at, sheet)
        ),
        None => text(&said),
    };
    format!(
        "<header>\n<h1><bdi>{}</bdi></h1>\n<p class=\"total\">{total}</p>\n\
         <p class=\"standing {}\">{}</p>\n<p class=\"sentence\">{}</p>\n</header>\n",
        text(sheet.shop.name()),
        sheet.standing.name(),
        words::standing(sheet),
        sentence,
    )
}

fn goods(sheet: &Sheet<'_>) -> String {
    let lines = &sheet.receipt.lines;
    if lines.is_empty() {
        return format!("<p class=\"nothing\">{}</p>\n", words::phrases(sheet).nothing);
    }
    let rows: String = lines.iter().map(|one| line(one, sheet)).collect();
    format!("<ol class=\"goods\">\n{rows}</ol>\n")
}

fn line(line: &ReceiptLine, sheet: &Sheet<'_>) -> String {
    let (phrases, locale) = (words::phrases(sheet), sheet.shop.locale());
    let amount = line.amount.map_or_else(|| format!("<em>{}</em>", phrases.no_price), |amount| locale.amount(amount));
    let full =
        line.unit_price.and_then(|price| price.checked_mul(line.quantity)).filter(|_| !line.discounts.is_empty());
    let struck = full.map_or_else(String::new, |full| format!("<s>{}</s> ", locale.amount(full)));
    let mut html = format!("<li><p><b><bdi>{}</bdi></b><span>{struck}{amount}</span></p>", text(&line.name));
    let many = 1 < line.quantity.get();
    match line.unit_price {
        Some(price) if many => html += &format!("<p class=\"each\">{} × {}</p>", line.quantity, locale.amount(price)),
        None if many => {
            html += &format!("<p class=\"each\">{} {}</p>", line.quantity, phrases.units.to_lowercase());
        }
        _ => {}
    }
    for discount in &line.discounts {
        let (name, amount) = (text(&discount.name), words::off(discount.amount, "−", locale));
        html += &format!("<p class=\"discount\"><bdi>{name}</bdi><span>{amount}</span></p>");
    }
    html + "</li>\n"
}

fn sum(sheet: &Sheet<'_>) -> String {
    let (receipt, phrases, locale) = (sheet.receipt, words::phrases(sheet), sheet.shop.locale());
    let total = receipt.total.map_or_else(|| phrases.not_known.to_owned(), |total| locale.money(total));
    let mut html = format!("<p class=\"sum\"><span>{}</span><b>{}</b></p>\n", phrases.total, text(&total));
    if receipt.taxes.is_empty() {
        return html;
    }
    let head = [phrases.tax, phrases.rate, phrases.net, phrases.tax];
    let head = head.map(|name| format!("<th scope=\"col\">{name}</th>")).concat();
    html += &format!("<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n");
    for share in &receipt.taxes {
        let (name, rate) = (text(&share.name), locale.rate(share.rate));
        let (net, tax) = (locale.amount(share.net), locale.amount(share.tax));
        html += &format!("<tr><th scope=\"row\">{name}</th><td>{rate}</td><td>{net}</td><td>{tax}</td></tr>\n");
    }
    html + "</tbody>\n</table>\n"
}

fn credited(sheet: &Sheet<'_>, credit: &Credit<'_>) -> String {
    let locale = sheet.shop.locale();
    let rows = words::taken_off(credit.before, sheet.receipt).into_iter().map(|taken_off| {
        let amount = taken_off.amount.map_or_else(String::new, |amount| words::off(amount, "−", locale));
        let many = if taken_off.quantity.get() == 1 { String::new() } else { format!("{} × ", taken_off.quantity) };
        format!("<li><p>{many}<bdi>{}</bdi><span>{amount}</span></p></li>\n", text(&taken_off.before.name))
    });
    let rows: String = rows.collect();
    format!(
        "<div class=\"credit\">\n<p class=\"sum\"><span>{}</span><b>{}</b></p>\n<ol class=\"goods\">\n{rows}</ol>\n</div>\n",
        words::phrases(sheet).credited,
        text(&locale.money(credit.amount))
    )
}

fn visit(sheet: &Sheet<'_>) -> String {
    let (receipt, phrases) = (sheet.receipt, words::phrases(sheet));
    let entry = |name: &str, value: String| format!("<div><dt>{name}</dt><dd>{value}</dd></div>\n");
    let at = |instant| {
        let (machine, person) = (words::rfc3339(instant, sheet.zone), words::time(instant, sheet));
        let (date, time) = person.split_once(' ').unwrap_or((person.as_str(), ""));
        format!("<time datetime=\"{machine}\"><b>{time}</b> {date} {}</time>", words::offset(instant, sheet.zone))
    };
    let units = words::units(receipt).to_string();
    format!(
        "<dl>\n{}{}{}</dl>\n",
        entry(phrases.entered, at(receipt.entered)),
        entry(phrases.left, at(receipt.left)),
        entry(phrases.units, format!("<b>{units}</b>"))
    )
}
