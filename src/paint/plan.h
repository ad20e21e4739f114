// What a painting will be, computed once before it begins: sizes, iterations, memory. The painting,
// its forecast, its report and `--dry-run` all use it. (The structs are in limn.h.)
#pragma once

#include <limn/limn.h>

#include "paint/memory.h"

namespace limn {

// Throws Error (usage): a recipe that contradicts itself or the model.
void check_recipe(const Model& model, const Recipe& recipe);
// Throws Error (usage): tiles that are too small, or of what cannot be cut; no ranks.
void check_budget(const Recipe& recipe, const Budget& budget);

// The recipe with which a level is painted: that of its stage, with what the level saves.
Recipe saving(Recipe recipe, const Saving& saving);

// Sets the plan's tiles, savings and memory, once more is known of the pictures than their sizes:
// the parts that masks and alpha distinguish, and the memory for their files. Throws Error
// (resources) if the plan's budget is too small.
void predict_memory(Plan& plan, const Model& model, const Parts& parts,
                    const PictureFileBytes& files);

// Removes painting number `index` of WorkingSizes::paintings, which proved unreadable.
void leave_out_painting(Plan& plan, size_t index);

}  // namespace limn
