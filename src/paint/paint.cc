// paint(): a loop over the painter's steps.
#include <limn/limn.h>

#include <utility>

#include "kernels/kernels.h"
#include "paint/painter.h"
#include "paint/plan.h"

namespace limn {

Painted paint(const Model& model, Pictures pictures, const Plan& plan,
              const ProgressCallback& progress) {
  Painter painter(model, std::move(pictures), plan, /*kept=*/nullptr);
  return paint_all(painter, progress);
}

Painted paint(const Model& model, Pictures pictures, const Recipe& recipe,
              const ProgressCallback& progress) {
  const Plan plan = make_plan(model, sizes_of(pictures), recipe);
  return paint(model, std::move(pictures), plan, progress);
}

Painted paint(const Model& model, const Image& photo, const Image& painting, const Recipe& recipe,
              const ProgressCallback& progress) {
  return paint(model, single_style(photo, painting), recipe, progress);
}

Painted paint(const Model& model, Image&& photo, Image&& painting, const Recipe& recipe,
              const ProgressCallback& progress) {
  return paint(model, single_style(std::move(photo), std::move(painting)), recipe, progress);
}

std::string_view version() { return LIMN_VERSION; }
std::string_view instruction_set() { return kernels::instruction_set(); }

}  // namespace limn
