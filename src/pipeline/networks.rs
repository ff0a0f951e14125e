//! The networks that look at frames, people first and then their joints, and sessions of them beside each other.

use std::sync::Mutex;

use rayon::prelude::*;

use crate::base::Result;
use crate::base::limits::DETECTIONS_PER_FRAME_MAX;
use crate::facts::{Detection, DetectionClass};
use crate::image::RgbImage;
use crate::vision::Model;

/// The networks of one session.
pub struct Networks {
    /// Finds people, perhaps with their joints.
    pub people: Model,
    /// Finds the joints of a person in their box; none where the first network gives them.
    pub pose: Option<Model>,
}

/// A picture, and what networks see in it.
#[derive(Clone, Debug, Default)]
pub struct Glance {
    /// The picture.
    pub picture: RgbImage,
    /// People with their joints, surest first.
    pub detections: Vec<Detection>,
    /// People beyond [`DETECTIONS_PER_FRAME_MAX`], who were left out.
    pub excess: usize,
}

/// Looks at these pictures with all sessions beside each other. What is seen does not depend on how many sessions there
/// are: which pictures are inferred together follows from their order alone.
///
/// # Errors
/// When a network fails; of several failures the first picture's.
pub fn look(sessions: &mut [Networks], glances: &mut [Glance]) -> Result<()> {
    let Some(first) = sessions.first() else { return Ok(()) };
    let batch = first.people.batch();
    let mut outcomes: Vec<Result<()>> = (0..glances.len().div_ceil(batch)).map(|_| Ok(())).collect();
    let jobs = glances.chunks_mut(batch).zip(&mut outcomes);
    share(sessions, jobs, |networks, (glances, outcome)| *outcome = networks.look(glances));
    outcomes.into_iter().collect()
}

/// Lets every session take one job after the other until there are none; with one session nothing leaves this thread.
pub(super) fn share<J: Send>(
    sessions: &mut [Networks],
    jobs: impl Iterator<Item = J> + Send,
    work: impl Fn(&mut Networks, J) + Sync,
) {
    let jobs = Mutex::new(jobs);
    let run = |networks: &mut Networks| {
        // Nobody works while holding the lock.
        let next = || jobs.lock().ok().and_then(|mut jobs| jobs.next());
        while let Some(job) = next() {
            work(networks, job);
        }
    };
    match sessions {
        [networks] => run(networks),
        sessions => sessions.par_iter_mut().for_each(run),
    }
}

impl Networks {
    /// Finds the people in these pictures with their joints, as many pictures at once as each network takes.
    ///
    /// # Errors
    /// When a network fails.
    fn look(&mut self, glances: &mut [Glance]) -> Result<()> {
        for glances in glances.chunks_mut(self.people.batch()) {
            for (place, glance) in glances.iter().enumerate() {
                self.people.prepare_place(place, &glance.picture, None)?;
            }
            self.people.infer()?;
            for (place, glance) in glances.iter_mut().enumerate() {
                glance.detections = self.people.detections_of(place);
                glance.detections.retain(|found| found.class == DetectionClass::Person);
                glance.excess = glance.detections.len().saturating_sub(DETECTIONS_PER_FRAME_MAX);
                glance.detections.truncate(DETECTIONS_PER_FRAME_MAX);
            }
        }
        match &mut self.pose {
            Some(pose) => look_closer(pose, glances),
            None => Ok(()),
        }
    }
}

/// Looks at every person of these pictures, those of one picture after those of the one before. Whose box has no size
/// stays as they are.
fn look_closer(model: &mut Model, glances: &mut [Glance]) -> Result<()> {
    let people = |(index, glance): (usize, &Glance)| (0..glance.detections.len()).map(move |person| (index, person));
    let people: Vec<(usize, usize)> = glances.iter().enumerate().flat_map(people).collect();
    let mut filled = Vec::with_capacity(model.batch());
    for (number, &(index, person)) in people.iter().enumerate() {
        let Glance { picture, detections, .. } = &glances[index];
        if model.prepare_place(filled.len(), picture, Some(&detections[person])).is_ok() {
            filled.push((index, person));
        }
        if filled.is_empty() || (filled.len() < model.batch() && number + 1 < people.len()) {
            continue;
        }
        model.infer()?;
        for (place, (index, person)) in filled.drain(..).enumerate() {
            if let Some(closer) = model.detections_of(place).into_iter().next() {
                glances[index].detections[person].keypoints = closer.keypoints;
            }
        }
    }
    Ok(())
}
