// Jobs as clients see them.
#pragma once

#include <string>

#include "jobs/job.h"
#include "serve/settings.h"

namespace limn {

// "harbour-oil": what its picture may be saved as, without an ending.
std::string picture_name(const Job& job);

// Of a list, and of events: without the settings, of which there are two pages.
Json summary_json(const Job& job);
// All of it.
Json job_json(const Job& job);

// "2026-11-29T16:34:00.250Z"; null for 0.
Json time_json(Milliseconds time);

// Nothing will happen to it by itself.
bool is_over(const Job& job);
// Its folder has a picture.
bool has_result(const Job& job);

}  // namespace limn
