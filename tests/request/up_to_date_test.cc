#include <gtest/gtest.h>

#include "request/provenance.h"

namespace limn {
namespace {

const std::vector<InputDigest> kInputs = {{"photo", "a.jpg", "aa"}, {"painting", "b.jpg", "bb"}};

Origin origin_of(const PaintRequest& request) {
  return *limn::origin_of(provenance_notes(request, kInputs, {}, false), "out.png");
}

TEST(UpToDate, IsWhatWouldBePaintedAgain) {
  PaintRequest request;
  request.recipe = named_recipe("limn");
  EXPECT_TRUE(is_up_to_date(origin_of(request), request, kInputs));
  PaintRequest faster = request;
  faster.recipe.picture.threads = 7;
  EXPECT_TRUE(is_up_to_date(origin_of(request), faster, kInputs));
  const std::vector<InputDigest> renamed = {{"photo", "x.jpg", "aa"}, {"painting", "y.jpg", "bb"}};
  EXPECT_TRUE(is_up_to_date(origin_of(request), request, renamed));
}

TEST(UpToDate, IsNothingElse) {
  PaintRequest request;
  request.recipe = named_recipe("limn");
  const Origin origin = origin_of(request);
  const std::vector<InputDigest> changed = {{"photo", "a.jpg", "cc"}, {"painting", "b.jpg", "bb"}};
  EXPECT_FALSE(is_up_to_date(origin, request, changed));
  EXPECT_FALSE(is_up_to_date(origin, request, std::span(kInputs).first(1)));
  const auto differs = [&](auto&& change) {
    PaintRequest other = request;
    change(other);
    return !is_up_to_date(origin, other, kInputs);
  };
  EXPECT_TRUE(differs([](PaintRequest& r) { r.recipe.balance.strength = 0.6; }));
  EXPECT_TRUE(differs([](PaintRequest& r) { r.recipe.stages.clear(); }));
  EXPECT_TRUE(differs([](PaintRequest& r) { r.write.bits = 16; }));
  EXPECT_TRUE(differs([](PaintRequest& r) { r.write.quality = 90; }));
  EXPECT_TRUE(differs([](PaintRequest& r) { r.write.dpi = 300; }));
  Origin older = origin;
  older.version = "0.1.0";
  EXPECT_FALSE(is_up_to_date(older, request, kInputs));
}

}  // namespace
}  // namespace limn
