// Photos and paintings: read, shown at once, uploaded in the background.
//
// A picture: {key, name, url, image, state, error, upload, sent, width, height, share}
//   url     of something that <img> shows: an object URL of the file, or the server's copy of what
//           browsers cannot read (TIFF, HEIC)
//   image   a decoded <img> of it, upright, or null as long as there is none
//   state   uploading | ready | failed
//   upload  its id on the server; "" until it is there
//   sent    how much of it has been sent, 0..1; null if it need not be
//   share   of a painting in a blend, 0..100
import {about_upload, is_ended, upload, upload_url, use_example} from "./api.js";
import {change, state} from "./state.js";

const kShown = 2048;  // longest side, in pixels, of the server's copy of a picture
const kMost = 16;     // in one place: as many as a job takes

let keys = 0;
const touch = () => change({places: state.places});

export const plain_name = (name) => name.replace(/\.[a-z0-9]{2,5}$/i, "").replaceAll("_", " ");

export async function decoded(url) {
  const image = new Image();
  image.decoding = "async";
  image.src = url;
  await image.decode();
  return image;
}

function picture_of(name, url) {
  return {key: ++keys, name, url, image: null, state: "uploading", error: "", upload: "",
          sent: null, width: 0, height: 0, share: 50, ending: new AbortController()};
}

function show(picture, image) {
  picture.image = image;
  picture.width ||= image.naturalWidth;
  picture.height ||= image.naturalHeight;
  touch();
}

function fail(picture, error) {
  if (is_ended(error)) return;
  picture.state = "failed";
  picture.unreadable = error.status === 422;
  picture.error = picture.unreadable ? "limn cannot read this file as a picture."
    : error.status === 413 ? "This file is too large for the server." : error.message;
  picture.reason = error.message;
  touch();
}

// What its server says of an upload: whether it is a picture, and whether limn painted it.
async function look_at(picture) {
  let about = {};
  try {
    about = await about_upload(picture.upload);
  } catch (error) {
    if (error.status === 422) throw error;
  }
  picture.width = about.width ?? picture.width;
  picture.height = about.height ?? picture.height;
  picture.made_by = about.made_by ?? null;
  if (picture.image === null) {
    if (picture.url.startsWith("blob:")) URL.revokeObjectURL(picture.url);
    picture.url = upload_url(picture.upload, kShown);
    show(picture, await decoded(picture.url));
  }
}

async function send(picture, sending) {
  picture.state = "uploading";
  picture.error = "";
  touch();
  try {
    picture.upload = await sending();
    await look_at(picture);
    picture.state = "ready";
    touch();
  } catch (error) {
    picture.upload = "";
    fail(picture, error);
  }
  return picture;
}

// A file. `then(picture)` when it is on the server.
export function from_file(file, then = () => {}) {
  const picture = picture_of(file.name || "pasted.png", URL.createObjectURL(file));
  decoded(picture.url).then((image) => show(picture, image), () => {});  // else the server's copy
  const sent = (share) => {
    picture.sent = share;
    touch();
  };
  picture.again = () => {
    picture.sent = 0;
    return send(picture, () => upload(file, picture.ending.signal, sent)).then(then);
  };
  picture.again();
  return picture;
}

// One of the pictures that come with limn.
export function from_example(example) {
  const picture = picture_of(example.url.split("/").pop(), example.url);
  picture.example = example.name;
  decoded(picture.url).then((image) => show(picture, image), (error) => fail(picture, error));
  picture.again = () => send(picture, () => use_example(example.url));
  picture.again();
  return picture;
}

// One that is on the server already: of a job, or of this page's last visit.
export function from_upload(id, name, {share = 50, example} = {}) {
  const picture = picture_of(name, upload_url(id, kShown));
  Object.assign(picture, {share, example});
  picture.again = () => send(picture, async () => id);
  picture.settled = decoded(picture.url).then((image) => show(picture, image), () => {})
    .then(picture.again);
  return picture;
}

export function release(picture) {
  picture.ending.abort();
  if (picture.url.startsWith("blob:")) URL.revokeObjectURL(picture.url);
  picture.image = null;
}

// Puts pictures into a place, in place of those there or beside them. With `keep` those that go are
// the caller's to release.
export function put(role, pictures, {add = false, keep = false} = {}) {
  const before = state.places[role];
  const kept = add ? before : [];
  const now = [...kept, ...pictures].slice(0, kMost);
  for (const picture of [...before, ...pictures]) {
    if (!now.includes(picture) && !keep) release(picture);
  }
  state.places[role] = now;
  if (role === "photo") state.photo = add ? Math.min(kept.length, now.length - 1) : 0;
  change({places: state.places, photo: state.photo, shown: null});
}

// Takes one out without letting go of it.
export function take(role, picture) {
  state.places[role] = state.places[role].filter((other) => other !== picture);
  state.photo = Math.max(0, Math.min(state.photo, state.places.photo.length - 1));
  change({places: state.places, photo: state.photo});
}

export function exchange(role, picture, other) {
  state.places[role] = state.places[role].map((one) => (one === picture ? other : one));
  release(picture);
  touch();
}

export function put_share(picture, share) {
  picture.share = share;
  touch();
}
