// The limiters: what each endpoint lets through, and what holds the next request.

import { bar, h, keyed, say, show } from "./dom.js";
import { compact, count, duration, percent, words } from "./format.js";

const NO_BOUND = 1e6;
const HELD = { width: "calls that are out to come back", breaker: "the endpoint to recover", opening: "the endpoint to open" };

/** Keep an element in step with `endpoints` of /service. */
export function gates(element) {
  const update = keyed(element, gate);
  return (endpoints) => update(Object.entries(endpoints));
}

function gate(name) {
  const state = h("span", { class: "state" });
  const held = h("p", { class: "held" });
  const filled = bar();
  const width = h("dd");
  const queue = h("dd");
  const passed = h("dd");
  const share = h("dd");
  const buckets = h("ul", { class: "buckets" });
  const rows = keyed(buckets, bucket);
  const terms = [["out / width", width], ["waiting", queue], ["let through", passed], ["share of limits", share]];
  return {
    element: h("article", { class: "panel gate" },
      h("div", { class: "row" }, h("h3", {}, name), state), filled.element,
      h("dl", { class: "figures" }, ...terms.map(([term, figure]) => h("div", {}, h("dt", {}, term), figure))), held, buckets),
    update(told) {
      const [word, kind] = condition(told);
      say(state, word);
      state.dataset.state = kind;
      const bounded = told.width < NO_BOUND;
      filled.set(bounded ? told.in_flight / Math.max(1, told.width) : 0);
      say(width, bounded ? `${count(told.in_flight)} / ${count(told.width)}` : count(told.in_flight));
      say(queue, told.queue_depth ? `${compact(told.queue_depth)}, ${duration(told.head_wait_seconds)}` : "0");
      say(passed, told.refused_total ? `${compact(told.granted_total)}, ${compact(told.refused_total)} refused` : compact(told.granted_total));
      say(share, percent(told.share));
      say(held, told.held_by ? `The next waits for ${HELD[told.held_by] ?? words(told.held_by)}.` : "");
      show(held, told.held_by);
      rows(told.buckets.map((each) => [each.name, each]));
      show(buckets, told.buckets.length);
    },
  };
}

/** A gate's condition in a word, and the state whose colour it has. */
function condition(told) {
  if (told.paused_by) return [`paused ${duration(told.paused_seconds)}: ${words(told.paused_by)}`, "paused"];
  if (told.breaker !== "closed") return [`breaker ${words(told.breaker)}`, "failed"];
  return told.in_flight ? ["open", "running"] : ["idle", "queued"];
}

function bucket(name) {
  const figure = h("span", { class: "figure" });
  const used = bar();
  const server = h("span", { class: "quiet" });
  return {
    element: h("li", {}, h("span", { class: "name" }, words(name)), figure, used.element, server),
    update(told) {
      say(figure, `${compact(told.rate_per_minute)} / min of ${compact(told.limit)}`);
      show(used.element, told.server_used_share != null);
      used.set(told.server_used_share);
      say(server, told.server_used_share == null ? "" : `the server says ${percent(told.server_used_share)} used`);
    },
  };
}
