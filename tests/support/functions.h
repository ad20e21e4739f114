// Functions to minimise, for tests of optimisers. They are computed in double; only the gradient is
// rounded to float, as the optimisers' interface requires.
#pragma once

#include <cmath>
#include <functional>
#include <span>
#include <vector>

#include "optimise/optimiser.h"

namespace limn {

// value(x, gradient): gradient "=".
using DoubleFunction = std::function<double(const std::vector<double>& x, std::vector<double>& g)>;

// The function as optimisers see it. Nothing reads losses other than the total.
inline Function seen_in_float(DoubleFunction value) {
  return [value = std::move(value)](std::span<const float> x, std::span<float> gradient) {
    const std::vector<double> there(x.begin(), x.end());
    std::vector<double> slope(x.size());
    Losses losses;
    losses.total = losses.content = value(there, slope);
    for (size_t i = 0; i < slope.size(); ++i) gradient[i] = static_cast<float>(slope[i]);
    return losses;
  };
}

// Rosenbrock's valley in pairs of coordinates; minimum 0, where all are 1.
inline double rosenbrock(const std::vector<double>& x, std::vector<double>& g) {
  double sum = 0;
  for (size_t i = 0; i + 1 < x.size(); i += 2) {
    const double across = x[i + 1] - x[i] * x[i];
    const double along = 1 - x[i];
    sum += 100 * across * across + along * along;
    g[i] = -400 * x[i] * across - 2 * along;
    g[i + 1] = 200 * across;
  }
  return sum;
}

// sum over i of curvature_i (x_i - i)^2 / 2, with curvatures from 1 to `condition`, evenly spaced
// in their logarithms; minimum 0, at x_i = i.
inline DoubleFunction quadratic(double condition) {
  return [condition](const std::vector<double>& x, std::vector<double>& g) {
    double sum = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double part = x.size() > 1 ? static_cast<double>(i) / (x.size() - 1.0) : 0;
      const double curvature = std::pow(condition, part);
      const double off = x[i] - static_cast<double>(i);
      sum += curvature * off * off / 2;
      g[i] = curvature * off;
    }
    return sum;
  };
}

// An optimiser's point and its memory, already evaluated.
struct Standing {
  Standing(const Function& f, std::vector<float> start) : x(std::move(start)), gradient(x.size()) {
    point = {x, f(x, gradient), gradient};
  }
  Standing(const Standing&) = delete;
  Standing& operator=(const Standing&) = delete;

  // One step, after which point, losses and gradient belong together again.
  StepStatus step(Optimiser& optimiser, const Function& f) {
    const StepStatus status = optimiser.step(f, point);
    if (status == StepStatus::moved) point.losses = f(x, gradient);
    return status;
  }

  std::vector<float> x, gradient;
  Point point;
};

}  // namespace limn
