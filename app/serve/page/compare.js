// Several values of one control side by side, small: a grid to choose from. They are painted one
// after the other, as live pictures.
import {is_ended, submit_job} from "./api.js";
import {button, element, find, icon_button} from "./dom.js";
import {keep_job} from "./jobs.js";
import {paint} from "./live.js";
import {missing, request_of} from "./request.js";
import {put_setting, with_value} from "./settings.js";
import {change, state, watch} from "./state.js";
import {note} from "./status.js";

const kSize = 224;  // pixels, longest side

const rounded = (value) => Number(value.toPrecision(3));
const spread = (least, most, count, i) =>
  rounded(least + ((most - least) * i) / Math.max(count - 1, 1));

// What can be compared: [key, name, value of the ith of `n`, its text, the modes that have it].
const kinds = [
  ["balance.strength", "Strength", (n, i) => spread(0.1, 0.9, n, i), (v) => v.toFixed(2),
   "paint season"],
  ["style.scale", "Stroke size", (n, i) => [rounded(2 ** spread(-1, 1, n, i))], ([v]) => `${v}×`,
   "paint season texture"],
  ["picture.colors", "Colours",
   (n, i) => ["style", "content", "matched", "palette"][i % 4],
   (v) => ({style: "painting’s", content: "photo’s", palette: "recoloured"})[v] ?? v,
   "paint season"],
  ["neighbours.weight", "Nearness to the painting",
   (n, i) => rounded(i === 0 ? 0 : 0.05 * 2 ** (i - 1)), (v) => `${v}`, "paint"],
  ["structure.weight", "Small things kept", (n, i) => spread(0, 2, n, i), (v) => `${v}`,
   "paint"],
  ["picture.seed", "Seed", (n, i) => i + 1, (v) => `${v}`, "paint texture inpaint"],
];

let ending = null;

// One live picture into a cell.
async function paint_cell(cell, body, signal) {
  const canvas = cell.querySelector("canvas");
  cell.dataset.state = "painting";
  await paint(body, kSize, signal, (bitmap) => {
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    bitmap.close();
  });
  cell.dataset.state = "done";
}

async function compare([key, name, value_of, text_of], count) {
  if (missing() !== "") return note(missing() === "uploading" ? "Still uploading." : missing());
  const texts = Array.from({length: count}, (_, i) => JSON.stringify(value_of(count, i)));
  const values = [...new Set(texts)].map((text) => JSON.parse(text));
  const body = request_of();
  const choose = (value) => {
    close();
    put_setting(key, value);
  };
  const cells = values.map((value) => {
    const text = `${name} ${text_of(value)}`;
    return element("button", {type: "button", class: "cell", "data-test": "cell",
                              "data-state": "waiting", "aria-label": text,
                              onclick: () => choose(value)},
                   element("canvas"), element("span", {}, text_of(value)));
  });
  const heading = element("h2", {}, name);
  const sheet = button("Paint the sheet", () => paint_sheet(key, values, body));
  find("comparison").replaceChildren(
    element("div", {class: "head"}, heading, element("span", {class: "hint"}, "Choose one"),
            element("span", {class: "gap"}), state.mode === "paint" ? sheet : null,
            icon_button("close", "Close comparison", close)),
    element("div", {class: "grid"}, ...cells));
  change({comparing: true});
  ending?.abort();
  ending = new AbortController();
  const {signal} = ending;
  cells[0].focus();
  try {
    for (let i = 0; i < cells.length; ++i) {
      const settings = with_value(body.settings, key, values[i]);
      await paint_cell(cells[i], {...body, settings}, signal);
    }
  } catch (error) {
    if (!is_ended(error)) note(error.message);
  }
}

// All values at full size, on one sheet.
async function paint_sheet(key, values, body) {
  const lists = values.map((value) => (Array.isArray(value) ? value.join(",") : value));
  const key_of = crypto.getRandomValues(new Uint32Array(4)).join("-");
  const {kind, ...rest} = body;
  try {
    keep_job(await submit_job({...rest, kind: "sweep", flags: {vary: `${key}=${lists.join(",")}`},
                               client: "page"}, key_of));
    note("The sheet waits in the film strip.");
  } catch (error) {
    note(error.message);
  }
}

function close() {
  ending?.abort();
  ending = null;
  change({comparing: false});
  find("comparison").replaceChildren();
  find("stage").focus();
}

// For "More": which control, how many values.
export function comparison_chooser() {
  const which = element("select", {"aria-label": "Compare by"});
  const count = element("input", {type: "number", min: 2, max: 9, value: 6,
                                  "aria-label": "How many"});
  const begin = () => {
    const number = Math.min(9, Math.max(2, Number(count.value) || 6));
    compare(kinds.find(([key]) => key === which.value), number);
  };
  const update = () => {
    const offered = kinds.filter((kind) => kind[4].split(" ").includes(state.mode));
    const before = which.value;
    which.replaceChildren(...offered.map(([key, name]) => element("option", {value: key}, name)));
    if (offered.some(([key]) => key === before)) which.value = before;
  };
  watch("mode", update);
  watch("comparing", () => {
    find("comparison").hidden = !state.comparing;
    find("stage").inert = find("tools").inert = state.comparing;
  });
  update();
  return element("div", {class: "row"}, which, count,
                 button("Compare", begin, {class: "outlined"}));
}

export function close_comparison() {
  if (!state.comparing) return false;
  close();
  return true;
}
