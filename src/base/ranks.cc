#include "base/ranks.h"

namespace limn {

Ranks& alone() {
  static Alone only;
  return only;
}

}  // namespace limn
