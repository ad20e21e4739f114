// The places for photos and paintings at the side of the canvas.
import {list_examples} from "./api.js";
import {button, element, find, icon_button, set, slider, write} from "./dom.js";
import {forget_masks} from "./masks.js";
import {exchange, from_example, from_file, plain_name, put, put_share, release,
        take} from "./pictures.js";
import {change, modes, state, watch} from "./state.js";
import {note} from "./status.js";
import {uploaded} from "./drop.js";

const texts = {
  photo: ["Photo", "Photos", "a photo"],
  painting: ["Painting", "Paintings", "a painting"],
  exemplar: ["Texture", "Textures", "a texture"],
  example: ["Season", "Seasons", "a season"],
};

let examples = [];

export const examples_for = (role) => {
  const kind = role === "example" ? "season" : role;
  return examples.filter((example) => example.role === kind);
};

// The roles that have a place in this mode.
const roles = () => [modes[state.mode].photo ? "photo" : null, modes[state.mode].style]
  .filter((role) => role !== null);

// A hidden file chooser. `chosen(files)`.
function chooser(test, chosen, multiple = true) {
  const input = element("input", {type: "file", accept: "image/*", multiple, hidden: true,
                                  tabindex: -1, "data-test": test});
  input.addEventListener("change", () => {
    chosen([...input.files]);
    input.value = "";  // so that the same file can be chosen again
  });
  return input;
}

export function put_files(role, files, {add = false} = {}) {
  let before = add ? [] : state.places[role];
  const then = (picture) => {
    uploaded(role, picture, before);
    before = [];
  };
  put(role, files.map((file) => from_file(file, then)), {add, keep: true});
}

// -------------------------------------------------------------------------------------- a place --

function place_of(role) {
  const [title, several, a_picture] = texts[role];
  const test = role === "photo" ? "photo" : "painting";
  const replacing = chooser(`${test}-file`, (files) => put_files(role, files));
  const adding = chooser(`${test}-add-file`, (files) => put_files(role, files, {add: true}));
  const list = element("ul", {class: "pictures"});
  const choose = `Choose ${a_picture}`;
  const empty = element("div", {class: "hole"}, button(choose, () => replacing.click()),
                        element("p", {class: "hint"}, "or drop it here"));
  const tries = element("ul", {class: "examples", "aria-label": "Try one of these"});
  const offer = element("p", {class: "hint", "aria-hidden": "true"}, "Try one of these");
  const add = icon_button("plus", `Add ${a_picture}`, () => adding.click());
  const heading = element("h2", {id: `place-${role}`}, title);
  const whole = element("section", {class: "place", "aria-labelledby": `place-${role}`,
                                    "data-test": `place-${test}`, "data-role": role},
                        element("div", {class: "head"}, heading, element("span", {class: "gap"}),
                                add),
                        element("div", {class: "shelf"}, list, empty,
                                element("div", {class: "tries"}, offer, tries)),
                        replacing, adding);
  const cards = new Map();
  let tried = -1;
  whole.update = () => {
    const pictures = state.places[role];
    draw_cards(list, cards, pictures, (picture) => card_of(role, picture, {replacing, choose}));
    empty.hidden = pictures.length > 0;
    write(heading, role === "photo" && state.mode === "inpaint" ? "Picture"
      : pictures.length < 2 ? title : role === "photo" ? `${pictures.length} photos` : several);
    const own = examples_for(role);
    // Whoever has a photo wants that one; paintings are always worth a try.
    tries.parentElement.hidden = own.length === 0 ||
      (role === "photo" && pictures.some((picture) => !picture.example));
    if (tried !== own.length) {
      tried = own.length;
      tries.replaceChildren(...own.map((example) => example_button(role, example)));
    }
    for (const tile of tries.children) {
      const used = pictures.some((picture) => picture.example === tile.dataset.name);
      tile.firstChild.setAttribute("aria-pressed", used);
    }
  };
  return whole;
}

// One card for each picture, in their order; `cards` keeps them by the pictures' keys.
function draw_cards(list, cards, pictures, card_for) {
  for (const [key, card] of cards) {
    if (!pictures.some((picture) => picture.key === key)) {
      card.remove();
      cards.delete(key);
    }
  }
  pictures.forEach((picture, index) => {
    if (!cards.has(picture.key)) cards.set(picture.key, card_for(picture));
    const card = cards.get(picture.key);
    if (list.children[index] !== card) list.insertBefore(card, list.children[index] ?? null);
    card.update(index);
  });
  list.classList.toggle("several", pictures.length > 1);
  list.hidden = pictures.length === 0;
}

function example_button(role, example) {
  const use = () => put(role, [from_example(example)]);
  const name = `Example ${plain_name(example.name)}`;
  return element("li", {"data-name": example.name},
                 element("button", {type: "button", class: "example", "data-test": "example",
                                    "data-name": example.name, "aria-label": name, title: name,
                                    onclick: use},
                         element("img", {src: example.url, alt: "", loading: "lazy",
                                         draggable: "false"})));
}

// ----------------------------------------------------------------------------- a picture in it --

// Pressed, a picture is replaced; one of several photos becomes the current one.
function card_of(role, picture, {replacing, choose}) {
  const name = plain_name(picture.name);
  const image = element("img", {alt: "", draggable: "false"});
  const several = () => state.places[role].length > 1;
  const replacing_one = chooser(null, ([file]) => replace(role, picture, file), false);
  const press = () => {
    if (!several()) replacing.click();
    else if (role === "photo") select(picture);
    else replacing_one.click();
  };
  const show = element("button", {type: "button", class: "thumb", onclick: press}, image,
                       element("span", {class: "act", "aria-hidden": "true"}));
  const share = slider({label: `Share of ${name}`, min: 0, max: 100, step: 1, value: picture.share,
                        show: () => share_of(role, picture), change: (v) => put_share(picture, v)});
  share.classList.add("share");
  share.hidden = true;
  const caption = element("span", {class: "name", title: picture.name}, name);
  const error = element("div", {class: "error", role: "alert", hidden: true});
  const off = icon_button("close", `Remove ${name}`, () => remove_with_undo(role, picture, name));
  const test = role === "photo" ? "photo" : "painting";
  const card = element("li", {class: "picture", "data-test": test, "data-name": picture.name},
                       show, element("div", {class: "caption"}, caption, off), share, error,
                       replacing_one);
  card.update = (index) => {
    card.dataset.state = picture.state;
    card.dataset.upload = picture.upload;
    if (picture.image && image.getAttribute("src") !== picture.url) image.src = picture.url;
    image.hidden = picture.image === null;
    card.classList.toggle("loading", picture.state === "uploading");
    const selects = several() && role === "photo";
    set(show, {"aria-pressed": selects ? String(index === state.photo) : null,
               "aria-label": selects ? `Show ${name}` : several() ? `Replace ${name}` : choose});
    write(show.lastChild, selects ? "" : "Replace");
    share.hidden = role === "photo" || !several();
    share.put(picture.share, true);
    error.hidden = picture.state !== "failed";
    error.title = picture.reason ?? "";
    if (!error.hidden && error.firstChild?.textContent !== picture.error) {
      error.replaceChildren(element("span", {}, picture.error), picture.unreadable
        ? element("span", {}, "Remove it, or choose another.")
        : button("Try again", picture.again));
    }
  };
  return card;
}

function remove_with_undo(role, picture, name) {
  take(role, picture);
  let back = false;
  note(`${name} is removed.`, [["Undo", () => {
    back = true;
    put(role, [picture], {add: true});
  }]], () => {
    if (back) return;
    release(picture);
    forget_masks();
  });
  find("rail").querySelector(`[data-role="${role}"] .head button`)?.focus();
}

function replace(role, picture, file) {
  const other = from_file(file);
  other.share = picture.share;
  exchange(role, picture, other);
}

function select(picture) {
  change({photo: state.places.photo.indexOf(picture), shown: null});
}

// Only proportions count: "62 %" of all.
function share_of(role, picture) {
  const all = state.places[role].reduce((sum, one) => sum + one.share, 0);
  return `${Math.round(all > 0 ? (100 * picture.share) / all : 100 / state.places[role].length)} %`;
}

// ------------------------------------------------------------------------------------------ all --

const places = new Map();

function draw() {
  for (const role of roles()) {
    if (!places.has(role)) places.set(role, place_of(role));
  }
  const wanted = roles().map((role) => places.get(role));
  const rail = find("rail");
  if ([...rail.children].some((child, i) => child !== wanted[i]) ||
      rail.children.length !== wanted.length) {
    rail.replaceChildren(...wanted);
  }
  for (const place of wanted) place.update();
}

// An example of what is missing, so that the page is never empty.
const kFirst = ["harbour", "oil", "tiles", "winter"];

export function fill_with_examples() {
  for (const role of roles()) {
    const own = examples_for(role);
    const first = own.find((example) => kFirst.includes(example.name)) ?? own[0];
    if (state.places[role].length === 0 && first) put(role, [from_example(first)]);
  }
}

export async function read_examples() {
  try {
    examples = await list_examples();
  } catch {
    examples = [];
  }
  draw();
}

export function start_places() {
  watch("places photo mode", draw);
  draw();
}
