// The gradient of a student's whole objective against differences of its value.
//
// As in gradient_test.cc: where every ReLU is open and nothing is pooled, the objective is a
// polynomial of degree 4 along any line, of which two central differences give the slope exactly,
// for any step. (With pooling, student_objective_test.cc holds the gradient against the teacher's.)
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "network/network.h"
#include "style/objective.h"
#include "support/drawn.h"
#include "support/drawn_student.h"
#include "support/random_values.h"
#include "support/simd_targets.h"

namespace limn {
namespace {

constexpr double kStep = 0.5;  // of pictures that go from 0 to 1

// Three convolutions without pooling, each of them a tap, with biases that keep every ReLU open.
DrawnStudent open_student() {
  const StudentWidths widths = {{16, 32, 16}};
  DrawnStudent drawn = draw_student(widths, 5);
  Random random(6);
  std::vector<Imitation> taps;
  const char* const layers[] = {"relu1_1", "relu2_1", "relu4_2"};
  for (int row = 0; row < 3; ++row) {
    const size_t C = widths[0][row];
    Buffer<float> R(C * C);
    for (size_t i = 0; i < C; ++i) {
      for (size_t j = i; j < C; ++j)
        R[i * C + j] = (i == j ? 1.0f : 0.0f) + random_signed(random) / 4;
    }
    taps.push_back(imitation_of(layers[row], row, static_cast<int>(C) + 5, std::move(R)));
  }
  Weights& weights = drawn.weights;
  weights.student = make_student(student_rows(widths), std::move(taps));
  weights.network = &weights.student->table;
  weights.convention = kTorchvisionConvention;
  for (Convolution& convolution : weights.convolutions) {
    for (float& bias : convolution.bias) bias += 4;
    for (float& value : convolution.kernel.values) value *= 0.25f;
  }
  return drawn;
}

struct Terms {
  const char* name;
  double content, style;
  const char* content_layer;
};

class StudentSlope : public testing::TestWithParam<Terms> {};
INSTANTIATE_TEST_SUITE_P(Of, StudentSlope,
                         testing::Values(Terms{"Content", 1, 0, "relu4_2"},
                                         Terms{"Style", 0, 1, "relu4_2"},
                                         Terms{"Both", 1, 0.01, "relu4_2"},
                                         Terms{"BothAtOneLayer", 1, 0.01, "relu2_1"}),
                         [](const auto& info) { return info.param.name; });

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * b[i];
  return sum;
}

TEST_P(StudentSlope, IsItsGradientAlongAnyLine) {
  const DrawnStudent drawn = open_student();
  Random random(7);
  const Image photo = draw_picture(9, 7, random);
  const Image painting = draw_picture(8, 10, random);
  const Image picture = draw_picture(9, 7, random);
  Recipe recipe;
  recipe.content.weight = GetParam().content;
  recipe.content.layers = {{GetParam().content_layer, 0.5}};
  recipe.style.weight = GetParam().style;
  recipe.style.layers = {{"relu1_1", 0.3}, {"relu2_1", 0.3}, {"relu4_2", 0.4}};
  ThreadPool pool(2);
  on_every_target([&] {
    Objective objective(drawn.weights, recipe, photo, painting, pool);
    const std::vector<float> x = objective.encode(picture);
    std::vector<float> gradient(x.size()), unused(x.size());
    objective.evaluate(x, gradient);
    const auto check = [&](const std::vector<float>& direction) {
      double noise = 0;
      const auto difference = [&](double h) {
        const auto at = [&](double step) {
          std::vector<float> there = x;
          for (size_t i = 0; i < x.size(); ++i) there[i] += static_cast<float>(step * direction[i]);
          return objective.evaluate(there, unused).total;
        };
        const double more = at(h), less = at(-h);
        noise = std::max(noise, 2e-5 * (more + less) / (2 * h));  // see gradient_test.cc
        return (more - less) / (2 * h);
      };
      const double expected = (4 * difference(kStep / 2) - difference(kStep)) / 3;
      EXPECT_NEAR(dot(gradient, direction), expected, noise);
      EXPECT_LE(noise, 0.01 * std::sqrt(dot(gradient, gradient) * dot(direction, direction)))
          << "too noisy to tell anything";
    };
    for (const int seed : {50, 51, 52}) check(random_values(x.size(), seed));
    float largest = 0;
    for (const float value : gradient) largest = std::max(largest, std::abs(value));
    std::vector<float> uphill(gradient);
    for (float& value : uphill) value /= largest;
    check(uphill);
  });
}

}  // namespace
}  // namespace limn
