// The canvas: a picture, fitted or zoomed, beside its photo or below a mask.
//
// Everything is placed in pixels of the full picture, whatever the size of what is drawn so far, so
// that nothing moves while a picture sharpens. `zoom` is CSS pixels per pixel of the full picture;
// null fits it into the stage.
import {find, write} from "./dom.js";
import {change, state, watch} from "./state.js";

const kMostZoom = 16;
const kStep = 1.25;           // of the zoom, with a key or a button
const kPanStep = 48;          // CSS pixels, with a key
const kTint = "#e0452b";      // of masks

const stage = find("stage");
const canvas = find("canvas");
const context = canvas.getContext("2d");
const divider = find("divider");

export const view = {
  size: null,    // {width, height} of the full picture
  image: null,   // what is drawn into it: a bitmap, an <img>
  before: null,  // its photo, for before and after
  mask: null,    // a canvas to be laid over it
  mask_shown: true,  // as while it is brushed; else what it has led to is to be seen
  split: 0.5,
};

let zoom = null;
let centre = {x: 0.5, y: 0.5};  // of the picture, in the stage's middle; only while zoomed
let asked = 0;

export function draw_soon() {
  asked ||= requestAnimationFrame(() => {
    asked = 0;
    draw();
  });
}

// Around a fitted picture; below it is the line that says what goes on.
const margin = () => (stage.clientWidth < 600 ? 0 : 16);

function fitting() {
  const {width, height} = view.size;
  return Math.min((stage.clientWidth - 2 * margin()) / width,
                  (stage.clientHeight - margin()) / height);
}

const scale = () => zoom ?? fitting();

// Where the picture is in the stage, in CSS pixels.
export function place() {
  const {width, height} = view.size;
  const s = scale();
  const at = zoom === null ? {x: 0.5, y: 0.5} : centre;
  const down = zoom === null ? margin() / 2 : 0;
  return {x: stage.clientWidth / 2 - at.x * width * s,
          y: stage.clientHeight / 2 - at.y * height * s + down, width: width * s,
          height: height * s};
}

function draw() {
  const ratio = devicePixelRatio;
  const width = Math.round(stage.clientWidth * ratio);
  const height = Math.round(stage.clientHeight * ratio);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  context.clearRect(0, 0, width, height);
  const splits = view.size !== null && state.splitting && view.before !== null && !state.brushing;
  for (const part of ["divider", "side-before", "side-after"]) find(part).hidden = !splits;
  for (const name of ["in", "out", "fit", "actual"]) {
    find(`zoom-${name}`).disabled = view.size === null;
  }
  if (view.size === null) return write(find("zoom"), "");
  const at = place();
  const box = [at.x * ratio, at.y * ratio, at.width * ratio, at.height * ratio].map(Math.round);
  // Enlarged to be looked at closely, a pixel is a square; fitted, it is not to be seen.
  context.imageSmoothingEnabled = zoom === null || zoom * ratio < 2;
  context.imageSmoothingQuality = "high";
  if (view.image) context.drawImage(view.image, ...box);
  if (splits) draw_split(at, box);
  if (view.mask) draw_mask(box);
  write(find("zoom"), `${Math.round(100 * scale() * ratio)} %`);
}

// The photo left of the divider.
function draw_split(at, box) {
  const ratio = devicePixelRatio;
  const visible_left = Math.max(at.x, 0);
  const visible_right = Math.min(at.x + at.width, stage.clientWidth);
  const x = visible_left + view.split * (visible_right - visible_left);
  context.save();
  context.beginPath();
  context.rect(0, 0, x * ratio, canvas.height);
  context.clip();
  context.clearRect(...box);
  context.drawImage(view.before, ...box);
  context.restore();
  divider.style.left = `${x}px`;
  divider.style.top = `${Math.max(at.y, 0)}px`;
  divider.style.height = `${Math.min(at.y + at.height, stage.clientHeight) - Math.max(at.y, 0)}px`;
  const side = `${Math.max(at.y, 0) + 8}px`;
  find("side-before").style.cssText = `left:${visible_left + 8}px;top:${side}`;
  find("side-after").style.cssText =
    `right:${stage.clientWidth - visible_right + 8}px;top:${side}`;
  const percent = Math.round(100 * view.split);
  divider.setAttribute("aria-valuenow", percent);
  divider.setAttribute("aria-valuetext", `${percent} % photo`);
}

const tinted = document.createElement("canvas");
function draw_mask(box) {
  tinted.width = view.mask.width;
  tinted.height = view.mask.height;
  const tint = tinted.getContext("2d");
  tint.drawImage(view.mask, 0, 0);
  tint.globalCompositeOperation = "source-in";
  tint.fillStyle = kTint;
  tint.fillRect(0, 0, tinted.width, tinted.height);
  context.globalAlpha = view.mask_shown || view.image === view.before ? 0.55 : 0.15;
  context.imageSmoothingEnabled = true;
  context.drawImage(tinted, ...box);
  context.globalAlpha = 1;
}

// ------------------------------------------------------------------------------ zoom and pan -----

// A point of the stage in pixels of the full picture.
export function to_picture(x, y) {
  const at = place();
  return {x: ((x - at.x) / at.width) * view.size.width,
          y: ((y - at.y) / at.height) * view.size.height};
}

export const zoom_scale = () => (view.size === null ? 1 : scale());
export const is_zoomed = () => zoom !== null;

// So that the point (x, y) of the stage stays where it is.
export function zoom_to(wanted, x = stage.clientWidth / 2, y = stage.clientHeight / 2) {
  if (view.size === null) return;
  const least = Math.min(fitting(), 1 / devicePixelRatio);
  const next = Math.min(Math.max(wanted, least), kMostZoom);
  const point = to_picture(x, y);
  zoom = next;
  centre = {x: (point.x - (x - stage.clientWidth / 2) / next) / view.size.width,
            y: (point.y - (y - stage.clientHeight / 2) / next) / view.size.height};
  hold();
}

// The picture is not pushed out of the stage; one smaller than the stage stays in its middle.
function hold() {
  const {width, height} = view.size;
  for (const [axis, length, room] of [["x", width, stage.clientWidth],
                                      ["y", height, stage.clientHeight]]) {
    const half = room / 2 / (length * zoom);
    centre[axis] = half >= 0.5 ? 0.5 : Math.min(Math.max(centre[axis], half), 1 - half);
  }
  stage.classList.toggle("zoomed", true);
  draw_soon();
}

export function fit() {
  zoom = null;
  stage.classList.toggle("zoomed", false);
  draw_soon();
}

export function pan(dx, dy) {
  if (zoom === null || view.size === null) return;
  centre.x -= dx / (view.size.width * zoom);
  centre.y -= dy / (view.size.height * zoom);
  hold();
}

const zoom_in = () => zoom_to(zoom_scale() * kStep);
const zoom_out = () => zoom_to(zoom_scale() / kStep);
const actual = () => zoom_to(1 / devicePixelRatio);

export function zoom_key(event) {
  const act = {"+": zoom_in, "=": zoom_in, "-": zoom_out, 0: fit, 1: actual}[event.key];
  act?.();
  return act !== undefined;
}

function pan_key(event) {
  const moves = {ArrowLeft: [kPanStep, 0], ArrowRight: [-kPanStep, 0], ArrowUp: [0, kPanStep],
                 ArrowDown: [0, -kPanStep]};
  if (!is_zoomed() || !moves[event.key]) return;
  event.preventDefault();
  pan(...moves[event.key]);
}

function put_split(value) {
  view.split = Math.min(Math.max(value, 0), 1);
  draw_soon();
}

function split_key(event) {
  const step = event.shiftKey ? 0.1 : 0.02;
  const to = {ArrowLeft: view.split - step, ArrowDown: view.split - step,
              ArrowRight: view.split + step, ArrowUp: view.split + step, Home: 0, End: 1,
              PageUp: view.split + 0.1, PageDown: view.split - 0.1}[event.key];
  if (to === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  put_split(to);
}

// --------------------------------------------------------------------------------- pointers ------

const pointers = new Map();  // by id: where they are
let drag = "";               // what they do: "", pan, pinch, split, brush
let brush = null;
let space = false;

function local(event) {
  const box = stage.getBoundingClientRect();
  return {x: event.clientX - box.left, y: event.clientY - box.top};
}

const in_picture = (event) => {
  const {x, y} = local(event);
  return to_picture(x, y);
};

function drag_of(event) {
  if (divider.contains(event.target)) return "split";
  if (space || event.button === 1) return "pan";
  if (state.brushing) return "brush";
  return divider.hidden || is_zoomed() ? "pan" : "split";
}

function press(event) {
  if (view.size === null || event.target.closest("button")) return;
  stage.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, local(event));
  if (pointers.size === 2 && drag === "brush") brush.cancel();
  drag = pointers.size > 1 ? "pinch" : drag_of(event);
  if (drag === "brush") brush.begin(in_picture(event));
  if (drag === "split") split_to(local(event).x);
}

function move(event) {
  const now = local(event);
  if (state.brushing) brush.hover(now, event.pointerType);
  const before = pointers.get(event.pointerId);
  if (!before) return;
  const others = [...pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
  pointers.set(event.pointerId, now);
  if (drag === "pinch" && others.length === 1) pinch(before, now, others[0]);
  if (drag === "split") split_to(now.x);
  if (drag === "pan") pan(now.x - before.x, now.y - before.y);
  if (drag === "brush") {
    for (const part of event.getCoalescedEvents?.() ?? [event]) brush.extend(in_picture(part));
  }
}

// Of two fingers one has moved.
function pinch(before, now, other) {
  const distance = (at) => Math.hypot(at.x - other.x, at.y - other.y);
  pan((now.x - before.x) / 2, (now.y - before.y) / 2);
  zoom_to((zoom_scale() * distance(now)) / Math.max(distance(before), 1), (now.x + other.x) / 2,
          (now.y + other.y) / 2);
}

function release(event) {
  if (!pointers.delete(event.pointerId)) return;
  if (drag === "brush") brush.end();
  if (pointers.size === 0) drag = "";
}

function turn_wheel(event) {
  if (view.size === null) return;
  event.preventDefault();
  const at = local(event);
  zoom_to(zoom_scale() * Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0016)), at.x, at.y);
}

function start_keys() {
  stage.addEventListener("keydown", pan_key);
  stage.addEventListener("keydown", (event) => {
    if (event.key !== " " || event.target !== stage) return;
    event.preventDefault();
    space = true;
  });
  document.addEventListener("keyup", (event) => {
    if (event.key === " ") space = false;
  });
  divider.addEventListener("keydown", split_key);
}

// The brush, {begin, extend, end, cancel, hover, leave}, has a pointer unless one pans.
export function start_view(with_brush) {
  brush = with_brush;
  stage.addEventListener("pointerdown", press);
  stage.addEventListener("pointermove", move);
  stage.addEventListener("pointerup", release);
  stage.addEventListener("pointercancel", release);
  stage.addEventListener("pointerleave", () => brush.leave());
  stage.addEventListener("wheel", turn_wheel, {passive: false});
  start_keys();
  find("zoom-in").addEventListener("click", zoom_in);
  find("zoom-out").addEventListener("click", zoom_out);
  find("zoom-fit").addEventListener("click", fit);
  find("zoom-actual").addEventListener("click", actual);
  find("before-after").addEventListener("click", () =>
    change({splitting: !state.splitting, brushing: state.mode === "inpaint" && state.splitting}));
  watch("splitting brushing", () => {
    find("before-after").setAttribute("aria-pressed", state.splitting);
    draw_soon();
  });
  new ResizeObserver(() => (zoom === null || view.size === null ? draw_soon() : hold()))
    .observe(stage);
}

function split_to(x) {
  const at = place();
  const left = Math.max(at.x, 0), right = Math.min(at.x + at.width, stage.clientWidth);
  put_split((x - left) / (right - left));
}
