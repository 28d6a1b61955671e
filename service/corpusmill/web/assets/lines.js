// The latest records or rejects of a job.
//
// Rules of this file: a line that somebody has open stays where it is: the list is held until all are closed. What a
// model wrote is shown as text, whatever it looks like.

import { lines as ask } from "./api.js";
import { h, keyed, say, show } from "./dom.js";
import { value, words } from "./format.js";

const SHOWN = 8;
const SNIPPET_CHARS = 200;
const VALUES = 4;

/**
 * A list of one kind of lines.
 * @param kind `records` or `rejects`.
 */
export function latest(job, kind, title) {
  const list = h("ul", { class: "lines" });
  const remark = h("p", { class: "quiet" }, "None yet.");
  const update = keyed(list, (id) => (kind === "records" ? record(id) : reject(id)));
  let asking = false;
  let seen = -1;
  let wanted = 0;

  /** Look again, where there are more lines than were seen. */
  async function look() {
    if (asking || wanted === seen) return;
    if (list.querySelector("details[open]")) return tell("Held while a line is open.");
    asking = true;
    const count = wanted;
    try {
      const found = await ask(`/jobs/${encodeURIComponent(job)}/${kind}?latest=${SHOWN}`);
      seen = count;
      update(found.reverse().map((line) => [`${line.id} ${line.example ?? ""}`, line]));
      tell(found.length ? "" : "None yet.");
    } catch (error) {
      tell(error.message);
      seen = count; // there is another time when there are more
    } finally {
      asking = false;
    }
    if (wanted !== seen) look();
  }

  function tell(text) {
    say(remark, text);
    show(remark, text);
  }

  list.addEventListener("toggle", look, true); // it does not bubble
  return {
    element: h("section", { class: "panel" }, h("h3", {}, title), remark, list),
    /** Be told how many lines there are. */
    look(lines) {
      wanted = lines;
      look();
    },
  };
}

function record() {
  return line((told) => ({
    title: told.example ?? "record",
    snippet: snippetOf(told),
    parts: partsOf(told),
  }));
}

function reject() {
  return line((told) => ({
    title: words(told.reason ?? "rejected"),
    snippet: told.detail || Object.values(told.outputs ?? {}).map(text).join(" "),
    parts: [["detail", told.detail], ...Object.entries(told.outputs ?? {})],
  }));
}

/** A line that opens. `read` says what to show of it. */
function line(read) {
  const title = h("span", { class: "title" });
  const values = h("span", { class: "values" });
  const snippet = h("span", { class: "snippet" });
  const body = h("div", { class: "body" });
  const details = h("details", {}, h("summary", {}, title, values, snippet), body);
  let told = null;
  details.addEventListener("toggle", () => details.open && body.replaceChildren(...bodyOf(told, read(told).parts)));
  return {
    element: h("li", {}, details),
    update(line) {
      told = line;
      const shown = read(line);
      say(title, shown.title);
      say(values, Object.entries(line.values ?? {}).slice(0, VALUES).map(([axis, given]) => `${axis}: ${value(given)}`).join(" · "));
      say(snippet, text(shown.snippet).slice(0, SNIPPET_CHARS));
    },
  };
}

function bodyOf(told, parts) {
  const values = Object.entries(told.values ?? {});
  return [
    h("p", { class: "quiet" }, h("code", {}, told.id)),
    h("dl", { class: "pairs" }, ...values.flatMap(([axis, given]) => [h("dt", {}, axis), h("dd", {}, text(given))])),
    ...parts.filter(([, content]) => content).flatMap(([name, content]) => [h("h4", {}, name), h("pre", {}, text(content))]),
  ];
}

function snippetOf(told) {
  return told.messages ? text(told.messages.at(-1)?.content) : text(told.completion).trim();
}

function partsOf(told) {
  if (told.messages) return told.messages.map(({ role, content }) => [role, content]);
  return [["prompt", told.prompt], ["completion", told.completion]];
}

function text(content) {
  return typeof content === "string" ? content : JSON.stringify(content, null, 2) ?? "";
}
