// The page: starts its parts, and the keys that are the whole page's.
import {about_upload} from "./api.js";
import {brush_key, pointer, start_brush} from "./brush.js";
import {close_comparison} from "./compare.js";
import {start_controls} from "./controls.js";
import {start_drop} from "./drop.js";
import {element, find, icon_button} from "./dom.js";
import {start_jobs} from "./jobs.js";
import {start_menu} from "./menu.js";
import {start_more, start_theme, toggle_more} from "./more.js";
import {last_painted, paint_now, remember, start_painting} from "./painting.js";
import {from_upload, put} from "./pictures.js";
import {fill_with_examples, read_examples, start_places} from "./places.js";
import {fetch_recipe, follow_links, put_work, read_link} from "./settings.js";
import {start_stage} from "./stage.js";
import {change, state, watch, work} from "./state.js";
import {start_status} from "./status.js";
import {start_strip} from "./strip.js";
import {start_view, zoom_key} from "./view.js";

// ----------------------------------------------------------------------------------------- keys --

const keys = [
  ["Ctrl + Enter", "paint at full size"], ["Ctrl + V", "paste a picture"],
  ["+  −", "zoom"], ["0", "fit"], ["1", "actual size"],
  ["Arrows, Space and drag", "move a zoomed picture"],
  ["B", "before and after"], ["P", "brush"], ["[  ]", "smaller, larger brush"], ["E", "erase"],
  ["Ctrl + Z", "undo a stroke"], ["Alt + ← →", "move a waiting picture"], ["M", "more"],
  ["?", "these keys"], ["Esc", "close"],
];

function toggle_keys(open = find("keys").hidden) {
  find("keys").hidden = !open;
  find("keys-button").setAttribute("aria-expanded", open);
}

function start_keys() {
  const rows = keys.flatMap(([key, text]) => [element("dt", {}, key), element("dd", {}, text)]);
  find("keys").append(
    element("div", {class: "head"}, element("h2", {}, "Keys"), element("span", {class: "gap"}),
            icon_button("close", "Close", () => {
              toggle_keys(false);
              find("keys-button").focus();
            })),
    element("dl", {}, ...rows));
  find("keys-button").addEventListener("click", () => toggle_keys());
  const letters = {
    b: () => find("before-after").click(), p: () => find("brush-button").click(),
    m: () => toggle_more(), "?": () => toggle_keys(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || brush_key(event)) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return paint_now();
    if (event.key === "Escape") {
      if (!close_comparison() && !find("keys").hidden) toggle_keys(false);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input:not([type=radio], [type=checkbox], [type=range])")) return;
    if (event.target.matches("textarea, select")) return;
    if (zoom_key(event)) return;
    letters[event.key.toLowerCase()]?.();
  });
}

// -------------------------------------------------------------------------------- this browser --

// What was set at the last visit: pictures by their ids on the server, which may have removed them.
const kKept = "limn-work";

function keep() {
  const places = Object.fromEntries(Object.entries(state.places).map(([role, pictures]) =>
    [role, pictures.filter((picture) => picture.upload)
      .map(({upload, name, share, example}) => ({upload, name, share, example}))]));
  try {
    localStorage.setItem(kKept, JSON.stringify({mode: state.mode, work: state.work, places,
                                                painted: last_painted()}));
  } catch {
    // Then the next visit begins anew.
  }
}

async function restore() {
  let kept = {};
  try {
    kept = JSON.parse(localStorage.getItem(kKept)) ?? {};
  } catch {
    // Nothing, or nothing of use.
  }
  if (Array.isArray(kept.painted)) remember(...kept.painted);
  const linked = read_link(location.hash);
  for (const [role, pictures] of Object.entries(kept.places ?? {})) {
    if (!Object.hasOwn(state.places, role)) continue;
    const there = await Promise.all(pictures.map(({upload}) =>
      about_upload(upload).then(() => true, () => false)));
    const good = pictures.filter((_, i) => there[i]);
    if (good.length > 0) {
      put(role, good.map(({upload, name, ...more}) => from_upload(upload, name, more)));
    }
  }
  if (linked) {
    change({mode: linked.mode});
    put_work(linked.mode, linked);
  } else if (kept.work && Object.hasOwn(state.work, kept.mode)) {
    Object.assign(state.work, kept.work);
    change({mode: kept.mode, work: state.work});
  }
}

// -------------------------------------------------------------------------------------- start ---

async function start() {
  start_theme();
  start_menu();
  start_places();
  start_controls();
  start_view(pointer);
  start_stage();
  start_brush();
  start_status();
  start_strip();
  start_more();
  start_drop();
  start_painting();
  start_keys();
  const lists = start_jobs();
  await Promise.all([restore(), read_examples(), fetch_recipe(work().recipe).catch(() => {})]);
  await Promise.race([lists, new Promise((resolve) => setTimeout(resolve, 1000))]);
  fill_with_examples();
  follow_links();
  watch("mode", fill_with_examples);
  watch("places work mode phase job", keep);
  change({ready: true});
  await lists;
  document.documentElement.dataset.ready = "";
}

start();
