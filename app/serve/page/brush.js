// The brush: its bar, its pointer, and what it paints on (masks.js).
import {button, element, find, icon_button, slider} from "./dom.js";
import {begin_stroke, clear, existing_mask, extend_stroke, mask_for, redo, send, subject, targets,
        undo} from "./masks.js";
import {plain_name} from "./pictures.js";
import {brush_on} from "./stage.js";
import {change, photo, state, watch} from "./state.js";
import {draw_soon, view, zoom_scale} from "./view.js";

// Across, in parts of the picture's longest side; the rest of the edge is soft.
const brush = {size: 0.12, softness: 0.5, erase: false};

const bar = find("brush");
let target = "";
let choice = null, erasing = null;
let last = null;  // the mask of a stroke that has not ended: nothing is undone meanwhile

// From pixels of the full picture to those of the mask.
function to_mask(mask, point) {
  return [(point.x * mask.canvas.width) / view.size.width,
          (point.y * mask.canvas.height) / view.size.height];
}

export const pointer = {
  begin(point) {
    const mask = target ? mask_for(target) : null;
    if (!mask) return;
    last = mask;
    view.mask_shown = true;
    const longest = Math.max(mask.canvas.width, mask.canvas.height);
    begin_stroke(mask, {size: brush.size * longest, softness: brush.softness, erase: brush.erase,
                        points: []});
    pointer.extend(point);
    brush_on(target);
  },
  extend(point) {
    if (!last) return;
    extend_stroke(last, ...to_mask(last, point));
    draw_soon();
  },
  end() {
    if (!last) return;
    send(last);
    last = null;
  },
  // A second finger: what looked like a stroke was the beginning of a pinch.
  cancel() {
    if (!last) return;
    const mask = last;
    last = null;
    undo(mask);
  },
  hover({x, y}, type) {
    const cursor = find("cursor");
    cursor.hidden = type === "touch" || view.size === null || !target;
    if (cursor.hidden) return;
    const across = brush.size * Math.max(view.size.width, view.size.height) * zoom_scale();
    cursor.style.width = cursor.style.height = `${across}px`;
    cursor.style.transform = `translate(${x - across / 2}px, ${y - across / 2}px)`;
  },
  leave() {
    find("cursor").hidden = true;
  },
};

function draw_bar() {
  const select = element("select", {"aria-label": "Brush for",
                                    onchange: () => choose(select.value)});
  const resize = slider({label: "Brush size", min: 0.01, max: 0.5, step: 0.01, value: brush.size,
                         show: (v) => `${Math.round(100 * v)} %`,
                         change: (v) => (brush.size = v)});
  const soften = slider({label: "Softness", min: 0, max: 1, step: 0.05, value: brush.softness,
                         show: (v) => `${Math.round(100 * v)} %`,
                         change: (v) => (brush.softness = v)});
  erasing = button("Erase", () => put_erase(!brush.erase), {"aria-pressed": "false"});
  const of_mask = (act) => () => {
    const mask = existing_mask(target);
    if (mask && !last) act(mask);
  };
  choice = select;
  bar.append(select, resize, soften, erasing,
             element("span", {class: "together"}, icon_button("undo", "Undo", of_mask(undo)),
                     icon_button("redo", "Redo", of_mask(redo))),
             button("Clear", of_mask(clear)));
}

function put_erase(erase) {
  brush.erase = erase;
  erasing.setAttribute("aria-pressed", erase);
}

function choose(value) {
  target = value;
  choice.value = value;
  view.mask_shown = true;
  brush_on(value);
  update();
}

// Keys while the brush is there; true if it was one.
export function brush_key(event) {
  if (!state.brushing || event.target.matches("input, textarea, select")) return false;
  const mask = existing_mask(target);
  if (event.key === "e") put_erase(!brush.erase);
  else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
    if (mask && !last) (event.shiftKey ? redo : undo)(mask);
  } else if (event.key === "[" || event.key === "]") {
    const size = bar.querySelector("input");
    size.value = Number(size.value) * (event.key === "[" ? 0.8 : 1.25);
    size.dispatchEvent(new Event("input"));
  } else return false;
  event.preventDefault();
  return true;
}

let offered = "";

function update() {
  const possible = targets((picture) => plain_name(picture.name));
  const shown = state.brushing && possible.length > 0 && photo()?.width > 0;
  bar.hidden = !shown;
  find("stage").classList.toggle("brushing", shown);
  find("brush-button").hidden = possible.length === 0 || state.mode === "inpaint";
  find("brush-button").setAttribute("aria-pressed", state.brushing);
  if (!shown) {
    pointer.leave();
    return;
  }
  const text = JSON.stringify(possible);
  if (text !== offered) {
    offered = text;
    choice.replaceChildren(...possible.map(([value, name]) => element("option", {value}, name)));
    choice.hidden = possible.length < 2;
    const still = possible.some(([value]) => value === target) && subject(target);
    choose(still ? target : possible[0][0]);
  }
  const mask = existing_mask(target);
  bar.dataset.strokes = mask?.strokes.length ?? 0;
  bar.dataset.mask = mask?.upload ?? "";
}

export function start_brush() {
  draw_bar();
  find("brush-button").addEventListener("click", () =>
    change({brushing: !state.brushing, splitting: false}));
  let mode = state.mode;
  watch("mode", () => {
    if (mode === state.mode) return;
    mode = state.mode;
    offered = "";
    change({brushing: state.mode === "inpaint"});  // there is nothing else to begin with
  });
  watch("mode places photo brushing masks", update);
  update();
}
