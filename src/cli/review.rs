//! `aisle review`: what waits for a person, and what the person says.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::book::{self, BookArgs};
use super::receipts::sentence;
use crate::api::deed;
use crate::base::text::plain;
use crate::base::{CartId, CaseId, Error, Kind, Quantity, Result, ShopTime, ShopperId, SkuId};
use crate::db::{Failure, Session, carts, cases};
use crate::facts::{Attribution, Case, Concern, Decision, Goods, Grounds, Receipt, Verdict};
use crate::payment::Sandbox;
use crate::ports::{Clock, WallClock};
use crate::shop::Shop;
use crate::till::{Till, settle_due};

/// What the audit log calls whoever decides here: they have the book itself.
const ROLE: &str = "reviewer";
/// Cases that are listed at once.
const LISTED_MAX: u32 = 1_000;

/// Manual review: list, show and decide the cases that wait for a reviewer.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    aisle review list --db till.db\n  \
    aisle review show case_0f3a... --db till.db\n  \
    aisle review accept case_0f3a... --by ann --db till.db\n  \
    aisle review change case_0f3a... --line 2000554117887=2 --by ann --note \"two, see plate 3\"\n  \
    aisle review reject case_0f3a... --by ann")]
pub(super) struct Review {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    List(List),
    Show(Show),
    Accept(Accept),
    Change(Change),
    Reject(Reject),
    Assign(Assign),
}

/// List the cases that wait, oldest first
#[derive(Args)]
struct List {
    #[command(flatten)]
    book: BookArgs,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Show one case: its receipt and the evidence of each line
#[derive(Args)]
struct Show {
    /// The case, as `list` names it.
    case: CaseId,
    #[command(flatten)]
    book: BookArgs,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Decide a case: the receipt is right as it stands, and is charged
#[derive(Args)]
struct Accept {
    /// The case, as `list` names it.
    case: CaseId,
    #[command(flatten)]
    who: Who,
}

/// Decide a case: nothing of the receipt is to be charged, and what was charged is refunded
#[derive(Args)]
struct Reject {
    /// The case, as `list` names it.
    case: CaseId,
    #[command(flatten)]
    who: Who,
}

/// Decide a case: these are the goods, and nothing else
#[derive(Args)]
struct Change {
    /// The case, as `list` names it.
    case: CaseId,
    /// A product and how many of it; once for each product.
    #[arg(long = "line", value_name = "SKU=UNITS", required = true, value_parser = goods)]
    lines: Vec<Goods>,
    #[command(flatten)]
    who: Who,
}

/// Say who pays for a cart that nobody was announced for
#[derive(Args)]
struct Assign {
    /// The cart.
    cart: CartId,
    /// Who pays.
    shopper: ShopperId,
    /// Who says so; it is written into the audit log.
    #[arg(long, value_name = "NAME")]
    by: String,
    #[command(flatten)]
    book: BookArgs,
}

#[derive(Args)]
struct Who {
    /// Who decides; it is written beside the verdict.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why.
    #[arg(long, default_value = "")]
    note: String,
    #[command(flatten)]
    book: BookArgs,
}

fn goods(text: &str) -> Result<Goods, String> {
    let wrong = || format!("`{text}` is not a line: write SKU=UNITS, such as 2000554117887=2");
    let (sku, units) = text.rsplit_once('=').ok_or_else(wrong)?;
    Ok(Goods { sku: SkuId::new(sku), quantity: Quantity::new(units.parse().map_err(|_| wrong())?) })
}

impl Review {
    pub(super) fn run(self) -> Result<()> {
        match self.verb {
            Verb::List(list) => list.run(),
            Verb::Show(show) => show.run(),
            Verb::Accept(accept) => decide(accept.case, Decision::Accept, accept.who),
            Verb::Change(change) => decide(change.case, Decision::Change { lines: change.lines }, change.who),
            Verb::Reject(reject) => decide(reject.case, Decision::Reject, reject.who),
            Verb::Assign(assign) => {
                let (mut till, _) = till_of(&assign.book, |session| shop_of(session, assign.cart))?;
                let now = WallClock.now();
                let deed = deed((&assign.by, ROLE), "cart.assign", &assign.cart, "on the command line", now);
                till.by(deed, |till| till.assign(assign.cart, assign.shopper, now))
            }
        }
    }
}

impl List {
    fn run(self) -> Result<()> {
        let mut database = self.book.open()?;
        let waiting = database.transaction(|session| cases::waiting(session, (ShopTime::MIN, ""), LISTED_MAX))?;
        if self.json {
            return super::print(&format!("{:#}\n", serde_json::json!(waiting)));
        }
        let mut text = String::new();
        for case in &waiting {
            text += &format!("{}  {}  {}\n", case.id, case.opened, concerns(case));
        }
        if waiting.is_empty() {
            text += "nothing waits for a person\n";
        }
        super::print(&text)
    }
}

impl Show {
    fn run(self) -> Result<()> {
        let mut database = self.book.open()?;
        let (case, receipt, evidence) = database.transaction(|session| {
            let case = cases::get(session, self.case)?;
            let case = case.ok_or_else(|| Error::missing(format!("there is no {}", self.case)))?;
            let receipt = carts::receipts(session, case.cart)?.pop().map(|version| version.receipt);
            Ok((case.clone(), receipt, carts::evidence(session, case.cart)?))
        })?;
        if self.json {
            let all = serde_json::json!({ "case": case, "receipt": receipt, "evidence": evidence });
            return super::print(&format!("{all:#}\n"));
        }
        // Without its shop, times are told in UTC.
        let shop = database.transaction(|session| shop_of(session, case.cart));
        let till = shop.ok().map(|name| Till::reopen(database, &name)).transpose()?;
        let shop = till.as_ref().map(|till| till.shop().as_ref());
        super::print(&shown(&case, receipt.as_ref(), evidence.as_deref(), shop))
    }
}

/// A case for people.
fn shown(case: &Case, receipt: Option<&Receipt>, evidence: Option<&[Grounds]>, shop: Option<&Shop>) -> String {
    let at = |instant: ShopTime| match shop {
        Some(shop) => instant.zoned(shop.zone()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string(),
        None => instant.to_string(),
    };
    let mut text = format!("{}: {}\n{}, opened {}\n", case.id, concerns(case), case.cart, at(case.opened));
    if let Some(verdict) = &case.verdict {
        let reviewer = plain(&verdict.reviewer);
        text += &format!("decided by {reviewer} at {}: {}\n", at(verdict.at), decision(&verdict.decision));
    }
    let Some(receipt) = receipt else { return text + "no receipt\n" };
    let attributions: Vec<&Attribution> = evidence.unwrap_or_default().iter().map(|kept| &kept.attribution).collect();
    for line in &receipt.lines {
        let amount = line.amount.map_or_else(|| "no price".to_owned(), |amount| amount.to_string());
        let (name, sku) = (plain(&line.name), plain(line.sku.as_str()));
        text += &format!("  {:>2} x {name} ({sku})  {amount}  {}\n", line.quantity, line.probability);
        for attribution in attributions.iter().filter(|attribution| attribution.sku == line.sku) {
            text += &format!("       {}\n", sentence(attribution, shop));
        }
    }
    let total = receipt.total.map_or_else(|| "unknown".to_owned(), |total| total.to_string());
    text += &format!("  total {total}, {} that all of it is right\n", receipt.probability);
    if evidence.is_none() {
        text += "  the evidence is not kept any more\n";
    }
    text
}

fn concerns(case: &Case) -> String {
    let text = |concern: &Concern| match concern {
        Concern::Doubt { probability, bar } => format!("{probability} is below {bar}"),
        Concern::NoPrice { sku } => format!("`{sku}` has no price"),
        Concern::Interrupted { detail } => detail.clone(),
        Concern::NoPayer => "nobody is known to pay".to_owned(),
        Concern::Tailgated { behind } => format!("came in behind {behind} without a scan"),
        Concern::Contested { words, .. } => format!("contested: {words}"),
        Concern::Disputed { amount } => format!("the bank took {amount} back"),
        Concern::Recomputed => "the visit came out differently after it was booked".to_owned(),
        Concern::Unpaid { code } => format!("not paid: {code}"),
    };
    let all = case.concerns.iter().map(text).collect::<Vec<String>>().join("; ");
    plain(&all).into_owned()
}

fn decision(decision: &Decision) -> String {
    match decision {
        Decision::Accept => "accepted".to_owned(),
        Decision::Reject => "rejected".to_owned(),
        Decision::Change { lines } => {
            let lines: Vec<String> = lines.iter().map(|goods| format!("{} x {}", goods.quantity, goods.sku)).collect();
            format!("changed to {}", plain(&lines.join(", ")))
        }
    }
}

fn decide(id: CaseId, decision: Decision, who: Who) -> Result<()> {
    let (mut till, journal) = till_of(&who.book, |session| {
        let case = cases::get(session, id)?.ok_or_else(|| Error::missing(format!("there is no {id}")))?;
        shop_of(session, case.cart)
    })?;
    let verdict = Verdict { reviewer: who.by, at: WallClock.now(), decision, note: who.note };
    let deed = deed((&verdict.reviewer, ROLE), "case.verdict", &id, "on the command line", verdict.at);
    let case = till.by(deed, |till| till.decide(id, &verdict))?;
    // Where a server has the sandbox it will settle; here nobody else does.
    let sandbox =
        journal.filter(|path| path.exists()).map(|path| Sandbox::open(&path, Arc::new(WallClock))).transpose();
    match sandbox {
        Ok(None) => {}
        Ok(Some(sandbox)) => settle_due(&mut till, &book::alone(sandbox), &WallClock)?,
        Err(error) if error.kind() == Kind::Unavailable => {}
        Err(error) => return Err(error),
    }
    super::print(&format!("{}: {}\n", case.id, self::decision(&verdict.decision)))
}

fn shop_of(session: &mut dyn Session, cart: CartId) -> Result<String, Failure> {
    let cart = carts::get(session, cart)?.ok_or_else(|| Error::missing(format!("there is no {cart}")))?;
    Ok(cart.shop)
}

/// The till of the shop that something in the book belongs to, and where the sandbox of the book has its own books.
fn till_of(
    book: &BookArgs,
    mut shop: impl FnMut(&mut dyn Session) -> Result<String, Failure>,
) -> Result<(Till, Option<PathBuf>)> {
    let mut database = book.open()?;
    let name = database.transaction(|session| shop(session))?;
    let journal = book.sandbox_path(&mut database)?;
    Ok((Till::reopen(database, &name)?, journal))
}
