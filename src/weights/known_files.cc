#include "weights/known_files.h"

#include <algorithm>

namespace limn {
namespace {

// The VGG-16 that the detector SSD began with, as torchvision publishes it: RGB in 0..255 minus a
// mean in whole numbers.
constexpr InputConvention kSsdConvention = {false, 255.0f, {123, 117, 104}, {1, 1, 1}};

// PyTorch's custom is to end a file's name with the first digits of its SHA-256.
constexpr KnownFile kKnownFiles[] = {
    {"vgg19-dcbb9e9d.pth", "torchvision's VGG-19", "vgg19", "dcbb9e9d", kTorchvisionConvention},
    {"vgg16-397923af.pth", "torchvision's VGG-16", "vgg16", "397923af", kTorchvisionConvention},
    {"vgg16_features-amdegroot-88682ab5.pth", "the VGG-16 of SSD", "vgg16", "88682ab5",
     kSsdConvention},
    {"vgg19-d01eb7cb.pth", "Caffe's VGG-19, converted by Justin Johnson", "vgg19", "d01eb7cb",
     kCaffeConvention},
    {"vgg16-00b39a1b.pth", "Caffe's VGG-16, converted by Justin Johnson", "vgg16", "00b39a1b",
     kCaffeConvention},
};

}  // namespace

std::span<const KnownFile> known_files() { return kKnownFiles; }

const KnownFile* known_file(std::string_view sha256) {
  const auto known = std::ranges::find_if(
      kKnownFiles, [&](const KnownFile& file) { return sha256.starts_with(file.sha256); });
  return known == std::end(kKnownFiles) ? nullptr : known;
}

}  // namespace limn
