// Files as answers: whole, in part (Range), or not at all if the client has them (ETag).
#pragma once

#include <string>

#include "serve/message.h"

namespace limn {

// `name` is what a browser would save it as. Throws Problem (404): it is not there.
Reply file_reply(const Request& request, const std::string& path, const std::string& type,
                 const std::string& name);

// The same for a text that never changes while the server runs.
Reply text_reply(const Request& request, const std::string& type, std::string text);

// The media type of an uploaded file, by how it begins: that of a common picture, or none at all.
// Whatever it is, browsers are told to take it for nothing else.
std::string picture_type(const std::string& path);

}  // namespace limn
