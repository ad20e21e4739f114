#include <gtest/gtest.h>
#include <limn/limn.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "weights/read.h"
#include "weights_files.h"

namespace limn {
namespace {

// The header of a file with only conv1_1 and zeros for it, 7,168 bytes of data.
constexpr size_t kWeightBytes = 64 * 3 * 3 * 3 * 4;
constexpr size_t kBiasBytes = 64 * 4;
const std::string kWeight =
    R"("features.0.weight":{"dtype":"F32","shape":[64,3,3,3],"data_offsets":[0,6912]})";
const std::string kBias =
    R"("features.0.bias":{"dtype":"F32","shape":[64],"data_offsets":[6912,7168]})";

// The header's object of these entries.
std::string entries(const std::vector<std::string>& list) {
  std::string header = "{";
  for (const std::string& entry : list) header += (header.size() > 1 ? "," : "") + entry;
  return header + "}";
}

std::string replaced(std::string text, const std::string& old, const std::string& with) {
  const size_t place = text.find(old);
  EXPECT_NE(place, std::string::npos) << "'" << old << "' is not in " << text;
  return text.replace(place, old.size(), with);
}

class Safetensors : public testing::Test {
 protected:
  Weights read_raw(const std::string& header,
                   const std::string& data = std::string(kWeightBytes + kBiasBytes, '\0')) const {
    write_raw_safetensors(path_, header, data);
    return read_safetensors(path_);
  }
  std::string refusal_of(const std::string& header,
                         const std::string& data = std::string(kWeightBytes + kBiasBytes,
                                                               '\0')) const {
    write_raw_safetensors(path_, header, data);
    return refusal(path_);
  }

  const TemporaryFolder folder_;
  const std::string path_ = folder_.path("vgg.safetensors");
};

// ------------------------------------------------------------------------------------- writing --

TEST_F(Safetensors, ComeBackTheSameToTheBit) {
  Weights weights = sample_weights(kVgg19, 3);
  const std::array awkward = {-0.0f, 0.1f, std::numeric_limits<float>::denorm_min(),
                              -std::numeric_limits<float>::max(),
                              std::numeric_limits<float>::min()};
  for (Convolution& convolution : weights.convolutions) {
    std::ranges::copy(awkward, convolution.kernel.begin() + 1);
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
  EXPECT_EQ(first, weights.convolutions[1].kernel[0]);
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
    for (size_t i = 0; i < kCount; ++i) {
      const int exponent = values[i] >> 10 & 31;
      const int fraction = values[i] & 1023;
      const float magnitude = exponent == 0
                                  ? std::ldexp(static_cast<float>(fraction), -24)
                                  : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
      const float expected = std::copysign(magnitude, values[i] & 0x8000 ? -1.0f : 1.0f);
      const Convolution& layer = weights.convolutions[0];
      const float read = i < 1728 ? layer.kernel[i] : layer.bias[i - 1728];
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
  EXPECT_EQ(weights.convolutions[0].kernel[0], 1.0f);
  EXPECT_EQ(weights.convolutions[0].kernel[1], -3.140625f);
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
                         const std::vector<float>& values) {
      const size_t begin = data.size();
      data.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
      list.push_back("\"features." + name + R"(":{"dtype":"F32","shape":)" + shape +
                     ",\"data_offsets\":[" + std::to_string(begin) + "," +
                     std::to_string(data.size()) + "]}");
    };
    for (size_t i = 0; i < weights.convolutions.size(); ++i) {
      const Convolution& layer = weights.convolutions[i];
      const std::string index = std::to_string(known.indices[i]);
      const std::string out = std::to_string(layer.out);
      add(index + ".weight", "[" + out + "," + std::to_string(layer.in) + ",3,3]", layer.kernel);
      add(index + ".bias", "[" + out + "]", layer.bias);
    }
    EXPECT_TRUE(same_layers(read_raw(entries(list), data), weights));
  }
}

// ------------------------------------------------------------------------------- the file's frame
// --

TEST_F(Safetensors, AreRefusedWhenShorterThanTheirFrame) {
  write_bytes(path_, std::string("\x02\0\0\0\0\0\0", 7));
  try {
    read_safetensors(path_);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::file);
    EXPECT_TRUE(says(error.what(), path_));
    EXPECT_TRUE(says(error.what(), "has only 7 byte(s)"));
  }
}

TEST_F(Safetensors, AreRefusedWhenTheHeadersLengthIsHuge) {
  write_raw_safetensors(path_, entries({kWeight, kBias}), std::string(7168, '\0'));
  const std::string sound = file_bytes(path_);
  write_bytes(path_, std::string(8, '\xff') + sound.substr(8));
  const std::string message = refusal(path_);
  EXPECT_TRUE(says(message, "header should have at most"));
  EXPECT_TRUE(says(message, "its length is given as 18446744073709551615"));
}

TEST_F(Safetensors, AreRefusedWhenTheHeaderIsOneByteLongerThanTheFile) {
  write_raw_safetensors(path_, entries({kWeight, kBias}), "");
  const std::string sound = file_bytes(path_);
  std::string longer = sound;
  longer[0] = static_cast<char>(longer[0] + 1);
  write_bytes(path_, longer);
  EXPECT_TRUE(says(refusal(path_), "header should have at most"));
}

// The format allows no header above 100 MB, however large the file. (A hole: it takes no disk.)
TEST_F(Safetensors, AreRefusedWhenTheHeaderIsAboveTheFormatsLimit) {
  write_bytes(path_, std::string("\x00\xe2\xf5\x05\0\0\0\0{", 9));  // 100,000,256
  std::filesystem::resize_file(path_, 200'000'000);
  const std::string message = refusal(path_);
  EXPECT_TRUE(says(message, "at most 100000000 bytes"));
  EXPECT_TRUE(says(message, "100000256"));
}

TEST_F(Safetensors, AreRefusedWhenCutShort) {
  write_raw_safetensors(path_, entries({kWeight, kBias}), std::string(7168, '\0'));
  const std::string sound = file_bytes(path_);
  write_bytes(path_, sound.substr(0, sound.size() - 1));
  const std::string message = refusal(path_);
  EXPECT_TRUE(says(message, "'features.0.bias' should lie within the file's 7167 bytes"));
  EXPECT_TRUE(says(message, "fetch it again"));
}

// ---------------------------------------------------------------------------------- the header --

TEST_F(Safetensors, AreRefusedWhenTheHeaderIsNotJson) {
  EXPECT_TRUE(says(refusal_of("{"), "the header should be JSON"));
  EXPECT_TRUE(says(refusal_of("{}garbage"), "the header should be JSON"));
  EXPECT_TRUE(says(refusal_of("{'single': 1}"), "the header should be JSON"));
  EXPECT_TRUE(says(refusal_of("{\"\xff\xfe\": 1}"), "the header should be JSON"));
}

// Ten million brackets: a reader that calls itself for each would run out of stack.
TEST_F(Safetensors, AreRefusedWhenTheHeaderNestsDeeply) {
  EXPECT_TRUE(says(refusal_of("{\"features.0.weight\":" + std::string(10'000'000, '[')),
                   "the header's 'features.0.weight' has a list"));
  std::string objects = "{";
  for (int i = 0; i < 100'000; ++i) objects += "\"a\":{";
  EXPECT_TRUE(says(refusal_of(objects), "has an object"));
}

struct BadHeader {
  const char* why;
  std::string header;
  std::vector<std::string> expected;
};

std::vector<BadHeader> bad_headers() {
  const std::string dtype = R"("dtype":"F32")";
  const std::string shape = R"("shape":[64,3,3,3])";
  const std::string offsets = R"("data_offsets":[0,6912])";
  const auto with = [](const std::string& old, const std::string& now) {
    return entries({replaced(kWeight, old, now), kBias});
  };
  return {
      {"offsets beyond the file",
       with("[0,6912]", "[9000,15912]"),
       {"features.0.weight", "9000 and 15912", "7168 bytes of data"}},
      {"offsets that would wrap",
       with("[0,6912]", "[18446744073709551615,6911]"),
       {"features.0.weight", "18446744073709551615 and 6911"}},
      {"begin after end", with("[0,6912]", "[6912,0]"), {"features.0.weight", "6912 and 0"}},
      {"too few bytes",
       with("[0,6912]", "[0,6908]"),
       {"layer features.0 should have a weight of 6912 bytes, but it has 6908"}},
      {"overlap",
       entries({kWeight, replaced(kBias, "[6912,7168]", "[6908,7164]")}),
       {"'features.0.weight' and 'features.0.bias'", "overlap"}},
      {"a shape whose product overflows",
       with("[64,3,3,3]", "[4611686018427387904,4,3,576460752303423488]"),
       {"layer features.0 should have a weight of 64 x 3 x 3 x 3", "4611686018427387904 x 4"}},
      {"another shape with as many values",
       with("[64,3,3,3]", "[3,64,3,3]"),
       {"layer features.0 should have a weight of 64 x 3 x 3 x 3, but it is 3 x 64 x 3 x 3"}},
      {"no dimensions", with("[64,3,3,3]", "[]"), {"layer features.0", "but it is a single value"}},
      {"a wrong bias",
       entries({kWeight, replaced(kBias, "[64]", "[65]")}),
       {"layer features.0 should have a bias of 64, but it is 65"}},
      {"many dimensions",
       with("[64,3,3,3]", "[64,3,3,3,1,1,1,1,1]"),
       {"'shape' of the header's 'features.0.weight'", "more than 8"}},
      {"a negative dimension",
       with("[64,3,3,3]", "[64,-3,3,3]"),
       {"'shape' of the header's 'features.0.weight' has a negative number"}},
      {"a negative offset",
       with("[0,6912]", "[-6912,0]"),
       {"'data_offsets' of the header's 'features.0.weight' has a negative number"}},
      {"a fraction", with("[0,6912]", "[0.5,6912]"), {"features.0.weight", "not whole"}},
      {"a number above 64 bits",
       with("6912", "99999999999999999999"),
       {"features.0.weight", "too large"}},
      {"one offset", with("[0,6912]", "[0]"), {"features.0.weight", "two numbers"}},
      {"three offsets", with("[0,6912]", "[0,1,6912]"), {"features.0.weight", "two numbers"}},
      {"offsets as text", with("[0,6912]", "\"0,6912\""), {"features.0.weight", "text"}},
      {"null", with("[0,6912]", "null"), {"features.0.weight", "null"}},
      {"true", with("[0,6912]", "true"), {"features.0.weight", "true or false"}},
      {"a list in the shape", with("[64,3,3,3]", "[[64],3,3,3]"), {"features.0.weight", "a list"}},
      {"an object in the shape", with("[64,3,3,3]", "[{}]"), {"features.0.weight", "an object"}},
      {"an integer type",
       with("F32", "I32"),
       {"layer features.0 should have a weight of F32, F16 or BF16, but it is of I32"}},
      {"a double type", with("F32", "F64"), {"layer features.0", "but it is of F64"}},
      {"a type to trick terminals", with("F32", "\\u001b[2J"), {"layer features.0", "?[2J"}},
      {"a type as number", with("\"F32\"", "32"), {"'dtype'", "features.0.weight", "a number"}},
      {"an unknown field",
       with(dtype, dtype + ",\"strides\":[1]"),
       {"'strides' of the header's 'features.0.weight'"}},
      {"no type", with(dtype + ",", ""), {"'features.0.weight' should have a dtype"}},
      {"no shape", with(shape + ",", ""), {"'features.0.weight' should have a dtype"}},
      {"no offsets", with("," + offsets, ""), {"'features.0.weight' should have a dtype"}},
      {"two types", with(dtype, dtype + "," + dtype), {"features.0.weight", "given twice"}},
      {"two shapes", with(shape, shape + "," + shape), {"features.0.weight", "given twice"}},
      {"two offsets", with(offsets, offsets + "," + offsets), {"features.0.weight", "given twice"}},
      {"two tensors of one name",
       entries({kWeight, kBias, kWeight}),
       {"'features.0.weight' is given twice"}},
      {"a tensor that is a number",
       entries({"\"features.0.weight\":7", kBias}),
       {"'features.0.weight' has a number"}},
      {"no bias", entries({kWeight}), {"layer features.0 should have a bias"}},
      {"no weight", entries({kBias}), {"layer features.0 should have a weight"}},
      {"nothing", "{}", {"has no layer features.0", "it has no tensors at all"}},
      {"other tensors",
       entries({replaced(kWeight, "features.0", "encoder")}),
       {"has no layer features.0", "'encoder.weight'"}},
      {"a gap",
       entries({kWeight, kBias,
                R"("features.5.bias":{"dtype":"F32","shape":[0],)"
                R"("data_offsets":[0,0]})"}),
       {"layer features.2 is missing, but features.5 is there"}},
  };
}

TEST_F(Safetensors, AreRefusedWhenTheHeaderIsWrong) {
  EXPECT_TRUE(well_formed(read_raw(entries({kWeight, kBias})))) << "the sound one";
  for (const BadHeader& bad : bad_headers()) {
    SCOPED_TRACE(bad.why);
    const std::string message = refusal_of(bad.header);
    for (const std::string& part : bad.expected) EXPECT_TRUE(says(message, part));
  }
}

TEST_F(Safetensors, AreRefusedWhenAValueIsNotFinite) {
  std::string data(7168, '\0');
  data[6911] = '\x7f';  // the last weight becomes 0x7f800000, infinity
  data[6910] = '\x80';
  const std::string message = refusal_of(entries({kWeight, kBias}), data);
  EXPECT_TRUE(says(message, "layer features.0 has a weight"));
  EXPECT_TRUE(says(message, "inf"));
}

// -------------------------------------------------------------------------------- the metadata --

TEST_F(Safetensors, AreRefusedWhenTheMetadataIsWrong) {
  const std::string sound =
      R"("__metadata__":{"network":"vgg19","channel_order":"rgb","scale":"2",)"
      R"("mean":"1 2 3","deviation":"4 5 6"})";
  const InputConvention expected = {false, 2, {1, 2, 3}, {4, 5, 6}};
  EXPECT_EQ(read_raw(entries({sound, kWeight, kBias})).convention, expected);

  struct BadMetadata {
    std::string old;
    std::string now;
    std::string expected;
  };
  const BadMetadata bad_ones[] = {
      {"vgg19", "vgg99", "'network' should be vgg16 or vgg19, but it is 'vgg99'"},
      {"rgb", "grb", "'channel_order' should be rgb or bgr, but it is 'grb'"},
      {"\"2\"", "\"two\"", "'scale' should be 1 finite number(s), but it is 'two'"},
      {"\"2\"", "\"2 2\"", "'scale' should be 1"},
      {"\"2\"", "\"\"", "'scale' should be 1"},
      {"\"2\"", "\"inf\"", "'scale' should be 1"},
      {"\"2\"", "\"0\"", "'scale' and 'deviation' should be above 0"},
      {"4 5 6", "4 -5 6", "'scale' and 'deviation' should be above 0"},
      {"1 2 3", "1 2", "'mean' should be 3 finite number(s), but it is '1 2'"},
      {"1 2 3", "1 2 nan", "'mean' should be 3"},
      {"1 2 3", "1 2 3 ", "'mean' should be 3"},
      {"\"scale\":\"2\",", "", "'scale' is missing"},
      {"\"2\"", "2", "'scale' of the header's '__metadata__' has a number"},
      {"\"2\"", "{}", "'scale' of the header's '__metadata__' has an object"},
      {"\"2\"", "[]", "'scale' of the header's '__metadata__' has a list"},
      {"\"scale\":\"2\"", "\"scale\":\"2\",\"scale\":\"2\"", "'scale' of the header's"},
  };
  for (const BadMetadata& bad : bad_ones) {
    SCOPED_TRACE(bad.now);
    EXPECT_TRUE(says(refusal_of(entries({replaced(sound, bad.old, bad.now), kWeight, kBias})),
                     bad.expected));
  }
  EXPECT_TRUE(
      says(refusal_of(entries({sound, sound, kWeight, kBias})), "'__metadata__' is given twice"));
}

}  // namespace
}  // namespace limn
