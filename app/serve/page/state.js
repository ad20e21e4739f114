// What the page shows, in one place. Parts read `state`, change it by change(), and are told by
// watch(); nothing else connects them.
//
// A change is told once, in a microtask, however many keys it has: everything that is drawn from it
// is drawn together.

export const state = {
  mode: "paint",    // paint | texture | inpaint | season
  ready: false,     // the first lists are in

  // Pictures by role; what one is: pictures.js.
  places: {photo: [], painting: [], exemplar: [], example: []},
  photo: 0,         // which of the photos is painted

  // By mode: {recipe, settings: what differs from it, flags}.
  work: {
    paint: {recipe: "limn", settings: {}, flags: {}},
    texture: {recipe: "texture", settings: {}, flags: {size: "512x512"}},
    inpaint: {recipe: "inpaint", settings: {}, flags: {}},
    season: {recipe: "season", settings: {}, flags: {}},
  },
  recipes: {},      // by name: {settings, toml}, as far as they have been fetched
  masks: 0,         // goes up when a mask has been uploaded or removed; masks.js has them

  // The painting of what is set: painting.js.
  phase: "idle",    // idle | uploading | live | resting | waiting | painting | done | failed
  progress: null,   // {done: 0..1, iteration, iterations, seconds_left, width, height}
  problem: "",      // why it failed, for people
  job: null,        // the id of the full-size job of what is set

  jobs: new Map(),  // by id: summaries, with `progress` and `preview` while they run; jobs.js
  queue: [],        // ids of running and waiting ones, as they will run
  older: null,      // offset of the next page of finished ones
  shown: null,      // the id of the job that the canvas shows instead of the current picture
  away: false,      // the server does not answer

  automatic: true,  // paint at full size by itself
  brushing: false,
  splitting: false, // before and after
  comparing: false,
  drawn: 0,         // goes up with each picture that the canvas shows
  more: false,
};

const watchers = [];
let changed = new Set();

function tell() {
  const keys = changed;
  changed = new Set();
  for (const [watched, act] of watchers) {
    if (watched.some((key) => keys.has(key))) act(keys);
  }
}

// change({phase: "live"}); a key whose value was changed in place is told too.
export function change(values) {
  Object.assign(state, values);
  if (changed.size === 0) queueMicrotask(tell);
  for (const key of Object.keys(values)) changed.add(key);
}

export function watch(keys, act) {
  watchers.push([keys.split(" "), act]);
  return act;
}

// What a mode's pictures are called in a job, and on the page.
export const modes = {
  paint: {name: "Paint", photo: "photo", style: "painting", verb: "Paint"},
  texture: {name: "Texture", photo: null, style: "exemplar", verb: "Make"},
  inpaint: {name: "Fill", photo: "picture", style: null, verb: "Fill"},
  season: {name: "Season", photo: "photo", style: "example", verb: "Paint"},
};

export const photo = () => state.places.photo[state.photo] ?? null;
export const styles = () => state.places[modes[state.mode].style] ?? [];
export const work = () => state.work[state.mode];
