//! Ctrl-C and its kin: the first signal asks, the second ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context as _, Result};
use signal_hook::flag;

use crate::error::LabError;

/// Whether somebody asked the run to stop.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    signal: Arc<AtomicUsize>,
}

/// Signal, its number in the contract's exit code.
#[cfg(unix)]
const SIGNALS: [(i32, i32); 3] = [
    (signal_hook::consts::SIGINT, 2),
    (signal_hook::consts::SIGTERM, 15),
    // A batch system's warning before the time limit: keep what there is, then requeue.
    (signal_hook::consts::SIGUSR1, 10),
];
#[cfg(not(unix))]
const SIGNALS: [(i32, i32); 2] =
    [(signal_hook::consts::SIGINT, 2), (signal_hook::consts::SIGTERM, 15)];

impl Interrupt {
    /// One that no signal reaches.
    pub fn never() -> Self {
        Self::default()
    }

    /// Listens to INT, TERM and USR1; the second signal of any kind ends the process at once.
    ///
    /// # Errors
    /// Where the system refuses the handlers.
    pub fn install() -> Result<Self> {
        let interrupt = Self::default();
        let armed = Arc::new(AtomicBool::new(false));
        for (signal, number) in SIGNALS {
            // The order matters: the shutdown looks at the flag before this signal sets it.
            flag::register_conditional_shutdown(signal, 128 + number, Arc::clone(&armed))
                .and_then(|_| flag::register(signal, Arc::clone(&armed)))
                .and_then(|_| {
                    let value = usize::try_from(number).unwrap_or_default();
                    flag::register_usize(signal, Arc::clone(&interrupt.signal), value)
                })
                .with_context(|| format!("cannot listen to signal {signal}"))?;
        }
        Ok(interrupt)
    }

    /// Listens to the same signals and never ends the process: for one that looks after others,
    /// or that may hear one signal twice.
    ///
    /// # Errors
    /// Where the system refuses the handlers.
    pub fn patient() -> Result<Self> {
        let interrupt = Self::default();
        for (signal, number) in SIGNALS {
            let value = usize::try_from(number).unwrap_or_default();
            flag::register_usize(signal, Arc::clone(&interrupt.signal), value)
                .with_context(|| format!("cannot listen to signal {signal}"))?;
        }
        Ok(interrupt)
    }

    /// The signal that came since the last call.
    pub(crate) fn take(&self) -> Option<i32> {
        i32::try_from(self.signal.swap(0, Ordering::Relaxed)).ok().filter(|signal| *signal != 0)
    }

    /// The signal that came, if one came.
    pub fn signal(&self) -> Option<i32> {
        match self.signal.load(Ordering::Relaxed) {
            0 => None,
            signal => i32::try_from(signal).ok(),
        }
    }

    /// Fails once a signal came; for loops to call between two steps.
    ///
    /// # Errors
    /// [`LabError::Interrupted`].
    pub fn check(&self) -> Result<()> {
        match self.signal() {
            Some(signal) => Err(LabError::Interrupted { signal }.into()),
            None => Ok(()),
        }
    }
}
