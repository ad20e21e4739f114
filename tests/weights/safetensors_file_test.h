// A test with a folder for one safetensors file, written header and all.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "weights/read.h"
#include "weights_files.h"

namespace limn {

// The header of a file with only conv1_1 and zeros for it, 7,168 bytes of data.
inline constexpr size_t kWeightBytes = 64 * 3 * 3 * 3 * 4;
inline constexpr size_t kBiasBytes = 64 * 4;
inline const std::string kWeight =
    R"("features.0.weight":{"dtype":"F32","shape":[64,3,3,3],"data_offsets":[0,6912]})";
inline const std::string kBias =
    R"("features.0.bias":{"dtype":"F32","shape":[64],"data_offsets":[6912,7168]})";

// The header's object of these entries.
inline std::string entries(const std::vector<std::string>& list) {
  std::string header = "{";
  for (const std::string& entry : list) header += (header.size() > 1 ? "," : "") + entry;
  return header + "}";
}

inline std::string replaced(std::string text, const std::string& old, const std::string& with) {
  const size_t place = text.find(old);
  EXPECT_NE(place, std::string::npos) << "'" << old << "' is not in " << text;
  return text.replace(place, old.size(), with);
}

class SafetensorsFileTest : public testing::Test {
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

}  // namespace limn
