// ICC profiles made by hand: the smallest files that say "grey, with this gamma" or "RGB with
// sRGB's primaries, and this curve". Layout: a header of 128 bytes, a table of tags, the tags; all
// numbers big-endian, fractions as s15Fixed16.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace limn {

inline std::string big_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
  return text;
}

inline std::string fixed16(double value) {
  return big_endian(static_cast<std::uint32_t>(std::lround(value * 65536)), 4);
}

inline std::string xyz_tag(double x, double y, double z) {
  return "XYZ " + big_endian(0, 4) + fixed16(x) + fixed16(y) + fixed16(z);
}

// A curve of one number, its gamma.
inline std::string gamma_tag(double gamma) {
  return "curv" + big_endian(0, 4) + big_endian(1, 4) +
         big_endian(static_cast<std::uint64_t>(std::lround(gamma * 256)), 2) + big_endian(0, 2);
}

// The sRGB curve as a table of 1024 values.
inline std::string srgb_curve_tag() {
  std::string tag = "curv" + big_endian(0, 4) + big_endian(1024, 4);
  for (int i = 0; i < 1024; ++i) {
    const double v = i / 1023.0;
    const double light = v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
    tag += big_endian(static_cast<std::uint64_t>(std::lround(light * 65535)), 2);
  }
  return tag;
}

using Tags = std::vector<std::pair<std::string, std::string>>;

inline std::string profile_of(const std::string& space, const Tags& tags) {
  std::string table = big_endian(tags.size(), 4);
  std::string data;
  for (const auto& [name, tag] : tags) {
    table +=
        name + big_endian(128 + 4 + 12 * tags.size() + data.size(), 4) + big_endian(tag.size(), 4);
    data += tag;
  }
  std::string header = big_endian(128 + table.size() + data.size(), 4) + "    " +
                       big_endian(0x02100000, 4) + "mntr" + space + "XYZ " + std::string(12, '\0') +
                       "acsp" + std::string(28, '\0') + fixed16(0.9642) + fixed16(1) +
                       fixed16(0.8249);
  header.resize(128);
  return header + table + data;
}

inline std::string grey_profile(double gamma) {
  return profile_of("GRAY", {{"wtpt", xyz_tag(0.9642, 1, 0.8249)}, {"kTRC", gamma_tag(gamma)}});
}

// sRGB's primaries, adapted to D50 as profiles want them.
inline std::string rgb_profile(const std::string& curve) {
  return profile_of("RGB ", {{"wtpt", xyz_tag(0.9642, 1, 0.8249)},
                             {"rXYZ", xyz_tag(0.4361, 0.2225, 0.0139)},
                             {"gXYZ", xyz_tag(0.3851, 0.7169, 0.0971)},
                             {"bXYZ", xyz_tag(0.1431, 0.0606, 0.7141)},
                             {"rTRC", curve},
                             {"gTRC", curve},
                             {"bTRC", curve}});
}

}  // namespace limn
