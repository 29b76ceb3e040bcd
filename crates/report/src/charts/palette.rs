//! The colours by name, as `html/style.css` names them, and what they are on white. A test holds both
//! against each other.

use plotters::style::RGBColor;

use super::chart::stand_in;

/// Each with its light value.
pub(super) const COLOURS: [(&str, &str); 21] = [
    ("line-0", "#0b62c4"),
    ("line-1", "#c2410c"),
    ("line-2", "#15803d"),
    ("line-3", "#a21caf"),
    ("line-4", "#8a6a00"),
    ("line-5", "#0e7490"),
    ("line-6", "#be123c"),
    ("line-7", "#4d4d4d"),
    ("faint", "#59636e"),
    ("at-once", "#b6e6c9"),
    ("when-idle", "#d6edb0"),
    ("on-activity", "#f8e9a1"),
    ("on-request", "#fbd0a0"),
    ("partly", "#f4b9ab"),
    ("never", "#ea9fb0"),
    ("failed", "#d8d8d8"),
    ("alive", "#3b6fb6"),
    ("rounding", "#8fb4e3"),
    ("lazily", "#b08bd0"),
    ("rest", "#b5bcc4"),
    ("unexplained", "#d1242f"),
];

/// How many lines have a colour of their own: the first of the list.
pub(super) const LINES: usize = 8;

pub(super) const INK: &str = "#1b1f24";

/// Stands for the colour of this name, a class of the style sheet's.
pub(super) fn named(name: &str) -> RGBColor {
    let place = COLOURS.iter().position(|(known, _)| *known == name);
    stand_in(place.expect("a colour of the style sheet's"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_the_colours_of_the_page_in_the_light() {
        let style = include_str!("../html/style.css");
        let light = style.split("@media").next().unwrap_or_default();
        for (name, value) in COLOURS.into_iter().chain([("ink", INK)]) {
            assert!(light.contains(&format!("--{name}: {value};")), "{name}");
        }
    }
}
