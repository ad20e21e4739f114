// For builds without libseccomp.
#include "work/system_calls.h"

namespace limn {

std::vector<sock_filter> filter_of_system_calls() { return {}; }

}  // namespace limn
