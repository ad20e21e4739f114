// The part of the API that is about pictures as such: uploads, and the examples.
#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "base/error.h"
#include "serve/api.h"
#include "serve/examples.h"
#include "serve/file_reply.h"
#include "serve/problem.h"
#include "serve/settings.h"

namespace limn {
namespace {

constexpr const char* kForever = "private, max-age=31536000, immutable";
constexpr const char* kForADay = "private, max-age=86400";  // until the next limn, say

void set_caching(Reply& reply, const char* how) {
  for (auto& [name, value] : reply.fields) {
    if (name == "Cache-Control") value = how;
  }
}

const Example& example_of(const std::string& file) {
  const Example* const example = find_example(file);
  if (example == nullptr) throw Problem(404, "there is no such example");
  return *example;
}

}  // namespace

// ------------------------------------------------------------------------------------- uploads --

std::optional<Reply> Api::about_upload(const std::string& id, const Request& request,
                                       bool may_make) {
  request.target.query.allow({});
  check_upload(id);
  std::optional<std::string> text = pictures_.find_about(id);
  if (!text && !may_make) return {};
  if (!text) text = pictures_.make_about(id);
  return json_reply(upload_json(id, *text));
}

std::optional<Reply> Api::upload_picture(const std::string& id, const Request& request,
                                         bool may_make) {
  check_upload(id);
  const int side = parse_width(request.target.query);
  if (side == 0) throw Problem(400, "width: should say how wide, in pixels");
  std::optional<std::string> path = pictures_.find(id, side);
  if (!path && !may_make) return {};
  if (!path) path = pictures_.make(id, side);
  const std::string type = picture_type(*path);
  Reply reply = file_reply(
      request, *path, type,
      fmt::format("{}-{}.{}", id.substr(0, 8), side, type == "image/png" ? "png" : "jpg"));
  set_caching(reply, kForever);  // the id is that of its bytes
  return reply;
}

// Its being looked at is a use, which keeps it from being swept.
void Api::check_upload(const std::string& id) const {
  if (!Files::is_id(id) || !queue_.files().has(id) || !queue_.files().hold(id)) {
    throw Problem(404, "there is no such upload; those that no job uses are removed after a while");
  }
}

// ------------------------------------------------------------------------------------ examples --

Reply Api::list_examples(const Request& request) const {
  request.target.query.allow({});
  Json listed = Json::array();
  for (const Example& example : examples()) {
    listed.push_back({{"name", example.name},
                      {"role", example.role},
                      {"url", fmt::format("/api/v1/examples/{}", example.file->name)},
                      {"width", example.width},
                      {"height", example.height}});
  }
  return json_reply({{"examples", listed}});
}

Reply Api::example(const std::string& file, const Request& request) const {
  request.target.query.allow({});
  Reply reply = text_reply(request, "image/jpeg", std::string(example_of(file).file->bytes));
  set_caching(reply, kForADay);
  return reply;
}

Reply Api::upload_example(const std::string& file, const Request& request) {
  request.target.query.allow({});
  const Example& example = example_of(file);
  try {
    Files::Incoming incoming = queue_.files().receive();
    incoming.write(std::as_bytes(std::span(example.file->bytes)));
    return json_reply({{"id", incoming.keep()}}, 201);
  } catch (const Error& error) {
    throw Problem(507, fmt::format("the example cannot be kept: {}", error.what()));
  }
}

}  // namespace limn
