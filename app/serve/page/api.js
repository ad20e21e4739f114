// The server's API as functions. What it refuses is thrown as Refused, with its own words; that it
// does not answer at all, as Away.

export class Refused extends Error {
  constructor(problem) {
    super(problem.detail ?? problem.title ?? "the server refused this");
    this.status = problem.status ?? 0;
    this.pointer = problem.pointer ?? "";
  }
}

export class Away extends Error {
  constructor() {
    super("the server does not answer");
  }
}

// Ended because nobody wants the answer any more: no error to anybody.
export const is_ended = (error) => error.name === "AbortError";

const base = "/api/v1";

// `text`: what it says of itself; not limn's, but a proxy's page, perhaps. The status says enough.
function refusal(status, title, text) {
  let problem = {status, title};
  try {
    problem = {...problem, ...JSON.parse(text)};
  } catch {
    // Not JSON.
  }
  return new Refused(problem);
}

export const refusal_of = async (response) =>
  refusal(response.status, response.statusText, await response.text().catch(() => ""));

export async function ask(path, options = {}) {
  const {method = "GET", json, signal, keepalive} = options;
  let {body, headers = {}} = options;
  if (json !== undefined) {
    body = JSON.stringify(json);
    headers = {...headers, "Content-Type": "application/json"};
  }
  let response;
  try {
    response = await fetch(base + path, {method, body, headers, signal, keepalive});
  } catch (error) {
    throw is_ended(error) ? error : new Away();
  }
  if (!response.ok) throw await refusal_of(response);
  return response;
}

const json_of = async (path, options) => (await ask(path, options)).json();
const job_path = (id) => `/jobs/${encodeURIComponent(id)}`;

export const list_jobs = (query) => json_of(`/jobs?${new URLSearchParams(query)}`);
export const get_job = (id) => json_of(job_path(id));
export const cancel_job = (id) => json_of(`${job_path(id)}/cancel`, {method: "POST"});
export const retry_job = (id) => json_of(`${job_path(id)}/retry`, {method: "POST"});
export const move_job = (id, before) =>
  json_of(`${job_path(id)}/move`, {method: "POST", json: {before}});
export const delete_job = (id, keepalive = false) =>
  ask(job_path(id), {method: "DELETE", keepalive});

// `key`: sent again under the same one, it is one job.
export const submit_job = (json, key) =>
  json_of("/jobs", {method: "POST", json, headers: {"Idempotency-Key": key}});

export const paint_live = (json, signal) => ask("/live", {method: "POST", json, signal});

// By XMLHttpRequest, since fetch does not tell how much has gone. `sent(share)`: 0..1 of it.
export const upload = (blob, signal, sent = () => {}) => new Promise((resolve, reject) => {
  const request = new XMLHttpRequest();
  const abandon = () => reject(new DOMException("abandoned", "AbortError"));
  request.open("POST", `${base}/uploads`);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.upload.onprogress = ({loaded, total}) => sent(total > 0 ? loaded / total : 0);
  request.onload = () => {
    const {status, statusText, responseText} = request;
    if (status !== 201) return reject(refusal(status, statusText, responseText));
    resolve(JSON.parse(responseText).id);
  };
  request.onerror = () => reject(new Away());
  request.onabort = abandon;
  if (signal.aborted) return abandon();
  signal.addEventListener("abort", () => request.abort(), {once: true});
  request.send(blob);
});
export const about_upload = (id) => json_of(`/uploads/${encodeURIComponent(id)}`);
export const upload_url = (id, width) => `${base}/uploads/${id}/picture?width=${width}`;

export const list_examples = async () => (await json_of("/examples")).examples;
export const use_example = async (url) =>
  (await json_of(url.replace(base, ""), {method: "POST"})).id;

export const list_recipes = async () => (await json_of("/recipes")).recipes;
export const get_recipe = (name) => json_of(`/recipes/${encodeURIComponent(name)}`);
export const check_recipe = (json, signal) =>
  json_of("/recipes", {method: "POST", json, signal});

export const result_url = (job, query = {}) =>
  `${base}${job_path(job.id)}/result?${new URLSearchParams({...query, version: job.revision})}`;
export const input_url = (job, index, width) =>
  `${base}${job_path(job.id)}/inputs/${index}?width=${width}`;

export const events_url = (after) => `${base}/events?after=${after}`;
