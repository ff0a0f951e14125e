//! Enums that have a word for each value: the list of all, the word, and the value back from the word come from one table,
//! so that none can be forgotten.

/// Makes an enum with `ALL`, `name`, `Display` and `FromStr`. The error of `FromStr` names what was written, what it should
/// be one of, and all words.
///
/// ```
/// aisle_contract::named_enum! {
///     /// How fast.
///     pub enum Speed as "speed" {
///         /// Not fast.
///         Slow = "slow",
///         /// Fast.
///         Fast = "fast",
///     }
/// }
/// assert_eq!(Speed::Slow.name(), "slow");
/// assert_eq!("quick".parse::<Speed>(), Err("`quick` is not a speed: write slow or fast".to_owned()));
/// ```
#[macro_export]
macro_rules! named_enum {
    ($(#[$meta:meta])* pub enum $name:ident as $what:literal {
        $($(#[$doc:meta])* $value:ident = $word:literal),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$doc])* $value,)+
        }

        impl $name {
            /// All of them, in order.
            pub const ALL: [$name; [$($word),+].len()] = [$($name::$value),+];

            /// The word for it.
            pub const fn name(self) -> &'static str {
                match self { $($name::$value => $word,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> std::result::Result<Self, String> {
                let named = $name::ALL.into_iter().find(|one| one.name() == text);
                named.ok_or_else(|| {
                    let words = $crate::base::named::listed(&$name::ALL.map($name::name));
                    format!("`{text}` is not a {}: write {words}", $what)
                })
            }
        }
    };
}

/// Words as a sentence lists them: `a, b or c`.
pub fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
