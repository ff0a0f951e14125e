//! Sessions of networks beside each other, which share out pictures over the cores.

use std::sync::Mutex;

use rayon::prelude::*;

use crate::base::Result;
use crate::vision::{Glance, Networks};

/// Looks at these pictures with all sessions beside each other. What is seen does not depend on how many sessions there
/// are: which pictures are inferred together follows from their order alone.
///
/// # Errors
/// When a network fails; of several failures the first picture's.
pub fn look(sessions: &mut [Networks], glances: &mut [Glance]) -> Result<()> {
    let Some(first) = sessions.first() else { return Ok(()) };
    let batch = first.batch();
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
