// Style statistics against their definitions in double, and the gradients of their losses against
// differences of those: of every statistic, with weights of positions and without, with pairs and
// without, as a student's features and as VGG's.
#include "losses/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "support/allocations.h"
#include "support/guarded_memory.h"
#include "support/random_values.h"
#include "support/same_bits.h"
#include "support/tolerance.h"

namespace limn {
namespace {

constexpr int kC = 32, kHeight = 5, kWidth = 7, kM = kHeight * kWidth;
constexpr double kFactor = 0.3, kPairingWeight = 0.7;
using Doubles = std::vector<double>;

enum class Pairs { none, shifts, around, mirrors, all };

// The last of the shifts is longer than the map is high.
std::vector<Pairing> pairings_of(Pairs pairs) {
  using kernels::Mirror;
  std::vector<Pairing> pairings;
  const auto add = [&](Pairing pairing) { pairings.push_back(pairing); };
  if (pairs == Pairs::shifts || pairs == Pairs::all) {
    for (const int s : {1, 4, 6}) {
      add({.shift = {s, 0}});
      add({.shift = {0, s}});
    }
  }
  if (pairs == Pairs::around) {
    add({.shift = {4, 0, true}});
    add({.shift = {0, 1, true}});
  }
  if (pairs == Pairs::mirrors || pairs == Pairs::all) {
    for (const Mirror mirror : {Mirror::left_right, Mirror::up_down, Mirror::both}) {
      add({.mirror = mirror});
    }
  }
  return pairings;
}

struct Case {
  StyleStatistic statistic;
  bool roots, student;
  Pairs pairs;

  StatisticsForm form() const { return {statistic, pairings_of(pairs), kPairingWeight}; }
};

std::string name_of(const testing::TestParamInfo<Case>& info) {
  const Case& c = info.param;
  const char* const kNames[] = {"gram", "covariance", "mean_deviation"};
  const char* const kPairs[] = {"", "_shifted", "_around", "_mirrored", "_paired"};
  return std::string(kNames[static_cast<int>(c.statistic)]) + (c.roots ? "_weighed" : "") +
         kPairs[static_cast<int>(c.pairs)] + (c.student ? "_student" : "");
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const auto statistic :
       {StyleStatistic::gram, StyleStatistic::covariance, StyleStatistic::mean_deviation}) {
    for (int bits = 0; bits < 4; ++bits) {
      for (const Pairs pairs :
           {Pairs::none, Pairs::shifts, Pairs::around, Pairs::mirrors, Pairs::all}) {
        const bool plain = statistic == StyleStatistic::mean_deviation;
        const bool uncentred = statistic == StyleStatistic::gram;
        if (plain && pairs != Pairs::none) continue;
        if (!uncentred && (pairs == Pairs::mirrors || pairs == Pairs::all)) continue;
        cases.push_back({statistic, (bits & 1) != 0, (bits & 2) != 0, pairs});
      }
    }
  }
  return cases;
}

// ---- the definitions, in double; F: [C][M] ----

struct Exact {
  std::vector<Doubles> matrices;  // G and the shifted ones, as they are there
  Doubles mean, deviation;
};

Exact exact_statistics(const Case& c, const Doubles& F, const std::vector<float>& m, double total) {
  const auto root = [&](int p) { return m.empty() ? 1.0 : double{m[p]}; };
  Exact exact;
  exact.mean.assign(kC, 0);
  exact.deviation.assign(kC, 0);
  for (int i = 0; i < kC * kM; ++i) {
    exact.mean[i / kM] += root(i % kM) * root(i % kM) * F[i] / total;
  }
  for (int i = 0; i < kC * kM; ++i) {
    exact.deviation[i / kM] += std::pow(root(i % kM) * (F[i] - exact.mean[i / kM]), 2) / total;
  }
  for (double& value : exact.deviation) value = std::sqrt(value + kVarianceFloor);
  if (c.statistic == StyleStatistic::mean_deviation) return exact;
  const bool centred = c.statistic == StyleStatistic::covariance;
  // partner(y, x): where the other of the pair is.
  const auto add = [&](const auto& partner, double centre) {
    Doubles& G = exact.matrices.emplace_back(kC * kC);
    double count = 0;
    for (int p = 0; p < kM; ++p) {
      const auto [y, x] = partner(p / kWidth, p % kWidth);
      if (y >= kHeight || x >= kWidth) continue;
      const int q = y * kWidth + x;
      count += root(p) * root(q);
      for (int i = 0; i < kC * kC; ++i) {
        G[i] += root(p) * (F[i / kC * kM + p] - centre * exact.mean[i / kC]) * root(q) *
                (F[i % kC * kM + q] - centre * exact.mean[i % kC]);
      }
    }
    for (double& value : G) value = count == 0 ? 0 : value / count;
  };
  add([](int y, int x) { return std::pair{y, x}; }, centred ? 1 : 0);
  for (const Pairing& t : c.form().pairings) {
    add(
        [&](int y, int x) {
          if (!t.mirror) {
            y += t.shift.dy;
            x += t.shift.dx;
            return t.shift.around ? std::pair{y % kHeight, x % kWidth} : std::pair{y, x};
          }
          return std::pair{*t.mirror == kernels::Mirror::left_right ? y : kHeight - 1 - y,
                           *t.mirror == kernels::Mirror::up_down ? x : kWidth - 1 - x};
        },
        0);
  }
  return exact;
}

// |R D R^T|^2, or |D|^2 for an empty R.
double squared_norm(const Doubles& R, const Doubles& D) {
  const auto multiply = [](const Doubles& A, const Doubles& B, bool transposed) {
    Doubles product(kC * kC);
    for (int i = 0; i < kC; ++i) {
      for (int j = 0; j < kC; ++j) {
        for (int k = 0; k < kC; ++k) {
          product[i * kC + j] += A[i * kC + k] * (transposed ? B[j * kC + k] : B[k * kC + j]);
        }
      }
    }
    return product;
  };
  const Doubles mapped = R.empty() ? D : multiply(multiply(R, D, false), R, true);
  double sum = 0;
  for (const double value : mapped) sum += value * value;
  return sum;
}

double exact_loss(const Exact& found, const LayerStatistics& target, const Doubles& R) {
  double sum = 0;
  for (size_t k = 0; k < found.matrices.size(); ++k) {
    Doubles D = found.matrices[k];
    for (size_t i = 0; i < D.size(); ++i) {
      D[i] -= k == 0 ? target.gram[i] : target.paired[(k - 1) * D.size() + i];
    }
    const double whole = 1 + kPairingWeight * (static_cast<double>(found.matrices.size()) - 1);
    sum += (k == 0 ? 1 : kPairingWeight) * squared_norm(R, D) / whole;
  }
  if (!found.matrices.empty()) return kFactor * sum;
  for (int c = 0; c < kC; ++c) {
    double mapped = R.empty() ? found.mean[c] - target.mean[c] : 0;
    double share = R.empty() ? 1 : 0;  // K[c][c]
    for (int k = 0; k < kC && !R.empty(); ++k) {
      mapped += R[c * kC + k] * (found.mean[k] - target.mean[k]);
      share += R[k * kC + c] * R[k * kC + c];
    }
    sum += mapped * mapped + share * std::pow(found.deviation[c] - target.deviation[c], 2);
  }
  return kFactor * sum;
}

// ---- what is tested, with no more memory than it asks for ----

// A map's memory, of no sense before it is written.
struct ScratchMap {
  explicit ScratchMap(bool wanted)
      : memory(wanted ? FeatureMap{nullptr, kC, kHeight, kWidth}.floats() : 0),
        map{memory.data(), kC, kHeight, kWidth} {
    std::fill(memory.begin(), memory.end(), std::nanf(""));
  }
  Buffer<float> memory;
  FeatureMap map;
};

struct ScratchOfStatistics {
  ScratchOfStatistics(const StatisticsForm& form, bool roots, bool student)
      : weighed(scratch_maps(form, roots) > 0),
        gradient(scratch_maps(form, roots) > 1),
        mirrored(scratch_maps(form, roots) > 2),
        sums(statistics_sums_size(gradient.map)),
        matrices(student ? 3 * kC * kC : 0),
        parts(statistics_sums(form, kC)),
        products(2 * kC * kC),
        centre(kC) {
    std::fill(sums.begin(), sums.end(), std::nan(""));
    std::fill(matrices.begin(), matrices.end(), std::nan(""));
  }
  StatisticsScratch spans() {
    return {weighed.map, gradient.map, mirrored.map, sums, matrices, products, centre, parts};
  }
  ScratchMap weighed, gradient, mirrored;
  Buffer<double> sums, matrices, parts;
  Buffer<float> products, centre;
};

GuardedMap map_of(const Doubles& F) {
  return GuardedMap(kC, kHeight, kWidth, [&](int c, int y, int x) {
    return static_cast<float>(F[c * kM + y * kWidth + x]);
  });
}

struct Result {
  double loss = 0;
  std::vector<float> gradient;  // [C][M]
};

class StyleStatistics : public testing::TestWithParam<Case> {
 protected:
  StyleStatistics() {
    Random random(1);
    // Above 0 in the mean, as after a ReLU.
    for (double& value : F_) value = random_signed(random) + 0.3f;
    for (double& value : direction_) value = random_signed(random);
    if (GetParam().roots) {
      for (int p = 0; p < kM; ++p)
        roots_.push_back(p % 5 == 0 ? 0.0f : std::abs(random_signed(random)));
      total_ = 0;
      for (const float m : roots_) total_ += double{m} * m;
    }
    if (!GetParam().student) return;
    R_.resize(kC * kC);
    for (double& value : R_) value = random_signed(random);
    K_ = Buffer<double>(kC * kC);
    for (int i = 0; i < kC * kC; ++i) {
      for (int k = 0; k < kC; ++k) K_[i] += R_[k * kC + i / kC] * R_[k * kC + i % kC];
    }
  }

  PositionWeights region() const { return {roots_, total_, GramForm::per_position}; }

  static LayerStatistics drawn_target(std::uint64_t seed) {
    Random random(seed);
    LayerStatistics target = make_statistics(GetParam().form(), kC);
    const auto draw_symmetric = [&](std::span<float> matrix) {
      for (size_t i = 0; i < matrix.size(); ++i) {
        const size_t mirrored = i % kC * kC + i / kC;
        matrix[i] = mirrored < i ? matrix[mirrored] : random_signed(random);
      }
    };
    const std::vector<Pairing> pairings = GetParam().form().pairings;
    for (size_t k = 0; k < pairings.size(); ++k) {
      const std::span<float> matrix = std::span<float>(target.paired).subspan(k * kC * kC, kC * kC);
      if (pairings[k].mirror) {
        draw_symmetric(matrix);
      } else {
        for (float& value : matrix) value = random_signed(random);
      }
    }
    for (float& value : target.mean) value = random_signed(random);
    for (float& value : target.deviation) value = random_signed(random) + 1;
    draw_symmetric(target.gram);
    return target;
  }

  Result evaluate(const Doubles& F, const LayerStatistics& target, ThreadPool& pool) const {
    const StatisticsForm form = GetParam().form();
    const GuardedMap map = map_of(F);
    ScratchOfStatistics scratch(form, GetParam().roots, GetParam().student);
    LayerStatistics measured = make_statistics(form, kC);
    measure(form, region(), map, measured, scratch.spans(), pool);
    Result result;
    result.loss =
        statistics_loss(form, region(), kFactor, K_, measured, target, scratch.spans(), pool);
    // Later, when the scratch memory has been used otherwise.
    ScratchOfStatistics another(form, GetParam().roots, false);
    GuardedMap d(kC, kHeight, kWidth);
    d.fill([](int, int, int) { return 0.0f; });
    add_statistics_gradient(form, region(), map, measured, d, another.spans(), pool);
    EXPECT_TRUE(d.written_inside_only());
    for_each_value(kC, kHeight, kWidth,
                   [&](int c, int y, int x) { result.gradient.push_back(d.at(c, y, x)); });
    return result;
  }

  Doubles F_ = Doubles(kC * kM), direction_ = Doubles(kC * kM);
  std::vector<float> roots_;
  double total_ = kM;
  Doubles R_;
  Buffer<double> K_;
  ThreadPool pool_{2};
};

// Sums of 35 products of values about 1 in float, each rounded a few times.
constexpr double kTolerance = 20 * kEpsilon;

TEST_P(StyleStatistics, AreThoseOfTheirDefinition) {
  const StatisticsForm form = GetParam().form();
  ScratchOfStatistics scratch(form, GetParam().roots, false);
  LayerStatistics found = make_statistics(form, kC);
  measure(form, region(), map_of(F_), found, scratch.spans(), pool_);
  const Exact exact = exact_statistics(GetParam(), F_, roots_, total_);
  // Magnitudes: g times the sum of w is 0.2 to 0.7, features are at most 1.3.
  for (size_t k = 0; k < exact.matrices.size(); ++k) {
    for (int i = 0; i < kC * kC; ++i) {
      const float value = k == 0 ? found.gram[i] : found.paired[(k - 1) * kC * kC + i];
      ASSERT_NEAR(value, exact.matrices[k][i], kTolerance) << "matrix " << k << ", place " << i;
    }
  }
  EXPECT_EQ(found.gram.empty(), exact.matrices.empty());
  for (size_t c = 0; c < found.mean.size(); ++c) {
    ASSERT_NEAR(found.mean[c], exact.mean[c], kEpsilon);
  }
  for (size_t c = 0; c < found.deviation.size(); ++c) {
    ASSERT_NEAR(found.deviation[c], exact.deviation[c], kEpsilon);
  }
}

// Losses of matrices are of degree 4 in F. Central differences of such are L' + a h^2, and
// (4 D(h / 2) - D(h)) / 3 is exactly L'; of deviations it is off by some h^4, 1e-12.
TEST_P(StyleStatistics, LossAndGradientAreThoseOfTheirDefinition) {
  const LayerStatistics target = drawn_target(7);
  const auto loss_at = [&](double t) {
    Doubles there = F_;
    for (int i = 0; i < kC * kM; ++i) there[i] += t * direction_[i];
    return exact_loss(exact_statistics(GetParam(), there, roots_, total_), target, R_);
  };
  const auto difference = [&](double h) { return (loss_at(h) - loss_at(-h)) / (2 * h); };
  constexpr double kStep = 1e-3;
  const double expected = (4 * difference(kStep / 2) - difference(kStep)) / 3;

  const Result result = evaluate(F_, target, pool_);
  EXPECT_NEAR(result.loss, loss_at(0), kTolerance * loss_at(0));
  double slope = 0, magnitude = 0;
  for (int i = 0; i < kC * kM; ++i) {
    slope += result.gradient[i] * direction_[i];
    magnitude += std::abs(result.gradient[i] * direction_[i]);
  }
  EXPECT_NEAR(slope, expected, kTolerance * magnitude);
  EXPECT_GT(std::abs(expected), 100 * kTolerance * magnitude) << "this would prove little";
}

// So a blend stands for the blended losses.
TEST_P(StyleStatistics, GradientOfABlendIsTheBlendOfTheGradients) {
  const LayerStatistics first = drawn_target(7), second = drawn_target(8);
  LayerStatistics blend = make_statistics(GetParam().form(), kC);
  blend.add(0.25, first);
  blend.add(0.75, second);
  const Result of_blend = evaluate(F_, blend, pool_);
  const Result of_first = evaluate(F_, first, pool_);
  const Result of_second = evaluate(F_, second, pool_);
  double largest = 0;
  for (const float value : of_blend.gradient) largest = std::max<double>(largest, std::abs(value));
  for (int i = 0; i < kC * kM; ++i) {
    ASSERT_NEAR(of_blend.gradient[i], 0.25 * of_first.gradient[i] + 0.75 * of_second.gradient[i],
                kTolerance * largest);
  }
}

TEST_P(StyleStatistics, AreTheirOwnTargetsBest) {
  const StatisticsForm form = GetParam().form();
  ScratchOfStatistics scratch(form, GetParam().roots, false);
  LayerStatistics target = make_statistics(form, kC);
  measure(form, region(), map_of(F_), target, scratch.spans(), pool_);
  const Result result = evaluate(F_, target, pool_);
  EXPECT_EQ(result.loss, 0);
  for (const float value : result.gradient) ASSERT_EQ(value, 0);
}

TEST_P(StyleStatistics, IgnoreWhatHasNoWeight) {
  if (!GetParam().roots) return;
  const LayerStatistics target = drawn_target(7);
  Doubles other = F_;
  for (int i = 0; i < kC * kM; ++i) {
    if (roots_[i % kM] == 0) other[i] = 1000;
  }
  const Result result = evaluate(F_, target, pool_);
  const Result of_other = evaluate(other, target, pool_);
  EXPECT_EQ(result.loss, of_other.loss);
  for (int i = 0; i < kC * kM; ++i) {
    if (roots_[i % kM] == 0) {
      ASSERT_EQ(of_other.gradient[i], 0);
    }
    ASSERT_EQ(result.gradient[i], of_other.gradient[i]);
  }
}

TEST_P(StyleStatistics, AreTheSameForAnyNumberOfThreads) {
  const LayerStatistics target = drawn_target(7);
  ThreadPool one(1), three(3);
  const Result expected = evaluate(F_, target, one);
  const Result found = evaluate(F_, target, three);
  EXPECT_EQ(expected.loss, found.loss);
  EXPECT_TRUE(same_bits(expected.gradient, found.gradient));
}

TEST_P(StyleStatistics, AllocateNothingInAnEvaluation) {
  const StatisticsForm form = GetParam().form();
  const LayerStatistics target = drawn_target(7);
  const GuardedMap map = map_of(F_);
  GuardedMap d = map_of(F_);
  ScratchOfStatistics scratch(form, GetParam().roots, GetParam().student);
  LayerStatistics measured = make_statistics(form, kC);
  const auto run = [&] {
    measure(form, region(), map, measured, scratch.spans(), pool_);
    statistics_loss(form, region(), kFactor, K_, measured, target, scratch.spans(), pool_);
    add_statistics_gradient(form, region(), map, measured, d, scratch.spans(), pool_);
  };
  run();  // whatever is made once is made now
  const int before = allocations();
  run();
  EXPECT_EQ(allocations() - before, 0);
}

INSTANTIATE_TEST_SUITE_P(Every, StyleStatistics, testing::ValuesIn(all_cases()), name_of);

// Features of 100 and a little: their squares alone would lose all that varies.
TEST(Covariance, OfFeaturesThatHardlyVaryKeepsItsDigits) {
  constexpr Case kCase = {StyleStatistic::covariance, false, false, Pairs::none};
  Random random(3);
  Doubles F(kC * kM);
  for (double& value : F) value = 100 + std::round(100 * random_signed(random)) / 1024;
  ScratchOfStatistics scratch(kCase.form(), false, false);
  LayerStatistics found = make_statistics(kCase.form(), kC);
  ThreadPool pool(1);
  measure(kCase.form(), {{}, kM}, map_of(F), found, scratch.spans(), pool);
  const Exact exact = exact_statistics(kCase, F, {}, kM);
  // Deviations are 0.06; the mean, rounded to float, is off by 4e-6, which counts squared.
  for (int i = 0; i < kC * kC; ++i) {
    ASSERT_NEAR(found.gram[i], exact.matrices[0][i], kTolerance * 0.06 * 0.06);
  }
}

TEST(MeanDeviation, OfAChannelThatIsTheSameEverywhereHasAFiniteGradient) {
  constexpr Case kCase = {StyleStatistic::mean_deviation, false, false, Pairs::none};
  ScratchOfStatistics scratch(kCase.form(), false, false);
  const GuardedMap F(kC, kHeight, kWidth, [](int c, int, int) { return 0.1f * float(c); });
  LayerStatistics measured = make_statistics(kCase.form(), kC);
  LayerStatistics target = make_statistics(kCase.form(), kC);
  for (float& value : target.deviation) value = 1;
  ThreadPool pool(1);
  const PositionWeights region = {{}, kM};
  measure(kCase.form(), region, F, measured, scratch.spans(), pool);
  for (const float value : measured.deviation) {
    ASSERT_NEAR(value, std::sqrt(kVarianceFloor), kEpsilon);
  }
  statistics_loss(kCase.form(), region, 1.0, {}, measured, target, scratch.spans(), pool);
  GuardedMap d(kC, kHeight, kWidth, [](int, int, int) { return 0.0f; });
  add_statistics_gradient(kCase.form(), region, F, measured, d, scratch.spans(), pool);
  for_each_value(kC, kHeight, kWidth,
                 [&](int c, int y, int x) { ASSERT_TRUE(std::isfinite(d.at(c, y, x))); });
}

}  // namespace
}  // namespace limn
