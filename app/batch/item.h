// A task of a batch on its way: what exactly is to be painted, and what has come of it.
#pragma once

#include <limn/limn.h>

#include <string>

#include "request/paint_request.h"

namespace limn {

enum class ItemState {
  waiting,
  up_to_date,  // it was there already
  painted,
  failed,
};

struct BatchItem {
  PaintRequest request;
  std::string origin;  // BatchTask::origin
  ItemState state = ItemState::waiting;
  Size size = {};  // of the result; 0 if it is not known

  // Why it failed.
  std::string trouble;
  ErrorKind kind = ErrorKind::usage;

  // Of one that was painted.
  Outcome outcome = Outcome::finished;
  int iteration = 0;  // of the picture
  int iterations = 0;
  double seconds = 0;
  Losses losses;  // of the picture

  bool is_there() const { return state == ItemState::up_to_date || state == ItemState::painted; }
};

// "'list.csv', line 3: ..." or the message alone.
inline std::string trouble_text(const BatchItem& item) {
  return item.origin.empty() ? item.trouble : item.origin + ": " + item.trouble;
}

}  // namespace limn
