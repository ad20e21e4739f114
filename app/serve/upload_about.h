// What an uploaded picture is, and, if limn painted it, how. A process in a painter's sandbox
// looks, for uploads come from strangers; what it says is checked like what they send.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "serve/settings.h"

namespace limn {

// The text that the process prints: JSON. Throws Error (file): it is no picture.
std::string describe_picture(const std::string& path);

// Has a picture described: the text, or Problem (422: it is no picture; 503: stopped, or killed).
using Describer =
    std::function<std::string(const std::string& path, const std::atomic<bool>& stopped)>;
Describer describing_process();

// That text as the answer of GET /api/v1/uploads/{id}. Throws Problem (503): it is not what
// describe_picture says.
Json upload_json(const std::string& id, const std::string& text);

}  // namespace limn
