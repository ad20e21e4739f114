#include "weights/known_files.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "weights/read.h"
#include "weights_files.h"

namespace limn {
namespace {

TEST(KnownFiles, AreFoundByTheirDigest) {
  for (const KnownFile& file : known_files()) {
    std::string digest(file.sha256);
    digest.resize(64, '7');
    const KnownFile* found = file.md5.empty() ? known_file(digest) : known_file_of_md5(file.md5);
    EXPECT_EQ(found, &file) << file.name;
  }
}

TEST(KnownFiles, AreNotFoundByAnother) {
  EXPECT_EQ(known_file(""), nullptr);
  EXPECT_EQ(known_file(std::string(64, '0')), nullptr);
  EXPECT_EQ(known_file("dcbb9e9"), nullptr);  // shorter than what is known of it
  EXPECT_EQ(known_file_of_md5(""), nullptr);
  EXPECT_EQ(known_file_of_md5(std::string(32, '0')), nullptr);
}

TEST(KnownFiles, AreOfKnownNetworksAndHaveDigestsOfTheirOwn) {
  std::set<std::string_view> digests;
  for (const KnownFile& file : known_files()) {
    EXPECT_NE(find_network(file.network), nullptr) << file.name;
    EXPECT_NE(file.sha256.empty(), file.md5.empty()) << file.name;
    EXPECT_TRUE(file.md5.empty() || file.md5.size() == 32) << file.name;
    EXPECT_TRUE(file.sha256.empty() || (file.sha256.size() >= 8 && file.sha256.size() <= 64));
    for (const std::string_view digest : {file.sha256, file.md5}) {
      EXPECT_EQ(digest.find_first_not_of("0123456789abcdef"), std::string_view::npos);
      const bool is_new = digest.empty() || digests.insert(digest.substr(0, 8)).second;
      EXPECT_TRUE(is_new) << file.name;
    }
  }
}

TEST(KnownFiles, CanBeFetchedForEachNetwork) {
  for (const std::string_view network : {"vgg19", "vgg16"}) {
    const KnownFile* file = fetchable_file(network);
    ASSERT_NE(file, nullptr) << network;
    EXPECT_EQ(file->network, network);
    EXPECT_TRUE(file->url.starts_with("https://") && file->url.ends_with(file->name));
    EXPECT_GT(file->bytes, 10'000'000u);
  }
  EXPECT_EQ(fetchable_file("resnet"), nullptr);
}

// The same names inside, another input: the reason for the table.
TEST(KnownFiles, KnowsCaffesFromTorchvisions) {
  EXPECT_EQ(known_file("d01eb7cb" + std::string(56, '0'))->convention, kCaffeConvention);
  EXPECT_EQ(known_file("dcbb9e9d" + std::string(56, '0'))->convention, kTorchvisionConvention);
}

// The first convolution of Caffe's VGG-16, as far as it is looked at, times `factor`.
Weights caffe_like(std::array<float, 3> inputs, float factor = 1) {
  Weights weights = sample_weights(kVgg16, 1);
  std::vector<float> kernel = unpacked(weights.convolutions[0].kernel);
  for (size_t i = 0; i < 3; ++i) kernel[9 * i] = inputs[i] * factor;
  weights.convolutions[0].kernel = packed(kernel, 3, 64);
  weights.convolutions[0].bias[0] = 0.734298348f;
  weights.convolutions[0].bias[1] = 0.0934036747f;
  return weights;
}

TEST(KnownFiles, RecognisesCaffesByTheirValues) {
  constexpr std::array<float, 3> kBgr = {0.429470569f, 0.550379455f, 0.480015403f};
  EXPECT_EQ(convention_of_values(caffe_like(kBgr)), kCaffeConvention);
  EXPECT_EQ(convention_of_values(caffe_like(kBgr, 511.0f / 512)), kCaffeConvention);
  EXPECT_EQ(convention_of_values(caffe_like({kBgr[2], kBgr[1], kBgr[0]})), kMatConvNetConvention);
  EXPECT_EQ(convention_of_values(caffe_like({kBgr[1], kBgr[0], kBgr[2]})), std::nullopt);
  EXPECT_EQ(convention_of_values(caffe_like(kBgr, 0.98f)), std::nullopt);  // scaled: another input
  EXPECT_EQ(convention_of_values(sample_weights(kVgg19, 1)), std::nullopt);
}

TEST(KnownFiles, RecognisesThePublishedVgg19ByItsValues) {
  const char* shared = std::getenv("LIMN_SHARED");
  const std::string path = std::string(shared ? shared : LIMN_SOURCE_DIR "/../shared") +
                           "/weights/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "there is no " << path;
  EXPECT_EQ(convention_of_values(read_weights(path)), kCaffeConvention);
}

}  // namespace
}  // namespace limn
