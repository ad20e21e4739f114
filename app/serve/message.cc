#include "serve/message.h"

#include <fmt/format.h>

#include "serve/problem.h"

namespace limn {

const std::string* Request::field(std::string_view name) const {
  const std::string* found = nullptr;
  for (const auto& [key, value] : fields) {
    if (key != name) continue;
    if (found != nullptr) throw Problem(400, fmt::format("the field '{}' is given twice", name));
    found = &value;
  }
  return found;
}

std::string Request::field_or_empty(std::string_view name) const {
  const std::string* found = field(name);
  return found == nullptr ? "" : *found;
}

}  // namespace limn
