// Lists of things that are each painted with settings of their own, in TOML:
//
//   [[picture]]
//   photo = "harbour.jpg"            # texts, whose names the reader of the list knows
//   painting = ["oil.jpg", "ink.jpg"]
//   style.blend = [0.3, 0.7]         # settings, as in a recipe
#pragma once

#include <limn/limn.h>

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace limn {

struct ListedSettings {
  int line = 0;
  std::map<std::string, std::vector<std::string>> texts;  // one, or those of a list
  std::map<std::string, std::string> settings;            // by key, as on the command line
};

// Reads the sections of this name, of which there is at least one; nothing else may be there, and
// in them only these texts and the settings of a recipe. Throws Error (usage), naming `source` and
// the line.
std::vector<ListedSettings> parse_listed(std::string_view text, const std::string& section,
                                         std::span<const std::string_view> texts,
                                         const std::string& source);

}  // namespace limn
