// A small painting, shown while it is painted: POST /live answers with a stream of pictures
// (multipart/mixed), which this reads.
import {Away, is_ended, paint_live} from "./api.js";

// Random per tab: a new request with the same seat ends the one before.
const seat = crypto.getRandomValues(new Uint32Array(2)).join("-");

const kBoundary = "limn";
const kMostBytes = 16e6;  // of one part; a picture of 512 pixels has a few hundredths of that

// Bytes as they come, cut where the reader wants.
class Incoming {
  constructor(stream) {
    this.reader = stream.getReader();
    this.bytes = new Uint8Array(0);
  }

  async more() {
    const {done, value} = await this.reader.read().catch((error) => {
      throw is_ended(error) ? error : new Away();
    });
    if (done) return false;
    const longer = new Uint8Array(this.bytes.length + value.length);
    longer.set(this.bytes);
    longer.set(value, this.bytes.length);
    this.bytes = longer;
    return true;
  }

  // The next line without its end, or null where the stream ends.
  async line() {
    for (let from = 0; ;) {
      const end = this.bytes.indexOf(10, from);
      if (end >= 0) {
        const text = new TextDecoder().decode(this.bytes.subarray(0, end));
        this.bytes = this.bytes.subarray(end + 1);
        return text.replace(/\r$/, "");
      }
      from = this.bytes.length;
      if (from > 65536 || !await this.more()) return null;
    }
  }

  async take(count) {
    while (this.bytes.length < count) {
      if (!await this.more()) return null;
    }
    const taken = this.bytes.slice(0, count);
    this.bytes = this.bytes.subarray(count);
    return taken;
  }
}

// Yields {headers, bytes} of each part.
async function* parts_of(stream) {
  const incoming = new Incoming(stream);
  for (;;) {
    let line = await incoming.line();
    while (line !== null && !line.startsWith(`--${kBoundary}`)) line = await incoming.line();
    if (line === null || line.startsWith(`--${kBoundary}--`)) return;
    const headers = new Map();
    for (line = await incoming.line(); line; line = await incoming.line()) {
      const colon = line.indexOf(":");
      headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
    }
    const length = Number(headers.get("content-length"));
    if (!(length >= 0 && length < kMostBytes)) return;
    const bytes = await incoming.take(length);
    if (bytes === null) return;
    yield {headers, bytes};
  }
}

// Paints `request` until its end. picture(bitmap, progress) for each picture; the bitmap is the
// callee's to close. Returns {done, seconds, ...}; throws what the server refuses, Away, or, where
// `signal` ended it, AbortError.
export async function paint(request, size, signal, picture) {
  const response = await paint_live({...request, size, seat}, signal);
  let end = null;
  for await (const {headers, bytes} of parts_of(response.body)) {
    const type = headers.get("content-type") ?? "";
    if (type.startsWith("application/json")) {
      end = JSON.parse(new TextDecoder().decode(bytes));
    } else {
      const bitmap = await createImageBitmap(new Blob([bytes], {type}));
      if (signal.aborted) bitmap.close();
      else picture(bitmap, JSON.parse(headers.get("limn-progress") ?? "{}"));
    }
  }
  signal.throwIfAborted();
  return end;
}
