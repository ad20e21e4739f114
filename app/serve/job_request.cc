#include "serve/job_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/error.h"
#include "models/model_cache.h"
#include "network/student.h"
#include "request/inputs.h"
#include "request/vary.h"
#include "serve/multipart.h"
#include "serve/problem.h"
#include "serve/settings.h"

namespace limn {
namespace {

constexpr size_t kMostPaintings = 16;
constexpr size_t kLongestClient = 100;
constexpr size_t kLongestKey = 200;
constexpr std::string_view kNoInput = "none";  // in place of a mask

// A picture that a kind of job has.
struct Role {
  std::string_view name;  // the argument or flag of the command
  size_t least = 0, most = 0;
};

struct Kind {
  JobKind kind;
  std::string_view recipe;
  std::span<const Role> roles;
  std::span<const std::string_view> flags;
};

constexpr Role kContentMasks = {"mask-content", 0, kMostPaintings};
constexpr Role kStyleMasks = {"mask-style", 0, kMostPaintings};
constexpr Role kKeepMask = {"mask-keep", 0, 1};
constexpr std::array kPaintRoles = {Role{"photo", 1, 1}, Role{"painting", 1, kMostPaintings},
                                    kContentMasks, kStyleMasks, kKeepMask};
constexpr std::array kSeasonRoles = {Role{"photo", 1, 1}, Role{"example", 1, kMostPaintings},
                                     kContentMasks, kStyleMasks, kKeepMask};
constexpr std::array kTextureRoles = {Role{"exemplar", 1, kMostPaintings}};
constexpr std::array kInpaintRoles = {Role{"picture", 1, 1}, Role{"hole", 1, 1},
                                      Role{"from", 0, 1}};
constexpr std::array<std::string_view, 1> kPaintFlags = {"bits"};
constexpr std::array<std::string_view, 2> kSweepFlags = {"bits", "vary"};
constexpr std::array<std::string_view, 3> kTextureFlags = {"bits", "shifts", "size"};

constexpr std::array kKinds = {
    Kind{JobKind::paint, "limn", kPaintRoles, kPaintFlags},
    Kind{JobKind::texture, "texture", kTextureRoles, kTextureFlags},
    Kind{JobKind::inpaint, "inpaint", kInpaintRoles, kPaintFlags},
    Kind{JobKind::season, "season", kSeasonRoles, kPaintFlags},
    Kind{JobKind::sweep, "limn", kPaintRoles, kSweepFlags},
};

// What was given, whether by a form or by JSON.
struct Given {
  std::vector<std::pair<std::string, std::string>> texts;  // kind, recipe, client
  std::optional<Json> settings, flags;
  bool preview = false;
  std::vector<JobInput> inputs;
};

constexpr std::array<std::string_view, 3> kTexts = {"kind", "recipe", "client"};

[[noreturn]] void refuse_request(const std::string& pointer, const std::string& what) {
  throw Problem(422, fmt::format("{}: {}", pointer, what), pointer);
}

bool is_role(std::string_view name) {
  return std::ranges::any_of(kKinds, [&](const Kind& kind) {
    return std::ranges::find(kind.roles, name, &Role::name) != kind.roles.end();
  });
}

[[noreturn]] void refuse_name(const std::string& name) {
  std::vector<std::string> known = {"kind", "recipe", "client", "settings", "flags", "preview"};
  for (const Kind& kind : kKinds) {
    for (const Role& role : kind.roles) known.emplace_back(role.name);
  }
  refuse_request(pointer_to("", shown(name)),
                 fmt::format("unknown field{}", did_you_mean(name, known)));
}

// What an input's text may be: the id of an upload, or "none" in place of a mask.
JobInput input_of_text(const std::string& role, const std::string& text,
                       const std::string& pointer) {
  if (text == kNoInput && role.starts_with("mask-") && role != "mask-keep") {
    return {role, std::string(kNoInput), ""};
  }
  if (!Files::is_id(text)) {
    refuse_request(pointer,
                   fmt::format("'{}' is not the id of an upload; POST /api/v1/uploads returns one",
                               shown(text)));
  }
  return {role, text.substr(0, 8), text};
}

void once(const Given& given, const std::string& name) {
  const bool twice = std::ranges::any_of(given.texts, [&](auto& t) { return t.first == name; });
  if (twice) throw Problem(400, fmt::format("the field '{}' is given twice", name));
}

Given given_by_form(const Request& request) {
  Given given;
  for (const auto& [name, value] : request.form) {
    if (!is_utf8(value)) throw Problem(400, fmt::format("the field '{}' is not UTF-8", name));
    if (std::ranges::find(kTexts, name) != kTexts.end()) {
      once(given, name);
      given.texts.emplace_back(name, value);
    } else if (name == "settings" || name == "flags") {
      std::optional<Json>& json = name == "settings" ? given.settings : given.flags;
      if (json) throw Problem(400, fmt::format("the field '{}' is given twice", name));
      json = parse_json(value, name);
    } else if (name == "preview") {
      if (value != "true" && value != "false") {
        refuse_request("/preview", "should be true or false");
      }
      given.preview = value == "true";
    } else if (is_role(name)) {
      given.inputs.push_back(input_of_text(name, value, pointer_to("", name)));
    } else {
      refuse_name(name);
    }
  }
  for (const ReceivedFile& file : request.files) {
    if (!is_role(file.field)) refuse_name(file.field);
    given.inputs.push_back({file.field, file.name, file.id});
  }
  return given;
}

void add_inputs_of_json(Given& given, const std::string& name, const Json& value) {
  const std::string pointer = pointer_to("", name);
  const auto add = [&](const Json& item, const std::string& at) {
    if (item.is_string()) {
      given.inputs.push_back(input_of_text(name, item.get<std::string>(), at));
      return;
    }
    const bool object = item.is_object() && item.contains("upload") && item["upload"].is_string();
    if (!object) refuse_request(at, "should be an upload's id, or {\"upload\": id, \"name\": ...}");
    JobInput input = input_of_text(name, item["upload"].get<std::string>(), at + "/upload");
    if (item.contains("name") && item["name"].is_string()) {
      input.name = display_name(item["name"].get<std::string>());
    }
    given.inputs.push_back(std::move(input));
  };
  if (!value.is_array()) return add(value, pointer);
  if (value.size() > kMostPaintings) refuse_request(pointer, "has too many pictures");
  for (size_t i = 0; i < value.size(); ++i) add(value[i], fmt::format("{}/{}", pointer, i));
}

Given given_by_json(const Json& json) {
  if (!json.is_object()) throw Problem(422, "the request should be a JSON object");
  Given given;
  for (const auto& [name, value] : json.items()) {
    const std::string pointer = pointer_to("", name);
    if (std::ranges::find(kTexts, name) != kTexts.end()) {
      if (!value.is_string()) refuse_request(pointer, "should be a string");
      given.texts.emplace_back(name, value.get<std::string>());
    } else if (name == "settings" || name == "flags") {
      (name == "settings" ? given.settings : given.flags) = value;
    } else if (name == "preview") {
      if (!value.is_boolean()) refuse_request(pointer, "should be true or false");
      given.preview = value.get<bool>();
    } else if (is_role(name)) {
      add_inputs_of_json(given, name, value);
    } else {
      refuse_name(name);
    }
  }
  return given;
}

std::string text_of_field(const Given& given, std::string_view name, std::string_view otherwise) {
  for (const auto& [key, value] : given.texts) {
    if (key == name) return value;
  }
  return std::string(otherwise);
}

void check_inputs(const std::vector<JobInput>& inputs, const Kind& kind, const Files& files) {
  const auto count = [&](std::string_view role) {
    return static_cast<size_t>(std::ranges::count(inputs, role, &JobInput::role));
  };
  for (const JobInput& input : inputs) {
    const std::string pointer = "/" + input.role;
    if (std::ranges::find(kind.roles, input.role, &Role::name) == kind.roles.end()) {
      refuse_request(pointer,
                     fmt::format("a job of kind '{}' has no such picture", name_of(kind.kind)));
    }
    if (!input.file.empty() && !files.has(input.file)) {
      refuse_request(pointer, fmt::format("there is no upload {}; uploads that no job uses are "
                                          "removed after a while",
                                          input.file));
    }
  }
  for (const Role& role : kind.roles) {
    const size_t given = count(role.name);
    const std::string pointer = fmt::format("/{}", role.name);
    if (given < role.least) {
      refuse_request(pointer, fmt::format("a job of kind '{}' needs one", name_of(kind.kind)));
    }
    if (given > role.most) {
      refuse_request(pointer,
                     fmt::format("there are {}, but at most {} are allowed", given, role.most));
    }
  }
  const size_t paintings = count(kind.kind == JobKind::season ? "example" : "painting");
  for (const std::string_view masks : {"mask-content", "mask-style"}) {
    if (count(masks) > paintings) {
      refuse_request(fmt::format("/{}", masks), "there are more masks than paintings");
    }
  }
}

}  // namespace

// What a recipe may say on the command line, but not from far away: names of files.
void check_recipe_of_client(const Recipe& recipe, const std::string& pointer) {
  constexpr std::array<std::string_view, 3> kFirstPictures = {"content", "noise", "mean"};
  if (std::ranges::find(kFirstPictures, recipe.picture.init) == kFirstPictures.end()) {
    throw Problem(422,
                  "picture.init: should be \"content\", \"noise\" or \"mean\"; files of the "
                  "server are not read",
                  pointer + "/picture/init");
  }
  if (recipe.output.save_every != 0) {
    throw Problem(422, "output.save_every: a job keeps one picture, and previews while it runs",
                  pointer + "/output/save_every");
  }
  const std::string& network = recipe.network.name;
  const std::string at = pointer + "/network/name";
  try {
    check_network_name(network);
    if (network != kBuiltinName && !cached_weights(network)) {
      throw Problem(422,
                    fmt::format("network.name: this server has no weights of {}; 'limn model "
                                "fetch {}' on the server gets them",
                                network, network),
                    at);
    }
  } catch (const Problem&) {
    throw;
  } catch (const Error& error) {
    throw Problem(422, error.what(), at);
  }
}

namespace {

Recipe recipe_of(const Given& given, const Kind& kind) {
  Recipe recipe;
  try {
    recipe = named_recipe(text_of_field(given, "recipe", kind.recipe));
  } catch (const Error& error) {
    throw Problem(422, error.what(), "/recipe");
  }
  if (given.settings) recipe = with_settings(recipe, *given.settings, "/settings");
  // The pictures say how large these are.
  if (kind.kind == JobKind::texture || kind.kind == JobKind::inpaint) recipe.picture.size = 0;
  check_recipe_of_client(recipe, "/settings");
  return recipe;
}

// Throws unless the command would take this value.
void check_flag(const std::string& name, const std::string& value, const Recipe& recipe) {
  if (name == "bits") {
    if (value != "8" && value != "16") refuse_request("/flags/bits", "should be 8 or 16");
  } else if (name == "size") {
    parse_canvas(value, "size");
  } else if (name == "shifts") {
    const bool numbers =
        !value.empty() && value.find_first_not_of("0123456789, ") == std::string::npos;
    if (value != "auto" && value != "none" && !numbers) {
      refuse_request("/flags/shifts", "should be auto, none, or numbers separated by commas");
    }
  } else if (name == "vary") {
    for (const Recipe& varied : parse_variation(value, recipe).recipes) {
      check_recipe_of_client(varied, "/flags/vary");
    }
  }
}

std::vector<std::pair<std::string, std::string>> flags_of(const Given& given, const Kind& kind,
                                                          const Recipe& recipe) {
  std::vector<std::pair<std::string, std::string>> flags;
  const Json none = Json::object();
  const Json& json = given.flags ? *given.flags : none;
  if (!json.is_object()) refuse_request("/flags", "should be an object");
  for (const auto& [name, value] : json.items()) {
    const std::string pointer = pointer_to("/flags", name);
    if (std::ranges::find(kind.flags, name) == kind.flags.end()) {
      const std::vector<std::string> known(kind.flags.begin(), kind.flags.end());
      refuse_request(pointer, fmt::format("a job of kind '{}' has no such flag{}",
                                          name_of(kind.kind), did_you_mean(name, known)));
    }
    const bool number = value.is_number_integer();
    if (!number && !value.is_string()) refuse_request(pointer, "should be a string");
    const std::string text = number ? value.dump() : value.get<std::string>();
    try {
      check_flag(name, text, recipe);
    } catch (const Problem&) {
      throw;
    } catch (const Error& error) {
      throw Problem(422, error.what(), pointer);
    }
    flags.emplace_back(name, text);
  }
  const auto vary = std::ranges::find(flags, "vary", &std::pair<std::string, std::string>::first);
  if (kind.kind == JobKind::sweep && vary == flags.end()) {
    refuse_request("/flags/vary", "a sweep needs the setting to vary, \"KEY=VALUES\"");
  }
  return flags;
}

std::string printable_text(const std::string& text, size_t longest, const std::string& pointer) {
  const bool clean =
      std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
  if (!clean || text.size() > longest || !is_utf8(text)) {
    refuse_request(pointer, fmt::format("should be at most {} printable characters", longest));
  }
  return text;
}

}  // namespace

namespace {

JobRequest checked(Given given, const std::string& key, const Files& files) {
  JobRequest result;
  try {
    result.kind = parse_job_kind(text_of_field(given, "kind", "paint"));
  } catch (const Problem&) {
    throw;
  } catch (const Error& error) {
    throw Problem(422, error.what(), "/kind");
  }
  const Kind& kind = *std::ranges::find(kKinds, result.kind, &Kind::kind);
  if (result.kind == JobKind::inpaint) {  // as people call it
    for (JobInput& input : given.inputs) {
      if (input.role == "photo") input.role = "picture";
    }
  }
  check_inputs(given.inputs, kind, files);
  const Recipe recipe = recipe_of(given, kind);
  result.flags = flags_of(given, kind, recipe);
  result.recipe = to_toml(recipe);
  result.inputs = std::move(given.inputs);
  result.preview = given.preview;
  result.client = printable_text(text_of_field(given, "client", ""), kLongestClient, "/client");
  result.key = printable_text(key, kLongestKey, "Idempotency-Key");
  return result;
}

}  // namespace

JobRequest read_job_request(const Request& request, const Files& files) {
  const bool form = !request.form.empty() || !request.files.empty();
  Given given =
      form ? given_by_form(request) : given_by_json(parse_json(request.text, "the request"));
  return checked(std::move(given), request.field_or_empty("idempotency-key"), files);
}

JobRequest job_request_of(const Json& json, const Files& files) {
  return checked(given_by_json(json), "", files);
}

}  // namespace limn
