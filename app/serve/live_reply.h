// What a live request is answered: its pictures as they come, then how it ended. One side is filled
// by the thread that speaks to a painter, the other read by a connection.
//
//   --limn
//   Content-Type: image/jpeg
//   Content-Length: 4711
//   Limn-Progress: {"width":128,"height":96,"iteration":9,"iterations":72,"done":0.125}
//
//   (the picture so far)
//   --limn
//   Content-Type: application/json
//   Content-Length: 57
//
//   {"done":true,"width":256,"height":192,"seconds":1.52}
//   --limn--
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "serve/message.h"
#include "serve/problem.h"
#include "work/live_protocol.h"

namespace limn {

class LiveReply {
 public:
  // The painter's side. What comes after the end, or when nobody reads, goes nowhere.
  void show(const LiveFigures& figures, std::string jpeg);
  void finish(const LiveFigures& figures);
  void fail(const Problem& problem);
  // Somebody reads, and it has not ended.
  bool is_wanted() const;

  // The reader's side, as PartStream has it.
  PartStream::Step next();
  void on_news(std::function<void()> call);
  void leave();

 private:
  struct Frame {
    LiveFigures figures;
    std::string jpeg;
  };
  bool is_open() const { return !left_ && !finished_ && !problem_; }

  mutable std::mutex mutex_;
  std::optional<Frame> frame_;  // the last one, if it was not given out
  std::optional<LiveFigures> finished_;
  std::optional<Problem> problem_;
  bool begun_ = false;  // something was given out
  bool left_ = false;
  std::function<void()> news_;
};

}  // namespace limn
