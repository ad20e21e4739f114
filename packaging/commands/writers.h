// What is made of the commands' help. Each returns the text of one file.
#pragma once

#include <string>

#include "command.h"

namespace limn {

// The page of "limn", which lists its commands, or of one of those, with all below it, as roff: the
// date of the release is "2026-11-30".
std::string man_page(const Command& command, const Command& limn, const std::string& date);
// "limn-paint", of which the page is in section 1.
std::string page_name(const Command& command);

std::string bash_completion(const Command& limn);
std::string zsh_completion(const Command& limn);
std::string fish_completion(const Command& limn);

}  // namespace limn
