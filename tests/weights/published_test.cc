// The published VGG-19, where this machine has it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "support/sanitized.h"
#include "weights/read.h"
#include "weights_files.h"

namespace limn {
namespace {

std::string published_weights() {
  const char* shared = std::getenv("LIMN_SHARED");
  return std::string(shared ? shared : LIMN_SOURCE_DIR "/../shared") +
         "/weights/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5";
}

TEST(PublishedVgg19, HasSixteenLayersWithTheValuesThatH5pySees) {
  if (!std::filesystem::exists(published_weights()))
    GTEST_SKIP() << "there is no " << published_weights();
  const Weights weights = read_weights(published_weights());
  EXPECT_EQ(weights.network, &kVgg19);
  ASSERT_EQ(weights.convolutions.size(), 16u);
  EXPECT_TRUE(well_formed(weights));

  struct Known {
    size_t layer;
    size_t y, x, in, out;
    float kernel;  // h5py: file[layer][kernel][y, x, in, out]
    float bias;    // file[layer][bias][out]
  };
  const Known known[] = {
      {0, 0, 0, 0, 0, 0.341195226f, 0.730177581f},
      {0, 0, 2, 1, 5, -0.15943028f, 0.54867655f},
      {0, 2, 1, 0, 5, 0.222428754f, 0.54867655f},
      {7, 1, 2, 17, 200, 0.0029798958f, 0.0550267771f},
      {15, 2, 0, 511, 3, 0.00223509967f, 0.141624346f},
      {15, 1, 1, 3, 511, 0.00782283396f, 0.0221687853f},
  };
  for (const Known& value : known) {
    const Convolution& layer = weights.convolutions[value.layer];
    const auto in = static_cast<size_t>(layer.in());
    EXPECT_EQ(unpacked(layer.kernel)[((value.out * in + value.in) * 3 + value.y) * 3 + value.x],
              value.kernel);
    EXPECT_EQ(layer.bias[value.out], value.bias);
  }
}

TEST(PublishedVgg19, TakesLittleMoreMemoryThanItsOwnSize) {
  if (kSanitized) GTEST_SKIP() << "the sanitizers' own memory would be counted";
  if (!std::filesystem::exists(published_weights()))
    GTEST_SKIP() << "there is no " << published_weights();
  std::ofstream("/proc/self/clear_refs") << "5";  // sets VmHWM back to what is resident now
  const double before = status_bytes("VmHWM");
  if (before > 1.1 * status_bytes("VmRSS")) GTEST_SKIP() << "the peak cannot be set back here";
  const Weights weights = read_weights(published_weights());
  const double file_size = static_cast<double>(std::filesystem::file_size(published_weights()));
  const double peak = status_bytes("VmHWM") - before;
  EXPECT_GT(peak, 0.9 * file_size) << "the measurement sees nothing";
  // The weights, beside them a layer as it lies in the file (9.4 of 80 MB), twice at most, and what
  // huge pages round up.
  EXPECT_LT(peak, 1.4 * file_size);
}

}  // namespace
}  // namespace limn
