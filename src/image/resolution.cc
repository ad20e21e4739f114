#include "image/resolution.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "image/write.h"

namespace limn {
namespace {

using vips::VImage;
using vips::VTarget;

// Files round: PNG to whole pixels per metre.
constexpr double kRounding = 0.05;  // pixels per inch

bool is_about(double a, double b) { return std::abs(a - b) <= kRounding; }

// Of a JPEG's first segments.
constexpr gint64 kStartBytes = 2;  // FF D8, start of image

using Jfif = std::array<unsigned char, 18>;
Jfif jfif_segment(double dpi) {
  const auto density = static_cast<unsigned>(std::lround(dpi));
  const auto high = static_cast<unsigned char>(density >> 8);
  const auto low = static_cast<unsigned char>(density & 0xff);
  return {0xff, 0xe0, 0, 16,   'J', 'F',  'I', 'F', 0,   // APP0, its length, its name
          1,    1,    1, high, low, high, low, 0,   0};  // version 1.1, per inch, no thumbnail
}

// What a custom target's callbacks share.
struct Insertion {
  VipsTarget* to;
  Jfif segment;
  gint64 written = 0;
};

gint64 write_with_segment(VipsTargetCustom*, const void* data, gint64 length, void* shared) {
  Insertion& insertion = *static_cast<Insertion*>(shared);
  const auto* bytes = static_cast<const unsigned char*>(data);
  const gint64 before = std::clamp<gint64>(kStartBytes - insertion.written, 0, length);
  const auto put = [&](const unsigned char* from, gint64 count) {
    return vips_target_write(insertion.to, from, static_cast<size_t>(count)) == 0;
  };
  const bool is_here = insertion.written < kStartBytes && insertion.written + before == kStartBytes;
  insertion.written += length;
  const bool done = put(bytes, before) &&
                    (!is_here || put(insertion.segment.data(), std::ssize(insertion.segment))) &&
                    put(bytes + before, length - before);
  return done ? length : -1;
}

int end_insertion(VipsTargetCustom*, void* shared) {
  return vips_target_end(static_cast<Insertion*>(shared)->to);
}

void forget_insertion(void* shared, GClosure*) {
  auto* insertion = static_cast<Insertion*>(shared);
  g_object_unref(insertion->to);
  delete insertion;
}

}  // namespace

std::optional<double> stated_dpi(const VImage& image) {
  const double dpi = image.xres() * kMmPerInch;
  const double down = image.yres() * kMmPerInch;
  // Also false for NaN.
  if (!(dpi >= kLeastDpi && dpi <= kMostDpi && is_about(dpi, down))) return std::nullopt;
  if (is_about(dpi, kMmPerInch) || is_about(dpi, kUnstatedDpi)) return std::nullopt;
  // PNG's 300 dpi are 299.9994: what was meant is a whole number.
  return is_about(dpi, std::round(dpi)) ? std::round(dpi) : dpi;
}

VImage with_dpi(const VImage& image, double dpi) {
  VImage stating =
      image.copy(VImage::option()->set("xres", dpi / kMmPerInch)->set("yres", dpi / kMmPerInch));
  stating.set("resolution-unit", "in");
  return stating;
}

VTarget with_jfif(const VTarget& target, double dpi) {
  VipsTargetCustom* const custom = vips_target_custom_new();
  if (custom == nullptr) throw vips::VError();
  auto* insertion = new Insertion{target.get_target(), jfif_segment(dpi)};
  g_object_ref(insertion->to);
  g_signal_connect_data(custom, "write", G_CALLBACK(write_with_segment), insertion,
                        forget_insertion, static_cast<GConnectFlags>(0));
  g_signal_connect(custom, "end", G_CALLBACK(end_insertion), insertion);
  return VTarget(VIPS_TARGET(custom));
}

}  // namespace limn
