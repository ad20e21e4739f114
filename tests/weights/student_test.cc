// Students in safetensors: written and read, and unsound ones refused.
#include "weights/student.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <limn/limn.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/digest.h"
#include "support/copies.h"
#include "support/drawn_student.h"
#include "support/same_bits.h"
#include "weights/read.h"
#include "weights_files.h"

namespace limn {
namespace {

const StudentWidths kWidths = {{16, 32}, {16}, {32}, {16, 16}, {16}};

class StudentFile : public testing::Test {
 protected:
  StudentFile() {
    // As of a file: the teacher's channels are VGG-19's.
    DrawnStudent drawn = draw_student(kWidths, 1);
    std::vector<Imitation> taps;
    for (const Imitation& tap : drawn.weights.student->imitations) {
      const int channels = kVgg19.rows[find_layer(kVgg19, tap.layer)->row].out;
      taps.push_back(imitation_of(tap.layer, tap.row, channels, copy_of(tap.R)));
    }
    weights_ = std::move(drawn.weights);
    weights_.student = make_student(student_rows(kWidths), std::move(taps),
                                    {"VGG-19", R"({"steps": 7})", "nobody", "CC-BY-4.0"});
    weights_.network = &weights_.student->table;
    write_safetensors(weights_, path_);
    bytes_ = file_bytes(path_);
    std::uint64_t length = 0;
    std::memcpy(&length, bytes_.data(), 8);
    header_ = nlohmann::ordered_json::parse(bytes_.substr(8, length));
    data_ = bytes_.substr(8 + length);
  }

  // The refusal of the file with a changed header.
  std::string refusal_with(const std::function<void(nlohmann::ordered_json&)>& change) const {
    nlohmann::ordered_json header = header_;
    change(header);
    write_raw_safetensors(path_, header.dump(), data_);
    return refusal(path_);
  }
  std::string refusal_with(const char* key, const std::string& value) const {
    return refusal_with([&](auto& header) { header["__metadata__"][key] = value; });
  }
  std::string refusal_without(const char* key) const {
    return refusal_with([&](auto& header) { header["__metadata__"].erase(key); });
  }

  const TemporaryFolder folder_;
  const std::string path_ = folder_.path("student.safetensors");
  Weights weights_;
  std::string bytes_, data_;
  nlohmann::ordered_json header_;
};

void expect_same_student(const Weights& a, const Weights& b) {
  EXPECT_TRUE(same_layers(a, b));
  EXPECT_EQ(a.convention, b.convention);
  ASSERT_TRUE(a.student && b.student);
  EXPECT_EQ(a.network, &a.student->table);
  EXPECT_EQ(widths_of(a.student->rows), widths_of(b.student->rows));
  EXPECT_EQ(student_metadata(*a.student), student_metadata(*b.student));
  ASSERT_EQ(a.student->imitations.size(), b.student->imitations.size());
  for (size_t i = 0; i < a.student->imitations.size(); ++i) {
    const Imitation& of_a = a.student->imitations[i];
    const Imitation& of_b = b.student->imitations[i];
    EXPECT_EQ(of_a.layer, of_b.layer);
    EXPECT_EQ(of_a.row, of_b.row);
    EXPECT_EQ(of_a.channels, of_b.channels);
    EXPECT_TRUE(same_bits(of_a.R, of_b.R)) << of_a.layer;
    EXPECT_TRUE(same_bits(of_a.K, of_b.K)) << of_a.layer;
  }
}

TEST_F(StudentFile, ComesBackTheSameToTheBit) {
  const Weights back = read_weights(path_);
  EXPECT_EQ(back.network->name, "builtin");
  EXPECT_EQ(back.format, ".safetensors");
  expect_same_student(back, weights_);
}

TEST_F(StudentFile, IsReadOutOfMemoryAsWell) {
  const Weights back = read_safetensors("memory", std::as_bytes(std::span(bytes_)));
  EXPECT_EQ(back.source, "memory");
  expect_same_student(back, weights_);
  const std::string half = bytes_.substr(0, bytes_.size() / 2);
  try {
    read_safetensors("memory", std::as_bytes(std::span(half)));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_TRUE(says(error.what(), "'memory'"));
  }
}

TEST_F(StudentFile, ComesBackFromHalfPrecision) {
  write_safetensors(weights_, path_, /*half=*/true);
  const Weights once = read_weights(path_);
  EXPECT_FALSE(same_bits(once.student->imitations[0].R, weights_.student->imitations[0].R));
  write_safetensors(once, path_, /*half=*/true);
  expect_same_student(read_weights(path_), once);
}

TEST_F(StudentFile, IsRefusedWhereAMapIsTooLargeForHalfPrecision) {
  Weights large = copy_of(weights_);
  std::vector<Imitation> taps;
  Buffer<float> R(16 * 16);
  R[0] = 1e6f;
  taps.push_back(imitation_of("relu1_1", 0, 64, std::move(R)));
  large.student = make_student(student_rows(kWidths), std::move(taps));
  large.network = &large.student->table;
  EXPECT_THROW(write_safetensors(large, path_, /*half=*/true), Error);
}

// ----------------------------------------------------------------------------------- unsound ones
// --

TEST_F(StudentFile, NeedsItsMetadata) {
  for (const char* key : {"widths", "taps", "teacher_channels", "pooling", "imitates"}) {
    EXPECT_TRUE(says(refusal_without(key), std::string("of a network 'builtin' should have '") +
                                               key + "', but does not"));
  }
  EXPECT_TRUE(says(refusal_without("mean"), "'mean' is missing"));
  EXPECT_TRUE(
      says(refusal_with("pooling", "average"), "'pooling' should be max, but it has 'average'"));
  EXPECT_TRUE(says(refusal_with("network", "buildin"), "did you mean 'builtin'?"));
}

TEST_F(StudentFile, NeedsWidthsThatANetworkCanHave) {
  EXPECT_TRUE(says(refusal_with("widths", "16/16/16/16"), "have 5 levels"));
  EXPECT_TRUE(says(refusal_with("widths", "16/16/16/16/16/16"), "have 5 levels"));
  EXPECT_TRUE(says(refusal_with("widths", std::string(1'000'000, '/')), "have 5 levels"));
  EXPECT_TRUE(says(refusal_with("widths", "16,16,16,16,16,16,16,16,16/16/16/16/16"),
                   "at most 8 convolutions in a level"));
  for (const char* width :
       {"", "0", "-16", "8", "24", "528", "16x2", " 16", "16.0", "99999999999"}) {
    EXPECT_TRUE(says(refusal_with("widths", fmt::format("16/{}/16/16/16", width)),
                     fmt::format("multiples of 16 up to 512, but it has '{}'", width)));
  }
}

TEST_F(StudentFile, NeedsTapsAtItsConvolutions) {
  EXPECT_TRUE(says(refusal_with("taps", ""), "'relu1_1=...'"));
  EXPECT_TRUE(says(refusal_with("taps", "relu1_1"), "'relu1_1=...'"));
  EXPECT_TRUE(says(refusal_with("taps", "relu1_1=1_1  relu2_1=2_1"), "'relu1_1=...'"));
  EXPECT_TRUE(says(refusal_with("taps", "relu1_1=1_1 relu1_1=1_2"), "name each layer once"));
  const std::string rest = " relu2_1=2_1 relu3_1=3_1 relu4_1=4_1 relu4_2=4_2 relu5_1=5_1";
  for (const char* place : {"1_3", "1", "", "6_1", "1_1_1"}) {
    EXPECT_TRUE(says(refusal_with("taps", fmt::format("relu1_1={}{}", place, rest)),
                     fmt::format("such as 1_1, but it has '{}'", place)));
  }
  for (const char* layer : {"conv1_1", "pool1", "relu9_1", ""}) {
    EXPECT_TRUE(
        says(refusal_with("taps", fmt::format("{}=1_1{}", layer, rest)),
             fmt::format("VGG-19's layers after a ReLU, such as relu4_2, but it has '{}'", layer)));
  }
  EXPECT_TRUE(says(refusal_with("taps", "relu1_1=2_1" + rest), "use each convolution once"));
}

TEST_F(StudentFile, NeedsTheTeachersChannels) {
  const std::string rest = " relu2_1=128 relu3_1=256 relu4_1=512 relu4_2=512 relu5_1=512";
  EXPECT_TRUE(says(refusal_with("teacher_channels", "relu1_1=64"), "name the 6 layers of 'taps'"));
  for (const char* channels : {"63", "", "64x", "99999999999"}) {
    EXPECT_TRUE(says(refusal_with("teacher_channels", fmt::format("relu1_1={}{}", channels, rest)),
                     "should have 'relu1_1=64'"));
  }
  EXPECT_TRUE(says(refusal_with("teacher_channels", "relu1_2=64" + rest), "'relu1_1=64'"));
}

TEST_F(StudentFile, NeedsASquareFiniteMapForEachTap) {
  EXPECT_TRUE(says(refusal_with([](auto& header) { header.erase("tap.relu4_2"); }),
                   "layer relu4_2 should have a map, but there is no tensor 'tap.relu4_2'"));
  EXPECT_TRUE(says(refusal_with([](auto& header) {
                     header["tap.relu4_2"]["shape"] = {8, 32};
                   }),
                   "layer relu4_2 should have a map of 16 x 16, but it is 8 x 32"));
  EXPECT_TRUE(says(refusal_with([](auto& header) { header["tap.relu4_2"]["dtype"] = "I32"; }),
                   "'tap.relu4_2' should be F32, F16 or BF16"));
  std::string data = data_;
  const size_t begin = header_["tap.relu3_1"]["data_offsets"][0];
  const float infinite = INFINITY;
  std::memcpy(data.data() + begin, &infinite, sizeof infinite);
  write_raw_safetensors(path_, header_.dump(), data);
  EXPECT_TRUE(says(refusal(path_), "layer relu3_1 has a map whose values should be finite"));
}

TEST_F(StudentFile, NeedsItsConvolutionsDownToTheLastTap) {
  EXPECT_TRUE(says(refusal_with([](auto& header) {
                     header.erase("conv5_1.weight");
                     header.erase("conv5_1.bias");
                   }),
                   "layer conv5_1, which imitates relu5_1, is missing; the last"));
  EXPECT_TRUE(says(refusal_with([](auto& header) {
                     header.erase("conv3_1.weight");
                     header.erase("conv3_1.bias");
                   }),
                   "layer conv3_1 is missing, but conv5_1 is present"));
  EXPECT_TRUE(says(refusal_with("widths", "16,48/16/32/16,16/16"),
                   "layer conv1_2 should have a weight of 48 x 16 x 3 x 3, but it is 32 x 16"));
}

// Behind the last tap nothing is needed.
TEST_F(StudentFile, MayEndAtItsLastTap) {
  nlohmann::ordered_json header = header_;
  header["__metadata__"]["widths"] = "16,32/16/32/16,16/16,512";
  write_raw_safetensors(path_, header.dump(), data_);
  EXPECT_TRUE(same_layers(read_weights(path_), weights_));
}

// --------------------------------------------------------------------------------- the built-in
// one

TEST(BuiltinNetwork, IsInsideTheLibrary) {
  const Model model = Model::builtin();
  EXPECT_EQ(model.network(), "builtin");
  EXPECT_EQ(model.weights().source, "builtin");
  const NetworkTable& table = *model.weights().network;
  EXPECT_EQ(layer_names(table), (std::vector<std::string>{"relu1_1", "relu2_1", "relu3_1",
                                                          "relu4_1", "relu4_2", "relu5_1"}));
  EXPECT_FALSE(model.weights().student->provenance.attribution.empty());
  EXPECT_EQ(sha256_of_bytes(builtin_file()).size(), 64u);
}

TEST(BuiltinNetwork, ComesBackFromAFile) {
  const TemporaryFolder folder;
  const Model model = Model::builtin();
  model.write(folder.path("a.safetensors"));
  expect_same_student(Model::read(folder.path("a.safetensors")).weights(), model.weights());
}

}  // namespace
}  // namespace limn
