// Acceptance by the value of each axis, from the job's report.
//
// Rule of this file: the report reads the whole corpus, so it is made when somebody asks for it, and once by itself
// when the job is over.

import { ask } from "./api.js";
import { bar, h, say } from "./dom.js";
import { count, percent } from "./format.js";

const MOST_VALUES = 24;

/** A section for one job. */
export function coverage(job) {
  const remark = h("p", { class: "quiet" }, "This reads the whole corpus, so it waits for you to ask.");
  const axes = h("div", { class: "axes" });
  const button = h("button", { type: "button", onclick: () => look() }, "Read the corpus");
  let looked = false;

  async function look() {
    button.disabled = true;
    try {
      const report = await ask("GET", `/jobs/${encodeURIComponent(job)}/report`);
      looked = true;
      axes.replaceChildren(...Object.entries(report.coverage).map(([axis, values]) => table(axis, values)));
      say(remark, `As of ${new Date().toLocaleTimeString("en-GB")}.`);
      say(button, "Read it again");
    } catch (error) {
      say(remark, error.message);
    } finally {
      button.disabled = false;
    }
  }

  return {
    element: h("section", { class: "panel", "aria-labelledby": "coverage-title" },
      h("div", { class: "row" }, h("h3", { id: "coverage-title" }, "Acceptance by axis"), button), remark, axes),
    over: () => (looked ? undefined : look()),
  };
}

function table(axis, values) {
  const all = Object.entries(values);
  const decided = all.filter(([, each]) => each.decided);
  const shown = all.length <= MOST_VALUES ? all : decided.sort(([, a], [, b]) => a.acceptance - b.acceptance).slice(0, MOST_VALUES);
  const rest = all.length - shown.length;
  return h("div", { class: "axis" },
    h("table", {},
      h("caption", {}, axis, h("span", { class: "quiet" }, rest ? ` the ${shown.length} of ${count(all.length)} that are kept least` : "")),
      h("thead", {}, h("tr", {}, ...["value", "accepted", "", "kept / decided"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...shown.map(([name, each]) => row(name, each)))));
}

function row(name, { kept, decided, acceptance }) {
  const filled = bar();
  filled.set(acceptance);
  return h("tr", {}, h("th", { scope: "row" }, name), h("td", { class: "number" }, percent(acceptance)),
    h("td", {}, filled.element), h("td", { class: "number" }, `${count(kept)} / ${count(decided)}`));
}
