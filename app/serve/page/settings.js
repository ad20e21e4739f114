// Settings: what differs from a recipe, in the structure of its TOML: {balance: {strength: 0.7}}.
// Keys are written with a dot: "balance.strength". The address's hash holds them, so that a link
// restores them.
import {change, modes, state, watch, work} from "./state.js";
import {get_recipe} from "./api.js";

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

export function value_in(settings, key) {
  const [section, name] = key.split(".");
  return settings?.[section]?.[name];
}

// What the recipe says, as far as it has been fetched.
export const recipe_value = (key, mode = state.mode) =>
  value_in(state.recipes[state.work[mode].recipe]?.settings, key);

export const setting = (key, mode = state.mode) =>
  value_in(state.work[mode].settings, key) ?? recipe_value(key, mode);

// `settings` with `key` at `value`; without it where undefined.
export function with_value(settings, key, value) {
  const [section, name] = key.split(".");
  const changed = {...settings, [section]: {...settings[section]}};
  if (value === undefined) delete changed[section][name];
  else changed[section][name] = value;
  if (Object.keys(changed[section]).length === 0) delete changed[section];
  return changed;
}

// A value that is the recipe's own is no difference.
export function put_setting(key, value) {
  const of_recipe = recipe_value(key);
  const own = same(of_recipe, value) ? undefined : value;
  work().settings = with_value(work().settings, key, own);
  changed();
}

export function put_flag(name, value) {
  work().flags = {...work().flags, [name]: value};
  changed();
}

// All of a mode's settings at once, as a link, a picture or the recipe's text has them.
export function put_work(mode, {recipe, settings, flags}) {
  const before = state.work[mode];
  state.work[mode] = {recipe: recipe || before.recipe, settings: settings ?? {},
                      flags: {...fresh_flags(mode), ...flags}};
  fetch_recipe(state.work[mode].recipe);
  changed();
}

// The address says what is set, and another link in the same tab sets that.
export function follow_links() {
  watch("mode work", () => history.replaceState(null, "", link()));
  addEventListener("hashchange", () => {
    const read = read_link(location.hash);
    if (!read) return;
    change({mode: read.mode});
    put_work(read.mode, read);
  });
}

export const fresh_recipe = (mode) => (mode === "paint" ? "limn" : mode);
const fresh_flags = (mode) => (mode === "texture" ? {size: "512x512"} : {});
export const fresh_work = (mode) =>
  ({recipe: fresh_recipe(mode), settings: {}, flags: fresh_flags(mode)});

const changed = () => change({work: state.work});

// A recipe's settings, once; the controls are drawn again when they are in.
const asked = new Map();
export function fetch_recipe(name) {
  if (!asked.has(name)) {
    asked.set(name, get_recipe(name).then((recipe) => {
      change({recipes: {...state.recipes, [name]: recipe}});
      return recipe;
    }, (error) => {
      asked.delete(name);
      throw error;
    }));
    asked.get(name).catch(() => {});  // whoever needs it asks again
  }
  return asked.get(name);
}

// A recipe that somebody has named anew differs from limn's own.
export const known_recipe = (name) => fetch_recipe(name).then(() => name, () => "limn");

// ------------------------------------------------------------------------------- the address ----

// "#kind=paint&balance.strength=0.7"
export function link() {
  const query = new URLSearchParams();
  if (state.mode !== "paint") query.set("kind", state.mode);
  const {recipe, settings, flags} = work();
  if (recipe !== fresh_recipe(state.mode)) query.set("recipe", recipe);
  for (const [section, values] of Object.entries(settings)) {
    if (section === "stages") continue;  // a list: only in the recipe's text
    for (const [name, value] of Object.entries(values)) {
      query.set(`${section}.${name}`, JSON.stringify(value));
    }
  }
  for (const [name, value] of Object.entries(flags)) {
    if (value !== fresh_flags(state.mode)[name]) query.set(name, value);
  }
  const text = query.toString();
  return text ? `#${text}` : location.pathname;
}

// What a link says; what is not understood in it is left out. The server checks the rest.
export function read_link(hash) {
  const query = new URLSearchParams(hash.replace(/^#/, ""));
  const mode = query.get("kind") ?? "paint";
  if (!Object.hasOwn(modes, mode) || [...query].length === 0) return null;
  const read = {...fresh_work(mode)};
  for (const [name, text] of query) {
    if (name === "recipe") read.recipe = text;
    else if (name === "size" || name === "shifts") read.flags[name] = text;
    else if (/^[a-z_]+\.[a-z0-9_]+$/.test(name)) {
      try {
        read.settings = with_value(read.settings, name, JSON.parse(text));
      } catch {
        // not a value
      }
    }
  }
  return {mode, ...read};
}
