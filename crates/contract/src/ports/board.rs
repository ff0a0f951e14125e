//! Where a running engine shows its latest reports, and whoever watches the shop reads them. It holds them and nothing else.

use std::sync::{Arc, Mutex, PoisonError};

use crate::base::{LaneReport, StageReport};

/// The latest reports of all stages, shared; empty as long as no engine runs.
#[derive(Clone, Debug, Default)]
pub struct ReportBoard(Arc<Mutex<Vec<StageReport>>>, Arc<Mutex<Option<LaneReport>>>);

impl ReportBoard {
    /// Shows these in the place of what was shown before.
    pub fn show(&self, reports: Vec<StageReport>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = reports;
    }

    /// Shows these too; of a stage that is shown already the new one takes the place of the old.
    pub fn show_beside(&self, reports: Vec<StageReport>) {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shown.retain(|old| reports.iter().all(|new| new.stage != old.stage));
        shown.extend(reports);
        shown.sort_by_key(|report| report.stage);
    }

    /// Shows how often screens were corrected.
    pub fn show_lane(&self, report: LaneReport) {
        *self.1.lock().unwrap_or_else(PoisonError::into_inner) = Some(report);
    }

    /// How often screens were corrected; none where there are none.
    pub fn lane(&self) -> Option<LaneReport> {
        *self.1.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was shown last.
    pub fn latest(&self) -> Vec<StageReport> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
