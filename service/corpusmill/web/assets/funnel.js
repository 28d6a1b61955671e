// What became of a job's items: how many are left after each stage, and why the others are not.

import { bar, h, keyed, say, show } from "./dom.js";
import { count, percent, words } from "./format.js";
import { done } from "./states.js";

const MOST_REASONS = 12;

/** Make a funnel; update it with a job. */
export function funnel() {
  const list = h("ol", { class: "funnel" });
  const update = keyed(list, stage);
  return {
    element: list,
    update(job) {
      update(stages(job).map((each) => [each.name, each]));
    },
  };
}

/** The stages of a job, each with what is left and what was lost at it. */
function stages(job) {
  const { kept, rejected, duplicate, failed } = job.outcomes;
  const all = done(job);
  const answered = all - failed;
  return [
    { name: "Items done", left: all, all, lost: 0, reasons: {} },
    { name: "Answered", left: answered, all, lost: failed, word: "failed", reasons: job.failed_by },
    { name: "Passed the filters", left: answered - rejected, all, lost: rejected, word: "rejected", reasons: job.rejected_by },
    { name: "Kept, being new", left: kept, all, lost: duplicate, word: "duplicates", reasons: {} },
  ];
}

function stage(name) {
  const figure = h("span", { class: "figure" });
  const share = h("span", { class: "share" });
  const filled = bar("wide");
  const lost = h("p", { class: "lost" });
  const reasons = h("ul", { class: "reasons" });
  const list = keyed(reasons, reason);
  return {
    element: h("li", {}, h("span", { class: "name" }, name), filled.element, figure, share, lost, reasons),
    update(stage) {
      say(figure, count(stage.left));
      say(share, percent(stage.all ? stage.left / stage.all : null));
      filled.set(stage.all ? stage.left / stage.all : 0);
      say(lost, stage.lost ? `− ${count(stage.lost)} ${stage.word}` : "");
      show(lost, stage.lost);
      const ranked = Object.entries(stage.reasons).sort(([, a], [, b]) => b - a);
      list(ranked.slice(0, MOST_REASONS));
      show(reasons, ranked.length);
    },
  };
}

function reason(name) {
  const figure = h("b");
  return { element: h("li", {}, words(name), " ", figure), update: (items) => say(figure, count(items)) };
}
