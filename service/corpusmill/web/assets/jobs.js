// The list of jobs, the newest first.

import { bar, h, keyed, say } from "./dom.js";
import { compact, dollars, duration, percent, rate } from "./format.js";
import { done, progress, stateOf } from "./states.js";

/** Keep a list element in step with jobs; `selected` is a job's id or null. */
export function jobList(list) {
  const update = keyed(list, row);
  return (jobs, selected) => update(jobs.map((job) => [job.id, { job, selected: job.id === selected }]));
}

function row(id) {
  const name = h("span", { class: "name" });
  const state = h("span", { class: "state" });
  const figures = h("span", { class: "figures" });
  const more = h("span", { class: "figures" });
  const filled = bar();
  const link = h("a", { href: `#/jobs/${encodeURIComponent(id)}` },
    h("span", { class: "row" }, name, state), filled.element, h("span", { class: "row" }, figures, more));
  return {
    element: h("li", {}, link),
    update({ job, selected }) {
      say(name, job.name);
      say(state, stateOf(job));
      state.dataset.state = job.state;
      filled.set(progress(job));
      say(figures, `${compact(done(job))}${job.items == null ? "" : ` of ${compact(job.items)}`}`);
      say(more, remark(job));
      if (selected) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    },
  };
}

function remark(job) {
  if (job.state !== "running") return job.cost_usd ? dollars(job.cost_usd) : percent(progress(job));
  const left = job.rate.eta_seconds == null ? "" : ` · ${duration(job.rate.eta_seconds)} left`;
  return `${rate(job.rate.records_per_second)}${left}`;
}
