// The line below the canvas: what is going on, how far it is, what can be done about it; and notes,
// which say what the page has done by itself and how to undo that.
import {cancel_job, result_url, retry_job} from "./api.js";
import {button, element, find, write} from "./dom.js";
import {keep_job, names_of} from "./jobs.js";
import {open_menu} from "./menu.js";
import {paint_again} from "./painting.js";
import {missing, sent} from "./request.js";
import {change, state, watch} from "./state.js";
import {current_job, name_of_current} from "./stage.js";
import {same_again} from "./strip.js";

const kNoteFor = 12000;  // ms

// ------------------------------------------------------------------------------------ notes -----

let note_ends = 0;

let close_note = () => {};

// note("Pasted as the photo.", [["Use as the painting", act]]); `gone` once it is not to be seen
// any more.
export function note(text, actions = [], gone = () => {}) {
  close_note();
  const close = close_note = () => {
    clearTimeout(note_ends);
    close_note = () => {};
    find("note").replaceChildren();
    gone();
  };
  const buttons = actions.map(([name, act]) => button(name, () => {
    act();
    close();
  }));
  find("note").replaceChildren(element("span", {}, text), ...buttons);
  note_ends = setTimeout(close, kNoteFor);
}

// ----------------------------------------------------------------------------------- downloads --

export const formats = [["PNG", {format: "png"}, "png"], ["JPEG", {format: "jpeg"}, "jpg"],
                        ["TIFF, 16 bits", {format: "tiff", bits: 16}, "tif"]];

export function download(job, [, query, ending]) {
  const name = `${names_of(job).join("-")}.${ending}`;
  const link = element("a", {href: result_url(job, query), download: name});
  document.body.append(link);
  link.click();
  link.remove();
}

export async function copy_picture(job) {
  try {
    const picture = fetch(result_url(job, {format: "png", bits: 8})).then((got) => got.blob());
    await navigator.clipboard.write([new ClipboardItem({"image/png": picture})]);
    note("Copied.");
  } catch {
    note("This browser does not let the page copy pictures; download it instead.");
  }
}

// ------------------------------------------------------------------------------------- status ---

export function duration(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

const seconds_of = (job) => (Date.parse(job.ended) - Date.parse(job.started)) / 1000;

// [what the line says, its data-state]
function status() {
  if (state.away) return ["The server is away; trying again", "away"];
  const older = state.shown !== null ? state.jobs.get(state.shown) : null;
  if (older) {
    const when = {done: "Painted", failed: "Failed", cancelled: "Cancelled", waiting: "Waiting",
                  running: "Painting"}[older.state];
    const took = older.state === "done" ? ` in ${duration(seconds_of(older))}` : "";
    return [when + took, older.state];
  }
  const job = state.jobs.get(state.job);
  switch (state.phase) {
    case "uploading":
      return ["Uploading", "uploading"];
    case "live":
      return ["Sketching", "live"];
    case "resting":
      return [state.automatic ? "Sketched; full size follows" : "Sketched", "live"];
    case "waiting": {
      const before = state.queue.indexOf(state.job);
      return [before > 0 ? `Waits behind ${before === 1 ? "one picture" : `${before} pictures`}`
        : "Waiting", "waiting"];
    }
    case "painting":
      return [job?.cancelling ? "Stopping"
        : job?.progress ? `Painting at ${Math.max(job.progress.width, job.progress.height)} pixels`
        : "Preparing", "painting"];
    case "done":
      return [job ? `Done in ${duration(seconds_of(job))}` : "Done", "done"];
    case "cancelled":
      return ["Cancelled", "cancelled"];
    case "failed":
      return ["This could not be painted", "failed"];
    default: {
      const lacks = missing();
      return [lacks === "uploading" ? "Uploading" : lacks, "idle"];
    }
  }
}

// [what can be left out where there is little room, the rest]
function numbers() {
  const job = state.shown !== null ? state.jobs.get(state.shown) : null;
  const progress = job ? job.state === "running" && job.progress : state.progress;
  if (!progress && state.phase === "uploading" && sent() !== null) {
    return ["", `${Math.round(100 * sent())} %`];
  }
  if (!progress) {
    const shown = find("canvas").dataset;
    const done = shown.shows === "job" && current_job()?.state === "done";
    return ["", done ? shown.size.replace("x", " × ") : ""];
  }
  const left = progress.seconds_left > 0 ? `about ${duration(progress.seconds_left)} left` : "";
  const steps = progress.iterations ? `${progress.iteration} of ${progress.iterations}` : "";
  return [steps && left ? `${steps} · ` : steps, left];
}

function draw_progress() {
  const older = state.shown !== null ? state.jobs.get(state.shown) : null;
  const progress = older ? (older.state === "running" ? older.progress : null) : state.progress;
  const busy = older ? older.state === "running"
    : ["live", "painting", "waiting", "uploading"].includes(state.phase);
  const bar = find("progress");
  bar.hidden = !busy || state.away;
  const done = progress?.done ?? (state.phase === "uploading" && !older ? sent() : null);
  const percent = done === null ? null : Math.round(100 * done);
  bar.classList.toggle("unknown", percent === null);
  if (percent === null) bar.removeAttribute("aria-valuenow");
  else bar.setAttribute("aria-valuenow", percent);
  find("progress-bar").style.width = percent === null ? "" : `${percent}%`;
}

let drawn = "";

function draw() {
  const [text, kind] = status();
  const line = find("status");
  line.dataset.state = kind;
  write(line, text);
  const [steps, rest] = numbers();
  write(find("progress-steps"), steps);
  write(find("progress-left"), rest);
  draw_progress();
  const job = current_job();
  const key = JSON.stringify([kind, job?.id, job?.state, job?.result, state.shown, state.problem,
                              job?.reason]);
  if (key === drawn) return;
  drawn = key;
  draw_problem(job);
  draw_actions(job);
  say(kind, text);
}

function draw_problem(job) {
  const problem = state.shown === null ? state.problem : job?.state === "failed" ? job.reason : "";
  find("problem").hidden = !problem;
  write(find("problem"), problem);
}

async function change_job(action) {
  try {
    keep_job(await action(current_job().id));
  } catch (error) {
    note(error.message);
  }
}

const is_broken_off = (job) => job?.state === "failed" || job?.state === "cancelled";

// What can be done, each with what is current when it is pressed.
const actions = {
  cancel: button("Cancel", () => change_job(cancel_job)),
  retry: button("Retry", () => (is_broken_off(current_job()) ? change_job(retry_job)
    : paint_again())),
  download: button("Download", (event) => {
    const job = current_job();
    open_menu(event.currentTarget, formats.map((format) => [format[0],
                                                            () => download(job, format)]));
  }, {"aria-haspopup": "menu", class: "outlined"}),
  copy: button("Copy", () => copy_picture(current_job())),
  same: button("Same again", () => same_again(current_job())),
  back: button("Back to the current picture", () => change({shown: null})),
};

function draw_actions(job) {
  const shown = {
    cancel: (job?.state === "running" || job?.state === "waiting") && !state.away,
    retry: is_broken_off(job) || (state.phase === "failed" && state.shown === null),
    download: job?.result, copy: job?.result && navigator.clipboard?.write,
    same: job && state.shown !== null, back: state.shown !== null,
  };
  // Those that stay are not touched: one may be about to be pressed, or have the focus.
  const wanted = Object.keys(actions).filter((name) => shown[name]).map((name) => actions[name]);
  const row = find("actions");
  for (const one of [...row.children]) if (!wanted.includes(one)) one.remove();
  wanted.forEach((one, i) => row.children[i] !== one && row.insertBefore(one, row.children[i]));
}

// What is worth hearing: that painting has begun, is done or has failed, not each step.
function say(kind, text) {
  if (kind === "done") write(find("said"), `${name_of_current()}: ${text}`);
  else if (["painting", "failed", "away", "cancelled", "live"].includes(kind)) {
    write(find("said"), text);
  }
  document.title = kind === "done" ? "limn: done" : kind === "painting" ? "limn: painting" : "limn";
}

export function start_status() {
  watch("phase progress problem jobs job queue shown away places masks mode automatic drawn", draw);
  draw();
}
