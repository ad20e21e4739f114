// What a client asks of a live painter, checked: a job's JSON (job_request.h) with two more keys.
//
//   size  the longest side to end at, 64 to 512 pixels; 256 unless given
//   seat  whoever looks at it: at most 64 printable characters, "" unless given
#pragma once

#include <string>

#include "jobs/files.h"
#include "serve/message.h"
#include "work/live_protocol.h"

namespace limn {

struct LiveRequest {
  LiveJob job;
  std::string seat;
};

// Throws Problem: 400 (not JSON), 422 (what a job would be refused for, a sweep, a wrong size or
// seat). Marks the pictures as just used.
LiveRequest read_live_request(const Request& request, const Files& files);

}  // namespace limn
