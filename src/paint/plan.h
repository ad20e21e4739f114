// What a painting will be, computed once before it begins: sizes, iterations, memory. The painting,
// its forecast, its report and `--dry-run` all use it. (The structs are in limn.h.)
#pragma once

#include <limn/limn.h>

#include "paint/memory.h"

namespace limn {

// Throws Error (usage): a recipe that contradicts itself or the model.
void check_recipe(const Model& model, const Recipe& recipe);

// Sets the plan's memory, once more is known of the pictures than their sizes: the parts that masks
// and alpha distinguish, and the peak memory for reading them.
void predict_memory(Plan& plan, const Model& model, const Parts& parts, double reading_bytes);

// Removes painting number `index` of WorkingSizes::paintings, which proved unreadable.
void leave_out_painting(Plan& plan, size_t index);

}  // namespace limn
