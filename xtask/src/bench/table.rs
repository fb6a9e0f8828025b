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
    // Without it, a sum of nothing is written as -0.
    let digits = format!("{:.0}", number.round() + 0.0);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_people_read_them() {
        assert_eq!([whole(-0.0), whole(-0.2), whole(999.4)], ["0", "0", "999"]);
        assert_eq!(whole(1_234_567.5), "1,234,568");
        assert_eq!(quartiles(&mut [5.0, 1.0, 4.0, 2.0, 3.0]), "3.00 (2.00 to 4.00)");
        let table = table(["", "a"], &[["b".to_owned(), "1".to_owned()]]);
        assert_eq!(table, "|  | a |\n|---|--:|\n| b | 1 |\n");
    }
}
