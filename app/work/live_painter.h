// A painter of previews, which stays warm: between two paintings it keeps the network, the decoded
// pictures, and what it has measured of them. `limn serve` starts it ahead of need, in a painter's
// sandbox, and speaks to it by live_protocol.h.
//
// Of a setting's change the first picture comes after a few iterations at 128 pixels. What comes
// before them was the larger part of the time, on two cores (docs/server.md has the figures):
// starting the program, reading the network, decoding, measuring targets, measuring weights. All of
// these are kept, for as long as the pictures stay the same and the setting does not touch them.
#pragma once

#include <limn/limn.h>

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <string>

#include "image/period.h"
#include "paint/painter.h"
#include "request/inputs.h"
#include "request/kept_pictures.h"
#include "work/live_protocol.h"

namespace limn {

class LivePainter {
 public:
  // Reads the pictures in this folder, by their ids.
  explicit LivePainter(std::string files);

  // Called with the figures after each iteration that is to be shown, and what gives the picture.
  using Show = std::function<void(const LiveFigures&, const std::function<Image()>&)>;

  // Paints, showing pictures on the way, the last one when it is done; returns its figures. Once
  // `abandon` is set it throws Stopped, as soon as it can: within milliseconds, except while a
  // picture is decoded. Throws Error: usage, file (as the job would), resources (too large).
  LiveFigures paint(const LiveJob& job, const std::atomic<bool>& abandon, const Show& show);

 private:
  // Of the same pictures.
  struct Known {
    std::string pictures;
    KeptLevels levels;
    // Of the first painting, at the size at which a job would look.
    Size periods_at = {};
    Periods periods = {};
  };
  const Model& model_for(const Recipe& recipe);
  Known& known_of(const std::string& pictures);
  Recipe recipe_of(const LiveJob& job, const InputNames& names, const PictureSizes& own,
                   Known& known);
  void forget_large(KeptLevels& levels) const;

  const std::string files_;
  std::string network_;  // of model_
  Model model_;
  KeptPictures pictures_;
  std::deque<Known> known_;  // used last first
};

// What runs in the process: paints what it is told on standard input until that ends.
void paint_live(const std::string& files);

}  // namespace limn
