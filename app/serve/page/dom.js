// Making and changing elements. All text goes in as text, never as markup: names of pictures come
// from anybody.

export const find = (id) => document.getElementById(id);

// element("button", {class: "tool", "aria-label": "Fit", onclick: fit}, icon("fit"), "Fit")
// Properties: attributes by their names, on... as listeners; null and false leave one out.
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  set(made, properties);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function set(target, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) target.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "disabled") target[name] = value;
    else if (value === null || value === undefined || value === false) target.removeAttribute(name);
    else target.setAttribute(name, value === true ? "" : value);
  }
}

export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const use = document.createElementNS(space, "use");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

export function button(text, act, properties = {}) {
  return element("button", {type: "button", class: "quiet", onclick: act, ...properties}, text);
}

export function icon_button(name, label, act, properties = {}) {
  return element("button", {type: "button", class: "tool", "aria-label": label, title: label,
                            onclick: act, ...properties}, icon(name));
}

// Texts are written only if they differ: a live region says again what is written again.
export function write(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

// A labelled slider. `options`: label, test, min, max, step, value, show (value -> text), say
// (value -> what is spoken), change (value, while it moves). It is set by .put(value).
export function slider(options) {
  const shown = element("output", {class: "value",
                                   "data-test": options.test && `value-${options.test}`});
  const input = element("input", {type: "range", min: options.min, max: options.max,
                                  step: options.step, "aria-label": options.label});
  const paint = () => {
    const value = Number(input.value);
    const part = (value - options.min) / (options.max - options.min);
    input.style.setProperty("--part", `${100 * part}%`);
    write(shown, options.show(value));
    input.setAttribute("aria-valuetext", (options.say ?? options.show)(value));
  };
  input.addEventListener("input", () => {
    paint();
    options.change(Number(input.value));
  });
  if (options.neutral !== undefined) {
    // Where it stands by default; a double click goes there.
    input.addEventListener("dblclick", () => {
      input.value = options.neutral;
      paint();
      options.change(options.neutral);
    });
  }
  const whole = element("div", {class: "control"},
                        element("div", {class: "label"}, element("span", {"aria-hidden": "true"},
                                                                 options.label), shown), input);
  whole.put = (value, again = false) => {
    if (again || Number(input.value) !== value || shown.textContent === "") {
      input.value = value;
      paint();
    }
  };
  whole.put(options.value ?? options.min);
  whole.input = input;
  return whole;
}

// Radio buttons that look like one part: `choices` is [[value, text]], change(value).
let groups = 0;
export function segments(target, choices, change) {
  const name = `segments-${++groups}`;
  target.classList.add("segments");
  target.setAttribute("role", "radiogroup");
  const inputs = new Map();
  for (const [value, text] of choices) {
    const input = element("input", {type: "radio", name, value, onchange: () => change(value)});
    inputs.set(value, input);
    target.append(element("label", {}, input, element("span", {}, text)));
  }
  target.put = (value) => {
    for (const [known, input] of inputs) input.checked = known === value;
  };
  return target;
}
