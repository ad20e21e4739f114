#include "optimise/optimiser.h"

namespace limn {

double learning_rate(const Recipe& recipe, double range) {
  if (recipe.optimiser.learning_rate > 0) return recipe.optimiser.learning_rate;
  const OptimiserKind kind = recipe.optimiser.kind;
  // These two move every value by about the learning rate, whatever the gradient's length.
  constexpr double kOfRange = 0.03;
  const bool by_value = kind == OptimiserKind::adam || kind == OptimiserKind::rmsprop;
  return by_value ? kOfRange * range : 1;
}

std::unique_ptr<Optimiser> make_optimiser(const Recipe& recipe, size_t size, ThreadPool& pool,
                                          std::span<const Size> planes, double range,
                                          Ranks& ranks) {
  switch (recipe.optimiser.kind) {
    case OptimiserKind::lbfgs:
      return make_lbfgs(recipe, size, pool, planes, ranks);
    case OptimiserKind::adam:
      return make_adam(recipe, size, pool, range);
    case OptimiserKind::rmsprop:
      return make_rmsprop(recipe, size, pool, range);
    case OptimiserKind::sgd:
      return make_sgd(recipe, pool);
  }
  return nullptr;
}

}  // namespace limn
