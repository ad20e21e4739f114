// Everything that is not needed at each look: behind one button, beside the canvas.
import {list_recipes} from "./api.js";
import {comparison_chooser} from "./compare.js";
import {button, element, find, icon_button, segments, set, slider} from "./dom.js";
import {recipe_editor} from "./recipe.js";
import {fetch_recipe, fresh_work, link, put_setting, put_work, setting} from "./settings.js";
import {change, state, watch, work} from "./state.js";
import {note} from "./status.js";

const kTheme = "limn-theme";

function part(title, ...children) {
  return element("section", {class: "part"}, element("h3", {}, title), ...children);
}

// ------------------------------------------------------------------------------------- painting --

function by_itself() {
  const box = element("input", {type: "checkbox", checked: state.automatic,
                                onchange: () => change({automatic: box.checked})});
  return element("label", {class: "check"}, box,
                 element("span", {}, "Paint at full size by itself"));
}

function recipe_chooser() {
  const select = element("select", {"aria-label": "Recipe",
                                    onchange: () => put_work(state.mode, {recipe: select.value,
                                                                          flags: work().flags})});
  const summary = element("p", {class: "hint"});
  let known = [];
  const update = () => {
    const names = known.map((recipe) => recipe.name);
    if (!names.includes(work().recipe)) names.push(work().recipe);
    if (select.options.length !== names.length) {
      select.replaceChildren(...names.map((name) => element("option", {value: name}, name)));
    }
    select.value = work().recipe;
    summary.textContent = known.find((recipe) => recipe.name === work().recipe)?.summary ?? "";
  };
  watch("work mode", update);
  list_recipes().then((recipes) => {
    known = recipes;
    update();
  }, () => {});
  update();
  return element("div", {class: "stack"}, select, summary);
}

function effort() {
  const control = slider({label: "Effort", min: 5, max: 600, step: 5, show: (v) => `${v}`,
                          say: (v) => `${v} iterations`,
                          change: (v) => put_setting("optimiser.iterations", v)});
  const update = () => {
    control.hidden = state.mode === "inpaint";  // there it is one of the controls
    control.put(setting("optimiser.iterations") ?? 120);
  };
  watch("work mode recipes", update);
  update();
  return control;
}

function seed() {
  const put = (value) => put_setting("picture.seed", value);
  const input = element("input", {type: "number", min: 0, max: 999999, "aria-label": "Seed",
                                  onchange: () => put(Number(input.value))});
  const another = () => put(Math.floor(Math.random() * 1e6));
  const update = () => {
    if (document.activeElement !== input) input.value = setting("picture.seed") ?? 0;
  };
  watch("work mode recipes", update);
  update();
  return element("div", {class: "row"}, element("span", {}, "Seed"), input,
                 button("Another seed", another, {class: "outlined"}));
}

// ----------------------------------------------------------------------------------- the page ----

function copy_link() {
  const address = new URL(link(), location.href);
  address.search = "";
  navigator.clipboard?.writeText(address.href).then(
    () => note("The link is copied. It holds the settings, not the pictures."),
    () => note(`The link: ${address.href}`)) ?? note(`The link: ${address.href}`);
}

function stored_theme() {
  try {
    return localStorage.getItem(kTheme) ?? "";
  } catch {
    return "";
  }
}

function put_theme(theme) {
  set(document.documentElement, {"data-theme": theme || null});
  try {
    localStorage.setItem(kTheme, theme);
  } catch {
    // Not kept, then.
  }
}

export function start_theme() {
  put_theme(stored_theme());
}

function appearance() {
  const group = segments(element("div", {"aria-label": "Appearance"}),
                         [["", "As the system"], ["light", "Light"], ["dark", "Dark"]], put_theme);
  group.put(stored_theme());
  return group;
}

function reset() {
  const before = {...state.work};
  put_work(state.mode, fresh_work(state.mode));
  note("All settings are as they were.", [["Undo", () => change({work: before})]]);
}

// ------------------------------------------------------------------------------------------ all --

export function toggle_more(open = !state.more) {
  change({more: open});
}

export function start_more() {
  const panel = find("more");
  panel.append(
    element("div", {class: "head"}, element("h2", {}, "More"), element("span", {class: "gap"}),
            icon_button("close", "Close", () => {
              toggle_more(false);
              find("more-button").focus();
            })),
    part("Painting", by_itself(), effort(), seed()),
    part("Compare", element("p", {class: "hint"}, "Several values side by side, to choose from."),
         comparison_chooser()),
    part("Recipe", recipe_chooser(), recipe_editor()),
    part("Page", appearance(), element("div", {class: "row"}, button("Copy link", copy_link,
                                                                     {class: "outlined"}),
                                       button("Reset settings", reset, {class: "outlined"}))));
  find("more-button").addEventListener("click", () => toggle_more());
  watch("more", () => {
    panel.hidden = !state.more;
    find("more-button").setAttribute("aria-expanded", state.more);
    document.body.classList.toggle("with-more", state.more);
    if (state.more && matchMedia("(max-width: 759px)").matches) panel.scrollIntoView();
  });
  watch("mode", () => fetch_recipe(work().recipe).catch(() => {}));
}
