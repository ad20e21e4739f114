// A history of which each of several ranks keeps a share, against that of a single process: to the
// bit, whatever is done with it. Ranks are threads here.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "kernels/kernels.h"
#include "optimise/history.h"
#include "optimise/optimiser.h"
#include "support/functions.h"
#include "support/kept_state.h"
#include "support/random_values.h"
#include "support/same_bits.h"
#include "support/thread_ranks.h"

namespace limn {
namespace {

constexpr size_t kPiece = kernels::kRowPiece;
constexpr size_t kPlaces = 3;
const std::vector<int> kRanks = {1, 2, 3, 7};

using Floats = std::vector<float>;

// What a rank's history has said, and what it keeps.
struct Story {
  std::vector<Floats> whole;    // directions and gradients
  std::vector<double> numbers;  // products and squares
  std::vector<Floats> vectors;  // s and y of each place, from `first` on
  size_t first = 0;
};

class ASharedHistory : public testing::TestWithParam<bool> {
 protected:
  struct Case {
    size_t size, row;
  };
  // Fewer pieces than ranks, as many, more; rows that reach over one piece and over two.
  static constexpr Case kCases[] = {
      {1000, 30}, {kPiece, 500}, {3 * kPiece + 77, 700}, {9 * kPiece + 1, kPiece + 5}};

  bool half() const { return GetParam(); }

  static void multiply(History& history, std::span<const size_t> places, const Floats& g,
                       PairProducts& products, Story& story) {
    history.multiply(places, g, products);
    add(places, products, story);
  }
  static void add(std::span<const size_t> places, PairProducts& products, Story& story) {
    story.numbers.push_back(products.gg);
    for (size_t i = 0; i < places.size(); ++i) {
      story.numbers.insert(story.numbers.end(), {products.sg[places[i]], products.yg[places[i]]});
      for (size_t j = 0; j <= i; ++j) {
        story.numbers.push_back(products.sy(places[i], places[j]));
        story.numbers.push_back(products.yy(places[i], places[j]));
      }
    }
  }

  // Adds a pair at `place` to those in use.
  static void add_pair(History& history, size_t place, std::vector<size_t>& places, Story& story,
                       int seed) {
    const size_t size = history_size_of(story);
    const Floats g = random_values(size, seed), end = random_values(size, seed + 1);
    std::vector<double> coefficients(2 * places.size() + 1);
    for (size_t i = 0; i < coefficients.size(); ++i) coefficients[i] = 0.3 - 0.21 * (i % 4);
    coefficients.back() = -1.7;
    Floats work(g);  // as L-BFGS calls it: g is in it
    const std::span<const float> direction = history.open(place, places, coefficients, work, work);
    story.whole.emplace_back(direction.begin(), direction.end());
    Floats start(size);
    history.gradient_at_start(place, start);
    EXPECT_TRUE(same_bits(start, g));
    history.lengthen(place, 0.37);
    history.close(place, end);
    if (places.size() == kPlaces) places.pop_back();
    places.insert(places.begin(), place);
  }
  static size_t history_size_of(const Story& story) { return story.whole.front().size(); }

  // All that can be done.
  Story live(const Case& c, Ranks& ranks) const {
    ThreadPool pool(2);
    const Share share = share_of_history(c.size, c.row, ranks);
    const auto history = make_history(share, kPlaces, half(), pool);
    PairProducts products(kPlaces);
    Story story;
    story.first = share.first();
    story.whole.emplace_back(c.size);
    std::vector<size_t> places;
    // The ring turns: in the fourth, the oldest of those combined is overwritten.
    for (size_t pair = 0; pair < 5; ++pair) {
      add_pair(*history, pair % kPlaces, places, story, static_cast<int>(10 * pair));
      multiply(*history, places, random_values(c.size, 3 + 10 * pair), products, story);
    }
    for (const size_t place : places) {
      story.numbers.push_back(history->square_of_s(place));
      story.numbers.push_back(history->square_of_y(place));
    }
    // By all ranks, row by row, wherever rows lie.
    Floats q = random_values(c.size, 77), g = random_values(c.size, 78);
    for (float& value : q) value = 1 + 0.8f * value;
    Floats memory(c.row);
    for (size_t first = 0; first < c.size; first += c.row) {
      const size_t count = std::min(c.row, c.size - first);
      history->rescale(places, first, std::span(q).subspan(first, count), memory.data());
    }
    history->end_rescaling(places, g, products);
    add(places, products, story);
    add_pair(*history, 2, places, story, 91);
    multiply(*history, places, g, products, story);
    for (size_t place = 0; place < kPlaces; ++place) {
      Floats expanded(share.kept());
      const float* s = history->s(place, share.first(), share.kept(), expanded.data());
      story.vectors.emplace_back(s, s + share.kept());
      const float* y = history->y(place, share.first(), share.kept(), expanded.data());
      story.vectors.emplace_back(y, y + share.kept());
    }
    return story;
  }
};
INSTANTIATE_TEST_SUITE_P(Kept, ASharedHistory, testing::Bool(),
                         [](const auto& info) { return info.param ? "InHalf" : "InFloat"; });

TEST_P(ASharedHistory, IsThatOfASingleProcess) {
  for (const Case& c : kCases) {
    const Story expected = live(c, alone());
    for (const int count : kRanks) {
      SCOPED_TRACE(testing::Message() << c.size << " floats, " << count << " ranks");
      std::vector<Story> stories(count);
      ThreadRanks(count).run([&](Ranks& ranks) { stories[ranks.rank()] = live(c, ranks); });
      for (const Story& story : stories) {
        EXPECT_TRUE(same_bits(story.numbers, expected.numbers));
        ASSERT_EQ(story.whole.size(), expected.whole.size());
        for (size_t i = 0; i < story.whole.size(); ++i) {
          EXPECT_TRUE(same_bits(story.whole[i], expected.whole[i])) << i;
        }
        // What lies behind its own, too.
        for (size_t i = 0; i < story.vectors.size(); ++i) {
          const Floats& kept = story.vectors[i];
          EXPECT_TRUE(same_bits(
              std::span<const float>(kept),
              std::span<const float>(expected.vectors[i]).subspan(story.first, kept.size())))
              << i;
        }
      }
    }
  }
}

// ---- L-BFGS ----

struct Optimising {
  const char* name;
  bool half;
  Curvature curvature;
  LineSearch line_search;
};

class LbfgsByRanks : public testing::TestWithParam<Optimising> {
 protected:
  // Together 7 pieces; the second plane's rows are 800 floats wide.
  const std::vector<Size> planes_ = {{120, 150}, {60, 800}, {90, 500}};

  LbfgsByRanks() {
    recipe_.optimiser.kind = OptimiserKind::lbfgs;
    recipe_.optimiser.history = 4;
    recipe_.optimiser.half_history = GetParam().half;
    recipe_.optimiser.curvature = GetParam().curvature;
    recipe_.optimiser.line_search = GetParam().line_search;
  }

  static size_t floats(std::span<const Size> planes) {
    size_t sum = 0;
    for (const Size& plane : planes) sum += static_cast<size_t>(plane.height) * plane.width;
    return sum;
  }

  // x after each of so many steps, which go on from `saved` unless it is null, and save to it.
  std::vector<Floats> walk(std::span<const Size> planes, int steps, Ranks& ranks,
                           KeptArrays* saved = nullptr, KeptArrays* save_as = nullptr) const {
    ThreadPool pool(1);
    const size_t size = floats(planes);
    // Curvature differs by place, and the minimum is not at 0.
    const Function f = [size](std::span<const float> x, std::span<float> gradient) {
      Losses losses;
      for (size_t i = 0; i < size; ++i) {
        const double c = (1 + static_cast<double>(i % 37)) * (i < size / 3 ? 10 : 1);
        const double off = x[i] - std::sin(0.001 * static_cast<double>(i));
        gradient[i] = static_cast<float>(c * off);
        losses.total += c * off * off / 2;
      }
      return losses;
    };
    Floats start(size, 1.0f);
    const auto optimiser = make_optimiser(recipe_, size, pool, planes, 1, ranks);
    if (saved) {
      KeptState state(*saved, /*restores=*/true);
      state.floats("x", start);
      optimiser->keep(state);
    }
    Standing standing(f, start);
    std::vector<Floats> xs;
    for (int i = 0; i < steps; ++i) {
      EXPECT_NE(standing.step(*optimiser, f), StepStatus::converged) << i;
      xs.push_back(standing.x);
    }
    if (save_as) {
      KeptState state(*save_as, /*restores=*/false);
      state.floats("x", standing.x);
      optimiser->keep(state);
    }
    return xs;
  }
  // By rank 0; the others must have come to the same.
  std::vector<Floats> walk(std::span<const Size> planes, int steps, int count,
                           KeptArrays* saved = nullptr, KeptArrays* save_as = nullptr) {
    std::vector<std::vector<Floats>> all(count);
    ThreadRanks group(count);
    group.run(
        [&](Ranks& ranks) { all[ranks.rank()] = walk(planes, steps, ranks, saved, save_as); });
    for (const std::vector<Floats>& xs : all) EXPECT_TRUE(same_bits(xs.back(), all[0].back()));
    exchanged_ = group.exchanged();
    return all[0];
  }

  Recipe recipe_;
  size_t exchanged_ = 0;
};
INSTANTIATE_TEST_SUITE_P(
    With, LbfgsByRanks,
    testing::Values(Optimising{"floats", false, Curvature::one, LineSearch::none},
                    Optimising{"a_line_search", false, Curvature::one, LineSearch::strong_wolfe},
                    Optimising{"scales", false, Curvature::local, LineSearch::strong_wolfe},
                    Optimising{"halves", true, Curvature::one, LineSearch::none},
                    Optimising{"halves_and_scales", true, Curvature::local,
                               LineSearch::strong_wolfe}),
    [](const auto& info) { return info.param.name; });

// Scales are learnt in the sixth step and in the eleventh.
TEST_P(LbfgsByRanks, TakesTheStepsOfASingleProcess) {
  const std::vector<Size> small = {{20, 31}, {5, 8}, {1, 40}};  // of one piece
  for (const std::vector<Size>& planes : {planes_, small}) {
    const std::vector<Floats> expected = walk(planes, 12, alone());
    for (const int count : kRanks) {
      SCOPED_TRACE(testing::Message() << planes[0].width << " wide, " << count << " ranks");
      const std::vector<Floats> xs = walk(planes, 12, count);
      for (size_t i = 0; i < xs.size(); ++i) EXPECT_TRUE(same_bits(xs[i], expected[i])) << i;
      if (count == 1) continue;
      EXPECT_GE(exchanged_, 12 * sizeof(float) * floats(planes)) << "directions alone take as much";
    }
  }
}

TEST_P(LbfgsByRanks, GoesOnWithAnotherNumberOfThem) {
  const std::vector<Floats> expected = walk(planes_, 11, alone());
  // One pair; before scales and after.
  for (const int steps : {1, 4, 8}) {
    KeptArrays by_three, by_one;
    walk(planes_, steps, 3, nullptr, &by_three);
    walk(planes_, steps, 1, nullptr, &by_one);
    EXPECT_EQ(by_three.arrays, by_one.arrays);
    for (const int count : {1, 2, 7}) {
      const std::vector<Floats> xs = walk(planes_, 11 - steps, count, &by_three);
      EXPECT_TRUE(same_bits(xs.back(), expected.back())) << steps << " steps, " << count;
    }
  }
}

// It then needs the gradient where it began, of which each rank has a share.
TEST(ALineSearchByRanks, GoesBackAsThatOfASingleProcessDoes) {
  const Size plane = {150, 300};
  const size_t size = size_t{150} * 300;
  for (const bool half : {false, true}) {
    for (const Curvature curvature : {Curvature::one, Curvature::local}) {
      Recipe recipe;
      recipe.optimiser.kind = OptimiserKind::lbfgs;
      recipe.optimiser.half_history = half;
      recipe.optimiser.curvature = curvature;
      recipe.optimiser.line_search = LineSearch::strong_wolfe;
      const auto gradient_after = [&](Ranks& ranks) {
        ThreadPool pool(1);
        Floats last;  // once set, every other point is worse
        const Function f = [&](std::span<const float> x, std::span<float> gradient) {
          Losses losses;
          for (size_t i = 0; i < size; ++i) {
            const double c = 1 + static_cast<double>(i % 7);
            gradient[i] = static_cast<float>(c * (x[i] - 1));
            losses.total += c * (x[i] - 1) * (x[i] - 1) / 2;
          }
          if (!last.empty() && !same_bits(x, last)) losses.total += 1e9;
          return losses;
        };
        Standing standing(f, random_values(size, 5));
        const auto optimiser = make_optimiser(recipe, size, pool, {&plane, 1}, 1, ranks);
        for (int i = 0; i < 6; ++i) standing.step(*optimiser, f);
        last = standing.x;
        EXPECT_EQ(standing.step(*optimiser, f), StepStatus::moved) << "it was to find nothing";
        EXPECT_TRUE(same_bits(standing.x, last));
        return standing.gradient;
      };
      const Floats expected = gradient_after(alone());
      for (const int count : kRanks) {
        ThreadRanks(count).run([&](Ranks& ranks) {
          EXPECT_TRUE(same_bits(gradient_after(ranks), expected)) << count;
        });
      }
    }
  }
}

}  // namespace
}  // namespace limn
