// The page: what is known of the jobs, which view is shown, and the one stream that keeps both up to date.

import { ask, events, key } from "./api.js";
import { h, say, show } from "./dom.js";
import { gates } from "./gates.js";
import { homeView } from "./home.js";
import { jobView } from "./job.js";
import { jobList } from "./jobs.js";
import { keyDialog } from "./key.js";
import { planView } from "./plan.js";

const WAIT_MS = [1000, 2000, 5000, 10_000, 30_000];
const at = (id) => document.getElementById(id);

const jobs = new Map(); // id -> job
let you = { name: "", scopes: [] };
let cursor = null; // of older jobs; null where all are known
let view = homeView(); // {element, heading, update(job or jobs)}
let stream = new AbortController(); // ends the stream
let shown = ""; // the address that the view is for

const showJobs = jobList(at("jobs"));
const showGates = gates(at("gates"));
const openKey = keyDialog({ dialog: at("key-dialog"), button: at("key-button"), changed: () => location.reload() });

const can = (scope) => you.scopes.includes(scope);
const may = (job) => (job.submitted_by === you.name ? can("submit") : can("submit") && can("operate"));
const announce = (text) => say(at("said"), text);

/** The job that the address names, or null. */
function selected() {
  const found = /^#\/jobs\/([a-z0-9-]{1,100})$/.exec(location.hash);
  return found && found[1];
}

function take(job) {
  jobs.set(job.id, job);
  refresh();
}

let due = false;

/** Draw what has changed, once a frame. */
function refresh() {
  if (due) return;
  due = true;
  setTimeout(() => {
    due = false;
    draw();
  }, 50);
}

function draw() {
  const id = selected();
  const newest = [...jobs.values()].sort((a, b) => (a.created_at < b.created_at ? 1 : a.created_at > b.created_at ? -1 : 0));
  showJobs(newest, id);
  show(at("no-jobs"), !newest.length);
  show(at("older"), cursor);
  if (!id) view.update(newest);
  else if (jobs.has(id)) view.update(jobs.get(id));
  const running = newest.filter((job) => job.state === "running").length;
  document.title = id && jobs.has(id) ? `${jobs.get(id).name} · corpusmill` : running ? `${running} running · corpusmill` : "corpusmill";
}

/** Show the view that the address names. */
async function route() {
  const address = location.hash || "#/";
  const id = selected();
  if (address === shown) return;
  const first = shown === "";
  shown = address;
  document.body.dataset.view = id ? "job" : address === "#/new" ? "new" : "home";
  if (id) view = jobView(id, { may, changed: take, announce });
  else if (address === "#/new") view = planView({ submitted, announce });
  else view = homeView();
  at("view").replaceChildren(view.element);
  draw();
  if (!first) view.heading.focus();
  if (id && !jobs.has(id)) await lookUp(id);
}

function submitted(job) {
  take(job);
  announce(`${job.name} is submitted`);
  location.hash = `#/jobs/${job.id}`;
}

/** Look at a job that is not in the list; say where there is none. */
async function lookUp(id) {
  try {
    take(await ask("GET", `/jobs/${encodeURIComponent(id)}`));
  } catch (error) {
    if (error.status !== 401) at("view").replaceChildren(h("p", { class: "trouble" }, error.message));
  }
}

async function load(before = null) {
  const page = await ask("GET", `/jobs?limit=50${before ? `&cursor=${before}` : ""}`);
  for (const job of page.items) jobs.set(job.id, job);
  cursor = page.next_cursor;
  refresh();
}

/** Learn who asks and what there is; called whenever the stream is open anew, so nothing is missed between. */
async function begin() {
  const service = await ask("GET", "/service");
  you = service.you;
  show(at("simulated"), service.simulated);
  show(at("new-button"), can("submit"));
  show(at("key-button"), key.get());
  say(at("key-button"), key.get() ? `Key: ${you.name}` : "API key");
  tellGates(service.endpoints);
  await load();
  if (selected() && !jobs.has(selected())) await lookUp(selected());
}

function tellGates(endpoints) {
  showGates(endpoints);
  show(at("no-endpoints"), !Object.keys(endpoints).length);
}

function link(state, words) {
  at("link").dataset.link = state;
  say(at("link"), words);
}

function tell(event, told) {
  if (event === "gates") tellGates(told);
  else take(told);
}

/**
 * Follow the daemon while the page can be seen; a browser opens six connections to a host, so tabs that nobody looks at
 * hold none. Another key is another page: it is loaded anew then.
 */
async function live() {
  for (let failures = 0; ; failures += 1) {
    while (document.hidden) await new Promise((resolve) => addEventListener("visibilitychange", resolve, { once: true }));
    stream = new AbortController();
    try {
      let begun = null;
      await events("/events", stream, {
        opened: () => {
          failures = 0;
          link("live", "live");
          begun = begin();
          begun.catch(() => {});
        },
        tell,
      });
      await begun;
    } catch (error) {
      if (error.status === 401) {
        link("off", "a key is needed");
        return openKey(key.get() ? error.message : "");
      }
      if (error.status === 403) return link("off", error.message);
    }
    if (document.hidden) continue;
    link("off", "reconnecting");
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS[Math.min(failures, WAIT_MS.length - 1)]));
  }
}

at("older").addEventListener("click", () => load(cursor));
at("skip").addEventListener("click", (event) => {
  event.preventDefault();
  at("main").focus();
});
addEventListener("hashchange", route);
addEventListener("visibilitychange", () => document.hidden && stream.abort());
addEventListener("pagehide", () => stream.abort());
route();
live();
