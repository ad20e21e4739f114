// From what is set to a picture: a live one at once; when nothing has changed for a while, a job at
// full size by itself.
//
//   a change -> live -> resting (1.5 s) -> waiting -> painting -> done
//
// A job that this page has submitted by itself, and that a change overtakes, is cancelled and
// deleted. Once it is done it stays, as does one that was asked for.
import {Away, cancel_job, delete_job, is_ended, submit_job} from "./api.js";
import {forget_job, is_over, keep_job} from "./jobs.js";
import {paint} from "./live.js";
import {missing, request_of} from "./request.js";
import {change, state, watch} from "./state.js";

const kRest = 1500;        // ms without a change before the full size
const kLiveSize = 256;     // pixels
const kPatience = 1500;    // ms that a live picture has to show something before a change ends it
const kMostRefused = 3;    // times that all live painters are busy
const kAgain = 2500;       // ms until a server that was away, or had no seat, is asked again

let wanted = "";           // the request that is painted, as text
let live = null;           // {text: its request, ending, begun, shown, then_again}
let sending = null;        // {text, key, by_itself}: the job that is being submitted
let timer = 0;             // until the next step, whatever that is
let has_live = true;       // the server has live painters
let refused = 0;           // how often they were busy, one after the other
let listener = () => {};   // shows the current picture: stage.js

// Jobs that a change has overtaken: deleted once they are over, and known until they are gone.
const overtaken = new Map();  // id: whether its deletion has been asked for
// ids of jobs that were submitted by themselves
const automatic = new Set();

// show(bitmap, progress): the next picture of what is set.
export function on_picture(show) {
  listener = show;
}

function after(delay, act) {
  clearTimeout(timer);
  timer = setTimeout(act, delay);
}

// The same text for the same request, in whatever order its settings came about.
const in_order = (key, value) => (key === "" || value === null || typeof value !== "object" ||
  Array.isArray(value) ? value : Object.fromEntries(Object.entries(value).sort()));

const without_size = (text) => {
  const body = JSON.parse(text);
  if (body.settings?.picture) delete body.settings.picture.size;
  if (Object.keys(body.settings?.picture ?? {}).length === 0) delete body.settings?.picture;
  return JSON.stringify(body);
};

// Whether two requests are for the same pictures, whatever their settings.
const pictures_in = (text) => JSON.stringify({...JSON.parse(text), settings: null, flags: null});

// --------------------------------------------------------------------------------- a change ------

function look() {
  if (state.comparing) return pause();
  const lacks = missing();
  if (lacks !== "") {
    stop();
    change({phase: lacks === "uploading" ? "uploading" : "idle", problem: ""});
    return;
  }
  const text = JSON.stringify(request_of(), in_order);
  if (text === wanted) return;
  const only_size = wanted !== "" && state.mode !== "texture" &&
    without_size(text) === without_size(wanted) && live === null && state.phase !== "failed";
  overtake();
  wanted = text;
  if (use_painted(text)) return;
  // The small picture is the same at every size.
  if (only_size && has_live) rest();
  else start_live();
}

function overtake() {
  clearTimeout(timer);
  const job = state.jobs.get(state.job);
  if (state.job && automatic.has(state.job) && !(job && is_over(job) && job.state === "done")) {
    discard(state.job);
  }
  change({job: null, problem: "", shown: null});
}

// What has been painted in this page, by request: what was wanted before is there at once.
const painted = new Map();
const kMostPainted = 50;

export function remember(text, id) {
  painted.set(text, id);
  if (painted.size > kMostPainted) painted.delete(painted.keys().next().value);
}

// [request, id of its job], to be remembered at the next visit.
export const last_painted = () => [wanted, state.job ?? painted.get(wanted) ?? null];

// Neither a live picture nor a next step.
function end_live() {
  clearTimeout(timer);
  live?.ending.abort();
  live = null;
}

function use_painted(text) {
  const id = painted.get(text);
  const job = state.jobs.get(id);
  if (!["done", "running", "waiting"].includes(job?.state)) return false;
  if (job.state !== "done" && job.preview) automatic.add(id);  // submitted before this visit
  end_live();
  change({job: id, progress: null});
  follow_job();
  return true;
}

// A comparison has the machine for itself, but for what was asked for.
function pause() {
  const going = ["live", "resting", "waiting", "painting"].includes(state.phase);
  if (!going || (state.job !== null && !automatic.has(state.job))) return;
  stop();
  change({phase: "idle"});
}

// Ends all that is being painted for the page, as when a picture is removed.
export function stop() {
  if (wanted === "") return;
  overtake();
  wanted = "";
  end_live();
  change({progress: null});
}

// Paints what is set anew, after a failure or a comparison.
export function paint_again() {
  stop();
  look();
}

async function discard(id) {
  automatic.delete(id);
  overtaken.set(id, false);
  try {
    keep_job(await cancel_job(id));
  } catch {
    // It is over already, or the server is away: erase_overtaken() goes on.
  }
  erase_overtaken();
}

function erase_overtaken() {
  for (const [id, asked] of overtaken) {
    const job = state.jobs.get(id);
    if (!job) {
      overtaken.delete(id);
    } else if (is_over(job) && !asked) {
      overtaken.set(id, true);
      delete_job(id).then(() => forget_job(id), () => overtaken.set(id, false));
    }
  }
}

// Jobs of no interest to anybody: the strip leaves them out.
export const is_overtaken = (id) => overtaken.has(id);

// ------------------------------------------------------------------------------------- live ------

function start_live() {
  if (!has_live) {
    change({phase: "resting", progress: null});
    after(kRest / 3, submit_automatically);
    return;
  }
  // Whoever moves a slider sees pictures while it moves: one that has been shown nothing yet is
  // given the time to show something.
  if (live && !live.shown && performance.now() - live.begun < kPatience &&
      pictures_in(live.text) === pictures_in(wanted)) {
    live.then_again = true;
    return;
  }
  live?.ending.abort();
  run_live(wanted);
}

async function run_live(text) {
  const mine = {text, ending: new AbortController(), begun: performance.now(), shown: false,
                then_again: false};
  live = mine;
  change({phase: "live", progress: {done: 0}, problem: ""});
  setTimeout(() => mine === live && mine.then_again && restart(mine), kPatience);
  try {
    const end = await paint(JSON.parse(text), kLiveSize, mine.ending.signal, (bitmap, progress) => {
      mine.shown = true;
      refused = 0;
      listener(bitmap, progress, "live");
      change({progress});
      if (mine.then_again) restart(mine);
    });
    if (mine !== live) return;
    if (!mine.then_again && !end?.problem && !end?.done) throw new Away();
    live = null;
    if (mine.then_again) start_live();
    else if (end.problem) fail(end.problem.detail);
    else rest();
  } catch (error) {
    if (mine !== live) return;
    live = null;
    if (!is_ended(error)) live_failed(error);
  }
}

function restart(mine) {
  mine.ending.abort();
  live = null;
  start_live();
}

function live_failed(error) {
  const busy = error.status === 503 || error.status === 429;
  if (busy && /no previews/.test(error.message)) {  // limn serve --live 0
    has_live = false;
    start_live();
  } else if (busy && ++refused >= kMostRefused) {
    refused = 0;
    rest();  // at full size, then: the queue has no seats
  } else if (busy || error instanceof Away) {
    change({phase: "resting", progress: null});
    after(kAgain, () => wanted && start_live());
  } else {
    fail(error.message);
  }
}

function fail(problem) {
  change({phase: "failed", problem, progress: null});
}

// -------------------------------------------------------------------------------- at full size ---

function rest() {
  change({phase: "resting", progress: null});
  if (state.automatic) after(kRest, submit_automatically);
}

const random_key = () => crypto.getRandomValues(new Uint32Array(4)).join("-");

function submit_automatically() {
  if (state.automatic && wanted !== "") submit({text: wanted, key: random_key(), by_itself: true});
}

async function submit(mine) {
  sending = mine;
  change({phase: "waiting", progress: null, problem: ""});
  try {
    // Whoever looks at the page waits for this one: it goes before a batch.
    mine.body ??= {...JSON.parse(mine.text), client: "page", preview: mine.by_itself};
    const job = await submit_job(mine.body, mine.key);
    keep_job(job);
    if (mine.by_itself) automatic.add(job.id);
    if (mine.text === wanted) {
      end_live();  // what was set for a while in between is set again
      change({job: job.id});
      follow_job();
    } else if (mine.by_itself) {
      discard(job.id);
    }
  } catch (error) {
    if (mine.text !== wanted) return;
    if (error instanceof Away) after(kAgain, () => submit(mine));
    else fail(error.message);
  } finally {
    if (sending === mine) sending = null;
  }
}

// "Paint": at full size now, and kept.
export function paint_now() {
  if (wanted === "") look();
  if (wanted === "") return;
  automatic.delete(state.job);
  const job = state.jobs.get(state.job);
  if (job && (job.state === "waiting" || job.state === "running" || job.state === "done")) {
    change({shown: null});
    return;
  }
  if (sending?.text === wanted) {
    sending.by_itself = false;
    return;
  }
  end_live();
  submit({text: wanted, key: random_key(), by_itself: false});
}

// Every photo with these settings.
export async function paint_all() {
  const bodies = state.places.photo.map((one) => request_of(one)).filter((body) => body !== null);
  for (const body of bodies) {
    keep_job(await submit_job({...body, client: "page", preview: false}, random_key()));
  }
  return bodies.length;
}

// What becomes of the job, while it is the current picture's.
const phases = {waiting: "waiting", running: "painting", done: "done", failed: "failed",
                cancelled: "cancelled"};

function follow_job() {
  erase_overtaken();
  const job = state.jobs.get(state.job);
  if (state.job === null) return;
  if (!job) {  // deleted, here or in another tab
    change({job: null, phase: "idle", progress: null});
    return;
  }
  const phase = phases[job.state];
  const progress = job.state === "running" ? job.progress ?? null : null;
  const problem = job.state === "failed" ? job.reason : "";
  if (job.state === "done") remember(wanted, job.id);
  if (phase !== state.phase || progress !== state.progress || problem !== state.problem) {
    change({phase, progress, problem});
  }
}

export function start_painting() {
  watch("places photo work masks mode recipes comparing ready", () => state.ready && look());
  watch("jobs", follow_job);
  watch("automatic", () => {
    if (state.automatic && state.phase === "resting") rest();
    if (!state.automatic && state.phase === "resting") clearTimeout(timer);
  });
  watch("away", () => {
    if (!state.away && state.phase === "resting" && wanted !== "") rest();
  });
}
