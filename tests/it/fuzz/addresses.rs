//! Addresses of books as somebody may write them.

use aisle::db::Address;

/// A password that no address has by chance.
const PASSWORD: &str = "gEhEiM-9Q";

fn printed(text: &str) -> Result<String, String> {
    Address::parse(text).map(|address| address.to_string()).map_err(|error| error.to_string())
}

/// An address is a file, memory, a server, or refused with a reason. What is printed of it is read as the same, and holds
/// no password, wherever that stands.
pub(super) fn address(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    match Address::parse(&text) {
        Ok(address) if address.file().is_some() => {
            let name = address.file().unwrap().to_str().unwrap();
            assert!(text == name || text.strip_prefix("sqlite:") == Some(name), "{text:?} became {name:?}");
            assert!(!text.starts_with("sqlite://") && !text.starts_with("file:"), "{text:?} became {name:?}");
            let is_path = name.trim().starts_with(['.', '/']) || text != name;
            assert!(is_path || !name.contains("://") && !name.to_lowercase().contains("password="), "{text:?}");
        }
        Ok(address) => {
            let shown = address.to_string();
            assert_eq!(printed(&shown).as_deref(), Ok(shown.as_str()), "{text:?}");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let hiding = [
        format!("postgresql://till:{PASSWORD}@{text}"),
        format!("postgresql://till@h/shop?password={PASSWORD}&{text}"),
        format!("password='{PASSWORD}' {text}"),
    ];
    for hiding in hiding {
        // A `@` further on makes a host of the beginning.
        if !hiding.starts_with("postgresql://till@") || !text.contains('@') {
            let (Ok(shown) | Err(shown)) = printed(&hiding);
            assert!(!shown.contains(PASSWORD), "{hiding:?}: {shown}");
            assert!(!format!("{:?}", Address::parse(&hiding).ok()).contains(PASSWORD), "{hiding:?}");
        }
    }
}
