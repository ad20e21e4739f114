// Paints a batch: first a look at everything, which finds what is up to date and what cannot be
// painted; then picture after picture, with the next one decoded meanwhile.
#pragma once

#include <limn/limn.h>

#include <functional>
#include <future>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "batch/item.h"
#include "batch/reader.h"
#include "paint/painter.h"
#include "show/forecast.h"
#include "show/progress.h"

namespace limn {

// The place of a picture among those that are painted.
struct BatchPlace {
  std::size_t number = 0, count = 0;  // from 1; 0: it is not among them
  double seconds_left = -1;           // until all are done; negative: not known
};

class BatchRun {
 public:
  // The model must outlive this.
  BatchRun(const Model& model, std::vector<BatchItem> items);

  // Finds out which items are waiting. again: those that are up to date too. Stops early if
  // interrupted. Throws Error if all of them fail, and for one reason.
  void look(bool again);

  // Called when an item has been painted, or has failed.
  using Done = std::function<void(const BatchItem&, const BatchPlace&)>;
  // Paints those that are waiting, in order, until interrupted: then the picture that is being
  // painted is left out.
  void paint(ProgressDisplay& display, ProgressStyle style, const Done& done);

  std::span<const BatchItem> items() const { return items_; }
  // The plans of those that are waiting, after look().
  std::span<const Plan> plans() const { return plans_; }
  std::size_t count(ItemState state) const;

 private:
  std::future<BatchReader::Ready> begin_reading(std::size_t number);
  bool has_same_pictures(std::size_t number, std::size_t other) const;
  KeptLevels* kept_for(std::size_t number, const std::vector<InputDigest>& digests);
  void paint_item(std::size_t number, BatchReader::Ready ready, ProgressDisplay& display,
                  ProgressStyle style);
  bool paint_through(Painter& painter, std::size_t number, ProgressDisplay& display,
                     ProgressStyle style);
  void note_once(ProgressDisplay& display, std::span<const std::string> notes);

  const Model& model_;
  std::vector<BatchItem> items_;
  BatchReader reader_;
  std::vector<std::size_t> waiting_;  // numbers of items
  std::vector<Plan> plans_;           // theirs
  std::optional<Forecast> forecast_;
  double left_ = -1;  // the forecast's seconds
  // Of the pictures painted last, where the next have the same.
  KeptLevels levels_;
  std::vector<InputDigest> levels_of_;
  std::set<std::string> noted_;
};

}  // namespace limn
