#pragma once

namespace limn {

// Whether sanitizers watch the tests. They make painting tens of times as slow: tests of numbers
// alone leave long paintings to the build without them.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace limn
