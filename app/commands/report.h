// Reports as JSON.
#pragma once

#include <limn/limn.h>

#include <nlohmann/json.hpp>
#include <string>

#include "request/inputs.h"

namespace limn {

// A recipe with the keys of its TOML: {"content": {"weight": 1.0, "layers": {"relu4_2": 1.0},
// ...}}.
nlohmann::ordered_json to_json(const Recipe& recipe);

// {"content": ..., "style": ..., "total_variation": ..., "total": ...}
nlohmann::ordered_json to_json(const Losses& losses);

// What became of a painting: sizes, outcome, seconds, memory, and the losses of every iteration.
nlohmann::ordered_json to_json(const Painted& painted, const Plan& plan);

// What a report begins with: versions, the names of pictures and, where there are any, of masks,
// the output's and the weights'.
nlohmann::ordered_json to_json(const InputNames& inputs, const std::string& output,
                               const Model& model);

// Writes it, beside and renamed. Throws Error (file).
void write_report(const nlohmann::ordered_json& json, const std::string& path);

// "finished", "converged", "out of time", "stopped" or "failed": every Outcome has a name.
std::string_view outcome_name(Outcome outcome);

// The most memory this process has held, in bytes.
std::int64_t peak_memory_bytes();

}  // namespace limn
