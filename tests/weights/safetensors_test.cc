// Safetensors written and read. Unsound ones are in safetensors_header_test.cc.
#include <gtest/gtest.h>
#include <limn/limn.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "containers/numbers.h"
#include "safetensors_file_test.h"
#include "weights/tensors.h"

namespace limn {
namespace {

class Safetensors : public SafetensorsFileTest {};

// ------------------------------------------------------------------------------------- writing --

TEST_F(Safetensors, ComeBackTheSameToTheBit) {
  Weights weights = sample_weights(kVgg19, 3);
  const std::array awkward = {-0.0f, 0.1f, std::numeric_limits<float>::denorm_min(),
                              -std::numeric_limits<float>::max(),
                              std::numeric_limits<float>::min()};
  for (Convolution& convolution : weights.convolutions) {
    std::ranges::copy(awkward, convolution.kernel.values.begin() + 1);
    std::ranges::copy(awkward, convolution.bias.end() - 5);
  }
  write_safetensors(weights, path_);
  EXPECT_TRUE(same_layers(read_weights(path_), weights));
}

TEST_F(Safetensors, KeepTheInputConventionToTheBit) {
  const InputConvention conventions[] = {
      kCaffeConvention,
      kTorchvisionConvention,
      {false, 1.0f / 3, {0.1f, -1e-30f, 16777217.0f}, {1e30f, 0.7f, 1.0f / 7}},
  };
  Weights weights = sample_weights(kVgg19, 1);
  for (const InputConvention& convention : conventions) {
    weights.convention = convention;
    write_safetensors(weights, path_);
    EXPECT_EQ(read_weights(path_).convention, convention);
  }
}

// Without metadata, under the names of a model around it.
TEST_F(Safetensors, AreReadUnderOtherNames) {
  const Weights weights = sample_weights(kVgg19, 1);
  const Convolution& layer = weights.convolutions[0];
  const std::vector<float> kernel = unpacked(layer.kernel);
  std::string data;
  for (const std::span<const float> values :
       {std::span<const float>(kernel), std::span<const float>(layer.bias)})
    data.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  write_raw_safetensors(
      path_,
      R"({"net.vgg.features.0.weight":{"dtype":"F32","shape":[64,3,3,3],"data_offsets":[0,6912]},)"
      R"("net.vgg.features.0.bias":{"dtype":"F32","shape":[64],"data_offsets":[6912,7168]}})",
      data);
  const Weights read = read_weights(path_);
  EXPECT_TRUE(same_layers(read, weights));
  EXPECT_EQ(read.convention, kTorchvisionConvention);
}

// By its layers alone this file would be taken for VGG-19.
TEST_F(Safetensors, KeepTheNetworkOfAFileThatEndsEarly) {
  write_safetensors(sample_weights(kVgg16, 2), path_);
  EXPECT_EQ(read_weights(path_).network, &kVgg16);
}

TEST_F(Safetensors, AreLaidOutAsTheFormatAsks) {
  const Weights weights = sample_weights(kVgg19, 2);
  write_safetensors(weights, path_);
  const std::string bytes = file_bytes(path_);
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), 8);
  ASSERT_LT(8 + header_bytes, bytes.size());
  EXPECT_EQ(header_bytes % 8, 0u) << "the data is not aligned";
  EXPECT_EQ(bytes[8], '{');

  const nlohmann::json header = nlohmann::json::parse(bytes.substr(8, header_bytes));
  const std::string data = bytes.substr(8 + header_bytes);
  // Other readers refuse files with holes, so every tensor begins where another ends.
  const char* const names[] = {"features.0.weight", "features.0.bias", "features.2.weight",
                               "features.2.bias"};
  ASSERT_EQ(header.size(), 5u);
  size_t end = 0;
  for (const char* name : names) {
    EXPECT_EQ(header[name]["dtype"], "F32");
    EXPECT_EQ(header[name]["data_offsets"][0], end);
    end = header[name]["data_offsets"][1];
  }
  EXPECT_EQ(end, data.size());
  EXPECT_EQ(header["features.2.weight"]["shape"], nlohmann::json({64, 64, 3, 3}));
  EXPECT_EQ(header["features.2.bias"]["shape"], nlohmann::json({64}));
  float first = 0;
  std::memcpy(&first, data.data() + kWeightBytes + kBiasBytes, sizeof first);
  EXPECT_EQ(first, weights.convolutions[1].kernel.values[0]);
  EXPECT_EQ(header["__metadata__"]["network"], "vgg19");
  EXPECT_EQ(header["__metadata__"]["channel_order"], "bgr");
  EXPECT_EQ(header["__metadata__"]["scale"], "255");
  EXPECT_EQ(header["__metadata__"]["mean"], "103.939 116.779 123.68");
  EXPECT_EQ(header["__metadata__"]["deviation"], "1 1 1");
}

TEST_F(Safetensors, ReplaceAnOldFileWhole) {
  write_bytes(path_, std::string(1'000'000, 'x'));
  const Weights weights = sample_weights(kVgg19, 1);
  write_safetensors(weights, path_);
  EXPECT_TRUE(same_layers(read_weights(path_), weights));
  const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
  const auto files = std::filesystem::directory_iterator(folder);
  EXPECT_EQ(std::distance(begin(files), end(files)), 1) << "a temporary file is left";
}

// ------------------------------------------------------------------------------ half precision --

// Every value that a half has, and half the way to the next one: written so and read back.
TEST_F(Safetensors, RoundToTheNearestHalfTiesToEven) {
  constexpr int kHalves = 0x7c00;  // from 0 up to, but without, infinity
  std::vector<std::byte> words(2 * (kHalves + 1));
  for (int i = 0; i <= kHalves; ++i) {
    words[2 * i] = static_cast<std::byte>(i & 255);
    words[2 * i + 1] = static_cast<std::byte>(i >> 8);
  }
  Buffer<float> halves = to_floats(words, NumberType::f16);
  halves[kHalves] = 65536;  // what would come next
  for (int i = 0; i < kHalves; ++i) {
    const float middle = (halves[i] + halves[i + 1]) / 2;
    const int even = i % 2 == 0 ? i : i + 1;
    for (const std::uint16_t sign : {0, 0x8000}) {
      const float side = sign ? -1.0f : 1.0f;
      ASSERT_EQ(to_half(side * halves[i]), sign | i);
      ASSERT_EQ(to_half(side * middle), sign | even);
      ASSERT_EQ(to_half(side * std::nextafter(middle, 0.0f)), sign | i);
      ASSERT_EQ(to_half(side * std::nextafter(middle, 1e9f)), sign | (i + 1));
    }
  }
  EXPECT_EQ(to_half(std::numeric_limits<float>::denorm_min()), 0);
  EXPECT_EQ(to_half(-std::numeric_limits<float>::infinity()), 0xfc00);
  EXPECT_EQ(to_half(std::numeric_limits<float>::max()), 0x7c00);
  EXPECT_GT(to_half(std::numeric_limits<float>::quiet_NaN()), 0x7c00);
}

// sample_weights' values are halves, so that nothing is lost but bytes.
TEST_F(Safetensors, ComeBackFromHalfPrecision) {
  const Weights weights = sample_weights(kVgg19, 2);
  write_safetensors(weights, path_);
  const size_t single_bytes = file_bytes(path_).size();
  write_safetensors(weights, path_, /*half=*/true);
  const Weights back = read_weights(path_);
  EXPECT_TRUE(same_layers(back, weights));
  EXPECT_EQ(back.convention, weights.convention);
  EXPECT_NEAR(static_cast<double>(file_bytes(path_).size()), single_bytes / 2.0, 400.0);
  EXPECT_NE(file_bytes(path_).find(R"("dtype":"F16")"), std::string::npos);
}

TEST_F(Safetensors, RefuseValuesTooLargeForHalfPrecision) {
  Weights weights = sample_weights(kVgg19, 2);
  weights.source = "large.h5";
  write_bytes(path_, "an old file");
  weights.convolutions[1].bias[7] = 65519;
  EXPECT_NO_THROW(write_safetensors(weights, folder_.path("b.safetensors"), /*half=*/true));
  weights.convolutions[1].bias[7] = -65520;
  try {
    write_safetensors(weights, path_, /*half=*/true);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::file);
    EXPECT_TRUE(says(error.what(), "layer conv1_2 of 'large.h5' has the value -65520"));
  }
  EXPECT_EQ(file_bytes(path_), "an old file");
}

TEST_F(Safetensors, CannotBeWrittenIntoAFolderThatIsNotThere) {
  const std::string path = folder_.path("none/vgg.safetensors");
  try {
    write_safetensors(sample_weights(kVgg19, 1), path);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::file);
    EXPECT_TRUE(says(error.what(), "'" + path + "'"));
  }
}

// ------------------------------------------------------------------------------------- reading --

TEST_F(Safetensors, WithoutMetadataHaveTorchvisionsConvention) {
  const Weights weights = read_raw(entries({kWeight, kBias}));
  EXPECT_EQ(weights.convention, kTorchvisionConvention);
  EXPECT_EQ(weights.network, &kVgg19);
  EXPECT_EQ(weights.convolutions.size(), 1u);
  EXPECT_TRUE(well_formed(weights));
}

TEST_F(Safetensors, IgnoreForeignMetadataAndTheClassifier) {
  const Weights weights = read_raw(
      entries({R"("__metadata__":{"format":"pt","":"x"})",
               R"("classifier.0.weight":{"dtype":"I64","shape":[9,9],"data_offsets":[7168,7169]})",
               kWeight, kBias}),
      std::string(kWeightBytes + kBiasBytes + 1, '\0'));
  EXPECT_EQ(weights.convention, kTorchvisionConvention);
  EXPECT_TRUE(well_formed(weights));
}

// Every pattern of 16 bits that is a finite half, against the value computed from its fields.
TEST_F(Safetensors, ReadEveryHalf) {
  std::vector<std::uint16_t> finite;
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    if ((bits >> 10 & 31) != 31) finite.push_back(static_cast<std::uint16_t>(bits));
  }
  const std::string header =
      entries({R"("features.0.weight":{"dtype":"F16","shape":[64,3,3,3],"data_offsets":[0,3456]})",
               R"("features.0.bias":{"dtype":"F16","shape":[64],"data_offsets":[3456,3584]})"});
  constexpr size_t kCount = 1728 + 64;  // values in one file
  for (size_t from = 0; from < finite.size(); from += kCount) {
    std::vector<std::uint16_t> values(finite.begin() + static_cast<std::ptrdiff_t>(from),
                                      finite.end());
    values.resize(kCount);
    const Weights weights = read_raw(
        header, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof values[0]});
    const Convolution& layer = weights.convolutions[0];
    const std::vector<float> kernel = unpacked(layer.kernel);
    for (size_t i = 0; i < kCount; ++i) {
      const int exponent = values[i] >> 10 & 31;
      const int fraction = values[i] & 1023;
      const float magnitude = exponent == 0
                                  ? std::ldexp(static_cast<float>(fraction), -24)
                                  : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
      const float expected = std::copysign(magnitude, values[i] & 0x8000 ? -1.0f : 1.0f);
      const float read = i < 1728 ? kernel[i] : layer.bias[i - 1728];
      ASSERT_EQ(read, expected) << "of bits " << values[i];
      ASSERT_EQ(std::signbit(read), std::signbit(expected)) << "of bits " << values[i];
    }
  }
}

TEST_F(Safetensors, ReadBfloats) {
  std::vector<std::uint16_t> values(1728 + 64, 0x3f80);  // 1
  values[1] = 0xc049;                                    // -3.140625
  values[1728] = 0x0001;                                 // 2^-133, a subnormal
  const Weights weights = read_raw(
      entries({R"("features.0.weight":{"dtype":"BF16","shape":[64,3,3,3],"data_offsets":[0,3456]})",
               R"("features.0.bias":{"dtype":"BF16","shape":[64],"data_offsets":[3456,3584]})"}),
      {reinterpret_cast<const char*>(values.data()), values.size() * sizeof values[0]});
  EXPECT_EQ(unpacked(weights.convolutions[0].kernel)[0], 1.0f);
  EXPECT_EQ(unpacked(weights.convolutions[0].kernel)[1], -3.140625f);
  EXPECT_EQ(weights.convolutions[0].bias[0], 0x1p-133f);
  EXPECT_EQ(weights.convolutions[0].bias[63], 1.0f);
}

// Torchvision's indices, until 4_1: after it the two networks' differ.
TEST_F(Safetensors, TellVgg16FromVgg19ByTheirIndices) {
  struct Known {
    const NetworkTable* network;
    std::vector<int> indices;
  };
  const Known networks[] = {{&kVgg16, {0, 2, 5, 7, 10, 12, 14, 17}},
                            {&kVgg19, {0, 2, 5, 7, 10, 12, 14, 16, 19}}};
  for (const Known& known : networks) {
    const Weights weights = sample_weights(*known.network, known.indices.size());
    std::string data;
    std::vector<std::string> list;
    const auto add = [&](const std::string& name, const std::string& shape,
                         std::span<const float> values) {
      const size_t begin = data.size();
      data.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
      list.push_back("\"features." + name + R"(":{"dtype":"F32","shape":)" + shape +
                     ",\"data_offsets\":[" + std::to_string(begin) + "," +
                     std::to_string(data.size()) + "]}");
    };
    for (size_t i = 0; i < weights.convolutions.size(); ++i) {
      const Convolution& layer = weights.convolutions[i];
      const std::string index = std::to_string(known.indices[i]);
      const std::string out = std::to_string(layer.out());
      add(index + ".weight", "[" + out + "," + std::to_string(layer.in()) + ",3,3]",
          unpacked(layer.kernel));
      add(index + ".bias", "[" + out + "]", layer.bias);
    }
    EXPECT_TRUE(same_layers(read_raw(entries(list), data), weights));
  }
}

}  // namespace
}  // namespace limn
