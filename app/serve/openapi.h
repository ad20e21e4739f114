// docs/openapi.yaml, embedded by the build (cmake/embed_text.cmake).
#pragma once

#include <string_view>

namespace limn {

std::string_view openapi_text();

}  // namespace limn
