// Several processes that paint one picture together: they are threads here.
#include <gtest/gtest.h>
#include <limn/limn.h>

#include <sys/resource.h>

#include <csignal>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "containers/file_bytes.h"
#include "containers/safetensors_file.h"
#include "support/drawn.h"
#include "support/errors.h"
#include "support/masks.h"
#include "support/small_run.h"
#include "support/thread_ranks.h"

namespace limn {
namespace {

constexpr Budget kTiles = {0, 32};  // 6 of them; the painting has 4

// Paints pictures_ by recipe_.
class ByRanks : public SmallRun {
 protected:
  ByRanks() { recipe_.picture.threads = 1; }

  Plan plan() const { return make_plan(model_, sizes_of(pictures_), recipe_, kTiles); }
  Painted alone() const { return paint(model_, pictures_, plan()); }
  // What rank 0 does with its run. Returns its picture.
  template <typename Act>
  Painted by(int ranks, const std::string& checkpoint, const Act& act) {
    const Plan plan = this->plan();
    std::optional<Painted> painted;
    ThreadRanks group(ranks);
    group.run([&](Ranks& own) {
      limn::Run run = checkpoint.empty() ? limn::Run(model_, pictures_, plan, &own)
                                         : limn::Run(model_, pictures_, plan, checkpoint, &own);
      if (own.rank() > 0) return run.follow();
      act(run);
      painted = run.finish();
    });
    exchanged_ = group.exchanged();
    return *painted;
  }
  static void to_the_end(limn::Run& run) {
    while (run.step()) {
    }
  }
  Painted painted(int ranks, const std::string& checkpoint = "") {
    return by(ranks, checkpoint, to_the_end);
  }
  void save_after(int steps, int ranks, const std::string& name) {
    by(ranks, "", [&](limn::Run& run) {
      for (int i = 0; i < steps; ++i) ASSERT_TRUE(run.step());
      run.save(path(name));
    });
  }

  Pictures pictures_ = pictures();
  size_t exchanged_ = 0;
};

// ---- whatever the losses ----

struct Kind {
  std::string name;
  void (*change)(Recipe&);
};

// Every loss that keeps something of tiles besides sums.
const std::vector<Kind> kKinds = {
    {"gram", [](Recipe&) {}},
    {"neighbours",
     [](Recipe& recipe) {
       recipe.neighbours.weight = 0.1;
       recipe.neighbours.layers = {{"relu1_1", 1.0}};
       recipe.neighbours.every = 2;
       recipe.neighbours.uses = 2;
       recipe.content.layers = {{"relu1_2", 1.0}};
     }},
    {"sliced",
     [](Recipe& recipe) {
       recipe.style.statistic = StyleStatistic::sliced;
       recipe.style.every = 2;
     }},
    {"columns",
     [](Recipe& recipe) {
       recipe.neighbours.weight = 0.1;
       recipe.neighbours.layers = {{"relu1_1", 1.0}, {"relu1_2", 1.0}};
       recipe.neighbours.matching = Matching::hypercolumns;
     }},
    {"drawn_columns",
     [](Recipe& recipe) {
       recipe.transport.weight = 1;
       recipe.transport.layers = {{"relu1_1", 1.0}, {"relu1_2", 1.0}};
       recipe.structure.weight = 1;
       recipe.structure.layers = {{"relu1_1", 1.0}, {"relu1_2", 1.0}};
       recipe.total_variation.weight = 1e-3;
     }},
};

class PaintingByRanks : public ByRanks, public testing::WithParamInterface<size_t> {
 protected:
  PaintingByRanks() {
    recipe_.optimiser.iterations = 5;
    kKinds[GetParam()].change(recipe_);
  }
  void add_masks() {
    Style second = pictures_.styles.front();
    second.paintings.front() = smooth_picture(50, 60, 3);
    pictures_.styles.push_back(second);
    pictures_.styles[0].to = halves(kWidth, kHeight, 1, 0);
  }
};

// Seven ranks are more than there are tiles.
TEST_P(PaintingByRanks, GivesTheSamePictureHoweverManyThereAre) {
  for (const bool masked : {false, true}) {
    if (masked && recipe_.transport.weight != 0) continue;  // refused
    if (masked) add_masks();
    const Painted expected = alone();
    for (const int ranks : {2, 7}) {
      SCOPED_TRACE(testing::Message() << ranks << " ranks, masks: " << masked);
      expect_same(painted(ranks), expected);
      const size_t gradient = 12 * kWidth * kHeight;
      EXPECT_GT(exchanged_, gradient) << "they did not work together";
    }
  }
}

TEST_P(PaintingByRanks, GoesOnWithAnotherNumberOfThem) {
  const Painted expected = painted(1);
  save_after(2, 3, "a.limn");
  expect_same(painted(2, path("a.limn")), expected);
  expect_same(painted(1, path("a.limn")), expected);
}

INSTANTIATE_TEST_SUITE_P(With, PaintingByRanks, testing::Range<size_t>(0, kKinds.size()),
                         [](const auto& info) { return kKinds[info.param].name; });

// ---- each with a share of the history ----

struct Keeping {
  const char* name;
  bool half;
  Curvature curvature;
  LineSearch line_search;
};

class HistoryByRanks : public ByRanks, public testing::WithParamInterface<Keeping> {
 protected:
  static constexpr int kSteps = 8, kSavedAfter = 7;  // scales are learnt in the sixth

  HistoryByRanks() {
    pictures_ = pictures(150, 120);  // whose vectors have four pieces
    recipe_.pyramid.smallest = 0;
    recipe_.optimiser.kind = OptimiserKind::lbfgs;
    recipe_.optimiser.iterations = kSteps;
    recipe_.optimiser.half_history = GetParam().half;
    recipe_.optimiser.curvature = GetParam().curvature;
    recipe_.optimiser.line_search = GetParam().line_search;
  }
};
INSTANTIATE_TEST_SUITE_P(
    With, HistoryByRanks,
    testing::Values(Keeping{"floats", false, Curvature::one, LineSearch::none},
                    Keeping{"scales", false, Curvature::local, LineSearch::strong_wolfe},
                    Keeping{"halves", true, Curvature::local, LineSearch::none}),
    [](const auto& info) { return info.param.name; });

// All but the time that it took.
void expect_same_checkpoint(const std::string& found, const std::string& expected) {
  SafetensorsFile a = open_safetensors(FileBytes(found));
  SafetensorsFile b = open_safetensors(FileBytes(expected));
  EXPECT_EQ(a.header.metadata, b.header.metadata);
  ASSERT_EQ(a.header.tensors.size(), b.header.tensors.size());
  const auto bytes = [](SafetensorsFile& file, const SafetensorsTensor& tensor) {
    std::vector<std::byte> read(tensor.end - tensor.begin);
    file.bytes.read(file.data_begin + tensor.begin, read);
    return read;
  };
  for (const auto& [name, tensor] : a.header.tensors) {
    const SafetensorsTensor& other = b.header.tensors.at(name);
    EXPECT_EQ(tensor.begin, other.begin) << name;
    EXPECT_EQ(tensor.shape, other.shape) << name;
    if (name == "painter.seconds" || name == "history") continue;
    EXPECT_EQ(bytes(a, tensor), bytes(b, other)) << name;
  }
}

TEST_P(HistoryByRanks, WritesTheCheckpointOfASingleProcess) {
  save_after(kSavedAfter, 1, "by1.limn");
  const Painted expected = alone();
  for (const int ranks : {2, 3, 7}) {
    SCOPED_TRACE(ranks);
    save_after(kSavedAfter, ranks, "by.limn");
    expect_same_checkpoint(path("by.limn"), path("by1.limn"));
    for (const int going_on : {1, 2, 3}) {
      expect_same(painted(going_on, path("by.limn")), expected);
    }
  }
}

// Makes files end at so many bytes, as a full disk does.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit full = before_;
    full.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &full);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  void (*const handler_)(int) = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before_ = {};
};

// The others would wait for rank 0, which cannot write, for ever; or take what it does next for
// what they wait for.
TEST_P(HistoryByRanks, PaintsOnWhereNoCheckpointCanBeWritten) {
  const Painted expected = alone();
  const Painted found = by(3, "", [&](limn::Run& run) {
    for (int i = 0; i < kSavedAfter; ++i) ASSERT_TRUE(run.step());
    EXPECT_EQ(error_of([&] { run.save(path("missing/a.limn")); }).kind(), ErrorKind::file);
    for (const rlim_t bytes : {100, 500'000}) {
      const FullDisk full(bytes);
      EXPECT_EQ(error_of([&] { run.save(path("a.limn")); }).kind(), ErrorKind::file);
    }
    to_the_end(run);
  });
  expect_same(found, expected);
  EXPECT_TRUE(names().empty());
}

}  // namespace
}  // namespace limn
