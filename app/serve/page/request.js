// What is set, as the request for a job: the same for a live picture, a job and a sweep.
import {mask_inputs} from "./masks.js";
import {modes, photo, state, styles, work} from "./state.js";

export const sizes = [256, 384, 512, 640, 768, 1024, 1280, 1536, 2048, 3072, 4096];

const named = (picture) => ({upload: picture.upload, name: picture.name});

// What is missing before anything can be painted: "" if nothing is; "uploading" if it only takes
// time; otherwise for people.
export function missing() {
  const {photo: needs_photo, style} = modes[state.mode];
  const pictures = [];
  if (needs_photo) {
    if (!photo()) return "No photo yet";
    pictures.push(photo());
  }
  if (style) {
    if (styles().length === 0) return `Add ${kinds[state.mode]} to paint from`;
    pictures.push(...styles());
  }
  const failed = pictures.find((picture) => picture.state === "failed");
  if (failed) return `${failed.name} could not be used`;
  if (pictures.some((picture) => picture.upload === "" || picture.state !== "ready")) {
    return "uploading";
  }
  if (state.mode === "inpaint" && !mask_inputs().hole) return "Brush over what should go";
  return "";
}

// How much of the pictures that are being uploaded has been sent, 0..1; null if none are.
export function sent() {
  const sending = Object.values(state.places).flat()
    .filter((picture) => picture.state === "uploading" && picture.sent !== null);
  if (sending.length === 0) return null;
  return sending.reduce((sum, picture) => sum + picture.sent, 0) / sending.length;
}

const kinds = {paint: "a painting", texture: "a picture of a texture", season: "another season"};

// The body of POST /jobs or /live; null if something is missing.
export function request_of(chosen = photo()) {
  if (missing() !== "") return null;
  const {photo: photo_role, style} = modes[state.mode];
  const {recipe, settings, flags} = work();
  // Shares are the page's own, as many as there are paintings.
  const {blend, ...style_settings} = settings.style ?? {};
  const body = {kind: state.mode, recipe, settings: {...settings, style: style_settings}};
  if (Object.keys(style_settings).length === 0) delete body.settings.style;
  if (Object.keys(flags).length > 0) body.flags = flags;
  if (photo_role) body[photo_role] = named(chosen);
  if (style) body[style] = styles().map(named);
  if (styles().length > 1) {
    const shares = styles().map((picture) => Math.max(picture.share, 0) / 100);
    const some = shares.some((share) => share > 0);
    body.settings.style = {...style_settings, blend: some ? shares : shares.map(() => 1)};
  }
  // Masks belong to the photo that they were brushed on.
  return chosen === photo() ? {...body, ...mask_inputs()} : body;
}

// The size in pixels that the full picture will have, as far as it is known.
export function full_size() {
  if (state.mode === "texture") {
    const [width, height] = work().flags.size.split("x").map(Number);
    return {width, height};
  }
  const of = photo();
  if (!of?.width) return null;
  const {settings, recipe} = work();
  const asked = state.mode === "inpaint" ? 0
    : settings.picture?.size ?? state.recipes[recipe]?.settings.picture.size ?? 512;
  const longest = Math.max(of.width, of.height);
  const scale = asked === 0 ? 1 : asked / longest;
  return {width: Math.round(of.width * scale), height: Math.round(of.height * scale)};
}
