// One live painter's process: what is said to it, and what it says, one painting at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/stopwatch.h"
#include "jobs/files.h"
#include "serve/live_reply.h"
#include "work/live_protocol.h"
#include "work/painting_process.h"

namespace limn {

class LiveProcess {
 public:
  // Starts it in a painter's sandbox: it reads limn, its libraries and the uploads, and writes to
  // an empty folder of this number alone. Throws Error.
  LiveProcess(const std::string& program, const Files& files, int number);

  // Waits for at most this long, or until `wake` can be read, and passes on what it has said. False
  // once it has ended. What is no message ends it.
  bool wait(double seconds, int wake);

  bool is_ready() const { return ready_; }  // it has started
  bool is_painting() const { return painting_.has_value(); }
  // Tells it to paint, while it does not. Its pictures, and how it ends, go to the reply.
  void begin(std::uint32_t number, const LiveJob& job, std::shared_ptr<LiveReply> reply);
  void stop();  // once; is_painting() until it says that it has
  void kill() { process_.kill(); }

  double memory() const { return process_.memory(); }
  double since_start() const { return since_start_(); }
  double since_begun() const { return painting_ ? painting_->since_begun() : 0; }
  double since_stopped() const {
    return painting_ && painting_->stopped ? (*painting_->stopped)() : 0;
  }
  // "it died of signal 9": of one that has ended.
  std::string how_it_ended() const;

 private:
  struct Painting {
    std::uint32_t number = 0;
    std::shared_ptr<LiveReply> reply;
    // What messages would name, and what they should.
    std::vector<std::pair<std::string, std::string>> names;
    Stopwatch since_begun;
    std::optional<Stopwatch> stopped;  // since it was told to
  };
  void take(LiveMessage& message);
  void take_failure(const std::string& head);

  std::string files_;
  PaintingProcess process_;
  LiveReader reader_;
  Stopwatch since_start_;
  std::optional<Painting> painting_;
  std::string said_;  // its last words to people
  bool ready_ = false, talks_nonsense_ = false;
};

}  // namespace limn
