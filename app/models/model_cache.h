// The user's cache of downloaded weights: limn/models in $XDG_CACHE_HOME, or in ~/.cache. "vgg19"
// in place of a file name means the weights there; "builtin" means those inside limn.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "network/weights.h"

namespace limn {

// The cache's folder, which may not exist. Throws Error (usage) if neither $XDG_CACHE_HOME nor
// $HOME is set.
std::string model_cache_folder();

// The regular files in the cache, sorted by name, without unfinished downloads.
std::vector<std::string> cached_files();

// The cached file for a network's name: one with that name and any ending (vgg19.safetensors), else
// the published one. None if there is none.
std::optional<std::string> cached_weights(std::string_view network);

// The names of networks: those that recipes may have, and that may stand for a file below.
std::vector<std::string> network_names();

// The weights meant by FILE|NETWORK: a file, or else those with that name: the built-in network's,
// which need no file (empty), or cached ones. Throws Error (file) for a network's name
// that is not in the cache; names of other missing files are returned unchanged.
std::optional<std::string> find_weights(const std::string& file_or_name);

// Reads what find_weights found; without a file, the built-in network.
Weights read_found(const std::optional<std::string>& file);

}  // namespace limn
