// Settings by the names that people give them.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace limn {

// The key of the setting with this key, "style.weight", or with a flag of this name,
// "style-weight". `others` are names that the place knows besides. Throws Error (usage), naming
// `origin` and the nearest known name.
std::string setting_key(const std::string& name, const std::string& origin,
                        std::span<const std::string_view> others = {});

}  // namespace limn
