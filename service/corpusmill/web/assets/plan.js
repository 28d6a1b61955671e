// A new job: a spec is pasted, checked and planned, and only what was planned can be submitted.

import { ask, description } from "./api.js";
import { h, tile } from "./dom.js";
import { count, dollars, duration, value } from "./format.js";

const DRAFT = "corpusmill-draft";
const SAMPLES = 3;
const TYPES = { JSON: "application/json", YAML: "application/yaml", TOML: "application/toml" };

/** The form a text is in: JSON begins with a brace; TOML's first word stands before `=` or in brackets. */
export function formOf(text) {
  const first = text.split("\n").map((line) => line.trim()).find((line) => line && !line.startsWith("#")) ?? "";
  if (first.startsWith("{")) return "JSON";
  return /^(\[+[\w".-]+\]+|[\w"-][\w".\s-]*=)/.test(first) ? "TOML" : "YAML";
}

/** The view; `submitted` is called with the new job. */
export function planView({ submitted, announce }) {
  const title = h("h1", { tabindex: "-1" }, "New job");
  const text = h("textarea", { id: "spec", rows: 18, spellcheck: "false", autocapitalize: "off", autocomplete: "off", required: true, "aria-describedby": "spec-hint spec-wrong" });
  const wrong = h("div", { id: "spec-wrong", class: "wrong", role: "alert" });
  const result = h("section", { class: "plan", "aria-label": "Plan" });
  const check = h("button", { type: "submit", class: "primary" }, "Check and plan");
  const submit = h("button", { type: "button", onclick: () => send() }, "Submit the job");
  const file = h("input", { type: "file", id: "file", accept: ".yaml,.yml,.json,.toml", onchange: () => read() });
  const example = h("button", { type: "button", onclick: () => fillIn() }, "An example");
  let planned = null;
  let attempt = "";

  text.value = sessionStorage.getItem(DRAFT) ?? "";
  text.addEventListener("input", edited);
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) plan(event);
  });
  edited();

  function edited() {
    sessionStorage.setItem(DRAFT, text.value);
    submit.disabled = planned === null || planned !== text.value;
    text.removeAttribute("aria-invalid");
  }

  function put(content) {
    text.value = content;
    edited();
    text.focus();
  }

  async function read() {
    if (file.files.length) put(await file.files[0].text());
  }

  async function fillIn() {
    const { content } = (await description()).paths["/jobs"].post.requestBody;
    put(JSON.stringify(content["application/json"].example, null, 2));
  }

  /** Send what is in the field; tell what is wrong with it. */
  async function post(path, headers = {}) {
    const sent = text.value;
    wrong.replaceChildren();
    check.disabled = submit.disabled = true;
    try {
      return [sent, await ask("POST", path, { body: sent, headers: { ...headers, "Content-Type": TYPES[formOf(sent)] } })];
    } catch (error) {
      refuse(error, sent);
      return [sent, null];
    } finally {
      check.disabled = false;
    }
  }

  function refuse(error, sent) {
    const mistakes = error.errors?.length ? error.errors : [{ path: "", problem: error.message }];
    wrong.replaceChildren(
      h("p", {}, error.errors?.length ? `This ${formOf(sent)} cannot be a job yet:` : "It was refused:"),
      h("ul", {}, ...mistakes.map(({ path, problem }) => h("li", {}, ...(path ? [h("code", {}, path), " "] : []), problem))));
    text.setAttribute("aria-invalid", "true");
    text.focus();
  }

  async function plan(event) {
    event.preventDefault();
    if (!text.reportValidity()) return;
    const [sent, told] = await post(`/plan?samples=${SAMPLES}`);
    planned = told ? sent : null;
    attempt = attemptKey();
    result.replaceChildren(...(told ? planOf(told) : []));
    edited();
    if (!told) return text.setAttribute("aria-invalid", "true");
    announce(`Planned: ${count(told.items)} items, ${count(told.calls)} calls`);
    return submit.focus();
  }

  async function send() {
    const [, job] = await post("/jobs", { "Idempotency-Key": attempt });
    if (job) {
      sessionStorage.removeItem(DRAFT);
      submitted(job);
    } else edited();
  }

  const form = h("form", { class: "panel", novalidate: true, onsubmit: plan },
    h("label", { for: "spec" }, "Spec"),
    h("p", { class: "quiet", id: "spec-hint" }, "YAML, JSON or TOML. Checking calls no model and spends nothing; Ctrl+Enter checks."),
    text, wrong,
    h("div", { class: "row wrap" }, check, submit, h("span", { class: "gap" }), example,
      h("label", { class: "button", for: "file" }, "From a file"), file));
  file.classList.add("unseen");
  return { element: h("div", {}, h("a", { class: "back", href: "#/" }, "← All jobs"), title, form, result), heading: title, update() {} };
}

/** A key for one submission: the same text sent twice by accident is one job. */
function attemptKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function planOf(plan) {
  const figures = [
    ["Items", count(plan.items), `of ${count(plan.space)} in the space`],
    ["Calls", count(plan.calls), "if every answer serves"],
    ["Tokens", count(plan.tokens.input + plan.tokens.output), `${count(plan.tokens.input)} in, ${count(plan.tokens.output)} out`],
    ["Cost", dollars(plan.cost_usd), plan.cost_usd == null ? "a price is not configured" : "estimated"],
    ["Time", duration(plan.seconds), "at the known limits"],
  ];
  return [
    h("h2", {}, "The plan"),
    h("dl", { class: "tiles" }, ...figures.map(([term, figure, note]) => {
      const shown = tile(term);
      shown.set(figure, note);
      return shown.element;
    })),
    h("h3", {}, "Samples"),
    ...plan.samples.map(sample),
  ];
}

function sample({ index, values, prompts }) {
  const named = Object.entries(values).map(([axis, given]) => `${axis}: ${value(given)}`).join(" · ");
  return h("details", { class: "panel", open: true },
    h("summary", {}, h("span", { class: "title" }, `Item ${count(index)}`), h("span", { class: "values" }, named)),
    ...prompts.flatMap(({ step, system, prompt }) => [
      h("h4", {}, step), ...(system ? [h("pre", { class: "system" }, system)] : []), h("pre", {}, prompt)]));
}
