// Reports as JSON.
#pragma once

#include <limn/limn.h>

#include <nlohmann/json.hpp>

namespace limn {

// A recipe with the keys of its TOML: {"content": {"weight": 1.0, "layers": {"relu4_2": 1.0},
// ...}}.
nlohmann::ordered_json to_json(const Recipe& recipe);

// {"content": ..., "style": ..., "total_variation": ..., "total": ...}
nlohmann::ordered_json to_json(const Losses& losses);

// "finished", "converged", "stopped" or "failed".
std::string_view outcome_name(Outcome outcome);

// The most memory this process has held, in bytes.
std::int64_t peak_memory_bytes();

}  // namespace limn
