// limn model fetch, limn model list: published weights, and the user's cache of them.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/lower_case.h"
#include "commands/exit_code.h"
#include "commands/model.h"
#include "models/fetch.h"
#include "models/model_cache.h"
#include "network/vgg.h"
#include "show/console.h"
#include "show/interrupt.h"
#include "show/progress.h"
#include "weights/known_files.h"
#include "weights/read.h"

namespace limn {
namespace {

namespace fs = std::filesystem;

// --------------------------------------------------------------------------------------- fetch --

struct FetchCommand {
  std::string network;
  std::string url;     // instead of the published one
  std::string sha256;  // of the file at `url`, if it is not the published one
  bool force = false;
  bool quiet = false;

  int run();
  void check();
  FetchRequest request() const;
};

// The published file of a network. Throws Error (usage) where there is none.
const KnownFile& published_file(std::string_view network) {
  if (network == kBuiltinName) {
    fail(ErrorKind::usage, "the network '{}' is built into limn; there is nothing to fetch",
         network);
  }
  const NetworkTable& table = network_named(network);
  return *fetchable_file(table.name);  // there is one for each network
}

void FetchCommand::check() {
  published_file(network);
  const auto starts = [&](std::string_view scheme) { return url.starts_with(scheme); };
  if (!url.empty() && !starts("https://") && !starts("http://")) {
    fail(ErrorKind::usage, "--from: '{}' should begin with https:// or http://", url);
  }
  sha256 = lower_case(sha256);
  const bool digits = sha256.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!sha256.empty() && (!digits || sha256.size() != 64)) {
    fail(ErrorKind::usage, "--sha256: '{}' should be 64 hexadecimal digits", sha256);
  }
}

// The extension of the file that a URL names, ".safetensors"; "" if it has no plain one.
std::string ending_of(std::string url) {
  url.resize(std::min(url.size(), url.find_first_of("?#")));
  const std::string ending = fs::path(url).extension().string();
  const bool plain = std::ranges::all_of(
      ending, [](unsigned char c) { return c < 128 && (std::isalnum(c) || c == '.'); });
  return plain && ending.size() <= 16 && ending != partial_path("") ? ending : "";
}

FetchRequest FetchCommand::request() const {
  const KnownFile& published = published_file(network);
  const fs::path folder = model_cache_folder();
  FetchRequest request;
  request.url = url.empty() ? std::string(published.url) : url;
  if (sha256.empty()) {
    request.path = (folder / published.name).string();
    request.bytes = published.bytes;
    request.digest_kind = DigestKind::md5;
    request.digest = published.md5;
  } else {
    request.path = (folder / (network + ending_of(url))).string();
    request.digest = sha256;
  }
  request.check = [wanted = network, from = request.url](const std::string& path) {
    const Weights weights = read_weights(path);
    if (weights.network->name != wanted) {
      fail(ErrorKind::file, "'{}' sent weights for {}, not {}; the file was removed", from,
           weights.network->name, wanted);
    }
  };
  return request;
}

int FetchCommand::run() {
  check();
  const FetchRequest request = this->request();
  std::error_code error;
  if (!force && fs::exists(request.path, error)) {
    if (digest_of_file(request.path, request.digest_kind) != request.digest) {
      fail(ErrorKind::file, "'{}' exists but is not the published file; use --force to replace it",
           request.path);
    }
    if (!quiet) say("already there\n");
    print(request.path + "\n");
    return kSuccess;
  }
  fs::create_directories(fs::path(request.path).parent_path(), error);
  if (error) {
    fail(ErrorKind::file, "cannot create the folder '{}': {}",
         fs::path(request.path).parent_path().string(), error.message());
  }
  catch_interrupts();
  if (fetch(request, quiet) == FetchOutcome::interrupted) return kInterrupted;
  const std::string used = cached_weights(network).value_or(request.path);
  if (!quiet && used != request.path) {
    say(fmt::format("'{}' takes precedence: {} refers to that file\n", used, network));
  }
  print(request.path + "\n");
  return kSuccess;
}

// ---------------------------------------------------------------------------------------- list --

struct Cached {
  std::string path;
  std::uint64_t bytes = 0;
  std::string format, network;
  size_t convolutions = 0;
};

// The weights files in the cache; other files are ignored.
std::vector<Cached> readable_files() {
  std::vector<Cached> readable;
  for (const std::string& path : cached_files()) {
    try {
      const Weights weights = read_weights(path);
      readable.push_back({path, file_size(path, "weights file"), weights.format,
                          std::string(weights.network->name), weights.convolutions.size()});
    } catch (const Error&) {
      continue;
    }
  }
  return readable;
}

// The bytes of a published file that have arrived so far; 0 if none.
std::uint64_t arrived_bytes(const KnownFile& file) {
  std::error_code error;
  const auto bytes =
      fs::file_size(partial_path((fs::path(model_cache_folder()) / file.name).string()), error);
  return error ? 0 : bytes;
}

std::string list_as_text() {
  std::string text = fmt::format("{:<8}imitates VGG-19, {}\n        built in; used by default\n",
                                 kBuiltinName, bytes_text(builtin_file().size()));
  for (const KnownFile& file : known_files()) {
    if (file.url.empty()) continue;
    const auto cached = cached_weights(file.network);
    const std::uint64_t arrived = arrived_bytes(file);
    text += fmt::format("{:<8}{}, {}\n        ", file.network, file.what, bytes_text(file.bytes));
    if (cached) {
      text += *cached + "\n";
    } else if (arrived > 0) {
      text += fmt::format("{} received; run 'limn model fetch {}' to resume\n", bytes_text(arrived),
                          file.network);
    } else {
      text += fmt::format("not fetched; run 'limn model fetch {}'\n", file.network);
    }
  }
  text += fmt::format("\nWeights in {}:\n", model_cache_folder());
  const std::vector<Cached> files = readable_files();
  for (const Cached& file : files) {
    text +=
        fmt::format("  {}: {}, {} convolutions, {}, {}\n", fs::path(file.path).filename().string(),
                    file.network, file.convolutions, file.format, bytes_text(file.bytes));
  }
  return text + (files.empty() ? "  none\n" : "");
}

std::string list_as_json() {
  nlohmann::ordered_json json = {{"builtin", {{"bytes", builtin_file().size()}}},
                                 {"folder", model_cache_folder()},
                                 {"published", nlohmann::ordered_json::array()},
                                 {"files", nlohmann::ordered_json::array()}};
  for (const KnownFile& file : known_files()) {
    if (file.url.empty()) continue;
    const auto cached = cached_weights(file.network);
    json["published"].push_back(
        {{"name", file.network},
         {"what", file.what},
         {"file", file.name},
         {"url", file.url},
         {"bytes", file.bytes},
         {"md5", file.md5},
         {"arrived_bytes", arrived_bytes(file)},
         {"cached", cached ? nlohmann::ordered_json(*cached) : nlohmann::ordered_json()}});
  }
  for (const Cached& file : readable_files()) {
    json["files"].push_back({{"path", file.path},
                             {"bytes", file.bytes},
                             {"format", file.format},
                             {"network", file.network},
                             {"convolutions", file.convolutions}});
  }
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

void add_model_fetch_command(CLI::App& model, int& exit_code) {
  CLI::App* command = model.add_subcommand("fetch", R"(Fetch published weights into the cache

The file comes from where it is published, or from --from, and is compared with its published
checksum. It is kept in limn/models in $XDG_CACHE_HOME, or in ~/.cache, where --network finds
it; its path is printed. If the connection drops or you press Ctrl-C, the part received is kept,
and the same command resumes from there.)");
  command->footer(R"(Examples:
  limn model fetch vgg19
  limn model fetch vgg19 --from https://mirror.example/vgg19.h5
  limn model fetch vgg16 --from https://mirror.example/vgg16.safetensors --sha256 HEX

Exit codes: 0 the file is there; 2 bad flag; 3 the file could not be fetched; 130 interrupted.)");
  const auto fetch = std::make_shared<FetchCommand>();
  command->add_option("NAME", fetch->network, "The network")->required()->type_name("vgg16|vgg19");
  CLI::Option* from =
      command->add_option("--from", fetch->url, "Fetch the file from this address instead")
          ->type_name("URL");
  command
      ->add_option("--sha256", fetch->sha256,
                   "The SHA-256 of the file at --from, if it is not the published one")
      ->type_name("HEX")
      ->needs(from);
  command->add_flag("--force", fetch->force, "Fetch again and replace the existing file");
  command->add_flag("--quiet", fetch->quiet, "Show no progress");
  command->callback([=, &exit_code] { exit_code = fetch->run(); });
}

void add_model_list_command(CLI::App& model, int& exit_code) {
  CLI::App* command =
      model.add_subcommand("list", R"(List what can be fetched, and what is in the cache

For each network, shows the file that its name stands for.)");
  command->footer(R"(Examples:
  limn model list
  limn model list --json)");
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "Print JSON");
  command->callback([=, &exit_code] {
    print(*json ? list_as_json() : list_as_text());
    exit_code = kSuccess;
  });
}

}  // namespace limn
