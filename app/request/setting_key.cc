#include "request/setting_key.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "recipe/fields.h"

namespace limn {

std::string setting_key(const std::string& name, const std::string& origin,
                        std::span<const std::string_view> others) {
  std::string found;
  std::vector<std::string> known(others.begin(), others.end());
  const Recipe defaults;
  visit_fields(defaults, [&](const Field& field, const auto&) {
    const std::string key(field.key);
    const std::string flag(field.flag.substr(std::min<size_t>(2, field.flag.size())));
    known.push_back(key);
    if (!flag.empty()) known.push_back(flag);
    if (name == key || (!flag.empty() && name == flag)) found = key;
  });
  if (!found.empty()) return found;
  fail(ErrorKind::usage, "{}: unknown key '{}'{}", origin, name, did_you_mean(name, known));
}

}  // namespace limn
