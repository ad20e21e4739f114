// What a batch is: a list of tasks, each a picture to paint. The command line makes the list, from
// photos and paintings or from a file; painting it needs to know nothing else.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace limn {

struct BatchTask {
  std::string photo;
  std::vector<std::string> paintings;           // several are blended, as by 'limn paint'
  std::optional<std::string> recipe;            // in place of --recipe's
  std::map<std::string, std::string> settings;  // by key, in place of flags'
  std::string name;    // of the result, without folder and ending; empty: not yet given
  std::string origin;  // "'list.csv', line 3"; empty: from the command line
};

}  // namespace limn
