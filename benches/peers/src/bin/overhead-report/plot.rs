//! The costs of a call as bars, on a scale where each line is ten times the one before.

use std::path::Path;

use instrument_task_peers::{Error, contenders::limits};
use plotters::{
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use super::{rounds::Calls, table::short};

const WIDTH: u32 = 900;
const ROW: u32 = 26;
const LEFT: i32 = 330;
const RIGHT: i32 = 90;
const TOP: i32 = 60;
const OURS: RGBColor = RGBColor(0x1f, 0x77, 0xb4);
const LIMIT: RGBColor = RGBColor(0x7f, 0x7f, 0x7f);
const PEER: RGBColor = RGBColor(0xd6, 0x8a, 0x3a);
const PAPER: RGBColor = RGBColor(0xff, 0xff, 0xff);
const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
const GRID: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);

/// The least that the scale shows, in two raw clock reads.
const LEAST: f64 = 0.01;

/// Draws what a call costs over the bare one, in two raw clock reads.
pub fn draw(path: &Path, calls: &Calls) -> Result<(), Error> {
    let reads = calls.of(limits::RAW_READS);
    let mut bars: Vec<(&str, f64, RGBColor)> = [limits::INSTANTS, limits::RAW_READS]
        .into_iter()
        .map(|name| (name, calls.of(name).by(reads).median(), LIMIT))
        .collect();
    bars.extend(
        calls
            .contenders()
            .filter(|contender| contender.base == limits::BARE)
            .map(|contender| {
                let color = if contender.name.starts_with("instrument-task") {
                    OURS
                } else {
                    PEER
                };
                (
                    contender.name,
                    calls.over_base(contender).by(reads).median(),
                    color,
                )
            }),
    );
    bars.sort_by(|(_, one, _), (_, other, _)| one.total_cmp(other));

    let height = u32::try_from(bars.len())? * ROW + u32::try_from(TOP)? + 30;
    let most = bars.iter().map(|(_, cost, _)| *cost).fold(1.0, f64::max);
    let decades = (most / LEAST).log10().ceil();
    let wide = f64::from(i32::try_from(WIDTH)? - LEFT - RIGHT);
    // The picture is a few hundred pixels wide.
    #[expect(clippy::cast_possible_truncation, reason = "pixels")]
    let across = |cost: f64| LEFT + ((cost.max(LEAST) / LEAST).log10() / decades * wide) as i32;

    let page = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
    page.fill(&PAPER)?;
    let font = |size: i32| ("sans-serif", size).into_font().color(&INK);
    let title = "What a measured call costs over the bare one, in two raw clock reads (log scale)";
    page.draw(&Text::new(title, (14, 12), font(16)))?;
    let bottom = i32::try_from(height)? - 24;
    for decade in 0.. {
        let cost = LEAST * 10_f64.powi(decade);
        if f64::from(decade) > decades {
            break;
        }
        let x = across(cost);
        page.draw(&PathElement::new([(x, TOP - 8), (x, bottom)], GRID))?;
        let label = font(11).pos(Pos::new(HPos::Center, VPos::Top));
        page.draw(&Text::new(cost.to_string(), (x, bottom + 4), label))?;
    }
    for (row, (name, cost, color)) in (0_i32..).zip(&bars) {
        let y = TOP + row * i32::try_from(ROW)?;
        let right = font(13).pos(Pos::new(HPos::Right, VPos::Center));
        page.draw(&Text::new(*name, (LEFT - 8, y + 8), right))?;
        let end = across(*cost).max(LEFT + 1);
        page.draw(&Rectangle::new([(LEFT, y), (end, y + 16)], color.filled()))?;
        let left = font(12).pos(Pos::new(HPos::Left, VPos::Center));
        page.draw(&Text::new(short(*cost), (end + 6, y + 8), left))?;
    }
    page.present()?;
    Ok(())
}
