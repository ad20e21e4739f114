// Where the user keeps trained weights that were fetched: limn/models in $XDG_CACHE_HOME, or in
// ~/.cache. There, and in place of a file, "vgg19" names weights. "builtin" names those inside
// limn.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "network/weights.h"

namespace limn {

// The cache's folder, which need not be there. Throws Error (usage) when neither $XDG_CACHE_HOME
// nor $HOME says where.
std::string model_cache_folder();

// The regular files of the cache, sorted by name, without those that are still being fetched.
std::vector<std::string> cached_files();

// The file of the cache that the name of a network stands for: one of that name whatever its ending
// (vgg19.safetensors), else the published one. Empty if there is none.
std::optional<std::string> cached_weights(std::string_view network);

// The weights that are meant by --weights or FILE|NAME: a file, or else those of that name: the
// built-in network's, which are in no file (empty), or the cached one. Throws Error (file) for the
// name of a network that is not in the cache; the names of other missing files come back as they
// are.
std::optional<std::string> find_weights(const std::string& file_or_name);

// What find_weights found, read; with nothing, the built-in network.
Weights read_found(const std::optional<std::string>& file);

}  // namespace limn
