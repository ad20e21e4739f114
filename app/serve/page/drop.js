// Pictures that are dropped on the page or pasted into it, and those among them that limn painted.
import {element, find} from "./dom.js";
import {put, release, take} from "./pictures.js";
import {put_files} from "./places.js";
import {known_recipe, put_work} from "./settings.js";
import {change, modes, state} from "./state.js";
import {note} from "./status.js";

const is_picture = (file) =>
  file.type.startsWith("image/") || /\.(tiff?|heic|avif)$/i.test(file.name);
const pictures_of = (transfer) => [...transfer.files].filter(is_picture);

// Those of dropped folders too, in the order of their names. What is dropped is to be looked at
// before anything is waited for.
async function dropped(transfer) {
  const plain = pictures_of(transfer);
  const folders = [...transfer.items].map((item) => item.webkitGetAsEntry?.())
    .filter((entry) => entry?.isDirectory);
  const inside = [];
  for (const folder of folders) {
    const entries = await new Promise((resolve, reject) =>
      folder.createReader().readEntries(resolve, reject));
    const files = entries.filter((entry) => entry.isFile)
      .map((entry) => new Promise((resolve, reject) => entry.file(resolve, reject)));
    inside.push(...(await Promise.all(files)).filter(is_picture));
  }
  return [...plain, ...inside.sort((a, b) => a.name.localeCompare(b.name))];
}
const has_files = (event) => [...event.dataTransfer?.types ?? []].includes("Files");

// ------------------------------------------------------------------------------------ dropping --

// Where nothing says what a picture is: what is missing first.
function put_somewhere(files) {
  const {photo, style} = modes[state.mode];
  const own = photo ? "photo" : style;
  const lacks_style = style && photo && state.places[style].length === 0;
  if (lacks_style && state.places.photo.length > 0) return put_files(style, files);
  if (lacks_style && files.length > 1) {
    put_files("photo", files.slice(0, 1));
    return put_files(style, files.slice(1));
  }
  return put_files(own, files);
}

function targets() {
  const {photo, style} = modes[state.mode];
  const names = {painting: "the painting", exemplar: "the texture", example: "the season"};
  const target = (test, text, role, {add = false} = {}) =>
    element("div", {class: "target", "data-test": test, "data-role": role, "data-add": String(add)},
            element("p", {class: "large"}, text));
  return [
    photo ? target("drop-photo", `As the ${photo}`, "photo") : null,
    style ? target("drop-painting", `As ${names[style]}`, style) : null,
    style && state.places[style].length > 0
      ? target("drop-add-painting", "Blended in as another", style, {add: true}) : null,
  ].filter((one) => one !== null);
}

function start_dropping() {
  const zone = find("drop");
  let over = null;
  const mark = (target) => {
    over?.classList.remove("over");
    over = target;
    over?.classList.add("over");
  };
  const open = () => {
    if (!zone.hidden) return;
    zone.replaceChildren(...targets());
    zone.hidden = false;
    document.body.classList.add("dropping");
  };
  const close = () => {
    mark(null);
    zone.hidden = true;
    document.body.classList.remove("dropping");
  };
  const target_of = (event) => event.target.closest?.(".target, .place") ?? null;
  document.addEventListener("dragenter", (event) => has_files(event) && open());
  document.addEventListener("dragover", (event) => {
    if (!has_files(event)) return;
    event.preventDefault();
    open();
    mark(target_of(event));
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && close());
  document.addEventListener("drop", async (event) => {
    if (!has_files(event)) return;
    event.preventDefault();
    const target = target_of(event);
    close();
    const files = await dropped(event.dataTransfer);
    if (files.length === 0) {
      return note("These are no pictures; drop JPEG, PNG, WebP, TIFF or HEIC.");
    }
    if (target) put_files(target.dataset.role, files, {add: target.dataset.add === "true"});
    else put_somewhere(files);
  });
}

// ------------------------------------------------------------------------------------- pasting --

function start_pasting() {
  document.addEventListener("paste", (event) => {
    const files = pictures_of(event.clipboardData);
    if (files.length === 0) return;
    event.preventDefault();
    const {photo, style} = modes[state.mode];
    const focused = document.activeElement?.closest?.(".place")?.dataset.role;
    const role = focused ?? (photo ? "photo" : style);
    put_files(role, files);
    const other = role === "photo" ? style : photo ? "photo" : null;
    if (!other) return note("Pasted.");
    const [picture] = state.places[role];
    note(role === "photo" ? "Pasted as the photo." : "Pasted as the painting.",
         [[role === "photo" ? "Use as the painting" : "Use as the photo",
           () => move(role, other, picture)]]);
  });
}

function move(from, to, picture) {
  take(from, picture);
  put(to, [picture]);
}

// ---------------------------------------------------------------------------- painted by limn ---

// A picture that limn painted says with which settings. They are what is wanted of it: the photos
// that were there (`before`) come back, and both decisions can be undone.
export async function uploaded(role, picture, before) {
  const made = role === "photo" && before.length > 0 ? picture.made_by : null;
  if (!made || !Object.hasOwn(modes, made.kind) || !state.places.photo.includes(picture)) {
    before.forEach(release);
    return;
  }
  const was = {mode: state.mode, work: {...state.work}};
  put("photo", before, {keep: true});
  put_work(made.kind, {...made, recipe: await known_recipe(made.recipe)});
  change({mode: made.kind});
  note("Painted by limn: its settings are back.",
       [["Undo", () => change(was)], ["Use as the photo", () => {
         change(was);
         put("photo", [picture]);
       }]]);
}

export function start_drop() {
  start_dropping();
  start_pasting();
}
