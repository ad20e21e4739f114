// Safetensors files whose header is wrong, or does not go with the data behind it.
#include <gtest/gtest.h>
#include <limn/limn.h>

#include <filesystem>

#include "safetensors_file_test.h"

namespace limn {
namespace {

class UnsoundSafetensors : public SafetensorsFileTest {};

// -------------------------------------------------------------------------- the header's length --

TEST_F(UnsoundSafetensors, AreRefusedWhenShorterThanTheirFrame) {
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

TEST_F(UnsoundSafetensors, AreRefusedWhenTheHeadersLengthIsHuge) {
  write_raw_safetensors(path_, entries({kWeight, kBias}), std::string(7168, '\0'));
  const std::string sound = file_bytes(path_);
  write_bytes(path_, std::string(8, '\xff') + sound.substr(8));
  const std::string message = refusal(path_);
  EXPECT_TRUE(says(message, "header should have at most"));
  EXPECT_TRUE(says(message, "its length is given as 18446744073709551615"));
}

TEST_F(UnsoundSafetensors, AreRefusedWhenTheHeaderIsOneByteLongerThanTheFile) {
  write_raw_safetensors(path_, entries({kWeight, kBias}), "");
  const std::string sound = file_bytes(path_);
  std::string longer = sound;
  longer[0] = static_cast<char>(longer[0] + 1);
  write_bytes(path_, longer);
  EXPECT_TRUE(says(refusal(path_), "header should have at most"));
}

// The format allows no header above 100 MB, however large the file. (A hole: it takes no disk.)
TEST_F(UnsoundSafetensors, AreRefusedWhenTheHeaderIsAboveTheFormatsLimit) {
  write_bytes(path_, std::string("\x00\xe2\xf5\x05\0\0\0\0{", 9));  // 100,000,256
  std::filesystem::resize_file(path_, 200'000'000);
  const std::string message = refusal(path_);
  EXPECT_TRUE(says(message, "at most 100000000 bytes"));
  EXPECT_TRUE(says(message, "100000256"));
}

TEST_F(UnsoundSafetensors, AreRefusedWhenCutShort) {
  write_raw_safetensors(path_, entries({kWeight, kBias}), std::string(7168, '\0'));
  const std::string sound = file_bytes(path_);
  write_bytes(path_, sound.substr(0, sound.size() - 1));
  const std::string message = refusal(path_);
  EXPECT_TRUE(says(message, "'features.0.bias' should lie within the file's 7167 bytes"));
  EXPECT_TRUE(says(message, "fetch it again"));
}

// ---------------------------------------------------------------------------------- the header --

TEST_F(UnsoundSafetensors, AreRefusedWhenTheHeaderIsNotJson) {
  EXPECT_TRUE(says(refusal_of("{"), "the header should be JSON"));
  EXPECT_TRUE(says(refusal_of("{}garbage"), "the header should be JSON"));
  EXPECT_TRUE(says(refusal_of("{'single': 1}"), "the header should be JSON"));
  EXPECT_TRUE(says(refusal_of("{\"\xff\xfe\": 1}"), "the header should be JSON"));
}

// Ten million brackets: a reader that calls itself for each would run out of stack.
TEST_F(UnsoundSafetensors, AreRefusedWhenTheHeaderNestsDeeply) {
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

// The sound header with a change to its first tensor.
std::string with(const std::string& old, const std::string& now) {
  return entries({replaced(kWeight, old, now), kBias});
}

// Sound in form, but not what VGG's first layer and 7,168 bytes of data are.
std::vector<BadHeader> headers_of_bad_meaning() {
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
       {"tensor 'features.0.weight' should have 6912 bytes, but it has 6908"}},
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
      {"an integer type",
       with("F32", "I32"),
       {"tensor 'features.0.weight' should be F32, F16 or BF16, but it is I32"}},
      {"a double type", with("F32", "F64"), {"features.0.weight", "but it is F64"}},
      {"a type to trick terminals", with("F32", "\\u001b[2J"), {"features.0.weight", "?[2J"}},
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
       {"layer features.2 is missing, but features.5 is present"}},
  };
}

// Not of the form that a header has.
std::vector<BadHeader> headers_of_bad_form() {
  const std::string dtype = R"("dtype":"F32")";
  const std::string shape = R"("shape":[64,3,3,3])";
  const std::string offsets = R"("data_offsets":[0,6912])";
  return {
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
  };
}

TEST_F(UnsoundSafetensors, AreRefusedWhenTheHeaderIsWrong) {
  EXPECT_TRUE(well_formed(read_raw(entries({kWeight, kBias})))) << "the sound one";
  for (const std::vector<BadHeader>& headers : {headers_of_bad_meaning(), headers_of_bad_form()}) {
    for (const BadHeader& bad : headers) {
      SCOPED_TRACE(bad.why);
      const std::string message = refusal_of(bad.header);
      for (const std::string& part : bad.expected) EXPECT_TRUE(says(message, part));
    }
  }
}

// Each would take many times its bytes in memory.
TEST_F(UnsoundSafetensors, AreRefusedWhenTheHeaderHasVeryManyKeys) {
  std::string metadata = "\"__metadata__\":{";
  for (int i = 0; i < 100'000; ++i) metadata += '"' + std::to_string(i) + "\":\"\",";
  metadata += R"("last":""})";
  EXPECT_TRUE(says(refusal_of(entries({metadata, kWeight, kBias})), "at most 100000 keys"));
}

TEST_F(UnsoundSafetensors, AreRefusedWhenAValueIsNotFinite) {
  std::string data(7168, '\0');
  data[6911] = '\x7f';  // the last weight becomes 0x7f800000, infinity
  data[6910] = '\x80';
  const std::string message = refusal_of(entries({kWeight, kBias}), data);
  EXPECT_TRUE(says(message, "layer features.0 has a weight"));
  EXPECT_TRUE(says(message, "inf"));
}

// -------------------------------------------------------------------------------- the metadata --

TEST_F(UnsoundSafetensors, AreRefusedWhenTheMetadataIsWrong) {
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
      {"vgg19", "vgg99", "'network' should be vgg16, vgg19 or builtin, but it is 'vgg99'"},
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
