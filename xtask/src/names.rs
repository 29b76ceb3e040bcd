//! Names that a user may get wrong: the valid ones and the nearest.

use crate::stop::Stop;

/// The line for a name that is not among the valid ones.
pub(crate) fn unknown(kind: &str, name: &str, valid: &[&str]) -> String {
    let nearest = valid
        .iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(similarity, _)| *similarity > 0.7)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    let hint = match nearest {
        Some((_, candidate)) => format!("; did you mean {candidate}?"),
        None => String::new(),
    };
    format!(
        "unknown {kind} {name:?}: there are {}{hint}",
        valid.join(", ")
    )
}

/// What stands for every one of a kind.
pub(crate) const ALL: &str = "all";
/// What stands for nobody, where others are named elsewhere.
pub(crate) const NONE: &str = "none";

/// Those of `all` whose names were chosen, or all where none was, in the order of `all`.
///
/// # Errors
/// [`Stop::BadInput`] for a name that nothing in `all` has.
pub(crate) fn choose<'a, T>(
    kind: &str,
    chosen: &[String],
    all: &'a [T],
    name: impl Fn(&T) -> &str,
) -> Result<Vec<&'a T>, Stop> {
    let valid: Vec<&str> = all.iter().map(&name).collect();
    match chosen
        .iter()
        .find(|chosen| !valid.contains(&chosen.as_str()))
    {
        Some(wrong) => Err(Stop::BadInput(unknown(kind, wrong, &valid))),
        None => Ok(all
            .iter()
            .filter(|item| chosen.is_empty() || chosen.iter().any(|chosen| chosen == name(item)))
            .collect()),
    }
}
