// How a server and its live painters speak: messages over a process's standard input and output.
//
//   byte 0    "LIMN"
//        4    the kind, then three zeros
//        8    bytes of the head
//       12    bytes of the body
//       16    the request's number
//       20    head, then body
//
// with numbers of four bytes, little-endian. The server sends `paint`, whose head is a LiveJob as
// JSON, and `stop`. A painter says `ready` once, and then, of each request, any number of `frame`s,
// a picture as JPEG under LiveFigures, and one `finished` or `failed`. A request that comes before
// the last one's end supersedes it.
//
// A painter may have been taken over by a hostile picture. So nothing that it says is JSON, and
// every length is bounded before there is memory for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/job.h"

namespace limn {

enum class LiveKind : std::uint8_t {
  paint = 'p',
  stop = 's',
  ready = 'r',
  frame = 'f',
  finished = 'e',
  failed = 'x',
};

struct LiveMessage {
  LiveKind kind = LiveKind::stop;
  std::uint32_t number = 0;  // of the request
  std::string head = {}, body = {};
};

inline constexpr std::size_t kMostLiveHead = 1 << 20;  // bytes: a recipe and 50 pictures' names
inline constexpr std::size_t kMostLiveBody = 4 << 20;  // twice 512 x 512 pixels of noise

// Throws Error (usage): the head or the body is longer than that.
std::string to_bytes(const LiveMessage& message);

// Messages out of bytes as they come.
class LiveReader {
 public:
  void add(std::string_view bytes) { bytes_ += bytes; }
  // The next one, if it is complete. Throws Error (file): these bytes are no message.
  std::optional<LiveMessage> next();

 private:
  std::string bytes_;
};

// What to paint: a job that is no job, for nothing of it is kept.
struct LiveJob {
  JobRequest request;
  int size = 256;  // of the longest side, in pixels
};
inline constexpr int kLeastLiveSize = 64, kMostLiveSize = 512;
// The longest side all the same of pictures so narrow that the network could not read them
// otherwise.
inline constexpr int kMostLiveSide = 2048;

std::string to_text(const LiveJob& job);
LiveJob parse_live_job(const std::string& text);  // throws Error (file)

// How far a picture is.
struct LiveFigures {
  int width = 0, height = 0;
  int iteration = 0, iterations = 0;
  double seconds = 0;
};
std::string to_text(const LiveFigures& figures);
// Throws Error (file): no figures, or none that can be.
LiveFigures parse_live_figures(const std::string& text);

}  // namespace limn
