// The film strip: what waits and is painted, and what has been.
import {cancel_job, delete_job, get_job, input_url, move_job, result_url,
        retry_job} from "./api.js";
import {button, element, find, icon_button, write} from "./dom.js";
import {forget_job, is_over, keep_job, names_of, show_older} from "./jobs.js";
import {restore} from "./masks.js";
import {open_menu} from "./menu.js";
import {is_overtaken} from "./painting.js";
import {decoded, from_upload, put} from "./pictures.js";
import {recipe_of_job} from "./recipe.js";
import {put_work} from "./settings.js";
import {change, modes, state, styles, watch} from "./state.js";
import {copy_picture, download, formats, note} from "./status.js";

const kUndoFor = 6000;  // ms
const kThumb = 192;     // pixels: twice what is seen

const queue = element("ol", {class: "frames", "aria-label": "Queue"});
const finished = element("ul", {class: "frames", "aria-label": "Finished"});
const older = button("Show older", () => show_older().catch((error) => note(error.message)));
const empty = element("p", {class: "hint"}, "Finished pictures stay here.");

const frames = new Map();    // by id: elements
const deleting = new Map();  // by id: the timer that deletes

const name_of = (job) => names_of(job).join(" in ") || "A picture";

// ------------------------------------------------------------------------------------- actions ---

async function act(action, job) {
  try {
    const answer = await action(job.id);
    if (answer?.id) keep_job(answer);
  } catch (error) {
    note(error.message);
  }
}

// Its pictures and its settings become those of the page.
export async function same_again(job) {
  try {
    const {kind, recipe, settings, flags, inputs} = await get_job(job.id);
    const mode = kind === "sweep" ? "paint" : kind;
    const {photo, style} = modes[mode];
    const of = (role) => inputs.filter((input) => input.role === role && input.upload);
    const shares = settings.style?.blend ?? [];
    if (photo) put("photo", of(photo).map((input) => from_upload(input.upload, input.name)));
    if (style) {
      put(style, of(style).map((input, i) =>
        from_upload(input.upload, input.name, {share: Math.round(100 * (shares[i] ?? 0.5))})));
    }
    const {vary, ...own} = flags;
    put_work(mode, {...await recipe_of_job({recipe, settings}), flags: own});
    change({mode, shown: null});
    await restore_masks(inputs);
  } catch (error) {
    note(error.message);
  }
}

// Once the pictures that they lie on are there.
async function restore_masks(inputs) {
  const pictures = [...state.places.photo, ...styles()];
  await Promise.all(pictures.map((picture) => picture.settled));
  const keys = styles().map((picture) => picture.key);
  const targets = {
    "mask-keep": () => "keep", hole: () => "hole",
    "mask-content": (i) => `here:${keys[i]}`, "mask-style": (i) => `part:${keys[i]}`,
  };
  for (const [role, target_of] of Object.entries(targets)) {
    const own = inputs.filter((input) => input.role === role);
    for (const [i, {upload, url}] of own.entries()) {
      if (upload) restore(target_of(i), upload, await decoded(url));
    }
  }
}

function erase(job) {
  deleting.set(job.id, setTimeout(() => really_erase(job.id), kUndoFor));
  if (state.shown === job.id) change({shown: null});
  draw();
  frames.get(job.id)?.querySelector(".gone button")?.focus();
}

async function really_erase(id, keepalive = false) {
  clearTimeout(deleting.get(id));
  try {
    await delete_job(id, keepalive);
    forget_job(id);
  } catch (error) {
    if (error.status === 404) forget_job(id);
    else note(error.message);
  }
  deleting.delete(id);
  draw();
}

function keep(job) {
  clearTimeout(deleting.get(job.id));
  deleting.delete(job.id);
  draw();
  frames.get(job.id)?.querySelector("button")?.focus();
}

let waiting = [];  // their ids in the order in which they are drawn

async function move(id, before) {
  await act((own) => move_job(own, before), {id});
  frames.get(id)?.querySelector("button")?.focus();
}

function move_by(job, step) {
  const at = waiting.indexOf(job.id);
  if (at + step < 0 || at + step >= waiting.length) return;
  move(job.id, step < 0 ? waiting[at - 1] : waiting[at + 2] ?? null);
}

function menu_of(job) {
  const items = [["Same again with these settings", () => same_again(job)]];
  if (job.result) {
    for (const format of formats) {
      items.push([`Download ${format[0]}`, () => download(job, format)]);
    }
    if (navigator.clipboard?.write) items.push(["Copy", () => copy_picture(job)]);
  }
  if (job.state === "failed" || job.state === "cancelled") {
    items.push(["Retry", () => act(retry_job, job)]);
  }
  if (!is_over(job)) items.push(["Cancel", () => act(cancel_job, job)]);
  if (job.state === "waiting") {
    items.push(["Move earlier", () => move_by(job, -1)], ["Move later", () => move_by(job, 1)]);
  }
  if (job.state !== "running") items.push(["Delete", () => erase(job)]);
  return items;
}

// ------------------------------------------------------------------------------------- drawing ---

const spoken = {waiting: "waits", running: "is being painted", done: "done", failed: "failed",
                cancelled: "cancelled"};

function caption_of(job) {
  if (job.state === "running") {
    return job.progress ? `${Math.round(100 * (job.progress.done ?? 0))} %` : "Begins";
  }
  if (job.state === "waiting") {
    const at = waiting.indexOf(job.id);
    return at <= 0 ? "Next" : `${at + 1} in line`;
  }
  if (job.state === "failed") return "Failed";
  return names_of(job)[0] ?? "";
}

// What there is to be seen of it; before it is painted, its photo.
function url_of(job) {
  if (job.result) return result_url(job, {format: "jpeg", width: kThumb});
  if (job.preview_url) return job.preview_url;
  const first = job.inputs.findIndex((input) => input.url);
  return first < 0 ? "" : input_url(job, first, kThumb);
}

function frame_of(id) {
  const job = () => state.jobs.get(id);
  const image = element("img", {alt: "", loading: "lazy", draggable: "false"});
  image.addEventListener("error", () => image.classList.add("broken"));
  image.addEventListener("load", () => image.classList.remove("broken"));
  const bar = element("span", {class: "done"});
  const show = element("button", {type: "button", class: "thumb",
                                  onclick: () => change({shown: id === state.job ? null : id})},
                       image, bar);
  const caption = element("span", {class: "name"});
  const dots = icon_button("dots", "", (event) => open_menu(event.currentTarget, menu_of(job())));
  dots.setAttribute("aria-haspopup", "menu");
  const undo = button("Undo", () => keep(job()));
  const gone = element("div", {class: "gone"}, element("span", {}, "Deleted"), undo);
  const whole = element("li", {class: "frame", "data-test": "job", "data-id": id}, show,
                        element("div", {class: "caption"}, caption, dots));
  whole.addEventListener("keydown", (event) => {
    if (!event.altKey || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    event.preventDefault();
    if (job().state === "waiting") move_by(job(), event.key === "ArrowLeft" ? -1 : 1);
  });
  make_draggable(whole, id);
  whole.update = () => {
    const now = job();
    const name = name_of(now);
    whole.dataset.state = now.state;
    whole.draggable = now.state === "waiting";
    show.setAttribute("aria-label", `Show ${name}, ${spoken[now.state]}`);
    show.title = now.reason ? `${name}: ${now.reason}` : name;
    show.setAttribute("aria-current", String((state.shown ?? state.job) === id));
    dots.setAttribute("aria-label", `Actions for ${name}`);
    const url = url_of(now);
    if (url && image.getAttribute("src") !== url) image.src = url;
    image.hidden = !url;
    whole.classList.toggle("unpainted", !now.result && !now.preview_url);
    bar.style.width = now.state === "running" ? `${100 * (now.progress?.done ?? 0)}%` : "0";
    write(caption, caption_of(now));
    const off = deleting.has(id);
    whole.classList.toggle("deleted", off);
    if (off && !gone.isConnected) whole.append(gone);
    if (!off) gone.remove();
    show.inert = off;
    whole.children[1].inert = off;
  };
  return whole;
}

// Waiting ones are dragged before one another.
let dragged = null;
function make_draggable(whole, id) {
  whole.addEventListener("dragstart", (event) => {
    dragged = id;
    event.dataTransfer.effectAllowed = "move";
  });
  whole.addEventListener("dragend", () => {
    dragged = null;
    for (const frame of frames.values()) frame.classList.remove("before");
  });
  whole.addEventListener("dragover", (event) => {
    if (dragged === null || dragged === id || whole.dataset.state !== "waiting") return;
    event.preventDefault();
    whole.classList.add("before");
  });
  whole.addEventListener("dragleave", () => whole.classList.remove("before"));
  whole.addEventListener("drop", (event) => {
    if (dragged === null || dragged === id) return;
    event.preventDefault();
    const later = waiting.indexOf(dragged) < waiting.indexOf(id);
    move(dragged, later ? waiting[waiting.indexOf(id) + 1] ?? null : id);
  });
}

const ended = (job) => Date.parse(job.ended ?? job.created) || 0;

function fill(list, ids) {
  ids.forEach((id, index) => {
    if (!frames.has(id)) frames.set(id, frame_of(id));
    const frame = frames.get(id);
    if (list.children[index] !== frame) list.insertBefore(frame, list.children[index] ?? null);
    frame.update();
  });
  list.hidden = ids.length === 0;
}

// The queue says nothing yet of a job that has only just come: it stands last.
function place_of(job) {
  const at = state.queue.indexOf(job.id);
  return (job.state === "running" ? -1e6 : 0) + (at < 0 ? 1e5 : at);
}

function draw() {
  const jobs = [...state.jobs.values()].filter((job) => !is_overtaken(job.id));
  const going = jobs.filter((job) => !is_over(job)).sort((a, b) => place_of(a) - place_of(b));
  waiting = going.filter((job) => job.state === "waiting").map((job) => job.id);
  const over = jobs.filter(is_over).sort((a, b) => ended(b) - ended(a));
  const known = new Set(jobs.map((job) => job.id));
  for (const [id, frame] of frames) {
    if (!known.has(id)) {
      frame.remove();
      frames.delete(id);
    }
  }
  fill(queue, going.map((job) => job.id));
  fill(finished, over.map((job) => job.id));
  older.hidden = state.older === null;
  empty.hidden = jobs.length > 0 || !state.ready;
}

export function start_strip() {
  find("strip").append(queue, finished, older, empty);
  watch("jobs queue job shown older ready", draw);
  // What is to be deleted is, even if the page goes before.
  addEventListener("pagehide", () => {
    for (const id of deleting.keys()) really_erase(id, true);
  });
  draw();
}
