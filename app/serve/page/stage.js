// Which picture the canvas shows: the one that is being painted, an older one, the photo, or none.
import {input_url, result_url} from "./api.js";
import {element, find} from "./dom.js";
import {is_over, names_of} from "./jobs.js";
import {existing_mask, subject} from "./masks.js";
import {on_picture} from "./painting.js";
import {decoded, plain_name} from "./pictures.js";
import {full_size} from "./request.js";
import {change, modes, photo, state, styles, watch} from "./state.js";
import {draw_soon, view} from "./view.js";

const canvas = find("canvas");

// The current picture so far: {image, width, height, from: "live" | "job", job, mode, of: a photo}.
let current = null;
let shown_job = null;       // {id, image, before}: an older one
let brush_target = "";      // what is being brushed, or ""
let frames = 0;

const subject_of_current = () => (modes[state.mode].photo ? photo() : null);

// A picture of what is set: the next one takes its place.
function put_current(image, from, job = null) {
  current?.image.close?.();
  const width = image.naturalWidth ?? image.width, height = image.naturalHeight ?? image.height;
  current = {image, width, height, from, job, mode: state.mode, of: subject_of_current()};
  ++frames;
  view.mask_shown = false;
  if (from === "live") loading = "";
  show();
}

// ------------------------------------------------------------------------- a job's pictures ------

let loading = "";

// The current job's pictures. While it is painted at a size that the canvas has seen already they
// would be a step back: they count from where they are larger.
async function follow_job() {
  const job = state.jobs.get(state.job);
  if (!job) return;
  const url = job.state === "done" || (is_over(job) && job.result) ? result_url(job)
    : job.preview_url ?? "";
  if (!url || url === loading) return;
  if (!is_over(job) && (!job.progress || (current && job.progress.width <= current.width &&
      current.job !== job.id))) return;
  loading = url;
  try {
    const image = await decoded(url);
    if (loading === url && state.job === job.id) put_current(image, "job", job.id);
  } catch {
    loading = "";  // the next preview comes soon
  }
}

async function show_older() {
  const job = state.jobs.get(state.shown);
  if (!job) {
    shown_job = null;
    show();
    return;
  }
  const url = job.result ? result_url(job) : job.preview_url ?? "";
  if (shown_job?.url === url && shown_job.id === job.id) return;
  const role = modes[job.kind === "sweep" ? "paint" : job.kind].photo;
  const index = job.inputs.findIndex((input) => input.role === role);
  const before = job.kind !== "sweep" && index >= 0 ? input_url(job, index, 2048) : "";
  const mine = {id: job.id, url, image: null, before: null, settled: false};
  shown_job = mine;
  const images = await Promise.allSettled([url ? decoded(url) : Promise.reject(new Error("none")),
                                           before ? decoded(before) : null]);
  if (shown_job !== mine) return;
  mine.image = images[0].value ?? null;
  mine.before = images[1].value ?? null;
  mine.settled = true;
  ++frames;
  show();
}

// ----------------------------------------------------------------------------------- showing ----

export function name_of_current() {
  const names = [modes[state.mode].photo ? photo() : null, ...styles()].filter((one) => one)
    .map((one) => plain_name(one.name));
  return names.length > 2 ? `${names[0]} in ${names.slice(1).join(" and ")}` : names.join(" in ");
}

function put(size, image, before, shows, label, pixels) {
  view.size = size;
  view.image = image;
  view.before = before;
  const now = size?.width ?? 0;
  canvas.dataset.shows = shows;
  canvas.dataset.frame = frames;
  canvas.dataset.size = pixels ? `${pixels.width}x${pixels.height}` : "";
  canvas.setAttribute("aria-label", label);
  find("before-after").disabled = before === null || image === null || image === before;
  find("before-after").hidden = modes[state.mode].photo === null && state.shown === null;
  find("empty").hidden = now !== 0 || state.shown !== null;
  draw_soon();
  change({drawn: frames});
}

// What is brushed on: the photo, or a painting for a part of it.
export function brush_on(target) {
  brush_target = target;
  show();
}

// An older one; where nothing was painted, its photo.
function show_settled(job) {
  const {before} = shown_job;
  const image = shown_job.image ?? before;
  if (!image) return put(null, null, null, "empty", "There is no picture of this one", null);
  const size = {width: image.naturalWidth, height: image.naturalHeight};
  put(size, image, before, image === before ? "photo" : "job",
      `${names_of(job).join(" in ")}, ${size.width} by ${size.height} pixels`, size);
}

function show() {
  const target = state.brushing ? brush_target : "";
  view.mask = target ? existing_mask(target)?.canvas ?? null : null;
  if (target.startsWith("part:")) {
    const on = subject(target);
    if (on?.image) return put({width: on.width, height: on.height}, on.image, null, "photo",
                              `The painting ${plain_name(on.name)}`, on);
  }
  const older = state.jobs.get(state.shown);
  if (older && shown_job?.settled && shown_job.id === older.id) return show_settled(older);
  const before = modes[state.mode].photo ? photo()?.image ?? null : null;
  if (current && current.mode === state.mode && current.of === subject_of_current()) {
    const done = current.from === "job" && state.phase === "done";
    const size = done ? current : full_size() ?? current;
    return put({width: size.width, height: size.height}, current.image, before, current.from,
               `${name_of_current()}, ${current.width} by ${current.height} pixels`, current);
  }
  if (before) {
    const size = full_size() ?? photo();
    return put({width: size.width, height: size.height}, before, before, "photo",
               `The photo ${plain_name(photo().name)}`, photo());
  }
  put(null, null, null, "empty", "No picture yet", null);
}

export const current_job = () => state.jobs.get(state.shown ?? state.job) ?? null;

export function start_stage() {
  on_picture((bitmap, progress, from) => put_current(bitmap, from));
  watch("jobs job", follow_job);
  watch("shown jobs", show_older);
  watch("places photo mode shown brushing masks work recipes phase", show);
  find("empty").append(
    element("p", {class: "large fine"}, "Drop a photo here"),
    element("p", {class: "large coarse"}, "Choose a photo below"),
    element("p", {class: "fine"}, "or paste one, or choose one at the side"),
    element("p", {}, "Nothing leaves this server."));
  show();
}
