#include "fuzz/requests.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "serve/access.h"
#include "serve/conditions.h"
#include "serve/multipart.h"
#include "serve/problem.h"
#include "serve/routes.h"
#include "serve/settings.h"
#include "serve/target.h"
#include "work/live_protocol.h"

namespace limn {
namespace {

[[noreturn]] void broken(const char* promise) {
  std::fprintf(stderr, "a promise was broken: %s\n", promise);
  std::abort();
}

void promise(bool kept, const char* what) {
  if (!kept) broken(what);
}

// The first byte chooses; the rest is read.
unsigned char choice_in(std::string_view& bytes) {
  const auto choice = static_cast<unsigned char>(bytes.empty() ? 0 : bytes.front());
  bytes.remove_prefix(std::min<size_t>(1, bytes.size()));
  return choice;
}

// What a form is said to contain, if it is read in pieces of this length; or its problem.
std::string form_as_text(std::string_view form, size_t piece) {
  std::string text;
  bool open = false;
  size_t bytes_given = 0;
  MultipartReader reader(
      "B", {[&](const MultipartReader::Part& part) {
              promise(!open, "a part ends before the next begins");
              promise(!part.name.empty() && part.name.size() <= 64, "a part has a name");
              promise(is_utf8(part.filename), "a name is UTF-8");
              promise(part.filename.find_first_of("/\\") == std::string::npos, "a name is no path");
              open = true;
              text += part.name + "|" + part.filename + "|";
            },
            [&](std::span<const std::byte> bytes) {
              promise(open && !bytes.empty(), "bytes are a part's");
              bytes_given += bytes.size();
              text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
            },
            [&] {
              promise(open, "what ends has begun");
              open = false;
              text += "|end|";
            }});
  try {
    for (size_t at = 0; at < form.size(); at += piece) {
      reader.take(std::as_bytes(std::span(form.substr(at, piece))));
    }
    reader.finish();
    promise(!open, "the last part has ended");
  } catch (const Problem& problem) {
    return "problem";
  }
  promise(bytes_given <= form.size(), "no byte comes twice");
  return text;
}

void read_form(std::string_view bytes) {
  const size_t piece = choice_in(bytes) + 1U;
  promise(form_as_text(bytes, piece) == form_as_text(bytes, bytes.size() + 1),
          "a form is the same in pieces of any length");
}

void read_settings(std::string_view bytes) {
  static const std::vector<std::string> names = recipe_names();
  const std::string& name = names[choice_in(bytes) % names.size()];
  const Recipe recipe = with_settings(named_recipe(name), parse_json(bytes, "settings"), "");
  const std::string toml = to_toml(recipe);
  promise(to_toml(parse_recipe(toml, "recipe")) == toml, "what was accepted can be read again");
  promise(to_toml(with_settings(Recipe(), recipe_json(recipe), "")) == toml, "as JSON too");
}

// What a live painter says, taken over or not: messages, then nothing more.
std::string heard(std::string_view bytes, size_t piece) {
  LiveReader reader;
  std::string all;
  try {
    for (size_t at = 0; at < bytes.size(); at += piece) {
      reader.add(bytes.substr(at, piece));
      while (const std::optional<LiveMessage> message = reader.next()) all += to_bytes(*message);
    }
  } catch (const Error&) {
  }
  return all;
}

void read_live(std::string_view bytes) {
  const std::string all = heard(bytes, bytes.size() + 1);
  promise(bytes.starts_with(all), "messages are what was said");
  promise(heard(bytes, 7) == all, "they are the same in pieces of any length");
  try {
    const LiveFigures figures = parse_live_figures(std::string(bytes));
    promise(to_text(figures) == bytes, "figures are as they were said");
    promise(figures.width >= 1 && figures.iteration <= figures.iterations, "they can be");
  } catch (const Error&) {
  }
}

void read_target(std::string_view bytes) {
  const Target target = parse_target(bytes);
  promise(target.path.starts_with('/') && is_utf8(target.path), "a path is one");
  promise((target.path + "/").find("/../") == std::string::npos, "a path leads nowhere else");
  promise(target.path.find('\0') == std::string::npos, "a path has no zero byte");
  const Match match = match_route("GET", target.path);
  promise(match.route == nullptr || !match.allowed.empty(), "a route allows its method");
  target.query.allow({"state", "limit", "offset", "token"});
  promise(target.query.number("limit", 1, 1000, 1) >= 1, "a number is in its range");
}

void read_fields(std::string_view bytes) {
  const unsigned char choice = choice_in(bytes);
  const std::uint64_t size = choice * 1000ULL;
  const RangeAsked asked = parse_range(bytes, size);
  if (asked.kind == RangeAsked::Kind::part) {
    promise(asked.range.first <= asked.range.last && asked.range.last < size, "a part lies within");
  }
  names_tag(bytes, "\"tag\"", choice % 2 == 0);
  if (const auto revision = parse_revision(bytes)) promise(*revision >= 0, "none is negative");
  const std::string shown_name = display_name(bytes);
  promise(is_utf8(shown_name) && shown_name.size() <= 200, "a name can be shown");
  promise(host_name(bytes).size() <= bytes.size(), "a host is part of the field");
  Request request;
  request.method = "GET";
  request.fields = {{"host", "localhost"}, {"cookie", std::string(bytes)}};
  const Access access("a token that nobody can guess", {"localhost"});
  promise(!access.has_token(request) ||
              bytes.find("a token that nobody can guess") != std::string_view::npos,
          "nobody guesses the token");
  promise(boundary_of(bytes).size() <= 70, "a boundary is short");
}

}  // namespace

std::span<const FuzzedRequest> fuzzed_requests() {
  static constexpr std::array kReaders = {
      FuzzedRequest{"multipart", read_form}, FuzzedRequest{"settings", read_settings},
      FuzzedRequest{"target", read_target}, FuzzedRequest{"fields", read_fields},
      FuzzedRequest{"live", read_live}};
  return kReaders;
}

void read_request_or_abort(const FuzzedRequest& reader, std::string_view bytes) {
  try {
    reader.read(bytes);
  } catch (const Problem& problem) {
    promise(problem.status() >= 400 && problem.status() < 500, "the fault is the client's");
    promise(is_utf8(problem.what()), "a message is UTF-8");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", std::string(reader.name).c_str(), error.what());
    std::abort();
  }
}

}  // namespace limn
