// Previews: what they change of a job, what is kept from one to the next, and how they are given
// up.
#include "work/live_painter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <thread>

#include "base/digest.h"
#include "base/parallel.h"
#include "support/same_bits.h"
#include "support/temporary_folder.h"
#include "work/preview_plan.h"

namespace limn {
namespace {

Image stripes(int width, int height, double period) {
  Image image = {width, height, {}, {}};
  image.rgb.resize(3 * static_cast<size_t>(width) * height);
  for (size_t i = 0; i < image.rgb.size(); ++i) {
    const auto x = static_cast<double>(i % width), y = static_cast<double>(i / width);
    image.rgb[i] = static_cast<float>(0.5 + 0.4 * std::sin(x / period + 0.3 * std::cos(y)));
  }
  return image;
}

class LivePainterTest : public InAFolder {
 protected:
  // An upload's id.
  std::string upload(const Image& image) {
    const std::string file = path("upload.png");
    write_image(image, file);
    const std::string id = sha256_of_file(file, "upload");
    std::filesystem::rename(file, path(id));
    return id;
  }

  LiveJob job() {
    LiveJob wanted;
    Recipe recipe = named_recipe("limn");
    recipe.optimiser.iterations = 8;
    wanted.request.recipe = to_toml(recipe);
    wanted.request.inputs = {{"photo", "photo.png", photo_}, {"painting", "oil.png", painting_}};
    wanted.size = 64;
    return wanted;
  }
  static void set(LiveJob& job, const std::function<void(Recipe&)>& change) {
    Recipe recipe = parse_recipe(job.request.recipe, "the recipe");
    change(recipe);
    job.request.recipe = to_toml(recipe);
  }

  // The last picture.
  static Image painted(LivePainter& painter, const LiveJob& job) {
    Image last;
    const std::atomic<bool> abandon = false;
    painter.paint(job, abandon, [&](const LiveFigures&, const std::function<Image()>& picture) {
      last = picture();
    });
    return last;
  }

  const std::string photo_ = upload(stripes(200, 150, 9));
  const std::string painting_ = upload(stripes(120, 160, 3));
};

TEST_F(LivePainterTest, ShowsPicturesUntilTheLast) {
  LivePainter painter(folder());
  std::vector<LiveFigures> shown;
  const std::atomic<bool> abandon = false;
  const LiveFigures end = painter.paint(
      job(), abandon, [&](const LiveFigures& figures, const std::function<Image()>& picture) {
        shown.push_back(figures);
        const Image image = picture();
        EXPECT_EQ(image.width, 64);
        EXPECT_EQ(image.height, 48);
      });
  ASSERT_GE(shown.size(), 2U);
  EXPECT_LE(shown.front().iteration, 3);
  EXPECT_EQ(shown.back().iteration, shown.back().iterations);
  EXPECT_EQ(end.width, 64);
  EXPECT_GT(end.seconds, 0);
}

// What is kept changes no bit: neither another strength nor another size of strokes.
TEST_F(LivePainterTest, PaintsTheSameWhatEverItHasKept) {
  LivePainter warm(folder());
  painted(warm, job());
  LiveJob stronger = job();
  set(stronger, [](Recipe& recipe) { recipe.balance.strength = 0.8; });
  LiveJob larger = job();
  set(larger, [](Recipe& recipe) { recipe.style.scale = {1.5}; });
  LiveJob other = job();
  std::swap(other.request.inputs[0].file, other.request.inputs[1].file);
  for (const LiveJob& wanted : {stronger, larger, other, job(), stronger}) {
    LivePainter fresh(folder());
    EXPECT_TRUE(same_bits(painted(warm, wanted).rgb, painted(fresh, wanted).rgb));
  }
}

TEST_F(LivePainterTest, IsAbandonedAtOnce) {
  LivePainter painter(folder());
  LiveJob endless = job();
  set(endless, [](Recipe& recipe) { recipe.optimiser.kind = OptimiserKind::adam; });
  std::atomic<bool> abandon = false;
  EXPECT_THROW(painter.paint(endless, abandon,
                             [&](const LiveFigures& figures, const auto&) {
                               EXPECT_LT(figures.iteration, figures.iterations);
                               abandon = true;
                             }),
               Stopped);
  // And is as good as new.
  LivePainter fresh(folder());
  EXPECT_TRUE(same_bits(painted(painter, job()).rgb, painted(fresh, job()).rgb));
}

TEST_F(LivePainterTest, PaintsEveryKind) {
  LivePainter painter(folder());
  LiveJob texture = job();
  texture.request.kind = JobKind::texture;
  texture.request.inputs = {{"exemplar", "a.png", photo_}};
  texture.request.flags = {{"size", "256x128"}};
  EXPECT_EQ(painted(painter, texture).width, 64);
  EXPECT_EQ(painted(painter, texture).height, 32);
  Image mask = stripes(200, 150, 9);
  for (size_t i = 0; i < mask.rgb.size(); ++i) mask.rgb[i] = i % 200 > 90 && i % 200 < 120 ? 1 : 0;
  LiveJob hole = job();
  hole.request.kind = JobKind::inpaint;
  hole.request.inputs = {{"picture", "a.png", photo_}, {"hole", "b.png", upload(mask)}};
  set(hole, [](Recipe& recipe) { recipe.picture.size = 0; });
  EXPECT_EQ(painted(painter, hole).width, 64);
  LiveJob season = job();
  season.request.kind = JobKind::season;
  season.request.inputs[1].role = "example";
  EXPECT_EQ(painted(painter, season).width, 64);
}

TEST_F(LivePainterTest, RefusesWhatTheJobWouldBeRefusedFor) {
  LivePainter painter(folder());
  LiveJob missing = job();
  missing.request.inputs[0].file = std::string(64, '0');
  EXPECT_THROW(painted(painter, missing), Error);
  LiveJob elsewhere = job();
  elsewhere.request.inputs[0].file = "../../etc/passwd";
  EXPECT_THROW(painted(painter, elsewhere), Error);
}

// --------------------------------------------------------------------------------------- plans --

TEST(PreviewPlan, ShrinksAllPicturesAlike) {
  const Model model = Model::builtin();
  Recipe recipe = named_recipe("limn");
  recipe.picture.size = 1024;
  recipe.style.scale = {0.5};
  const PictureSizes own = {{3000, 4000}, {{{2000, 1000}}}};
  const Plan full = make_plan(model, own, recipe);
  const Plan plan = plan_preview(model, own, recipe, 256);
  EXPECT_EQ(plan.sizes().picture, (Size{192, 256}));
  EXPECT_EQ(plan.sizes().paintings.front(), (Size{128, 64}));
  EXPECT_EQ(full.sizes().paintings.front(), (Size{512, 256}));
  EXPECT_EQ(plan.levels.front().sizes.picture.width, 128);
  EXPECT_LE(plan.recipe.optimiser.iterations, recipe.optimiser.iterations);
}

TEST(PreviewPlan, EnlargesNothing) {
  Recipe recipe = named_recipe("limn");
  recipe.picture.size = 100;
  const Plan plan = plan_preview(Model::builtin(), {{300, 400}, {{{300, 400}}}}, recipe, 256);
  EXPECT_EQ(plan.sizes().picture, (Size{75, 100}));
}

TEST(PreviewPlan, KeepsNarrowPicturesWideEnough) {
  const Plan plan =
      plan_preview(Model::builtin(), {{100, 4000}, {{{4000, 300}}}}, named_recipe("limn"), 64);
  EXPECT_GE(plan.sizes().picture.height, 12);
  EXPECT_LE(plan.sizes().picture.width, kMostLiveSide);
}

TEST(PreviewPlan, ShrinksDistancesInPixels) {
  Recipe recipe = named_recipe("texture");
  recipe.picture.size = 0;
  ASSERT_EQ(recipe.style.shifts, (std::vector<int>{8, 16, 32, 64}));
  const Plan plan = plan_preview(Model::builtin(), {{512, 512}, {{{400, 400}}}}, recipe, 128);
  EXPECT_EQ(plan.recipe.style.shifts, (std::vector<int>{2, 4, 8, 16}));
  EXPECT_EQ(plan.sizes().paintings.front(), (Size{100, 100}));
}

TEST(PreviewPlan, KeepsTilesWhole) {
  Recipe recipe = named_recipe("texture");
  recipe.picture.size = 0;
  recipe.picture.tileable = true;
  const Plan plan = plan_preview(Model::builtin(), {{512, 320}, {{{400, 400}}}}, recipe, 100);
  EXPECT_EQ(plan.sizes().picture.height % 16, 0);
  EXPECT_EQ(plan.sizes().picture.width % 16, 0);
}

}  // namespace
}  // namespace limn
