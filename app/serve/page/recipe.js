// The recipe as text: all settings, for those who want them. What is written there is checked by
// the server and then holds.
import {check_recipe, is_ended} from "./api.js";
import {element, write} from "./dom.js";
import {known_recipe, put_work} from "./settings.js";
import {state, watch, work} from "./state.js";

const kPause = 700;  // ms without a key before the text is checked

const text = element("textarea", {spellcheck: "false", autocomplete: "off", rows: 16, wrap: "off",
                                  "aria-label": "Recipe as text"});
const said = element("p", {class: "hint", "data-test": "recipe-state"});
const error = element("p", {class: "error", role: "alert", "data-test": "recipe-error",
                            hidden: true});

let checking = null;
let timer = 0;
let shown = "";  // what the text was made from

// Settings as the text of a recipe.
const text_of = async ({recipe, settings}, signal) =>
  (await check_recipe({recipe, settings}, signal)).toml;

// A job's recipe and what differs from it: its settings are complete.
export async function recipe_of_job({recipe, settings}) {
  const known = await known_recipe(recipe);
  return {recipe: known, settings: (await check_recipe({recipe: known, settings})).settings};
}

function say(problem) {
  error.hidden = problem === "";
  write(error, problem);
  text.setAttribute("aria-invalid", problem !== "");
  const line = /line (\d+)/.exec(problem);
  if (line && document.activeElement === text) mark_line(Number(line[1]));
}

// Scrolled to, not selected: whoever is writing goes on.
function mark_line(line) {
  const height = parseFloat(getComputedStyle(text).lineHeight);
  const top = (line - 1) * height;
  if (top < text.scrollTop || top > text.scrollTop + text.clientHeight - height) {
    text.scrollTop = top - text.clientHeight / 2;
  }
}

async function check() {
  checking?.abort();
  checking = new AbortController();
  write(said, "Checking");
  try {
    const {name, settings} = await check_recipe({toml: text.value}, checking.signal);
    say("");
    write(said, "This recipe holds.");
    put_work(state.mode, {recipe: await known_recipe(name), settings, flags: work().flags});
    shown = JSON.stringify([state.mode, work()]);
  } catch (problem) {
    if (is_ended(problem)) return;
    write(said, "");
    say(problem.message);
  }
}

async function draw() {
  if (!state.more || document.activeElement === text) return;
  const now = JSON.stringify([state.mode, work()]);
  if (now === shown) return;
  shown = now;
  checking?.abort();
  checking = new AbortController();
  try {
    text.value = await text_of(work(), checking.signal);
    say("");
    write(said, "");
  } catch (problem) {
    if (!is_ended(problem)) say(problem.message);
  }
}

export function recipe_editor() {
  text.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(check, kPause);
  });
  text.addEventListener("blur", draw);
  watch("work mode more", draw);
  return element("div", {class: "stack"}, error, text, said);
}
