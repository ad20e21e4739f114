#include "serve/upload_about.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "image/read.h"
#include "jobs/job.h"
#include "request/provenance.h"
#include "serve/problem.h"
#include "serve/recipe_reply.h"
#include "serve/sandboxed.h"

namespace limn {
namespace {

constexpr std::int64_t kMostPixels = 1'000'000'000;
constexpr size_t kMostText = 512 * 1024;
constexpr size_t kMostInputs = 100;
constexpr int kMostSide = 1'000'000;

// A format, by how its files begin: `at` bytes in, this.
struct Start {
  std::string_view format;
  size_t at;
  std::string_view bytes;
};
constexpr std::array kStarts = {
    Start{"JPEG", 0, "\xff\xd8\xff"},
    Start{"PNG", 0, "\x89PNG"},
    Start{"GIF", 0, "GIF8"},
    Start{"WebP", 8, "WEBP"},
    Start{"TIFF", 0, std::string_view("II*\0", 4)},
    Start{"TIFF", 0, std::string_view("MM\0*", 4)},
    Start{"TIFF", 0, std::string_view("II+\0", 4)},
    Start{"TIFF", 0, std::string_view("MM\0+", 4)},
    Start{"AVIF", 4, "ftypavif"},
    Start{"HEIC", 4, "ftyp"},
    Start{"JPEG XL", 0, "\xff\x0a"},
    Start{"JPEG XL", 4, "JXL "},
};

std::string_view format_of(const std::string& path) {
  std::array<char, 16> head = {};
  std::ifstream(path, std::ios::binary).read(head.data(), head.size());
  const std::string_view text(head.data(), head.size());
  const auto* const start = std::ranges::find_if(
      kStarts, [&](const Start& s) { return text.substr(s.at).starts_with(s.bytes); });
  return start == kStarts.end() ? "other" : start->format;
}

// The kind of job that paints so. A picture says what it was made of, not by which command.
JobKind kind_of(const Origin& origin) {
  const auto has = [&](std::string_view role) {
    return std::ranges::find(origin.inputs, role, &InputDigest::role) != origin.inputs.end();
  };
  if (has("hole")) return JobKind::inpaint;
  if (!has("photo")) return JobKind::texture;
  return origin.recipe.name == "season" ? JobKind::season : JobKind::paint;
}

Json origin_json(const Origin& origin) {
  const JobKind kind = kind_of(origin);
  Json settings = differences(origin.recipe, recipe_to_differ_from(origin.recipe.name));
  Json flags = Json::object();
  if (kind == JobKind::texture && !origin.levels.empty()) {
    const Size size = origin.levels.back().size;
    flags["size"] = fmt::format("{}x{}", size.width, size.height);
  }
  // The pictures say how large these are.
  if ((kind == JobKind::texture || kind == JobKind::inpaint) && settings.contains("picture")) {
    settings["picture"].erase("size");
    if (settings["picture"].empty()) settings.erase("picture");
  }
  Json inputs = Json::array();
  for (const InputDigest& input : origin.inputs) {
    if (input.role != "weights") inputs.push_back({{"role", input.role}, {"name", input.name}});
  }
  return {{"kind", name_of(kind)},
          {"recipe", origin.recipe.name},
          {"settings", settings},
          {"flags", flags},
          {"inputs", inputs}};
}

// What a program in the sandbox may have been made to say.
bool is_origin(const Json& json) {
  const auto is_text = [](const Json& object, const char* key) {
    return object.contains(key) && object[key].is_string();
  };
  const bool shape = json.is_object() && json.size() == 5 && is_text(json, "kind") &&
                     is_text(json, "recipe") && json.contains("settings") &&
                     json["settings"].is_object() && json.contains("flags") &&
                     json["flags"].is_object() && json.contains("inputs") &&
                     json["inputs"].is_array() && json["inputs"].size() <= kMostInputs;
  return shape && std::ranges::all_of(json["inputs"], [&](const Json& input) {
           return input.is_object() && input.size() == 2 && is_text(input, "role") &&
                  is_text(input, "name");
         });
}

}  // namespace

std::string describe_picture(const std::string& path) {
  const PictureHeader header = read_header(path, {.max_pixels = kMostPixels});
  Json json = {{"width", header.width},           {"height", header.height},
               {"format", format_of(path)},       {"bits", header.bits},
               {"transparent", header.has_alpha}, {"made_by", nullptr}};
  try {
    const std::optional<Origin> origin = origin_of(read_notes(path), path);
    if (origin) json["made_by"] = origin_json(*origin);
  } catch (const Error&) {
    // Metadata that are damaged, or of a later limn, are as good as none.
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json upload_json(const std::string& id, const std::string& text) {
  const auto is_number = [](const Json& json, const char* key, int most) {
    return json.contains(key) && json[key].is_number_integer() &&
           json[key].get<std::int64_t>() >= 1 && json[key].get<std::int64_t>() <= most;
  };
  Json json;
  try {
    json = parse_json(text, "the picture's description");
  } catch (const Problem&) {
    // said below
  }
  const bool shape = json.is_object() && json.size() == 6 && is_number(json, "width", kMostSide) &&
                     is_number(json, "height", kMostSide) && is_number(json, "bits", 16) &&
                     json.contains("format") && json["format"].is_string() &&
                     json.contains("transparent") && json["transparent"].is_boolean() &&
                     json.contains("made_by") &&
                     (json["made_by"].is_null() || is_origin(json["made_by"]));
  if (!shape) throw Problem(503, "the picture cannot be described");
  Json about = {{"id", id}};
  about.update(json);
  return about;
}

namespace {

std::string describe_in_process(const std::string& path, const std::atomic<bool>& stopped) {
  SandboxedCall call;
  call.arguments = {"about", path};
  call.readable = {path};
  call.failure = "the picture cannot be read";
  std::string text = run_sandboxed(call, stopped);
  if (text.size() > kMostText) throw Problem(503, "the picture cannot be described");
  return text;
}

}  // namespace

Describer describing_process() { return describe_in_process; }

}  // namespace limn
