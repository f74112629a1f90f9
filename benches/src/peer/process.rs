//! Time and memory of this process, from Linux's `/proc`.

use std::fs;

use super::Result;

/// Seconds of CPU time that the living threads have used, to the nanosecond. Rayon's threads
/// live as long as the process, so none are lost.
///
/// # Errors
/// Where there is no `/proc`.
pub fn cpu_seconds() -> Result<f64> {
    let mut sum = 0.0;
    for task in fs::read_dir("/proc/self/task")? {
        let line = fs::read_to_string(task?.path().join("schedstat"))?;
        sum += line.split_whitespace().next().unwrap_or_default().parse::<f64>()?;
    }
    Ok(sum * 1e-9)
}

/// A line of `/proc/self/status`, in bytes.
pub(crate) fn bytes(key: &str) -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.split(':').next() == Some(key));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)).ok_or("no such line")?;
    Ok(kib.parse::<u64>()? * 1024)
}

/// Sets the highest resident size back to the present one.
pub(crate) fn forget_peak() -> Result<()> {
    Ok(fs::write("/proc/self/clear_refs", "5")?)
}
