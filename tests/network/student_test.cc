// Tables of students: their rows, and where they stand for another network's layers.
#include "network/student.h"

#include <gtest/gtest.h>

#include "support/errors.h"

namespace limn {
namespace {

TEST(StudentRows, AreThoseOfTheirWidths) {
  const StudentWidths widths = {{16, 32}, {48}, {64, 64, 80}, {512}, {16, 16}};
  const std::vector<Row> rows = student_rows(widths);
  const char* const ids[] = {"1_1", "1_2", "1",   "2_1", "2",   "3_1", "3_2",
                             "3_3", "3",   "4_1", "4",   "5_1", "5_2"};
  ASSERT_EQ(rows.size(), std::size(ids));
  int channels = 3;
  for (size_t i = 0; i < rows.size(); ++i) {
    const bool pooling = std::string_view(ids[i]).size() == 1;
    EXPECT_EQ(rows[i].id, ids[i]);
    EXPECT_EQ(rows[i].kind, pooling ? RowKind::pooling : RowKind::convolution);
    EXPECT_EQ(rows[i].in, channels) << ids[i];
    channels = rows[i].out;
  }
  EXPECT_EQ(rows[6].out, 64);
  EXPECT_EQ(rows[9].out, 512);
  EXPECT_EQ(widths_of(rows), widths);
}

TEST(StudentRows, MayBeAsManyAsALevelHas) {
  const StudentWidths widths(kStudentLevels, std::vector<int>(kMostStudentConvolutions, 16));
  const std::vector<Row> rows = student_rows(widths);
  EXPECT_EQ(rows.back().id, "5_8");
  EXPECT_EQ(widths_of(rows), widths);
}

class AStudent : public testing::Test {
 protected:
  AStudent() {
    Buffer<float> R(16 * 16);
    R[0] = 2;       // R[0][0]
    R[3] = 5;       // R[0][3]
    R[3 * 17] = 7;  // R[3][3]
    std::vector<Imitation> taps;
    taps.push_back(imitation_of("relu1_1", 0, 64, Buffer<float>(16 * 16)));
    taps.push_back(imitation_of("relu4_2", 3, 512, std::move(R)));
    student_ = make_student(student_rows({{16, 16}, {16}}), std::move(taps));
  }
  const NetworkTable& table() const { return student_->table; }

  std::shared_ptr<const Student> student_;
};

TEST_F(AStudent, HasTheLayersThatItImitatesAndNoOthers) {
  EXPECT_EQ(table().name, "builtin");
  EXPECT_EQ(find_layer(table(), "relu1_1"), (LayerPosition{0, Tap::output}));
  EXPECT_EQ(find_layer(table(), "relu4_2"), (LayerPosition{3, Tap::output}));
  for (const char* layer : {"relu2_1", "conv1_1", "pool1", "relu1_2", "", "relu4_22"}) {
    EXPECT_FALSE(find_layer(table(), layer)) << layer;
  }
  EXPECT_EQ(layer_names(table()), (std::vector<std::string>{"relu1_1", "relu4_2"}));
  EXPECT_EQ(imitation_at(table(), {3, Tap::output})->channels, 512);
  EXPECT_EQ(imitation_at(table(), {1, Tap::output}), nullptr);
  EXPECT_EQ(imitation_at(kVgg19, {3, Tap::output}), nullptr);
}

TEST_F(AStudent, KnowsTheSquareOfEachMap) {
  const Buffer<double>& K = imitation_at(table(), {3, Tap::output})->K;
  ASSERT_EQ(K.size(), 256u);
  for (size_t i = 0; i < 16; ++i) {
    for (size_t j = 0; j < 16; ++j) {
      const double expected = i == 0 && j == 0                       ? 4
                              : i == 3 && j == 3                     ? 25 + 49
                              : (i == 0 && j == 3) || (i == 3 && !j) ? 10
                                                                     : 0;
      EXPECT_EQ(K[i * 16 + j], expected) << i << ", " << j;
    }
  }
}

TEST(NetworkNames, AreThoseOfTheVggsAndOfTheBuiltinOne) {
  for (const char* name : {"builtin", "vgg16", "vgg19"}) EXPECT_NO_THROW(check_network_name(name));
  EXPECT_TRUE(says(error_of([] { check_network_name("buildin"); }), ErrorKind::usage, "'buildin'",
                   "did you mean 'builtin'?", "builtin, vgg16, vgg19"));
}

}  // namespace
}  // namespace limn
