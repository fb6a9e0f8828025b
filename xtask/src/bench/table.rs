//! Figures in the form in which README.md has them.

use std::fmt::Write;

/// A table in Markdown, with numbers on the right. The first column is text.
pub(super) fn table<const N: usize>(heads: [&str; N], rows: &[[String; N]]) -> String {
    let mut text = format!("| {} |\n|---|{}\n", heads.join(" | "), "--:|".repeat(N - 1));
    for row in rows {
        // A string takes whatever is written.
        writeln!(text, "| {} |", row.join(" | ")).ok();
    }
    text
}

/// With separators of thousands, rounded.
pub(super) fn whole(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The median, and the middle half in brackets.
pub(super) fn quartiles(values: &mut [f64]) -> String {
    values.sort_by(f64::total_cmp);
    let at = |quarter: usize| values[quarter * (values.len() - 1) / 4];
    format!("{:.2} ({:.2} to {:.2})", at(2), at(1), at(3))
}
