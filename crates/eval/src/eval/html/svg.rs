//! Small drawings as SVG text. Takes numbers and words, gives markup that is escaped and closed. It knows no scores.

use std::fmt::Write as _;

use crate::base::figures::fixed;
use crate::base::text::plain;

/// A coordinate or a length.
#[derive(Clone, Copy, Debug)]
pub(super) enum At {
    /// In units of the drawing.
    Unit(f64),
    /// In hundredths of the drawing's width or height, so that a drawing without a `viewBox` follows its page.
    Percent(f64),
}

/// Which end of a text stands at its coordinate.
#[derive(Clone, Copy, Debug)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A drawing under construction.
#[derive(Debug)]
pub(super) struct Svg {
    text: String,
}

impl Svg {
    /// A drawing that scales with its page; `description` is what a screen reader says.
    pub(super) fn scaling(width: f64, height: f64, description: &str) -> Self {
        let text = format!(
            r#"<svg class="plot" viewBox="0 0 {width} {height}" role="img" aria-label="{}">"#,
            escape(description)
        );
        Svg { text }
    }

    /// A strip as wide as its place and `height` pixels high; draw with [`At::Percent`] across.
    pub(super) fn strip(height: f64, description: &str) -> Self {
        let text = format!(
            r#"<svg class="strip" width="100%" height="{height}" role="img" aria-label="{}">"#,
            escape(description)
        );
        Svg { text }
    }

    /// A filled rectangle; `tip` is shown on hovering, where it is not empty.
    pub(super) fn rect(&mut self, corner: (At, At), size: (At, At), class: &str, tip: &str) {
        let (x, y, width, height) = (corner.0.text(), corner.1.text(), size.0.text(), size.1.text());
        let _ = write!(self.text, r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" class="{class}""#);
        self.close("rect", tip);
    }

    pub(super) fn line(&mut self, from: (At, At), to: (At, At), class: &str) {
        let (x1, y1, x2, y2) = (from.0.text(), from.1.text(), to.0.text(), to.1.text());
        let _ = write!(self.text, r#"<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" class="{class}"/>"#);
    }

    pub(super) fn circle(&mut self, centre: (At, At), radius: f64, class: &str, tip: &str) {
        let (x, y, radius) = (centre.0.text(), centre.1.text(), At::Unit(radius).text());
        let _ = write!(self.text, r#"<circle cx="{x}" cy="{y}" r="{radius}" class="{class}""#);
        self.close("circle", tip);
    }

    pub(super) fn words(&mut self, at: (At, At), anchor: Anchor, class: &str, words: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let (x, y, words) = (at.0.text(), at.1.text(), escape(words));
        let _ = write!(self.text, r#"<text x="{x}" y="{y}" text-anchor="{anchor}" class="{class}">{words}</text>"#);
    }

    pub(super) fn finish(mut self) -> String {
        self.text += "</svg>";
        self.text
    }

    fn close(&mut self, tag: &str, tip: &str) {
        let _ = match tip {
            "" => write!(self.text, "/>"),
            tip => write!(self.text, "><title>{}</title></{tag}>", escape(tip)),
        };
    }
}

impl At {
    fn text(self) -> String {
        let (value, unit) = match self {
            At::Unit(value) => (value, ""),
            At::Percent(value) => (value, "%"),
        };
        // A number that is none would break the drawing; it is drawn at the edge.
        let value = if value.is_finite() { value } else { 0.0 };
        let fixed = fixed(value, 2);
        format!("{}{unit}", fixed.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// Text that means itself in HTML and in SVG, in elements and in quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in plain(text).chars() {
        match letter {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            letter => escaped.push(letter),
        }
    }
    escaped
}
