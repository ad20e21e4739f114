#include "optimise/optimiser.h"

namespace limn {

std::unique_ptr<Optimiser> make_optimiser(const Recipe& recipe, size_t size, ThreadPool& pool,
                                          std::span<const Size> planes) {
  switch (recipe.optimiser.kind) {
    case OptimiserKind::lbfgs:
      return make_lbfgs(recipe, size, pool, planes);
    case OptimiserKind::adam:
      return make_adam(recipe, size, pool);
    case OptimiserKind::rmsprop:
      return make_rmsprop(recipe, size, pool);
    case OptimiserKind::sgd:
      return make_sgd(recipe, pool);
  }
  return nullptr;
}

}  // namespace limn
