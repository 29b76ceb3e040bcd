//! A chart with all that it needs to stand alone: a title, a legend, and in words what made it.
//!
//! The picture is an SVG around three others: the title with the legend, the chart, the line at the foot.

use model::{Cell, Comparison, Host, Tradeoff};
use plotters::prelude::*;

use super::chart::{self, INK, LETTERS, Theme};
use super::curve::{self, Curve};
use super::ledger::Ledger;
use super::legend::{Legend, Sign, shortened};
use super::scatter::{self, Scatter};
use super::{matrix, palette, png};
use crate::html::escape::{Visible, visible};
use crate::html::matrix::{Matrix, title};
use crate::rows::name;

/// What a picture shows.
pub enum Plot<'a> {
    /// What these cells of one experiment kept as the run went on: a line each.
    Curve(&'a [&'a Cell]),
    /// Where each KiB was, at each checkpoint of the cell.
    Ledger(&'a Cell),
    /// What returning costs each contestant.
    Tradeoff(&'a [Tradeoff]),
    /// When the memory comes back.
    Matrix(&'a [Cell]),
}

/// A picture that stands alone.
pub struct Picture {
    title: String,
    /// What made the figures.
    origin: String,
    svg: String,
    size: (u32, u32),
}

impl Picture {
    /// `None` where there is nothing to draw: no checkpoint, no ledger, fewer than two contestants, no cell.
    /// `made` is the comparison that it all is from.
    pub fn of(plot: &Plot, made: &Comparison) -> Option<Picture> {
        let drawn = match plot {
            Plot::Curve(cells) => drawn_curve(cells)?,
            Plot::Ledger(cell) => drawn_ledger(cell)?,
            Plot::Tradeoff(tradeoffs) => drawn_tradeoff(tradeoffs)?,
            Plot::Matrix(cells) => drawn_matrix(cells)?,
        };
        let title = visible(&drawn.title);
        let origin = visible(&origin(made));
        let (svg, size) = framed(&drawn, &title, &origin);
        Some(Picture {
            title,
            origin,
            svg,
            size,
        })
    }

    /// As a file that opens anywhere.
    pub fn svg(&self) -> &str {
        &self.svg
    }

    /// In pixels, two for each of the SVG's, and in letters that do not depend on the machine.
    ///
    /// # Errors
    /// In a sentence where it would be larger than programs open.
    pub fn png(&self) -> Result<Vec<u8>, String> {
        png::png(&self.svg, self.size, &self.title, &self.origin)
    }
}

/// A chart without its frame.
struct Drawn {
    title: String,
    legend: Vec<(Sign, String)>,
    svg: String,
    size: (u32, u32),
}

fn drawn_curve(cells: &[&Cell]) -> Option<Drawn> {
    let lines: Vec<(&Cell, Option<&Cell>)> = cells.iter().map(|cell| (*cell, None)).collect();
    let curve = Curve::of(&lines, Theme::File)?;
    let names = cells.iter().enumerate();
    Some(Drawn {
        title: format!("{}: kept as the run goes on", title(cells[0])),
        legend: names.map(|(n, cell)| (Sign::Line(n), name(cell))).collect(),
        svg: curve.svg,
        size: curve::SIZE,
    })
}

fn drawn_ledger(cell: &Cell) -> Option<Drawn> {
    let ledger = Ledger::of(cell);
    let name_of = |part: usize| ledger.parts[part].entry.name.clone();
    let drawn = ledger.drawn().into_iter();
    let mut legend: Vec<_> = drawn
        .map(|(part, colour)| (Sign::Area(colour), name_of(part)))
        .collect();
    let (svg, size) = (!legend.is_empty()).then(|| ledger.chart(Theme::File))?;
    if legend.len() < ledger.parts.len() {
        let thin = "what would be too thin to see is left out";
        legend.push((Sign::Nothing, thin.to_owned()));
    }
    Some(Drawn {
        title: format!("{}, under {}: where each KiB was", title(cell), name(cell)),
        legend,
        svg,
        size,
    })
}

fn drawn_tradeoff(tradeoffs: &[Tradeoff]) -> Option<Drawn> {
    let scatter = Scatter::of(tradeoffs, Theme::File)?;
    let front = "on the Pareto front: nobody gives back as much for less";
    let mut legend = vec![
        (Sign::Filled, front.to_owned()),
        (Sign::Outlined, "off it".to_owned()),
    ];
    let numbered = scatter.numbered();
    legend.extend(numbered.map(|(number, name)| (Sign::Nothing, format!("{number} {name}"))));
    Some(Drawn {
        title: "What returning costs".to_owned(),
        legend,
        svg: scatter.svg,
        size: scatter::SIZE,
    })
}

fn drawn_matrix(cells: &[Cell]) -> Option<Drawn> {
    let matrix = (!cells.is_empty()).then(|| Matrix::of(cells))?;
    let (svg, size) = matrix::draw(&matrix, Theme::File);
    let kept = "per cent: what the drop kept of what the object occupied";
    Some(Drawn {
        title: "When the memory comes back".to_owned(),
        legend: vec![(Sign::Nothing, kept.to_owned())],
        svg,
        size,
    })
}

/// `afterdrop 0.1.0, Debian GNU/Linux 12, kernel 6.18, glibc 2.36, x86_64: cargo xtask compare`
fn origin(made: &Comparison) -> String {
    let machine = |host: &Host, command: &str| {
        let named = |what: &str, fact: &Option<String>| Some(format!("{what}{}", fact.as_ref()?));
        let facts = [
            Some(format!("afterdrop {}", made.afterdrop_version)),
            named("", &host.os),
            named("kernel ", &host.kernel),
            named("glibc ", &host.glibc),
            Some(host.architecture.clone()),
        ];
        let facts: Vec<String> = facts.into_iter().flatten().collect();
        format!("{}: {command}", facts.join(", "))
    };
    match &made.machines[..] {
        [] => machine(&made.host, &made.command),
        machines => {
            let each = machines.iter();
            let each = each.map(|m| format!("{}: {}", m.name, machine(&m.host, &m.command)));
            each.collect::<Vec<_>>().join("; ")
        }
    }
}

/// The height of the title, and of a line at the foot.
const TITLE: i32 = 44;
const FOOT: i32 = 16;

fn framed(drawn: &Drawn, title: &str, origin: &str) -> (String, (u32, u32)) {
    let (width, height) = drawn.size;
    let legend = Legend::of(&drawn.legend, TITLE, width);
    let head = (width, legend.bottom() as u32 + 8);
    let head_svg = chart::draw(Theme::File, head, |canvas| {
        let letters = ("sans-serif", LETTERS + 6).into_font().color(&INK);
        canvas.draw(&Text::new(shortened(title, width, 11), (12, 12), letters))?;
        legend.draw(canvas)
    });
    let made = shortened(origin, width * 3, 6);
    let lines = textwrap::wrap(&made, width as usize / 6);
    let foot = (width, lines.len() as u32 * FOOT as u32 + 16);
    let foot_svg = chart::draw(Theme::File, foot, |canvas| {
        let faint = palette::named("faint");
        let letters = ("sans-serif", LETTERS - 2).into_font().color(&faint);
        for (line, top) in lines.iter().zip((8..).step_by(FOOT as usize)) {
            canvas.draw(&Text::new(line.to_string(), (12, top), letters.clone()))?;
        }
        Ok(())
    });
    let size = (width, head.1 + height + foot.1);
    let at = |top: u32, svg: &str| svg.replacen("<svg ", &format!("<svg y=\"{top}\" "), 1);
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{}\" viewBox=\"0 0 {width} {}\" \
         role=\"img\" font-family=\"system-ui, sans-serif\">\n\
         <title>{}</title>\n<desc>{}</desc>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{}{}{}</svg>\n",
        size.1,
        size.1,
        escaped(title),
        escaped(origin),
        at(0, &head_svg),
        at(head.1, &drawn.svg),
        at(head.1 + height, &foot_svg),
    );
    (svg, size)
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    let written = askama::filters::Escaper::write_escaped_str(&Visible, &mut escaped, text);
    written.expect("a string takes all");
    escaped
}
