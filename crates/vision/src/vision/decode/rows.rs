//! Detectors that suppress by themselves: a row for each thing, with its box, score and class in columns that the manifest
//! names.

use super::super::manifest::{Classes, Column, Manifest, Rows};
use super::suppress::Candidate;
use super::{View, around, keypoint};
use crate::geometry::PixelBox;

/// Rows of one output or of several beside each other. Rows without an area, of another picture, or of no class that the
/// manifest knows are those with which models fill up.
pub(super) fn rows(manifest: &Manifest, rows: &Rows, classes: &Classes, views: &[View<'_>]) -> Vec<Candidate> {
    // A single column may lie along the innermost axis.
    let width = |index: usize| rows.columns[index].len() + if index == 0 { 3 * rows.keypoints } else { 0 };
    let views: Vec<View<'_>> = views
        .iter()
        .take(rows.columns.len())
        .enumerate()
        .map(|(index, view)| View { width: width(index), ..*view })
        .collect();
    let count = views.iter().map(|view| view.values.len() / view.width).min().unwrap_or(0);
    let scale = match rows.shares {
        true => [manifest.input.width as f64, manifest.input.height as f64],
        false => [1.0, 1.0],
    };
    (0..count).filter_map(|row| one(manifest, rows, classes, &views, scale, row)).collect()
}

fn one(
    manifest: &Manifest,
    rows: &Rows,
    classes: &Classes,
    views: &[View<'_>],
    [across, down]: [f64; 2],
    row: usize,
) -> Option<Candidate> {
    let at = |wanted: Column| -> Option<f64> {
        rows.columns.iter().zip(views).find_map(|(columns, view)| {
            let place = columns.iter().position(|column| *column == wanted)?;
            view.row(row).get(place).copied().map(f64::from)
        })
    };
    let score = at(Column::Score).filter(|score| manifest.score_min <= *score)?;
    let number = at(Column::Class).unwrap_or(0.0);
    let class = (0.0 <= number && number < classes.count as f64).then_some(number as usize)?;
    if !classes.is_wanted(class) || at(Column::Batch).is_some_and(|picture| picture != 0.0) {
        return None;
    }
    let bounds = match (at(Column::Left), at(Column::Top), at(Column::Right), at(Column::Bottom)) {
        (Some(left), Some(top), Some(right), Some(bottom)) => PixelBox { left, top, right, bottom },
        (Some(left), Some(top), ..) => PixelBox::from_size(left, top, at(Column::Width)?, at(Column::Height)?),
        _ => around(at(Column::MiddleX)?, at(Column::MiddleY)?, at(Column::Width)?, at(Column::Height)?),
    };
    let PixelBox { left, top, right, bottom } = bounds;
    let bounds = PixelBox { left: left * across, top: top * down, right: right * across, bottom: bottom * down };
    if bounds.right <= bounds.left || bounds.bottom <= bounds.top {
        return None;
    }
    let points = rows.columns.first().zip(views.first()).and_then(|(columns, view)| view.row(row).get(columns.len()..));
    let point = |point: &[f32]| keypoint(f64::from(point[0]) * across, f64::from(point[1]) * down, f64::from(point[2]));
    let keypoints = points.unwrap_or_default().chunks_exact(3).take(rows.keypoints).map(point).collect();
    Some(Candidate { class: classes.class(class), score, bounds, keypoints })
}
