// Live painters and who waits for them: a few processes (work/live_painter.h), started ahead of
// need, each with a thread that speaks to it.
//
// A seat is whoever looks at one preview: a tab of the page. A request ends the one before it from
// the same seat, and goes to the painter that painted that one, which has its pictures in memory.
// Requests that find no painter wait for some seconds.
//
// What a painter shows is held until its reader takes it, and then only the latest: a slow reader
// misses pictures. A reader that goes ends the painting. A painter that dies, falls silent or takes
// too much memory costs its request a problem, and another is started in its place.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "jobs/files.h"
#include "serve/message.h"
#include "work/live_protocol.h"

namespace limn {

struct LiveOptions {
  int painters = 2;          // 0: none
  std::string program;       // limn's command; "": this program itself
  double patience = 5;       // seconds that a request waits for a painter
  std::size_t waiting = 16;  // requests that may wait
  double longest = 60;       // seconds of a painting
  double grace = 5;          // seconds to stop in when told to
  double memory = 2.5e9;     // bytes that a painter may take
};

class LivePainters {
 public:
  LivePainters(const Files& files, LiveOptions options);
  // Ends all paintings.
  ~LivePainters();
  LivePainters(const LivePainters&) = delete;
  LivePainters& operator=(const LivePainters&) = delete;

  // Begins to paint for this seat, or waits for it; does not block. Throws Problem (503): there are
  // no live painters, or too many requests wait. What is returned may outlive this.
  std::unique_ptr<PartStream> paint(LiveJob job, const std::string& seat);
  // From any thread: ends all paintings with 503, and begins none.
  void stop();

  struct Figures {
    int painters = 0, painting = 0, waiting = 0;
    double memory = 0;                      // bytes, of all painters
    std::size_t asked = 0, superseded = 0;  // requests
    std::size_t died = 0;                   // painters
  };
  Figures figures() const;

 private:
  struct Inside;
  std::shared_ptr<Inside> inside_;
};

}  // namespace limn
