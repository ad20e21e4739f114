// Masks: what is brushed, where it goes in a job, and its copy on the server.
//
// A mask is a canvas with the aspect of the picture that it belongs to, opaque inside and
// transparent outside, and the strokes that made it, so that they can be undone. Uploaded, it is
// white on black.
import {is_ended, upload} from "./api.js";
import {change, photo, state, styles} from "./state.js";

const kLongest = 1024;    // pixels: finer than what a brush decides
const kMostStrokes = 60;  // that can be undone; older ones stay, but stay

const masks = new Map();  // by target: "keep", "hole", "here:KEY", "part:KEY" (KEY: of a painting)

// What there is to brush in this mode: [[target, text]].
export function targets(name_of) {
  if (state.mode === "inpaint") return [["hole", "Fill here"]];
  if (state.mode === "texture") return [];
  const paintings = styles().map((picture) => [picture, name_of(picture)]);
  return [["keep", "Keep the photo here"],
          ...paintings.map(([picture, name]) => [`here:${picture.key}`, `Only here: ${name}`]),
          ...paintings.map(([picture, name]) => [`part:${picture.key}`,
                                                 `Only this part of ${name}`])];
}

// The picture that a target is brushed on.
export function subject(target) {
  if (!target.startsWith("part:")) return photo();
  return styles().find((picture) => `part:${picture.key}` === target) ?? null;
}

// A mask is of one picture: on another it is another mask.
const name_of = (target, on) => (target.startsWith("part:") ? target : `${target} on ${on.key}`);

export function mask_for(target) {
  const on = subject(target);
  if (!on?.width) return null;
  const name = name_of(target, on);
  if (!masks.has(name)) {
    const scale = Math.min(1, kLongest / Math.max(on.width, on.height));
    const width = Math.max(1, Math.round(on.width * scale));
    const height = Math.max(1, Math.round(on.height * scale));
    masks.set(name, {canvas: canvas_of(width, height), base: null, strokes: [], undone: [],
                     upload: "", sending: null});
  }
  return masks.get(name);
}

export function existing_mask(target) {
  const on = subject(target);
  return on ? masks.get(name_of(target, on)) ?? null : null;
}

function canvas_of(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

// ---------------------------------------------------------------------------------- brushing ----

// A stroke: {size, softness, erase, points: [x, y, ...]} in pixels of the mask.
export function begin_stroke(mask, stroke) {
  mask.strokes.push(stroke);
  mask.undone = [];
  if (mask.strokes.length > kMostStrokes) {
    mask.base ??= canvas_of(mask.canvas.width, mask.canvas.height);
    draw_stroke(mask.base, mask.strokes.shift());
  }
}

export function extend_stroke(mask, x, y) {
  const {points, ...brush} = mask.strokes.at(-1);
  points.push(x, y);
  draw_stroke(mask.canvas, {...brush, points: points.slice(-4)});
}

// Stamps along the stroke's segments, a quarter of its radius apart.
function draw_stroke(canvas, {size, softness, erase, points}) {
  const context = canvas.getContext("2d");
  const radius = Math.max(size / 2, 0.5);
  context.globalCompositeOperation = erase ? "destination-out" : "source-over";
  const stamp = (x, y) => {
    const fill = context.createRadialGradient(x, y, radius * (1 - softness) * 0.98, x, y, radius);
    fill.addColorStop(0, "#fff");
    fill.addColorStop(1, "#fff0");
    context.fillStyle = fill;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
  };
  if (points.length === 2) stamp(points[0], points[1]);
  for (let i = 0; i + 3 < points.length; i += 2) {
    const [x0, y0, x1, y1] = points.slice(i, i + 4);
    const steps = Math.max(1, Math.ceil(Math.hypot(x1 - x0, y1 - y0) / (radius / 4)));
    for (let k = 1; k <= steps; ++k) {
      stamp(x0 + ((x1 - x0) * k) / steps, y0 + ((y1 - y0) * k) / steps);
    }
  }
}

function redraw(mask) {
  const context = mask.canvas.getContext("2d");
  context.globalCompositeOperation = "source-over";
  context.clearRect(0, 0, mask.canvas.width, mask.canvas.height);
  if (mask.base) context.drawImage(mask.base, 0, 0);
  for (const stroke of mask.strokes) draw_stroke(mask.canvas, stroke);
}

export function undo(mask) {
  if (mask.strokes.length === 0) return;
  mask.undone.push(mask.strokes.pop());
  redraw(mask);
  send(mask);
}

export function redo(mask) {
  if (mask.undone.length === 0) return;
  mask.strokes.push(mask.undone.pop());
  redraw(mask);
  send(mask);
}

export function clear(mask) {
  mask.strokes = [];
  mask.undone = [];
  mask.base = null;
  redraw(mask);
  send(mask);
}

// --------------------------------------------------------------------------------- uploading ----

function is_blank(mask) {
  if (mask.strokes.length === 0 && mask.base === null) return true;
  const {width, height} = mask.canvas;
  const {data} = mask.canvas.getContext("2d").getImageData(0, 0, width, height);
  for (let i = 3; i < data.length; i += 4) {
    if (data[i] > 0) return false;
  }
  return true;
}

// Its copy on the server, after each stroke; the newest wins.
export async function send(mask) {
  mask.sending?.abort();
  mask.sending = new AbortController();
  const {signal} = mask.sending;
  if (is_blank(mask)) {
    mask.upload = "";
    change({masks: state.masks + 1});
    return;
  }
  change({masks: state.masks + 1});
  const flat = canvas_of(mask.canvas.width, mask.canvas.height);
  const context = flat.getContext("2d");
  context.fillRect(0, 0, flat.width, flat.height);
  context.drawImage(mask.canvas, 0, 0);
  const blob = await new Promise((resolve) => flat.toBlob(resolve, "image/png"));
  try {
    const id = await upload(blob, signal);
    if (signal.aborted) return;
    mask.upload = id;
    mask.problem = "";
  } catch (error) {
    if (is_ended(error)) return;
    mask.problem = error.message;
  }
  change({masks: state.masks + 1});
}

// One that is on the server already, of a job: `image` is white on black.
export function restore(target, id, image) {
  const mask = mask_for(target);
  if (!mask) return;
  const {width, height} = mask.canvas;
  mask.base = canvas_of(width, height);
  const context = mask.base.getContext("2d");
  context.drawImage(image, 0, 0, width, height);
  const pixels = context.getImageData(0, 0, width, height);
  for (let i = 0; i < pixels.data.length; i += 4) {
    pixels.data[i + 3] = pixels.data[i];
    pixels.data.fill(255, i, i + 3);
  }
  context.putImageData(pixels, 0, 0);
  mask.strokes = [];
  mask.undone = [];
  redraw(mask);
  mask.upload = id;
  change({masks: state.masks + 1});
}

// Of removed pictures nothing is kept.
export function forget_masks() {
  const keys = new Set(Object.values(state.places).flat().map((picture) => String(picture.key)));
  for (const [name, mask] of masks) {
    const own = name.match(/\d+/g) ?? [];
    if (own.some((key) => !keys.has(key))) {
      mask.sending?.abort();
      masks.delete(name);
    }
  }
}

// As a job names them. Paintings without a mask have "none".
export function mask_inputs() {
  const inputs = {};
  const id = (target) => existing_mask(target)?.upload ?? "";
  const add = (role, target) => {
    const ids = styles().map((picture) => id(`${target}:${picture.key}`) || "none");
    if (ids.some((one) => one !== "none")) inputs[role] = ids;
  };
  if (state.mode === "inpaint") {
    if (id("hole")) inputs.hole = id("hole");
  } else if (state.mode !== "texture") {
    if (id("keep")) inputs["mask-keep"] = id("keep");
    add("mask-content", "here");
    add("mask-style", "part");
  }
  return inputs;
}
