// Caffe's files, old and new, and unsound ones. Damage of any kind is in damage_test.cc.
#include <gtest/gtest.h>

#include "caffe_writer.h"
#include "weights/read.h"
#include "weights_files.h"

namespace limn {
namespace {

constexpr CaffeVersion kOld = CaffeVersion::old;
constexpr CaffeVersion kNow = CaffeVersion::now;

class Caffemodel : public testing::Test {
 protected:
  Weights read(const std::string& bytes) const {
    write_bytes(path_, bytes);
    return read_weights(path_);
  }
  std::string refusal_of(const std::string& bytes) const {
    write_bytes(path_, bytes);
    return refusal(path_);
  }
  // A file whose one layer is conv1_1 of these blobs.
  static std::string one_layer(const std::string& kernel, const std::string& bias) {
    return wire_bytes(1, "net") + caffe_layer(kNow, "conv1_1", {kernel, bias});
  }
  std::string kernel() const { return caffe_blob(kNow, {64, 3, 3, 3}, unpacked(first().kernel)); }
  std::string bias() const { return caffe_blob(kNow, {64}, first().bias); }
  std::string bias_data() const {
    return {reinterpret_cast<const char*>(first().bias.data()), 64 * sizeof(float)};
  }
  const Convolution& first() const { return sample_.convolutions[0]; }

  const TemporaryFolder folder_;
  const std::string path_ = folder_.path("vgg.caffemodel");
  const Weights sample_ = sample_weights(kVgg19, 2);
  const std::string shape_64_ = wire_bytes(7, wire_number(1, 64));  // not packed
};

// --------------------------------------------------------------------------------- sound files --

TEST_F(Caffemodel, ReadsOldAndNewFiles) {
  for (const CaffeVersion version : {kOld, kNow}) {
    const Weights weights = read(caffe_file(version, sample_));
    EXPECT_TRUE(same_layers(weights, sample_));
    EXPECT_EQ(weights.convention, kCaffeConvention);
    EXPECT_EQ(weights.format, ".caffemodel");
  }
}

TEST_F(Caffemodel, ReadsFilesWithoutAName) {
  for (const CaffeVersion version : {kOld, kNow}) {
    std::string layers;
    for (const Convolution& layer : sample_.convolutions)
      layers += caffe_convolution(version, layer);
    EXPECT_TRUE(same_layers(read(layers), sample_));
    const std::string input = wire_bytes(3, "data") + wire_number(4, 1) + wire_number(4, 224);
    EXPECT_TRUE(same_layers(read(input + layers), sample_));
  }
}

TEST_F(Caffemodel, TellsVgg16FromVgg19) {
  const Weights vgg16 = sample_weights(kVgg16, 8);
  EXPECT_TRUE(same_layers(read(caffe_file(kOld, vgg16)), vgg16));
}

TEST_F(Caffemodel, ReadsNumbersOneByOneAndInPieces) {
  std::string single;
  for (const float value : first().bias) single += wire_fixed32(5, value);
  const std::string pieces = wire_bytes(5, bias_data().substr(0, 40)) + wire_bytes(5, "") +
                             single.substr(10 * 5, 20 * 5) + wire_bytes(9, "12345678") +
                             single.substr(30 * 5);
  for (const std::string& data : {single, pieces}) {
    const Weights weights = read(one_layer(kernel(), shape_64_ + data));
    EXPECT_TRUE(std::ranges::equal(weights.convolutions[0].bias, first().bias));
  }
}

TEST_F(Caffemodel, ReadsDoubles) {
  const std::vector<double> doubles(first().bias.begin(), first().bias.end());
  const std::string data(reinterpret_cast<const char*>(doubles.data()), 64 * sizeof(double));
  const Weights weights = read(one_layer(kernel(), shape_64_ + wire_bytes(8, data)));
  EXPECT_TRUE(std::ranges::equal(weights.convolutions[0].bias, first().bias));
}

TEST_F(Caffemodel, IgnoresGradientsAndUnknownFields) {
  const std::string gradients =
      wire_bytes(6, std::string(256, '\xff')) + wire_number(77, 1) + wire_fixed32(78, 1);
  EXPECT_EQ(read(one_layer(gradients + kernel(), bias() + gradients)).convolutions.size(), 1u);
}

// ------------------------------------------------------------------------------- unsound files --

TEST_F(Caffemodel, IsNotTakenForOtherFiles) {
  using namespace std::string_view_literals;
  // A graph of TensorFlow's, a network of ONNX's, text, and pieces of what a Caffe file has.
  for (const std::string_view head :
       {""sv, "\x0a\x10\x0a\x05input\x12\x07..."sv, "\x08\x03\x12\x07pytorch"sv, "\x0a"sv,
        "\x0a\x05hello"sv, "\n   and some text on the next line"sv, "\x12"sv, "\x12\x08"sv,
        "\x12\xff\xff\xff\xff\xff"sv, "\x12\x08zz"sv, "\xa2\x06\x08zz"sv, "\x1a\x40zz"sv,
        "\x20\x20\x20\x20\x20\x20"sv, "\x32\xff"sv, "\xff\xff\xff\xff"sv})
    EXPECT_FALSE(is_caffemodel(head)) << head;
  EXPECT_TRUE(is_caffemodel(std::string_view("\x0a\x03net\x12\x90\x01\x12\x04...")));
}

TEST_F(Caffemodel, RefusesWrongShapes) {
  const std::vector<float> zeros(64 * 27);
  EXPECT_TRUE(says(refusal_of(one_layer(caffe_blob(kNow, {3, 64, 3, 3}, zeros), bias())),
                   "should have a weight of 64 x 3 x 3 x 3, but it is 3 x 64 x 3 x 3"));
  EXPECT_TRUE(says(refusal_of(one_layer(kernel(), caffe_blob(kNow, {2, 32}, first().bias))),
                   "should have a bias of 64, but it is 2 x 32"));
  EXPECT_TRUE(says(refusal_of(one_layer(kernel(), wire_bytes(5, bias_data()))),
                   "should have a bias of 64, but it is 0 x 0 x 0 x 0"));
}

TEST_F(Caffemodel, RefusesAFileWithoutTheLayers) {
  EXPECT_TRUE(says(refusal_of(wire_bytes(1, "net") + caffe_layer(kNow, "fc6", {bias()})),
                   "has no layer conv1_1"));
  EXPECT_TRUE(says(refusal_of(wire_bytes(1, "net") + caffe_layer(kOld, "conv1_1", {kernel()})),
                   "there is no tensor 'conv1_1.bias'"));
}

TEST_F(Caffemodel, RefusesALayerThatIsThereTwice) {
  const std::string layer = caffe_convolution(kNow, first());
  EXPECT_TRUE(says(refusal_of(layer + layer), "'conv1_1.weight' appears twice"));
}

TEST_F(Caffemodel, RefusesFewerOrMoreNumbersThanTheShapeSays) {
  for (const size_t count : {0u, 63u, 65u}) {
    const std::vector<float> values(count);
    EXPECT_TRUE(says(refusal_of(one_layer(kernel(), caffe_blob(kNow, {64}, values))),
                     "'conv1_1.bias' should have 64 values, but it has " + std::to_string(count)));
  }
}

TEST_F(Caffemodel, RefusesDataThatIsNotFloats) {
  for (const std::string& data : {wire_bytes(5, "12345"), wire_number(5, 1), wire_bytes(8, "1234"),
                                  wire_bytes(5, "1234") + wire_bytes(8, "12345678")})
    EXPECT_TRUE(says(refusal_of(one_layer(kernel(), shape_64_ + data)), "should be numbers of"));
}

TEST_F(Caffemodel, RefusesLengthsBeyondTheirMessage) {
  const std::string bias = wire_varint(5 << 3 | 2) + wire_varint(std::uint64_t{1} << 62) + "1234";
  EXPECT_TRUE(says(refusal_of(one_layer(kernel(), shape_64_ + bias)),
                   "should have at most 4 bytes, but its length is given as 4611686018427387904"));
  const std::string endless = wire_varint(1 << 3) + std::string(20, '\xff');
  EXPECT_TRUE(says(refusal_of(one_layer(kernel(), endless)), "should end within 10 bytes"));
  const std::string group = wire_varint(1 << 3 | 3);
  EXPECT_TRUE(says(refusal_of(one_layer(kernel(), group)), "but it is of type 3"));
}

TEST_F(Caffemodel, BoundsWhatABlobMayConsistOf) {
  std::string pieces;
  for (int i = 0; i < 2000; ++i) pieces += wire_bytes(5, "1234");
  EXPECT_TRUE(says(refusal_of(one_layer(kernel(), pieces)), "more than 1000 pieces"));
  const std::string dimensions = wire_bytes(7, wire_bytes(1, std::string(100, '\1')));
  EXPECT_TRUE(says(refusal_of(one_layer(kernel(), dimensions)), "at most 32 dimensions"));
}

}  // namespace
}  // namespace limn
