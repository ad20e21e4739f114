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
// The name of a stage of the recipe; empty: it has none.
std::string stage_name(const Recipe& recipe, int stage);

// {"content": ..., "style": ..., "total_variation": ..., "total": ...}
nlohmann::ordered_json to_json(const Losses& losses);
// {"half_features": true, "half_history": true, "history": 8}, without what the recipe has.
nlohmann::ordered_json to_json(const Saving& saving);

// The result of a painting: sizes, outcome, seconds, memory, and the losses of every iteration.
nlohmann::ordered_json to_json(const Painted& painted, const Plan& plan);

// The photo's name; null for a texture, which has none.
nlohmann::ordered_json photo_of(const InputNames& inputs);

// The start of a report: versions, and the names of pictures, any masks, output and weights.
nlohmann::ordered_json to_json(const InputNames& inputs, const std::string& output,
                               const Model& model);

// Writes it atomically. Throws Error (file).
void write_report(const nlohmann::ordered_json& json, const std::string& path);

// "finished", "converged", "out of time", "stopped" or "failed": every Outcome has a name.
std::string_view outcome_name(Outcome outcome);

// The peak memory of this process, in bytes.
std::int64_t peak_memory_bytes();

}  // namespace limn
