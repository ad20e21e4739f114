// The objective of a student against what it stands for: its features taken to the teacher's by Q,
// losses of those written out in double precision, and gradients brought back step by step through
// the slow kernels. The objective itself never sees Q (network/imitation.h).
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "paint/objective.h"
#include "support/composed_network.h"
#include "support/drawn.h"
#include "support/drawn_student.h"
#include "support/errors.h"
#include "support/same_bits.h"
#include "support/simd_targets.h"

namespace limn {
namespace {

const StudentWidths kWidths = {{16, 16}, {32}, {48, 16}, {32, 16}, {16, 16}};

Recipe student_recipe() {
  Recipe recipe;
  recipe.content.weight = 0.7;
  recipe.content.layers = {{"relu4_2", 1.0}};
  recipe.style.weight = 0.01;
  recipe.style.layers = {
      {"relu1_1", 1.0}, {"relu2_1", 0.5}, {"relu3_1", 1.0}, {"relu4_1", 2.0}, {"relu5_1", 1.0}};
  return recipe;
}

// ------------------------------------------------------------------- features of the teacher's --

// [C][M] in double.
struct Features {
  int C = 0;
  size_t M = 0;
  std::vector<double> values;
  double& at(int c, size_t m) { return values[c * M + m]; }
  double at(int c, size_t m) const { return values[c * M + m]; }
};

// Q F_s.
Features taught(const DrawnTap& tap, ConstFeatureMap F_s) {
  Features F = {tap.channels, F_s.positions(), {}};
  F.values.resize(F.C * F.M);
  for (int c = 0; c < F.C; ++c) {
    for (int k = 0; k < F_s.channels; ++k) {
      const double q = tap.Q[static_cast<size_t>(c) * F_s.channels + k];
      for (size_t m = 0; m < F.M; ++m) {
        const int x = static_cast<int>(m) % F_s.width;
        F.at(c, m) += q * F_s.at(k, static_cast<int>(m) / F_s.width, x);
      }
    }
  }
  return F;
}

std::vector<double> gram_of(const Features& F) {
  std::vector<double> G(static_cast<size_t>(F.C) * F.C);
  for (int i = 0; i < F.C; ++i) {
    for (int j = 0; j < F.C; ++j) {
      for (size_t m = 0; m < F.M; ++m) G[i * F.C + j] += F.at(i, m) * F.at(j, m);
    }
  }
  return G;
}

// The student run by the slow kernels.
class Twin {
 public:
  Twin(const DrawnStudent& drawn, const Recipe& recipe) : drawn_(drawn), recipe_(recipe) {}

  struct Result {
    Losses losses;
    std::vector<double> gradient;  // planes of RGB in 0..1
    bool decided = false;
  };

  Result evaluate(const Image& photo, const Image& painting, const Image& picture) const {
    const ComposedNetwork of_photo = run(photo), of_painting = run(painting), net = run(picture);
    Result result;
    result.decided = net.is_decided(2e-6);
    std::vector<GuardedMap> kept;
    std::vector<ComposedNetwork::Gradient> gradients;
    kept.reserve(20);
    const auto add = [&](const std::string& layer, const Features& d_F) {
      const LayerPosition position = *find_layer(*drawn_.weights.network, layer);
      const DrawnTap& tap = drawn_.taps.at(layer);
      const ConstFeatureMap shape = net.features(position);
      kept.emplace_back(shape.channels, shape.height, shape.width, [&](int k, int y, int x) {
        double sum = 0;  // Q^T d_F
        for (int c = 0; c < tap.channels; ++c) {
          sum += tap.Q[static_cast<size_t>(c) * shape.channels + k] *
                 d_F.at(c, static_cast<size_t>(y) * shape.width + x);
        }
        return static_cast<float>(sum);
      });
      gradients.push_back({position, &kept.back()});
    };
    for (const auto& [layer, weight] : recipe_.content.layers) {
      if (recipe_.content.weight == 0) break;
      const Features F = features(net, layer), P = features(of_photo, layer);
      const double factor = recipe_.content.weight * weight / (static_cast<double>(F.C) * F.M);
      Features d_F = F;
      for (size_t i = 0; i < F.values.size(); ++i) {
        const double difference = F.values[i] - P.values[i];
        result.losses.content += factor * difference * difference;
        d_F.values[i] = 2 * factor * difference;
      }
      add(layer, d_F);
    }
    for (const auto& [layer, weight] : recipe_.style.layers) {
      if (recipe_.style.weight == 0) break;
      const Features F = features(net, layer), S = features(of_painting, layer);
      std::vector<double> difference = gram_of(F);
      const std::vector<double> A = gram_of(S);
      const double factor = recipe_.style.weight * weight / (static_cast<double>(F.C) * F.C);
      for (size_t i = 0; i < A.size(); ++i) {
        difference[i] = difference[i] / F.M - A[i] / S.M;
        result.losses.style += factor * difference[i] * difference[i];
      }
      Features d_F = {F.C, F.M, std::vector<double>(F.values.size())};
      for (int i = 0; i < F.C; ++i) {
        for (int j = 0; j < F.C; ++j) {
          const double slope = 4 * factor / F.M * difference[i * F.C + j];
          for (size_t m = 0; m < F.M; ++m) d_F.at(i, m) += slope * F.at(j, m);
        }
      }
      add(layer, d_F);
    }
    const GuardedPlanes d_x = net.backward(gradients);
    for_each_value(3, picture.height, picture.width, [&](int plane, int y, int x) {
      result.gradient.push_back(255.0 * d_x.at(2 - plane, y, x));  // Caffe's convention
    });
    return result;
  }

 private:
  ComposedNetwork run(const Image& picture) const {
    const Weights& weights = drawn_.weights;
    ComposedNetwork net(weights, Pooling::max);
    const size_t plane = static_cast<size_t>(picture.height) * picture.width;
    const GuardedPlanes x(picture.height, picture.width, [&](int c, int row, int column) {
      return 255 * picture.rgb[(2 - c) * plane + row * picture.width + column] -
             weights.convention.mean[c];
    });
    net.forward(x, picture.height, picture.width,
                deepest_row(layers_in_use(*weights.network, recipe_)));
    return net;
  }
  Features features(const ComposedNetwork& net, const std::string& layer) const {
    return taught(drawn_.taps.at(layer), net.features(*find_layer(*drawn_.weights.network, layer)));
  }

  const DrawnStudent& drawn_;
  const Recipe& recipe_;
};

// ------------------------------------------------------------------------------------- identity --

struct Case {
  const char* name;
  double content, style;
  const char* content_layer;
};

class StudentObjective : public testing::TestWithParam<Case> {
 protected:
  StudentObjective() {
    Random random(3);
    photo_ = draw_picture(19, 17, random);
    painting_ = draw_picture(17, 22, random);
    picture_ = draw_picture(19, 17, random);
  }
  Recipe recipe() const {
    Recipe recipe = student_recipe();
    recipe.content.weight = GetParam().content;
    recipe.style.weight = GetParam().style;
    recipe.content.layers = {{GetParam().content_layer, 1.0}};
    return recipe;
  }

  Image photo_, painting_, picture_;
};

// relu1_1: features of the first row; relu3_1: of a layer that style losses read too.
INSTANTIATE_TEST_SUITE_P(Of, StudentObjective,
                         testing::Values(Case{"Content", 0.7, 0, "relu4_2"},
                                         Case{"Style", 0, 0.01, "relu4_2"},
                                         Case{"Both", 0.7, 0.01, "relu4_2"},
                                         Case{"BothAtOneLayer", 0.7, 0.01, "relu3_1"},
                                         Case{"BothAtTheTop", 0.7, 0.01, "relu1_1"}),
                         [](const auto& info) { return info.param.name; });

double length(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return std::sqrt(sum);
}

// Features are some 1e-6 of their size off after several convolutions, and differences of features
// or of Gram matrices a few times as much of theirs, which a square doubles: the largest error of a
// loss here is 6e-6 of it, that of a gradient below 1e-5 of its length. A lost term is 1e-2 and
// more.
constexpr double kTolerance = 2e-5;

// The losses and the gradient at the picture.
void expect_like_twin(Objective& objective, const Image& picture, const Twin::Result& expected) {
  std::vector<float> gradient(objective.size());
  const Losses found = objective.evaluate(objective.units().encode(picture), gradient);
  EXPECT_NEAR(found.content, expected.losses.content, kTolerance * expected.losses.content);
  EXPECT_NEAR(found.style, expected.losses.style, kTolerance * expected.losses.style);
  std::vector<double> distance(expected.gradient);
  for (size_t i = 0; i < gradient.size(); ++i) distance[i] -= gradient[i];
  EXPECT_LE(length(distance), kTolerance * length(expected.gradient));
}

TEST_P(StudentObjective, IsThatOfTheTeachersFeatures) {
  const DrawnStudent drawn = draw_student(kWidths, 1);
  const Recipe recipe = this->recipe();
  const Twin::Result expected = Twin(drawn, recipe).evaluate(photo_, painting_, picture_);
  ASSERT_TRUE(expected.decided) << "choose another seed";
  on_every_target([&] {
    ThreadPool pool(2);
    Objective objective(drawn.weights, recipe, photo_, painting_, pool);
    expect_like_twin(objective, picture_, expected);
    EXPECT_GT(length(expected.gradient), 0);
  });
}

// Neither the number of channels nor the widths are those of the built-in network.
TEST(StudentObjectives, AreThoseOfTheTeachersFeaturesForOtherWidths) {
  Random random(4);
  const Image photo = draw_picture(18, 16, random);
  const Image painting = draw_picture(16, 20, random);
  const Image picture = draw_picture(18, 16, random);
  const Recipe recipe = student_recipe();
  const std::vector<StudentWidths> shapes = {
      {{16}, {16}, {16}, {16, 16}, {16}},
      {{48, 16}, {16, 32, 16}, {16}, {16, 48, 16}, {80}},
  };
  for (const StudentWidths& widths : shapes) {
    const DrawnStudent drawn = draw_student(widths, 2, /*more_channels=*/20);
    const Twin::Result expected = Twin(drawn, recipe).evaluate(photo, painting, picture);
    ASSERT_TRUE(expected.decided) << "choose another seed";
    ThreadPool pool(2);
    Objective objective(drawn.weights, recipe, photo, painting, pool);
    expect_like_twin(objective, picture, expected);
  }
}

TEST_P(StudentObjective, GivesTheSameBitsForAnyNumberOfThreads) {
  const DrawnStudent drawn = draw_student(kWidths, 1);
  const Recipe recipe = this->recipe();
  Losses expected;
  std::vector<float> expected_gradient;
  for (const int threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    Objective objective(drawn.weights, recipe, photo_, painting_, pool);
    std::vector<float> gradient(objective.size());
    for (int again = 0; again < 2; ++again) {
      const Losses losses = objective.evaluate(objective.units().encode(picture_), gradient);
      if (expected_gradient.empty()) {
        expected = losses;
        expected_gradient = gradient;
      }
      EXPECT_TRUE(same_bits(std::span(&losses, 1), std::span(&expected, 1)));
      EXPECT_TRUE(same_bits(gradient, expected_gradient)) << threads << " threads";
    }
  }
}

// No difference of large numbers is taken, so that nothing is left where there is none.
TEST_P(StudentObjective, OfThePhotoItselfHasNoContent) {
  const DrawnStudent drawn = draw_student(kWidths, 1);
  Recipe recipe = this->recipe();
  recipe.content.weight = 1;
  recipe.style.weight = 0;
  ThreadPool pool(2);
  Objective objective(drawn.weights, recipe, photo_, painting_, pool);
  std::vector<float> gradient(objective.size(), NAN);
  EXPECT_EQ(objective.evaluate(objective.units().encode(photo_), gradient).total, 0.0);
  EXPECT_EQ(gradient, std::vector<float>(gradient.size()));
}

// Features that only style losses read may wait in half precision here as well.
TEST(StudentObjectives, WithFeaturesInHalfPrecisionHaveTheSameLosses) {
  Random random(4);
  const Image photo = draw_picture(64, 64, random);
  const Image painting = draw_picture(64, 64, random);
  const Image picture = draw_picture(64, 64, random);
  const DrawnStudent drawn = draw_student(kWidths, 1);
  Recipe recipe = student_recipe();
  ThreadPool pool(2);
  std::vector<Losses> losses;
  std::vector<std::vector<float>> gradients;
  for (const bool half : {false, true}) {
    recipe.picture.half_features = half;
    Objective objective(drawn.weights, recipe, photo, painting, pool);
    losses.push_back(objective.evaluate(objective.units().encode(picture),
                                        gradients.emplace_back(objective.size())));
  }
  EXPECT_TRUE(same_bits(std::span(&losses[0], 1), std::span(&losses[1], 1)));
  std::vector<double> exact(gradients[0].begin(), gradients[0].end());
  std::vector<double> distance(exact);
  for (size_t i = 0; i < exact.size(); ++i) distance[i] -= gradients[1][i];
  EXPECT_GT(length(distance), 0);
  EXPECT_LT(length(distance), 0x1p-9 * length(exact));
}

// --------------------------------------------------------------------------------------- errors --

TEST(StudentObjectives, SayWhatTheirNetworkImitates) {
  Random random(4);
  const Image picture = draw_picture(32, 32, random);
  const DrawnStudent drawn = draw_student(kWidths, 1);
  ThreadPool pool(1);
  const auto objective = [&](const Recipe& recipe) {
    return error_of([&] { Objective(drawn.weights, recipe, picture, picture, pool); });
  };
  Recipe recipe = student_recipe();
  recipe.content.layers = {{"conv4_2", 1.0}};
  EXPECT_TRUE(says(objective(recipe), ErrorKind::usage, "'builtin' has no layer 'conv4_2'",
                   "it imitates only relu1_1, relu2_1, relu3_1, relu4_1, relu4_2, relu5_1",
                   "--network vgg19"));
  recipe = student_recipe();
  recipe.network.pooling = Pooling::average;
  EXPECT_TRUE(says(objective(recipe), ErrorKind::usage, "'builtin' was trained with max pooling",
                   "--pooling average", "--network vgg19"));
}

}  // namespace
}  // namespace limn
