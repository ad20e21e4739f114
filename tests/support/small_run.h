// A small painting, for tests of runs in tiles or by ranks.
#pragma once

#include <gtest/gtest.h>
#include <limn/limn.h>

#include "support/drawn.h"
#include "support/same_bits.h"
#include "support/temporary_folder.h"

namespace limn {

class SmallRun : public InAFolder {
 protected:
  static constexpr int kWidth = 72, kHeight = 55;

  SmallRun() {
    recipe_.picture.size = 0;
    recipe_.pyramid.smallest = 30;
  }
  static Pictures pictures(int width = kWidth, int height = kHeight) {
    return single_style(smooth_picture(width, height, 1), smooth_picture(63, 57, 2));
  }
  static void expect_same(const Painted& found, const Painted& expected) {
    ASSERT_EQ(found.history.size(), expected.history.size());
    for (size_t i = 0; i < found.history.size(); ++i) {
      EXPECT_EQ(found.history[i].losses.total, expected.history[i].losses.total) << i;
    }
    EXPECT_TRUE(same_bits(found.picture.rgb, expected.picture.rgb));
  }

  const Model model_ = small_vgg19();
  Recipe recipe_ = small_recipe();
};

}  // namespace limn
