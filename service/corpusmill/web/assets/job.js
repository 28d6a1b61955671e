// One job: how far it is, what it costs, what becomes of its items.
//
// Rule of this file: built once, then updated in place, so that focus, selections and open lines survive.

import { ask } from "./api.js";
import { coverage } from "./coverage.js";
import { bar, h, say, show, tile } from "./dom.js";
import { compact, count, dollars, duration, moment, percent, rate, seconds, words } from "./format.js";
import { funnel } from "./funnel.js";
import { latest } from "./lines.js";
import { sparkline } from "./sparkline.js";
import { CHANGES, OVER, done, progress, stateOf } from "./states.js";

/**
 * The view of a job.
 * @param may whether the key allows to change this job.
 * @param changed called with the job after a change; @param announce tells a screen reader.
 */
export function jobView(id, { may, changed, announce }) {
  const head = heading(id);
  const figures = tiles();
  const ways = funnel();
  const records = latest(id, "records", "Latest records");
  const rejects = latest(id, "rejects", "Latest rejects");
  const axes = coverage(id);
  const buttons = actions(id, { may, changed, announce });
  let state = null;
  return {
    element: h("article", { class: "job" },
      h("a", { class: "back", href: "#/" }, "← All jobs"), head.element, buttons.element, figures.element,
      h("section", { class: "panel" }, h("h3", {}, "Outcomes"), ways.element),
      h("div", { class: "pair" }, records.element, rejects.element), axes.element),
    heading: head.title,
    update(job) {
      head.update(job);
      buttons.update(job);
      figures.update(job);
      ways.update(job);
      records.look(job.records);
      rejects.look(done(job) - job.outcomes.kept);
      if (state !== null && state !== job.state) announce(`${job.name}: ${stateOf(job)}`);
      if (OVER.has(job.state) && state !== job.state) axes.over();
      state = job.state;
    },
  };
}

function heading(id) {
  const title = h("h1", { tabindex: "-1" });
  const state = h("span", { class: "state" });
  const error = h("p", { class: "trouble" });
  const origin = h("p", { class: "quiet" });
  const meter = h("progress", { max: 1, "aria-label": "Items done" });
  const far = h("p", { class: "far" });
  const left = h("p", { class: "far" });
  return {
    title,
    element: h("header", {}, h("div", { class: "row" }, title, state), error, meter, h("div", { class: "row" }, far, left), origin),
    update(job) {
      const share = progress(job);
      say(title, job.name);
      say(state, stateOf(job));
      state.dataset.state = job.state;
      say(error, job.error ?? "");
      show(error, job.error);
      if (share == null) meter.removeAttribute("value");
      else meter.value = share;
      say(far, `${count(done(job))}${job.items == null ? "" : ` of ${count(job.items)}`} items · ${percent(share)}`);
      say(left, job.state === "running" ? `${duration(job.rate.eta_seconds)} left` : "");
      const rank = job.priority === "normal" && job.weight === 1 ? "" : ` · priority ${job.priority}, weight ${job.weight}`;
      say(origin, `${id} · submitted ${moment(job.created_at)} by ${job.submitted_by}${rank}`);
    },
  };
}

function tiles() {
  const all = {
    kept: tile("Kept"), rate: tile("Rate"), cost: tile("Cost"),
    calls: tile("Calls"), tokens: tile("Tokens"), time: tile("Time"),
  };
  const line = sparkline();
  const spent = { cost: bar(), calls: bar() };
  all.rate.element.append(h("dd", {}, line.element));
  for (const [name, filled] of Object.entries(spent)) all[name].element.append(h("dd", {}, filled.element));
  const spend = (name, amount, most) => {
    show(spent[name].element, most != null && amount != null);
    spent[name].set(amount / Number(most));
  };
  return {
    element: h("dl", { class: "tiles" }, ...Object.values(all).map((each) => each.element)),
    update(job) {
      const { calls, tokens, budget, rate: pace } = job;
      const time = seconds(job.started_at, job.finished_at);
      const share = percent(done(job) ? job.outcomes.kept / done(job) : null);
      all.kept.set(count(job.outcomes.kept), `${share} of those done, ${count(job.records)} records`);
      if (job.state === "running") {
        all.rate.set(rate(pace.records_per_second), "records");
        line.add(pace.records_per_second);
      } else all.rate.set(job.finished_at ? rate(job.records / Math.max(1, time)) : "–", "records, on average");
      all.cost.set(dollars(job.cost_usd), budgetOf(job));
      spend("cost", job.cost_usd, budget?.usd);
      spend("calls", calls.sent, budget?.calls);
      all.calls.set(count(calls.sent), callsOf(job));
      all.tokens.set(compact(tokens.input + tokens.output), `${compact(tokens.input)} in, ${compact(tokens.output)} out`);
      all.time.set(duration(time), job.finished_at ? `ended ${moment(job.finished_at)}` : "since it began");
    },
  };
}

/** What a job may cost, where it is known; else why its cost is not. */
function budgetOf({ budget, cost_usd: cost, calls }) {
  if (budget?.usd != null) return `of ${dollars(Number(budget.usd))}`;
  return cost == null && calls.answered ? "a price is not configured" : "no budget";
}

function callsOf({ budget, calls, in_flight: out }) {
  const parts = [];
  if (budget?.calls != null) parts.push(`of ${count(budget.calls)}`);
  if (out) parts.push(`${count(out)} out`);
  if (calls.rate_limited) parts.push(`${count(calls.rate_limited)} rate limited`);
  if (calls.errors) parts.push(`${count(calls.errors)} errors`);
  return parts.join(", ") || "none failed";
}

/** Buttons for what may be asked of the job in its state; cancelling asks once more. */
function actions(id, { may, changed, announce }) {
  const trouble = h("p", { class: "wrong", role: "alert" });
  const dialog = confirmation(() => act("cancel"));
  const buttons = Object.fromEntries(["pause", "resume", "cancel"].map((change) => [change, h("button", {
    type: "button",
    class: change === "cancel" ? "danger" : null,
    onclick: () => (change === "cancel" ? dialog.showModal() : act(change)),
  }, words(change[0].toUpperCase() + change.slice(1)))]));

  async function act(change) {
    say(trouble, "");
    try {
      changed(await ask("POST", `/jobs/${encodeURIComponent(id)}/${change}`));
    } catch (error) {
      say(trouble, error.message);
      announce(error.message);
    }
  }

  return {
    element: h("div", { class: "actions" }, ...Object.values(buttons), trouble, dialog),
    update(job) {
      const allowed = may(job) ? CHANGES[job.state] ?? [] : [];
      for (const [change, button] of Object.entries(buttons)) show(button, allowed.includes(change));
    },
  };
}

function confirmation(confirmed) {
  const dialog = h("dialog", { "aria-labelledby": "cancel-title" },
    h("h2", { id: "cancel-title" }, "Cancel this job?"),
    h("p", {}, "It ends for good. What it has is sealed and stays."),
    h("div", { class: "row" },
      h("button", { type: "button", class: "danger", onclick: () => { dialog.close(); confirmed(); } }, "Cancel the job"),
      h("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, "Let it go on")));
  return dialog;
}
