//! Custom themes: colors of a person's own over dark or light, in the words other dashboards of this kind exchange.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A theme as `/api/themes` keeps it; what other dashboards put in beside these fields stays theirs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CustomTheme {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Lowercase, digits, hyphens.
    pub name: String,
    pub display_name: String,
    /// By the names of [`COLORS`]; others are kept and not used here.
    pub colors: BTreeMap<String, String>,
}

/// A color one can choose.
pub struct Color {
    /// Its name in a theme's file.
    pub key: &'static str,
    pub label: &'static str,
    /// The tokens it stands for.
    pub tokens: &'static [&'static str],
    /// What it must be told from, and by how much: the other color's name and the contrast.
    pub against: Option<(&'static str, f64)>,
}

const fn color(
    key: &'static str,
    label: &'static str,
    tokens: &'static [&'static str],
    against: Option<(&'static str, f64)>,
) -> Color {
    Color { key, label, tokens, against }
}

const TEXT: f64 = 4.5;
const GRAPHIC: f64 = 3.0;

/// Every color of a custom theme. What a theme leaves out is that of dark or light.
pub const COLORS: [Color; 14] = [
    color("bgPrimary", "Page", &["--surface"], None),
    color("bgSecondary", "Frame", &["--canvas"], None),
    color("bgTertiary", "Raised", &["--surface-raised"], None),
    color("bgQuaternary", "Overlays and fields", &["--surface-overlay", "--fill"], None),
    color("hoverBg", "Under the pointer", &["--fill-hover"], None),
    color("textPrimary", "Text", &["--text"], Some(("bgPrimary", TEXT))),
    color("textSecondary", "Quiet text", &["--text-muted"], Some(("bgPrimary", TEXT))),
    color("textTertiary", "Faint text", &["--text-faint"], Some(("bgPrimary", TEXT))),
    color("borderPrimary", "Lines", &["--hairline"], None),
    color("borderSecondary", "Strong lines", &["--hairline-strong", "--control-line"], None),
    color("primary", "Accent", &["--accent"], Some(("bgPrimary", TEXT))),
    color("accentWarning", "Needs you", &["--attention", "--attention-mark"], Some(("bgPrimary", TEXT))),
    color("accentError", "Failed", &["--danger", "--danger-mark"], Some(("bgPrimary", TEXT))),
    color("accentSuccess", "Passed", &["--passed", "--passed-mark"], Some(("bgPrimary", GRAPHIC))),
];

impl CustomTheme {
    /// Token and value of every color that is one.
    pub fn tokens(&self) -> Vec<(&'static str, String)> {
        let known = COLORS.iter().filter_map(|color| Some((color, self.colors.get(color.key)?)));
        known
            .filter(|(_, value)| parse(value).is_some())
            .flat_map(|(color, value)| color.tokens.iter().map(move |token| (*token, value.clone())))
            .collect()
    }

    /// Whether its page is dark: then the rest is taken from dark. A theme without a page color is dark.
    pub fn is_dark(&self) -> bool {
        self.colors.get("bgPrimary").and_then(|value| parse(value)).is_none_or(|color| luminance(color) < 0.2)
    }

    /// Colors that are hard to tell from their ground: label, contrast, and what it should be.
    pub fn complaints(&self) -> Vec<(&'static str, f64, f64)> {
        let value = |key: &str| self.colors.get(key).and_then(|value| parse(value));
        COLORS
            .iter()
            .filter_map(|color| {
                let (ground, least) = color.against?;
                let contrast = contrast(value(color.key)?, value(ground)?);
                (contrast < least).then_some((color.label, contrast, least))
            })
            .collect()
    }

    /// A name that the server takes, made of the one a person reads.
    pub fn name_of(display_name: &str) -> String {
        let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
        let name: String = display_name.trim().chars().map(plain).collect();
        let name = name.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
        if name.is_empty() { "theme".to_owned() } else { name }
    }
}

/// `#rgb` and `#rrggbb` as red, green, blue. Empty for anything else.
pub fn parse(text: &str) -> Option<[u8; 3]> {
    let hex = text.trim().strip_prefix('#')?;
    if !hex.is_ascii() {
        return None;
    }
    let part = |at: usize, length: usize| u8::from_str_radix(hex.get(at..at + length)?, 16).ok();
    match hex.len() {
        3 => Some([part(0, 1)? * 17, part(1, 1)? * 17, part(2, 1)? * 17]),
        6 => Some([part(0, 2)?, part(2, 2)?, part(4, 2)?]),
        _ => None,
    }
}

/// WCAG's contrast of two colors, 1 to 21.
pub fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(color: [u8; 3]) -> f64 {
    let linear = color.map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn theme(colors: &[(&str, &str)]) -> CustomTheme {
        let colors = colors.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        CustomTheme { colors, ..CustomTheme::default() }
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        let hash = |hex: &str| parse(&format!("#{hex}"));
        assert_eq!(contrast(hash("000").unwrap_or_default(), hash("ffffff").unwrap_or_default()), 21.0);
        assert_eq!((hash("a1b2c3"), hash("12"), hash("ggg"), parse("red")), (Some([161, 178, 195]), None, None, None));
    }

    #[test]
    fn colors_become_tokens_and_weak_ones_are_told() {
        let night = format!("{}0a0c0f", '#');
        let gray = format!("{}333333", '#');
        let theme =
            theme(&[("bgPrimary", &night), ("textPrimary", &gray), ("shadow", "0 1px 2px"), ("primary", "url(x)")]);
        assert_eq!(theme.tokens(), [("--surface", night), ("--text", gray)]);
        assert!(theme.is_dark());
        assert_eq!(theme.complaints().iter().map(|(label, ..)| *label).collect::<Vec<_>>(), ["Text"]);
        assert_eq!(CustomTheme::name_of("  Night Sky! 2"), "night-sky-2");
    }
}
