//! `aisle token`: keys to the API.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use clap::{Args, Subcommand};

use super::book::BookArgs;
use super::print;
use crate::api::{Grant, Role, create_token, revoke_token};
use crate::base::text::plain;
use crate::base::{Error, Result, ShopTime, ShopperId, TokenId};
use crate::db::Database;
use crate::db::access::{self, Token};
use crate::ports::{Clock, WallClock};

/// Who the audit log says it was: whoever may use this command has the book itself.
const BY: (&str, &str) = ("aisle token", "operator");
/// Tokens that are read at a time.
const PAGE_ROWS: u32 = 500;

/// Create, list and revoke API tokens.
#[derive(Args)]
pub(super) struct TokenCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Create(Create),
    List(List),
    Revoke(Revoke),
}

/// Create a token, and the book where there is none yet; the secret is printed once and never stored
#[derive(Args)]
struct Create {
    #[command(flatten)]
    book: BookArgs,
    /// Role, which says what the token may do: operator, reviewer, gate, shopper, screen, staff or restock
    #[arg(long)]
    role: Role,
    /// Who holds it; a shopper's token is named after its shopper
    #[arg(long, value_name = "NAME")]
    holder: Option<String>,
    /// Whom a token of the role `shopper` speaks for
    #[arg(long, value_name = "ID")]
    shopper: Option<ShopperId>,
    /// Days until it expires, 1 to 3,650; never without it
    #[arg(long, value_name = "N")]
    days: Option<u32>,
}

/// List all tokens, without their secrets
#[derive(Args)]
struct List {
    #[command(flatten)]
    book: BookArgs,
}

/// Revoke a token
#[derive(Args)]
struct Revoke {
    #[command(flatten)]
    book: BookArgs,
    /// The token, as `list` names it
    token: TokenId,
}

impl TokenCommand {
    pub(super) fn run(&self) -> Result<()> {
        let now = WallClock.now();
        match &self.verb {
            Verb::Create(create) => create.run(now),
            Verb::List(list) => list.run(now),
            Verb::Revoke(revoke) => revoke_token(&mut revoke.book.open()?, revoke.token, BY, now),
        }
    }
}

impl Create {
    fn run(&self, now: ShopTime) -> Result<()> {
        let grant = Grant { role: self.role, holder: self.holder.clone(), shopper: self.shopper, days: self.days };
        self.book.check_lasting()?;
        let mut database = self.open(&grant)?;
        let (token, secret) = create_token(&mut database, &grant, BY, now)?;
        let mut out = std::io::stdout().lock();
        let Err(error) = writeln!(out, "{}", secret.reveal()).and_then(|()| out.flush()) else { return Ok(()) };
        // Nobody has seen it, and nobody will.
        revoke_token(&mut database, token.id, BY, now)?;
        Err(Error::io("write", Path::new("standard output"), &error).hint("the token was revoked; make another one"))
    }
}

impl Create {
    /// The book. The first token is made before the shop first opens, so a book that is not there is begun; but not for a
    /// shopper, whom a new book cannot know, nor for a grant that is refused.
    fn open(&self, grant: &Grant) -> Result<Database> {
        grant.check()?;
        if grant.role == Role::Shopper {
            return self.book.open();
        }
        let (database, is_new) = self.book.open_or_begin()?;
        if is_new {
            eprintln!("{}: there was no book, a new one is begun", self.book.shown()?);
        }
        Ok(database)
    }
}

impl List {
    fn run(&self, now: ShopTime) -> Result<()> {
        // Tokens are of the book, whichever shops it has.
        let mut database = self.book.open()?;
        let (mut at, mut name) = (ShopTime::MIN, String::new());
        loop {
            let page = database.transaction(|session| access::tokens(session, (at, &name), PAGE_ROWS))?;
            let Some(last) = page.last() else { return Ok(()) };
            (at, name) = (last.created_at, last.id.to_string());
            print(&page.iter().fold(String::new(), |mut text, token| {
                // Writing to a string cannot fail.
                let _ = writeln!(
                    text,
                    "{}  {:<8}  {:<13}  {}",
                    token.id,
                    token.role,
                    standing(token, now),
                    plain(&token.holder)
                );
                text
            }))?;
        }
    }
}

fn standing(token: &Token, now: ShopTime) -> String {
    match (token.revoked_at, token.expires_at) {
        (Some(_), _) => "revoked".to_owned(),
        (None, Some(end)) if end <= now => "expired".to_owned(),
        (None, Some(end)) => format!("to {}", end.to_string().split('T').next().unwrap_or_default()),
        (None, None) => "valid".to_owned(),
    }
}
