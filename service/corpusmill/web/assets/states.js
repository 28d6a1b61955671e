// What a job's state means on the page.

/** States in which a job's figures do not change by themselves. */
export const OVER = new Set(["finished", "failed", "cancelled", "exhausted"]);

/** What may be asked of a job in a state, as the daemon's own table has it. */
export const CHANGES = {
  queued: ["pause", "cancel"],
  running: ["pause", "cancel"],
  paused: ["resume", "cancel"],
  failed: ["resume"],
};

/** Items of a job that are done. */
export function done(job) {
  const { kept, rejected, duplicate, failed } = job.outcomes;
  return kept + rejected + duplicate + failed;
}

/** The share of a job that is done; null while its size is unknown. */
export function progress(job) {
  if (job.state === "finished") return 1;
  return job.items ? done(job) / job.items : null;
}

/** A job's state in words: one that was told to stop may have calls out yet. */
export function stateOf(job) {
  if (job.draining) return `${job.state}, ${job.in_flight} calls out`;
  return job.state === "exhausted" ? "budget used up" : job.state;
}
