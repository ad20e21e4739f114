// The server's jobs as this page knows them: a list to begin with, then events. When the server has
// been away, or what was missed is unknown, the list is asked for anew.
import {events_url, list_jobs} from "./api.js";
import {plain_name} from "./pictures.js";
import {change, state} from "./state.js";

const kListed = 60;         // finished jobs to begin with, and at each "Show older"
const kMostListed = 300;    // in the page at once
const kRetryAfter = 2000;   // ms
const kUnseenFor = 30000;   // ms after which a hidden tab lets go of its connection

// What it is painted from, the photo first whatever the request's order: "harbour", "oil".
const is_photo = ({role}) => role === "photo" || role === "picture";
export const names_of = (job) => job.inputs
  .filter(({role}) => role !== "hole" && !role.startsWith("mask"))
  .sort((a, b) => is_photo(b) - is_photo(a))
  .map(({name}) => plain_name(name));

export const is_over = (job) => job.state !== "waiting" && job.state !== "running";

let revision = 0;
let source = null;
let retry = 0;

// What comes by itself while an answer is on its way is newer than the answer.
let moments = 0;
const came = new Map();       // by a job's id: the moment of the last news of it
const forgotten = new Set();  // ids of those that are gone

async function read_lists() {
  const asked = ++moments;
  const mine = ++orders;
  const [queue, finished] = await Promise.all([
    list_jobs({state: "waiting,running", order: "queue", limit: 200}),
    list_jobs({state: "done,failed,cancelled", limit: kListed}),
  ]);
  const jobs = new Map();
  for (const job of [...queue.jobs, ...finished.jobs]) {
    const known = state.jobs.get(job.id);
    if (forgotten.has(job.id)) continue;
    jobs.set(job.id, {...job, progress: known?.progress, preview_url: known?.preview_url});
  }
  for (const [id, known] of state.jobs) {
    const newer = came.get(id) > asked && !(jobs.get(id)?.revision > known.revision);
    if (newer) jobs.set(id, known);
  }
  revision = Math.min(queue.revision, finished.revision);
  change({jobs, older: finished.next, away: false});
  if (mine === orders) change({queue: queue.jobs.map((job) => job.id)});
}

export async function show_older() {
  if (state.older === null) return;
  const page = await list_jobs({state: "done,failed,cancelled", limit: kListed,
                                offset: state.older});
  for (const job of page.jobs) {
    if (state.jobs.size < kMostListed && !forgotten.has(job.id)) state.jobs.set(job.id, job);
  }
  change({jobs: state.jobs, older: state.jobs.size < kMostListed ? page.next : null});
}

// The order of the queue is the server's to know: jobs are moved, and previews go first.
// The answer to the last question holds: those to earlier ones may come after it.
let order_asked = 0;
let orders = 0;
function ask_order() {
  clearTimeout(order_asked);
  order_asked = setTimeout(async () => {
    const mine = ++orders;
    try {
      const queue = await list_jobs({state: "waiting,running", order: "queue", limit: 200});
      if (mine === orders) change({queue: queue.jobs.map((job) => job.id)});
    } catch {
      // The events will say that the server is away.
    }
  }, 60);
}

export function keep_job(job) {
  const known = state.jobs.get(job.id);
  if (forgotten.has(job.id) || known?.revision > job.revision) return;
  came.set(job.id, ++moments);
  const moved = !known || known.state !== job.state || job.state === "waiting";
  state.jobs.set(job.id, {...job, progress: known?.progress, preview_url: known?.preview_url});
  if (moved) ask_order();
  if (state.jobs.size > kMostListed) {
    const oldest = [...state.jobs.values()].filter(is_over)
      .sort((a, b) => a.revision - b.revision)[0];
    if (oldest) state.jobs.delete(oldest.id);
  }
  change({jobs: state.jobs});
}

export function forget_job(id) {
  forgotten.add(id);
  if (!state.jobs.delete(id)) return;
  change({jobs: state.jobs, shown: state.shown === id ? null : state.shown});
}

const handlers = {
  state: (event) => {
    const job = JSON.parse(event.data);
    revision = Math.max(revision, job.revision);
    keep_job(job);
  },
  progress: (event) => {
    const progress = JSON.parse(event.data);
    const job = state.jobs.get(progress.id);
    if (!job) return;
    job.progress = progress;
    change({jobs: state.jobs});
  },
  preview: (event) => {
    const {id, url} = JSON.parse(event.data);
    const job = state.jobs.get(id);
    if (!job) return;
    job.preview_url = url;
    change({jobs: state.jobs});
  },
  deleted: (event) => forget_job(JSON.parse(event.data).id),
};

function follow() {
  source?.close();
  source = new EventSource(events_url(revision));
  for (const [name, act] of Object.entries(handlers)) source.addEventListener(name, act);
  source.addEventListener("open", () => {
    if (state.away) read_lists().catch(later);
  });
  source.addEventListener("error", () => {
    change({away: true});
    // A browser tries again by itself unless it was refused.
    if (source.readyState === EventSource.CLOSED) later();
  });
}

function later() {
  clearTimeout(retry);
  retry = setTimeout(start_jobs, kRetryAfter);
}

export async function start_jobs() {
  try {
    await read_lists();
    follow();
  } catch {
    change({away: true});
    later();
  }
}

// A browser has six connections to a server for all its tabs: those that nobody looks at let go.
let unseen = 0;
document.addEventListener("visibilitychange", () => {
  clearTimeout(unseen);
  if (document.hidden) {
    unseen = setTimeout(() => {
      source?.close();
      source = null;
    }, kUnseenFor);
  } else if (source === null && revision > 0) {
    start_jobs();
  }
});
