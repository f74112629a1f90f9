//! The commands.

mod all;
mod compare;
mod diff;
mod inspect;
mod kept;
mod report;
mod run;
mod sweep;

pub(crate) use all::all;
pub(crate) use compare::compare;
pub(crate) use diff::diff;
pub(crate) use inspect::{list, show};
pub(crate) use report::report;
pub(crate) use run::run;
pub(crate) use sweep::sweep;

use anyhow::Result;

use crate::cli::Common;
use crate::data::Locator;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::runner::Session;

fn session(common: &Common) -> Result<Session> {
    Ok(Session {
        locator: Locator::new(common.data.clone()),
        progress: Progress::detect(common.no_progress || common.quiet),
        interrupt: Interrupt::install()?,
    })
}
