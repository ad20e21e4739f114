// MatConvNet's MAT-files, as MATLAB and SciPy nest them, and unsound ones. Damage of any kind is in
// damage_test.cc.
#include <gtest/gtest.h>

#include <cstring>

#include "mat_writer.h"
#include "weights/read.h"
#include "weights_files.h"

namespace limn {
namespace {

constexpr std::uint32_t kComplexSingle = 0x807, kDouble = 6, kSparse = 5, kUint8 = 2;

class MatConvNet : public testing::Test {
 protected:
  Weights read(const std::string& bytes) const {
    write_bytes(path_, bytes);
    return read_weights(path_);
  }
  std::string refusal_of(const std::string& bytes) const {
    write_bytes(path_, bytes);
    return refusal(path_);
  }
  // A file whose one layer is conv1_1 of these arrays.
  std::string one_layer(const std::string& filters, const std::string& biases) const {
    return mat_.file(mat_.cell({1, 1}, {layer("conv1_1", filters, biases)}, "layers"));
  }
  std::string layer(const std::string& name, const std::string& filters,
                    const std::string& biases) const {
    return mat_.structure({1, 1}, {"name", "weights"},
                          {mat_.text(name), mat_.cell({1, 2}, {filters, biases})});
  }
  std::string filters() const { return mat_.singles({3, 3, 3, 64}, matlab_order(first())); }
  std::string biases() const { return mat_.singles({1, 64}, first().bias); }
  const Convolution& first() const { return sample_.convolutions[0]; }

  const MatWriter mat_;
  const TemporaryFolder folder_;
  const std::string path_ = folder_.path("vgg.mat");
  const Weights sample_ = sample_weights(kVgg19, 2);
};

// --------------------------------------------------------------------------------- sound files --

TEST_F(MatConvNet, ReadsBothNestingsPackedAndNot) {
  for (const MatNesting nesting : {MatNesting::weights, MatNesting::fields}) {
    for (const bool is_packed : {false, true}) {
      const Weights weights = read(mat_file(sample_, is_packed, nesting));
      EXPECT_TRUE(same_layers(weights, sample_));
      EXPECT_EQ(weights.convention, kMatConvNetConvention);
      EXPECT_EQ(weights.format, "MatConvNet .mat");
    }
  }
}

TEST_F(MatConvNet, ReadsBigEndianFiles) {
  const MatWriter big = {true};
  for (const bool is_packed : {false, true})
    EXPECT_TRUE(same_layers(read(mat_file(sample_, is_packed, MatNesting::weights, big)), sample_));
}

TEST_F(MatConvNet, ReadsAnArrayOfStructs) {
  std::vector<std::string> fields;
  for (const Convolution& convolution : sample_.convolutions) {
    const auto in = static_cast<std::uint32_t>(convolution.in());
    fields.push_back(mat_.text("conv" + convolution.id));
    fields.push_back(mat_.singles({3, 3, in, 64}, matlab_order(convolution)));
    fields.push_back(mat_.singles({64, 1}, convolution.bias));
  }
  EXPECT_TRUE(same_layers(
      read(mat_.file(mat_.structure({1, 2}, {"name", "filters", "biases"}, fields, "layers"))),
      sample_));
}

TEST_F(MatConvNet, ReadsStructsAndArraysInsideFurtherCells) {
  std::vector<std::string> layers;
  for (const Convolution& convolution : sample_.convolutions) {
    const auto in = static_cast<std::uint32_t>(convolution.in());
    const std::string inner =
        layer("conv" + convolution.id, mat_.singles({3, 3, in, 64}, matlab_order(convolution)),
              mat_.singles({1, 1, 1, 64}, convolution.bias));
    layers.push_back(mat_.cell({1, 1}, {mat_.cell({1, 1}, {inner})}));
  }
  EXPECT_TRUE(same_layers(read(mat_.file(mat_.cell({2, 1}, layers, "layers"))), sample_));
}

// MATLAB stores numbers in the narrowest type that holds them all.
TEST_F(MatConvNet, ReadsNumbersInNarrowerTypes) {
  struct Stored {
    std::uint32_t type;
    std::string one_value;
    float expected;
  };
  using namespace std::string_literals;
  const double third = 1.0 / 3;
  const Stored types[] = {{1, "\xfe", -2},
                          {2, "\xfe", 254},
                          {3, "\xfe\xff", -2},
                          {4, "\xfe\xff", 65534},
                          {5, "\xfe\xff\xff\xff", -2},
                          {6, "\x01\0\0\x80"s, 2147483648.0f},
                          {9, std::string(reinterpret_cast<const char*>(&third), 8), 1.0f / 3}};
  for (const Stored& stored : types) {
    std::string values;
    for (int i = 0; i < 64; ++i) values += stored.one_value;
    const std::string biases = mat_.matrix(kDouble, {1, 64}, "", mat_.element(stored.type, values));
    const Weights weights = read(one_layer(filters(), biases));
    EXPECT_EQ(weights.convolutions[0].bias[0], stored.expected) << "type " << stored.type;
    EXPECT_EQ(weights.convolutions[0].bias[63], stored.expected) << "type " << stored.type;
  }
}

TEST_F(MatConvNet, TellsVgg16FromVgg19) {
  const Weights vgg16 = sample_weights(kVgg16, 8);
  EXPECT_TRUE(same_layers(read(mat_file(vgg16, false)), vgg16));
}

// A fully connected layer, in which the file may end: 20 MB of zeros, here packed to 20 kB.
TEST_F(MatConvNet, ReadsNothingFromTheFullyConnectedLayersOn) {
  const std::string large = mat_.singles({5000, 1000}, std::vector<float>(5'000'000));
  const std::string layers =
      mat_.cell({1, 3},
                {layer("conv1_1", filters(), biases()), layer("fc6", large, biases()),
                 layer("conv1_2", mat_.text("not"), mat_.text("looked at"))},
                "layers");
  const std::string packed = MatWriter::packed(layers, mat_);
  for (const std::string& file : {mat_.file(layers), mat_.file(packed)})
    EXPECT_EQ(read(file).convolutions.size(), 1u);
  // Behind conv1_1 the packed file's damage is not even seen.
  std::string damaged = mat_.file(packed);
  for (size_t i = damaged.size() - 15000; i < damaged.size(); ++i) damaged[i] = '\xff';
  EXPECT_EQ(read(damaged).convolutions.size(), 1u);
}

TEST_F(MatConvNet, IgnoresOtherVariablesAndKindsOfArrays) {
  const std::string sparse = mat_.matrix(kSparse, {3, 3}, "sparse", mat_.element(5, "rows"));
  const std::string object = mat_.matrix(3, {1, 1}, "", mat_.element(1, "any"));
  const std::string odd =
      mat_.structure({1, 1}, {"name", "opts", "sparse"}, {mat_.text("odd"), object, sparse});
  const std::string layers =
      mat_.cell({1, 2}, {odd, layer("conv1_1", filters(), biases())}, "layers");
  const std::string empty = mat_.element(14, "");
  EXPECT_EQ(
      read(mat_.file(sparse + mat_.cell({1, 1}, {empty}, "meta") + layers)).convolutions.size(),
      1u);
}

// ------------------------------------------------------------------------------- unsound files --

TEST_F(MatConvNet, RefusesOtherVersionsWithAdvice) {
  std::string header = "MATLAB 7.3 MAT-file, Platform: GLNXA64";
  header.resize(512, ' ');
  EXPECT_TRUE(says(refusal_of(header + "\x89HDF\r\n\x1a\n"), "save it with -v7"));
}

TEST_F(MatConvNet, RefusesAHeaderWithoutByteOrder) {
  std::string bytes = mat_file(sample_, false);
  bytes[127] = 'X';
  EXPECT_TRUE(says(refusal_of(bytes), "should end in IM or MI, its byte order"));
  EXPECT_TRUE(says(refusal_of(bytes.substr(0, 60)), "only 60 bytes"));
}

TEST_F(MatConvNet, RefusesAFileWithoutLayers) {
  const std::string other = mat_.cell({0, 0}, {}, "net");
  EXPECT_TRUE(says(refusal_of(mat_.file(other)),
                   "should have a variable 'layers', but its variables are 'net'"));
  EXPECT_TRUE(says(refusal_of(mat_.file("")), "its variables are none"));
  EXPECT_TRUE(
      says(refusal_of(mat_.file(mat_.cell({0, 0}, {}, "layers"))), "it contains no struct"));
}

TEST_F(MatConvNet, RefusesWrongShapes) {
  const std::vector<float> zeros(3 * 3 * 64 * 3);
  EXPECT_TRUE(says(refusal_of(one_layer(mat_.singles({3, 3, 64, 3}, zeros), biases())),
                   "layer conv1_1 should have a kernel of 64 x 3 x 3 x 3, but it is 3 x 64 x 3"));
  EXPECT_TRUE(says(refusal_of(one_layer(filters(), mat_.singles({2, 32}, first().bias))),
                   "should have a bias of 64, but it is 32 x 2"));
}

TEST_F(MatConvNet, RefusesWhatIsNotRealNumbers) {
  const std::string values(64 * 4, '\0');
  const std::string complex =
      mat_.matrix(kComplexSingle, {1, 64}, "", mat_.element(7, values) + mat_.element(7, values));
  for (const std::string& biases :
       {complex, mat_.text("biases"), mat_.matrix(kSparse, {1, 64}, "", ""),
        mat_.matrix(kDouble, {1, 64}, "", mat_.element(12, values))})
    EXPECT_TRUE(says(refusal_of(one_layer(filters(), biases)),
                     "'conv1_1.bias' should be real numbers, but it is something else"));
}

TEST_F(MatConvNet, RefusesALayerThatIsThereTwice) {
  const std::string layer_bytes = layer("conv1_1", filters(), biases());
  EXPECT_TRUE(says(refusal_of(mat_.file(mat_.cell({1, 2}, {layer_bytes, layer_bytes}, "layers"))),
                   "'conv1_1.kernel' appears twice"));
}

TEST_F(MatConvNet, RefusesFewerNumbersThanTheDimensionsSay) {
  const std::string few = mat_.matrix(7, {1, 64}, "", mat_.element(7, std::string(63 * 4, '\0')));
  EXPECT_TRUE(says(refusal_of(one_layer(filters(), few)),
                   "should have 64 numbers of 4 bytes, but it has 252 bytes"));
}

TEST_F(MatConvNet, RefusesDimensionsBeyondTheFile) {
  const std::string contents = mat_.element(7, std::string(256, '\0'));
  const std::uint32_t huge = 0xffffffff;
  for (const std::uint32_t type : {1, 2, 4, 7}) {
    const std::string biases = mat_.matrix(type, {huge, huge, huge}, "", contents);
    EXPECT_TRUE(says(refusal_of(one_layer(filters(), biases)), "too few for"));
  }
  const std::string fields = mat_.small_element(5, mat_.word(8)) + mat_.element(1, "12345678");
  EXPECT_TRUE(says(refusal_of(one_layer(filters(), mat_.matrix(2, {1, 30}, "", fields))),
                   "too few for 30 values"));
}

TEST_F(MatConvNet, RefusesSizesBeyondTheFile) {
  std::string bytes = mat_.file(mat_.cell({0, 0}, {}, "layers"));
  std::memset(bytes.data() + 128 + 4, 0x7f, 4);
  EXPECT_TRUE(says(refusal_of(bytes), "should have at most"));
}

// Cells in cells, 100,000 deep, and a million empty ones in 1 kB of zlib: neither stack nor memory.
TEST_F(MatConvNet, BoundsWhatAFileCanUnpackTo) {
  std::string deep = mat_.element(14, "");
  for (int i = 0; i < 1000; ++i) deep = mat_.cell({1, 1}, {deep});
  EXPECT_TRUE(
      says(refusal_of(mat_.file(mat_.cell({1, 1}, {deep}, "layers"))), "it contains no struct"));

  std::string empty;
  for (int i = 0; i < 1'000'000; ++i) empty += mat_.element(14, "");
  const std::string wide = mat_.cell({1000, 1000}, {empty}, "layers");
  EXPECT_TRUE(says(refusal_of(mat_.file(MatWriter::packed(wide, mat_))), "too many arrays"));
}

TEST_F(MatConvNet, RefusesWhatZlibCannotUnpack) {
  std::string bytes = mat_file(sample_, true);
  bytes[128 + 8] = '\x77';  // the first byte of zlib's header
  EXPECT_TRUE(says(refusal_of(bytes), "is not packed by zlib"));
  const std::string nothing = mat_.word(15) + mat_.word(0);
  EXPECT_TRUE(says(refusal_of(mat_.file(nothing)), "'" + path_ + "'"));
}

}  // namespace
}  // namespace limn
