// The picture as it stands, in a small file that is replaced every so often: for a window that
// shows a painting while it is painted.
//
// A preview must not slow the painting down. The painting's thread only takes the picture and
// shrinks it; another one encodes and writes it, and while that one is busy no preview is taken.
// What both spend is kept below a share of the painting's time: where pictures are so large that
// one takes long, there are fewer of them.
#pragma once

#include <limn/limn.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace limn {

struct PreviewOptions {
  std::string path;      // its ending gives the format
  double seconds = 0.3;  // at least, between two
};

// The longest side of a preview, in pixels: what a window shows.
inline constexpr int kPreviewSide = 1024;

class PreviewWriter {
 public:
  explicit PreviewWriter(PreviewOptions options);
  // Waits until the last one is written.
  ~PreviewWriter();
  PreviewWriter(const PreviewWriter&) = delete;
  PreviewWriter& operator=(const PreviewWriter&) = delete;

  // Writes a preview of this picture if it is time to, and if the last one is done.
  void offer(const std::function<Image()>& picture);
  // Writes this one in any case, as the last, and waits until it is written.
  void finish(const Image& picture);

  // Why previews could not be written: once. They are tried again all the same.
  std::optional<std::string> trouble();

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace limn
