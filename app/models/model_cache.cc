#include "models/model_cache.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "models/fetch.h"
#include "network/student.h"
#include "network/vgg.h"
#include "weights/known_files.h"
#include "weights/read.h"

namespace limn {
namespace fs = std::filesystem;

namespace {

// The variable's value if it is an absolute path; the XDG rules say to ignore relative ones.
std::optional<fs::path> folder_of_variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || !fs::path(value).is_absolute()) return {};
  return fs::path(value);
}

}  // namespace

std::string model_cache_folder() {
  std::optional<fs::path> cache = folder_of_variable("XDG_CACHE_HOME");
  if (!cache) {
    const std::optional<fs::path> home = folder_of_variable("HOME");
    if (!home) {
      fail(ErrorKind::usage,
           "no folder for fetched weights: neither XDG_CACHE_HOME nor HOME is set to an "
           "absolute path");
    }
    cache = *home / ".cache";
  }
  return (*cache / "limn" / "models").string();
}

std::vector<std::string> cached_files() {
  const std::string folder = model_cache_folder();
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code unreadable;
    const bool partial = partial_path("") == entry->path().extension();
    if (entry->is_regular_file(unreadable) && !partial) files.push_back(entry->path().string());
  }
  if (error && !is_missing(folder)) {
    fail(ErrorKind::file, "cannot read the folder of fetched weights, '{}': {}", folder,
         error.message());
  }
  std::ranges::sort(files);
  return files;
}

std::vector<std::string> network_names() {
  return {std::string(kBuiltinName), std::string(kVgg16.name), std::string(kVgg19.name)};
}

std::optional<std::string> cached_weights(std::string_view network) {
  const KnownFile* published = fetchable_file(network);
  std::optional<std::string> found;
  for (const std::string& file : cached_files()) {
    if (fs::path(file).stem() == network) return file;
    if (published && fs::path(file).filename() == published->name) found = file;
  }
  return found;
}

std::optional<std::string> find_weights(const std::string& file_or_name) {
  const bool file = !is_missing(file_or_name) && !is_folder(file_or_name);
  if (!file && file_or_name == kBuiltinName) return std::nullopt;
  if (file || !find_network(file_or_name)) return file_or_name;
  if (const std::optional<std::string> cached = cached_weights(file_or_name)) return *cached;
  fail(
      ErrorKind::file,
      "there is no weights file '{}', and the published weights of that name have not been fetched "
      "yet; run 'limn model fetch {}'",
      file_or_name, file_or_name);
}

Weights read_found(const std::optional<std::string>& file) {
  return file ? read_weights(*file) : read_builtin();
}

}  // namespace limn
