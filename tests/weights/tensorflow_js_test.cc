// TensorFlow.js's models with their shards, whole and unsound.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "support/same_bits.h"
#include "tensorflow_js_writer.h"
#include "weights/read.h"

namespace limn {
namespace {

using Json = nlohmann::json;

class TensorFlowJs : public testing::Test {
 protected:
  // Lists, not JSON: braces around one JSON value make no JSON list of it.
  using Groups = std::vector<Json>;
  Weights read(const Groups& groups) const {
    write_bytes(path_, js_model(groups));
    return read_weights(path_);
  }
  std::string refusal_of(const Groups& groups) const { return refusal_of_text(js_model(groups)); }
  std::string refusal_of_text(const std::string& text) const {
    write_bytes(path_, text);
    return refusal(path_);
  }

  // The first layer's group, whose kernel is kept in this way, as `bytes`.
  Weights read_quantized(const Json& quantization, const std::string& bytes) const {
    JsGroup group = js_group(sample_weights(kVgg19, 1));
    group.weights[0]["quantization"] = quantization;
    group.bytes.replace(0, 3 * 3 * 3 * 64 * sizeof(float), bytes);
    return read({write_js_shards(folder_, group, 1000)});
  }

  const TemporaryFolder folder_;
  const std::string path_ = folder_.path("model.json");
  const Weights sample_ = sample_weights(kVgg19, 2);
  const Json group_ = write_js_shards(folder_, js_group(sample_));
};

// --------------------------------------------------------------------------------- sound files --

// With shards of 50,000 bytes the second kernel lies in four of them.
TEST_F(TensorFlowJs, ReadsWeightsAcrossShards) {
  const Weights weights = read({group_});
  EXPECT_TRUE(same_layers(weights, sample_));
  EXPECT_EQ(weights.convention, kCaffeConvention);
  EXPECT_EQ(weights.format, "TensorFlow.js model.json");
  for (const size_t bytes : {1'000'003, 6912, 997})
    EXPECT_TRUE(same_layers(read({write_js_shards(folder_, js_group(sample_), bytes)}), sample_));
}

TEST_F(TensorFlowJs, ReadsAManifestByItself) {
  write_bytes(path_, " \n" + Json::array({group_}).dump(2));
  EXPECT_TRUE(same_layers(read_weights(path_), sample_));
}

TEST_F(TensorFlowJs, ReadsNamesWithModelsInFront) {
  for (const char* prefix : {"vgg19/", "model_1/vgg19/", "/"})
    EXPECT_TRUE(same_layers(read({write_js_shards(folder_, js_group(sample_, prefix))}), sample_));
}

TEST_F(TensorFlowJs, ReadsSeveralGroupsAndFolders) {
  std::filesystem::create_directory(folder_.path("second"));
  JsGroup second;
  second.weights = {{{"name", "a/dense/kernel"}, {"shape", {2, 3}}, {"dtype", "int32"}},
                    {{"name", "b/dense/kernel"}, {"shape", Json::array()}, {"dtype", "bool"}},
                    {{"name", "none"}, {"shape", {0, 1ull << 60}}, {"dtype", "complex64"}}};
  second.bytes = std::string(25, '\xff');
  write_bytes(folder_.path("second/dense.bin"), second.bytes);
  EXPECT_TRUE(same_layers(
      read({{{"paths", {"second/dense.bin"}}, {"weights", second.weights}}, group_}), sample_));
}

TEST_F(TensorFlowJs, TellsVgg16FromVgg19) {
  const Weights vgg16 = sample_weights(kVgg16, 8);
  const Json group = write_js_shards(folder_, js_group(vgg16), 4'000'000);
  EXPECT_TRUE(same_layers(read({group}), vgg16));
}

TEST_F(TensorFlowJs, ReadsQuantizedWeights) {
  constexpr size_t kCount = 3 * 3 * 3 * 64;
  std::string bytes8;
  std::string bytes16;
  for (size_t i = 0; i < kCount; ++i) {
    bytes8 += static_cast<char>(i % 256);
    bytes16 += {static_cast<char>(i * 37 % 256), static_cast<char>(i * 37 / 256)};
  }
  const Json affine = {{"scale", 0.0123}, {"min", -1.5}};
  for (const int width : {1, 2}) {
    Json quantization = affine;
    quantization["dtype"] = width == 1 ? "uint8" : "uint16";
    const Weights weights = read_quantized(quantization, width == 1 ? bytes8 : bytes16);
    const std::vector<float> kernel = keras_order(weights.convolutions[0]);
    for (size_t i = 0; i < kCount; ++i) {
      const double stored = static_cast<double>(width == 1 ? i % 256 : i * 37);
      ASSERT_EQ(kernel[i], static_cast<float>(stored * 0.0123 - 1.5)) << i;
    }
    EXPECT_TRUE(same_bits(weights.convolutions[0].bias, sample_.convolutions[0].bias));
  }
  std::string halves;
  for (size_t i = 0; i < kCount; ++i) halves += std::string("\x00\xc1", 2);  // -2.5
  const Weights weights = read_quantized({{"dtype", "float16"}}, halves);
  for (const float value : weights.convolutions[0].kernel.values) ASSERT_EQ(value, -2.5f);
}

// ------------------------------------------------------------------------------- unsound files --

TEST_F(TensorFlowJs, RefusesOtherJson) {
  EXPECT_TRUE(says(refusal_of_text(R"({"not": "weights"})"), "it has no weightsManifest"));
  EXPECT_TRUE(says(refusal_of_text(R"({"weightsManifest": 3})"), "should be a list"));
  EXPECT_TRUE(says(refusal_of_text(R"({"a": 1e999})"), "a number that is too large"));
  EXPECT_TRUE(says(refusal_of_text(js_model(Groups{group_}).substr(0, 200)), "is invalid at byte"));
  EXPECT_TRUE(says(refusal_of_text("{\"a\": " + std::string(4'000'000, '[')), "more than the"));
  EXPECT_TRUE(says(refusal_of_text("{\"a\": " + std::string(500'000, '[')), "is invalid at byte"));
}

TEST_F(TensorFlowJs, RefusesShardsOutsideOfItsFolder) {
  Json group = group_;
  for (const Json& path : {Json("/etc/passwd"), Json("../shard0.bin"), Json("a/../../b.bin"),
                           Json(""), Json(7), Json(std::string("a\0b", 3))}) {
    group["paths"][0] = path;
    EXPECT_TRUE(says(refusal_of({group}), "should be names of files beside it, but one is '"));
  }
}

TEST_F(TensorFlowJs, RefusesShardsThatAreNotThere) {
  Json group = group_;
  group["paths"][1] = "https://example.org/shard1.bin";
  EXPECT_TRUE(says(refusal_of({group}), "should lie beside it, but it is not there; fetch it too"));
  std::filesystem::remove(folder_.path("shard2.bin"));
  EXPECT_TRUE(says(refusal_of({group_}), "its shard 'shard2.bin'"));
  std::filesystem::create_directory(folder_.path("shard2.bin"));
  EXPECT_TRUE(says(refusal_of({group_}), "its shard 'shard2.bin'"));
}

TEST_F(TensorFlowJs, RefusesShardsCutShortOrTooLong) {
  const std::string last = file_bytes(folder_.path("shard3.bin"));
  write_bytes(folder_.path("shard3.bin"), last.substr(1));
  EXPECT_TRUE(says(refusal_of({group_}), "weight 'block1_conv2/bias' of 64 should lie in its"));
  write_bytes(folder_.path("shard3.bin"), last + "x");
  EXPECT_TRUE(says(refusal_of({group_}), "but they have 154881; are they from another model?"));
}

TEST_F(TensorFlowJs, RefusesShapesBeyondTheShards) {
  Json group = group_;
  const std::uint64_t half = 1ull << 32;
  for (const Json& shape :
       {Json{half, half}, Json{half, half, half, half}, Json::array({1'000'000'000})}) {
    group["weights"][1]["shape"] = shape;
    EXPECT_TRUE(says(refusal_of({group}), "should lie in its group's shards"));
  }
  group["weights"][1]["shape"] = Json::array({-64});
  EXPECT_TRUE(says(refusal_of({group}), "should be at most 32 whole numbers"));
  group["weights"][1]["shape"] = std::vector<int>(40, 1);
  EXPECT_TRUE(says(refusal_of({group}), "should be at most 32 whole numbers"));
}

TEST_F(TensorFlowJs, RefusesWrongShapes) {
  Json group = group_;
  group["weights"][0]["shape"] = {3, 3, 64, 3};
  EXPECT_TRUE(says(refusal_of({group}),
                   "layer block1_conv1 should have a kernel of 3 x 3 x 3 x 64, but it is 3 x 3 x"));
}

TEST_F(TensorFlowJs, RefusesOtherTypes) {
  Json group = group_;
  group["weights"][0]["dtype"] = "int32";
  EXPECT_TRUE(says(refusal_of({group}), "should be float32, but it is int32"));
  group["weights"][0]["dtype"] = "string";
  EXPECT_TRUE(says(refusal_of({group}), "should be float32, but it is 'string'"));
  group["weights"][0]["dtype"] = "int32";
  group["weights"][0]["quantization"] = {{"dtype", "uint8"}, {"scale", 1}, {"min", 0}};
  EXPECT_TRUE(says(refusal_of({group}), "should be float32, but it is int32"));
}

TEST_F(TensorFlowJs, RefusesHalfAQuantization) {
  EXPECT_TRUE(says(
      [&] {
        Json group = group_;
        group["weights"][1]["quantization"] = {{"dtype", "uint8"}, {"scale", "1"}, {"min", 0}};
        return refusal_of({group});
      }(),
      "the quantization of weight 'block1_conv1/bias' should have a number 'scale'"));
}

TEST_F(TensorFlowJs, RefusesAManifestWithoutWhatItNeeds) {
  for (const char* key : {"paths", "weights"}) {
    Json group = group_;
    group.erase(key);
    EXPECT_TRUE(says(refusal_of({group}), std::string("should have a list of ") + key));
  }
  for (const char* key : {"name", "shape", "dtype"}) {
    Json group = group_;
    group["weights"][2].erase(key);
    EXPECT_TRUE(says(refusal_of({group}), key));
  }
  EXPECT_TRUE(says(refusal_of({7}), "a group of the weightsManifest should have a list of paths"));
  EXPECT_TRUE(says(refusal_of(Groups()), "has no layer block1_conv1"));
}

TEST_F(TensorFlowJs, RefusesALayerThatIsThereTwice) {
  EXPECT_TRUE(says(refusal_of({group_, group_}),
                   "should be one weight 'block1_conv1/kernel', but there are two"));
}

TEST_F(TensorFlowJs, RefusesNumbersThatAreNotFinite) {
  Json group = group_;
  std::string shard = file_bytes(folder_.path("shard0.bin"));
  std::memset(shard.data() + 4000, 0xff, 4);
  write_bytes(folder_.path("shard0.bin"), shard);
  EXPECT_TRUE(says(refusal_of({group_}), "layer block1_conv1 has a kernel whose values should be"));
}

}  // namespace
}  // namespace limn
