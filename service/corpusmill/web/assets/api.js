// The daemon's API: requests, problems and events.
//
// Rules of this file: the key lives in sessionStorage and in the Authorization header, nowhere else. Addresses are
// relative to the page, so it works behind a proxy that adds a prefix.

const PLACE = "corpusmill-key";
const SILENCE_MS = 40_000; // the daemon says something every 15 s

/** What the daemon refused, as RFC 9457 tells it. */
export class Problem extends Error {
  constructor(status, told) {
    super(told.detail || told.title || `the daemon answered ${status}`);
    this.status = status;
    this.errors = told.errors ?? [];
  }
}

export const key = {
  get: () => sessionStorage.getItem(PLACE),
  set: (secret) => sessionStorage.setItem(PLACE, secret),
  forget: () => sessionStorage.removeItem(PLACE),
};

/** Send a request; return the response, or throw a Problem. */
async function request(method, path, { body, headers = {}, signal } = {}) {
  const secret = key.get();
  const response = await fetch(path, {
    method,
    body,
    signal,
    credentials: "omit",
    cache: "no-store",
    headers: secret ? { ...headers, Authorization: `Bearer ${secret}` } : headers,
  });
  if (response.ok) return response;
  throw new Problem(response.status, await response.json().catch(() => ({})));
}

/** Ask for JSON. */
export async function ask(method, path, options) {
  return (await request(method, `api/v1${path}`, options)).json();
}

/** Ask for lines of JSON. */
export async function lines(path) {
  const text = await (await request("GET", `api/v1${path}`)).text();
  return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

/** The API's own description. */
export async function description() {
  return (await request("GET", "openapi.json")).json();
}

/**
 * Read server-sent events until the stream ends or falls silent.
 * EventSource sends no Authorization header, so this reads the stream itself.
 * @param abort an AbortController that ends it.
 * @param tell called with an event's name and its data.
 */
export async function events(path, abort, { opened, tell }) {
  let alarm = setTimeout(() => abort.abort(), SILENCE_MS);
  try {
    const response = await request("GET", `api/v1${path}`, { signal: abort.signal });
    opened();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(alarm);
      alarm = setTimeout(() => abort.abort(), SILENCE_MS);
      const messages = (text + value).split("\n\n");
      text = messages.pop();
      for (const message of messages) dispatch(message, tell);
    }
  } finally {
    clearTimeout(alarm);
  }
}

function dispatch(message, tell) {
  let name = "message";
  let data = "";
  for (const line of message.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    else if (line.startsWith("data: ")) data += line.slice(6);
  }
  if (data) tell(name, JSON.parse(data));
}
