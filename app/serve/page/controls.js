// The controls below the canvas: four for each kind of picture, and the button that paints.
import {element, find, segments, slider, write} from "./dom.js";
import {paint_all, paint_now} from "./painting.js";
import {missing, sizes} from "./request.js";
import {put_flag, put_setting, setting} from "./settings.js";
import {change, modes, state, watch, work} from "./state.js";
import {note} from "./status.js";

const whole = find("controls");
const two = (value) => value.toFixed(2);
const rounded = (value) => Number(value.toPrecision(3));
const times = (value) => `${rounded(2 ** value)}`;

// ------------------------------------------------------------------------------- the kinds ------

function strength() {
  const control = slider({label: "Strength", test: "strength", min: 0, max: 1, step: 0.01,
                          neutral: 0.5, show: two, say: (v) => `${Math.round(100 * v)} %`,
                          change: (v) => put_setting("balance.strength", v)});
  control.update = () => control.put(setting("balance.strength") ?? 0.5);
  return control;
}

// Twice as large is as far as half as large.
function scale(label) {
  const control = slider({label, test: "scale", min: -2, max: 2, step: 0.1, neutral: 0,
                          show: (v) => `${times(v)}×`, say: (v) => `${times(v)} times`,
                          change: (v) => put_setting("style.scale", [rounded(2 ** v)])});
  const now = () => [setting("style.scale") ?? 1].flat()[0] ?? 1;
  control.update = () => control.put(Math.round(10 * Math.log2(now())) / 10);
  return control;
}

function labelled(label, choices, act) {
  const name = `label-${label.toLowerCase()}`;
  const group = segments(element("div", {"aria-labelledby": name}), choices, act);
  return element("div", {class: "control"},
                 element("div", {class: "label"}, element("span", {id: name}, label)), group);
}

function colours(whose) {
  const choices = [["style", whose], ["content", "Photo’s"], ["matched", "Matched"],
                   ["palette", "Recoloured"]];
  const control = labelled("Colours", choices, (v) => put_setting("picture.colors", v));
  const group = control.lastChild;
  control.update = () => {
    const now = setting("picture.colors") ?? "style";
    group.lastChild.hidden = now !== "palette";  // only there once a comparison has led to it
    group.put(now);
  };
  return control;
}

// Over a list of sizes; one that is not in it stands where the next larger one is.
function size(label, now, put) {
  const at = (pixels) => {
    const index = sizes.findIndex((one) => one >= pixels);
    return index < 0 || pixels === 0 ? sizes.length - 1 : index;
  };
  const exact = (v) => (at(now()) === v ? now() : sizes[v]);
  const control = slider({label, test: label.toLowerCase(), min: 0, max: sizes.length - 1, step: 1,
                          show: (v) => `${exact(v)} px`, say: (v) => `${exact(v)} pixels`,
                          change: (v) => put(sizes[v])});
  control.update = () => control.put(at(now()));
  control.update();
  return control;
}

const picture_size = () => size("Size", () => setting("picture.size") || 512,
                                (v) => put_setting("picture.size", v));

function texture_side(label, index) {
  const sides = () => work().flags.size.split("x").map(Number);
  return size(label, () => sides()[index], (v) => {
    const now = sides();
    now[index] = v;
    put_flag("size", now.join("x"));
  });
}

function edges() {
  const control = labelled("Edges", [["plain", "Plain"], ["tileable", "Tileable"]],
                           (v) => put_setting("picture.tileable", v === "tileable"));
  control.update = () => control.lastChild.put(setting("picture.tileable") ? "tileable" : "plain");
  return control;
}

function effort() {
  const control = slider({label: "Effort", test: "effort", min: 5, max: 600, step: 5,
                          show: (v) => `${v}`, say: (v) => `${v} iterations`,
                          change: (v) => put_setting("optimiser.iterations", v)});
  control.update = () => control.put(setting("optimiser.iterations") ?? 150);
  return control;
}

function another() {
  const seed = () => put_setting("picture.seed", Math.floor(Math.random() * 1e6));
  return element("div", {class: "control"},
                 element("div", {class: "label"}, element("span", {}, "Not quite?")),
                 element("button", {type: "button", class: "outlined", onclick: seed}, "Another"));
}

const kinds = {
  paint: () => [strength(), scale("Stroke size"), colours("Painting’s"), picture_size()],
  texture: () => [scale("Pattern size"), texture_side("Width", 0), texture_side("Height", 1),
                  edges()],
  inpaint: () => [effort(), another()],
  season: () => [strength(), scale("Detail size"), colours("Season’s"), picture_size()],
};

// ------------------------------------------------------------------------------------ drawing ----

let shown = "";      // the mode whose controls are there
let controls = [];

function draw() {
  if (shown !== state.mode) {
    shown = state.mode;
    controls = kinds[shown]();
    whole.replaceChildren(...controls, paint_button());
  }
  for (const control of controls) control.update?.();
}

let paint = null, all = null;

function paint_button() {
  paint = element("button", {type: "button", class: "primary", onclick: paint_now},
                  modes[state.mode].verb);
  all = element("button", {type: "button", class: "outlined", onclick: every_photo, hidden: true});
  update_button();
  return element("div", {class: "control act"}, all, paint);
}

async function every_photo() {
  try {
    const count = await paint_all();
    note(`${count} pictures wait in the film strip.`);
  } catch (error) {
    note(error.message);
  }
}

function update_button() {
  if (!paint) return;
  const lacks = missing();
  paint.disabled = lacks !== "" && lacks !== "uploading";
  paint.title = paint.disabled ? lacks : "At full size, now (Ctrl+Enter)";
  const count = state.places.photo.length;
  all.hidden = count < 2 || modes[state.mode].photo === null || state.mode === "inpaint";
  write(all, `Paint all ${count}`);
  all.setAttribute("aria-label", `Paint all ${count} photos`);
}

export function start_controls() {
  const choices = Object.entries(modes).map(([mode, {name}]) => [mode, name]);
  segments(find("modes"), choices, (mode) => change({mode, shown: null}));
  watch("mode work recipes", draw);
  watch("mode work recipes places masks phase", update_button);
  watch("mode", () => find("modes").put(state.mode));
  find("modes").put(state.mode);
  draw();
}
