// All jobs together, where none is chosen.

import { h, tile } from "./dom.js";
import { compact, count, dollars, rate } from "./format.js";

/** The view; update it with all jobs that are known. */
export function homeView() {
  const title = h("h1", { tabindex: "-1" }, "Now");
  const all = { running: tile("Running"), waiting: tile("Waiting"), rate: tile("Rate"), out: tile("Calls out"), cost: tile("Spent") };
  return {
    element: h("section", { class: "home" }, title,
      h("dl", { class: "tiles" }, ...Object.values(all).map((each) => each.element))),
    heading: title,
    update(jobs) {
      const inState = (...states) => jobs.filter((job) => states.includes(job.state));
      const running = inState("running");
      const sum = (each) => jobs.reduce((total, job) => total + each(job), 0);
      const unpriced = jobs.filter((job) => job.cost_usd == null).length;
      const spent = sum((job) => job.cost_usd ?? 0);
      all.running.set(count(running.length), `${count(inState("paused").length)} paused`);
      all.waiting.set(count(inState("queued").length), `${count(inState("failed", "exhausted").length)} failed or out of budget`);
      all.rate.set(rate(running.reduce((total, job) => total + job.rate.records_per_second, 0)), "records");
      all.out.set(compact(sum((job) => job.in_flight)), `${compact(sum((job) => job.calls.sent))} sent`);
      all.cost.set(dollars(unpriced && !spent ? null : spent), unpriced ? `without a price: ${count(unpriced)} of ${count(jobs.length)} jobs` : `by ${count(jobs.length)} jobs`);
    },
  };
}
