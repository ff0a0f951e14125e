//! The receipt as one page that needs nothing else: no script, no font, no picture from elsewhere. For a phone, a screen in
//! the dark, and paper. Takes a sheet, gives text. Everything that comes from outside is escaped.

mod evidence;

use quick_xml::escape::escape;

use super::words::{self, plain};
use super::{Credit, Sheet, Standing};
use crate::base::Money;
use crate::facts::{Receipt, ReceiptLine};

/// The style sheet: light, dark, narrow and printed.
const STYLE: &str = include_str!("style.css");

pub(super) fn render(sheet: &Sheet<'_>) -> String {
    let shop = text(sheet.shop.name());
    let body = [receipt(sheet), evidence::section(sheet)].concat();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"robots\" content=\"noindex\">\n\
         <title>Receipt · {shop}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

/// Text that means itself in elements and in quoted attributes.
fn text(raw: &str) -> String {
    escape(plain(raw)).into_owned()
}

fn receipt(sheet: &Sheet<'_>) -> String {
    let receipt = sheet.receipt;
    let mut html = format!("<div class=\"paper\">\n<article class=\"receipt\">\n{}", head(sheet));
    html += &goods(&receipt.lines);
    html += &sum(receipt);
    if let Standing::Credited { credit, .. } = &sheet.standing {
        html += &credited(receipt, credit);
    }
    html += &visit(sheet);
    html + &format!(
        "<footer><span>{}</span> <span>version {}</span></footer>\n</article>\n</div>\n",
        text(&sheet.cart.to_string()),
        sheet.version
    )
}

/// The shop, what it comes to, and where it stands.
fn head(sheet: &Sheet<'_>) -> String {
    let total = match sheet.receipt.total {
        Some(total) => format!("{}<small>{}</small>", total.decimal(), total.currency),
        None => "–".to_owned(),
    };
    let (said, at) = words::sentence(sheet);
    let sentence = match at {
        Some(at) => format!(
            "{} <time datetime=\"{}\">{} {}</time>",
            text(&said),
            words::rfc3339(at, sheet.zone),
            words::time(at, sheet.zone),
            words::offset(at, sheet.zone)
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

fn goods(lines: &[ReceiptLine]) -> String {
    if lines.is_empty() {
        return "<p class=\"nothing\">Nothing was taken.</p>\n".to_owned();
    }
    let rows: String = lines.iter().map(line).collect();
    format!("<ol class=\"goods\">\n{rows}</ol>\n")
}

fn line(line: &ReceiptLine) -> String {
    let amount = line.amount.map_or_else(|| "<em>no price</em>".to_owned(), Money::decimal);
    let full =
        line.unit_price.and_then(|price| price.checked_mul(line.quantity)).filter(|_| !line.discounts.is_empty());
    let struck = full.map_or_else(String::new, |full| format!("<s>{}</s> ", full.decimal()));
    let mut html = format!("<li><p><b><bdi>{}</bdi></b><span>{struck}{amount}</span></p>", text(&line.name));
    let many = 1 < line.quantity.get();
    match line.unit_price {
        Some(price) if many => html += &format!("<p class=\"each\">{} × {}</p>", line.quantity, price.decimal()),
        None if many => html += &format!("<p class=\"each\">{} units</p>", line.quantity),
        _ => {}
    }
    for discount in &line.discounts {
        let (name, amount) = (text(&discount.name), words::off(discount.amount, "−"));
        html += &format!("<p class=\"discount\"><bdi>{name}</bdi><span>{amount}</span></p>");
    }
    html + "</li>\n"
}

fn sum(receipt: &Receipt) -> String {
    let total = receipt.total.map_or_else(|| "not known".to_owned(), |total| total.to_string());
    let mut html = format!("<p class=\"sum\"><span>Total</span><b>{}</b></p>\n", text(&total));
    if receipt.taxes.is_empty() {
        return html;
    }
    html += "<table>\n<thead><tr><th scope=\"col\">Tax</th><th scope=\"col\">Rate</th><th scope=\"col\">Net</th>\
             <th scope=\"col\">Tax</th></tr></thead>\n<tbody>\n";
    for share in &receipt.taxes {
        let (name, net, tax) = (text(&share.name), share.net.decimal(), share.tax.decimal());
        html += &format!("<tr><th scope=\"row\">{name}</th><td>{}</td><td>{net}</td><td>{tax}</td></tr>\n", share.rate);
    }
    html + "</tbody>\n</table>\n"
}

fn credited(receipt: &Receipt, credit: &Credit<'_>) -> String {
    let rows = words::taken_off(credit.before, receipt).into_iter().map(|taken_off| {
        let amount = taken_off.amount.map_or_else(String::new, |amount| words::off(amount, "−"));
        let many = if taken_off.quantity.get() == 1 { String::new() } else { format!("{} × ", taken_off.quantity) };
        format!("<li><p>{many}<bdi>{}</bdi><span>{amount}</span></p></li>\n", text(&taken_off.before.name))
    });
    let rows: String = rows.collect();
    format!(
        "<div class=\"credit\">\n<p class=\"sum\"><span>Credited</span><b>{}</b></p>\n<ol class=\"goods\">\n{rows}</ol>\n</div>\n",
        text(&credit.amount.to_string())
    )
}

fn visit(sheet: &Sheet<'_>) -> String {
    let receipt = sheet.receipt;
    let entry = |name: &str, value: String| format!("<div><dt>{name}</dt><dd>{value}</dd></div>\n");
    let at = |instant| {
        let (machine, person) = (words::rfc3339(instant, sheet.zone), words::time(instant, sheet.zone));
        let (date, time) = person.split_once(' ').unwrap_or((person.as_str(), ""));
        format!("<time datetime=\"{machine}\"><b>{time}</b> {date} {}</time>", words::offset(instant, sheet.zone))
    };
    let units = words::units(receipt).to_string();
    format!(
        "<dl>\n{}{}{}</dl>\n",
        entry("In", at(receipt.entered)),
        entry("Out", at(receipt.left)),
        entry("Units", format!("<b>{units}</b>"))
    )
}
