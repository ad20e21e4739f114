// The lines before an answer's body.
#pragma once

#include <cstdint>
#include <string>

#include "serve/message.h"

namespace limn {

bool may_have_body(const Reply& reply);
std::uint64_t length_of(const Reply& reply);  // of the body; events have none

// All of them, and the empty line: what the reply says, and what every answer says, so that a
// browser does nothing with it but show it.
std::string head_of(const Reply& reply, bool keep_alive);

}  // namespace limn
