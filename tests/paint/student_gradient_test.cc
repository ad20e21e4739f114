// The gradient of a student's whole objective against differences of its value.
//
// Every ReLU is open and nothing is pooled (support/slopes.h). With pooling,
// student_objective_test.cc holds the gradient against the teacher's.
#include <gtest/gtest.h>

#include "paint/objective.h"
#include "support/drawn.h"
#include "support/drawn_student.h"
#include "support/simd_targets.h"
#include "support/slopes.h"

namespace limn {
namespace {

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
    const std::vector<float> x = objective.units().encode(picture);
    expect_slopes(objective, x);
  });
}

}  // namespace
}  // namespace limn
