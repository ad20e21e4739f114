// What a painting will be, computed once before it begins: sizes, iterations, memory. The painting
// itself, its forecast, its report and `--dry-run` all read it. (The structs are in limn.h.)
#pragma once

#include <limn/limn.h>

#include "paint/memory.h"

namespace limn {

// Throws Error (usage): a recipe that contradicts itself or the model.
void check_recipe(const Model& model, const Recipe& recipe);

// Sets the plan's memory, where more is known of the pictures than their sizes: what masks and
// alpha tell apart, and the most memory that reading them takes.
void predict_memory(Plan& plan, const Model& model, const Parts& parts, double reading_bytes);

// The plan without painting number `index` of WorkingSizes::paintings, which turned out to be
// unreadable.
void leave_out_painting(Plan& plan, size_t index);

}  // namespace limn
