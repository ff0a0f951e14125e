//! The HTML report holds together.

use super::table::mixed;
use super::*;

/// Tags that never close.
const VOID: [&str; 3] = ["meta", "!doctype", "br"];

fn page(summary: &Summary) -> String {
    let about = [("com<mand".to_owned(), "aisle eval \"<script>alert('x')</script>\"".to_owned())];
    let ablations = [
        Ablation { left_out: "wrist <to> plate".to_owned(), mean_f1: 0.5, exact_receipts: 0.4 },
        Ablation { left_out: "nothing much".to_owned(), mean_f1: 0.61, exact_receipts: 0.5 },
    ];
    Page { title: "a & b", about: &about, summary, ablations: &ablations }.to_html()
}

/// Follows every tag; answers the first place where one does not close.
fn unbalanced(html: &str) -> Option<String> {
    let mut open: Vec<&str> = Vec::new();
    let style_free =
        html.split("<style>").enumerate().map(|(index, part)| match (index, part.split_once("</style>")) {
            (0, _) | (_, None) => part,
            (_, Some((_, rest))) => rest,
        });
    for part in style_free {
        for tag in part.split('<').skip(1) {
            let Some((inside, text)) = tag.split_once('>') else { return Some(format!("<{tag}")) };
            if text.contains('>') || text.replace("&amp;", "").contains("& ") {
                return Some(format!("unescaped: {text}"));
            }
            let name = inside.trim_start_matches('/').split_whitespace().next()?.trim_end_matches('/');
            if inside.matches('"').count() % 2 == 1 {
                return Some(format!("quotes: <{inside}>"));
            } else if inside.starts_with('/') {
                if open.pop() != Some(name) {
                    return Some(format!("</{name}> closes {open:?}"));
                }
            } else if !inside.ends_with('/') && !VOID.contains(&name) {
                open.push(name);
            }
        }
    }
    open.last().map(|tag| format!("<{tag}> stays open"))
}

#[test]
fn every_tag_closes_and_everything_is_escaped() {
    let html = page(&mixed());
    assert_eq!(unbalanced(&html), None);
    assert!(html.contains("wrist &lt;to&gt; plate"));
    assert!(html.contains("bread &lt;&amp;&gt;"));
    assert!(html.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
    assert_eq!(unbalanced("<p>a</p"), Some("</p".to_owned()));
    assert_eq!(unbalanced("<p><b>a</p></b>"), Some("</p> closes [\"p\"]".to_owned()));
}

#[test]
fn it_needs_nothing_from_elsewhere() {
    let html = page(&mixed());
    for outside in ["http:", "https:", "//", "<script", "<link", "<img", "@import", "url(", "src=", "href="] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[test]
fn it_draws_what_there_is() {
    let html = page(&mixed());
    let parts = [
        "Mean F1 by scenario",
        "Levels compared",
        "What went wrong",
        "Money error",
        "Wrong cases",
        "left out",
        "What a look buys",
        "Doubt by its reason",
    ];
    for part in parts {
        assert!(html.contains(part), "{part}");
    }
    assert!(!html.contains("NaN") && !html.contains("inf\""));
}

#[test]
fn a_perfect_run_and_an_empty_one_are_pages_too() {
    let perfect = Summary::of(vec![case("one", None, "trip", score("1: tea", "1: tea"))], 1);
    let none = Summary::of(Vec::new(), 1);
    for (summary, words) in [(perfect, "The case is right in every unit."), (none, "No cases were judged.")] {
        let html = Page { title: "t", about: &[], summary: &summary, ablations: &[] }.to_html();
        assert_eq!(unbalanced(&html), None);
        assert!(html.contains(words) && !html.contains("Wrong cases") && !html.contains("Levels compared"));
        assert_eq!(html.contains("What a look buys"), summary.overall.exact_receipts.of != 0);
    }
}
