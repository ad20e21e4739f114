#include "serve/routes.h"

#include <algorithm>
#include <array>

namespace limn {
namespace {

using enum Operation;

constexpr std::array kRoutes = {
    Route{"GET", "/", page, "getPage", BodyKind::none, {200, 303, 304}},
    // Nothing in them is secret, and the page for those without a token needs the style.
    Route{"GET", "/page/{file}", page_file, "getPageFile", BodyKind::none, {200, 304, 404}, true},
    Route{"GET", "/healthz", health, "getHealth", BodyKind::none, {200}, true},
    Route{"GET", "/metrics", metrics, "getMetrics", BodyKind::none, {200}},
    Route{"GET", "/api/v1/openapi.yaml", openapi, "getOpenApi", BodyKind::none, {200, 304}},
    Route{
        "POST", "/api/v1/jobs", submit_job, "submitJob", BodyKind::form, {201, 415, 422, 429, 507}},
    Route{"GET", "/api/v1/jobs", list_jobs, "listJobs", BodyKind::none, {200}},
    Route{"GET", "/api/v1/jobs/{id}", get_job, "getJob", BodyKind::none, {200, 404}},
    Route{"DELETE", "/api/v1/jobs/{id}", delete_job, "deleteJob", BodyKind::none, {204, 404, 409}},
    Route{"GET",
          "/api/v1/jobs/{id}/events",
          follow_job,
          "followJob",
          BodyKind::none,
          {200, 204, 404}},
    Route{"GET", "/api/v1/events", follow_jobs, "followJobs", BodyKind::none, {200}},
    Route{"GET",
          "/api/v1/jobs/{id}/result",
          get_result,
          "getResult",
          BodyKind::none,
          {200, 206, 304, 404, 409, 416, 422, 507}},
    Route{"GET",
          "/api/v1/jobs/{id}/preview",
          get_preview,
          "getPreview",
          BodyKind::none,
          {200, 206, 304, 404, 416}},
    Route{"GET",
          "/api/v1/jobs/{id}/inputs/{number}",
          get_input,
          "getInput",
          BodyKind::none,
          {200, 206, 304, 404, 416, 422, 507}},
    Route{"POST",
          "/api/v1/jobs/{id}/cancel",
          cancel_job,
          "cancelJob",
          BodyKind::none,
          {200, 404, 409}},
    Route{
        "POST", "/api/v1/jobs/{id}/retry", retry_job, "retryJob", BodyKind::none, {200, 404, 409}},
    Route{"POST",
          "/api/v1/jobs/{id}/move",
          move_job,
          "moveJob",
          BodyKind::json,
          {200, 404, 409, 415, 422}},
    Route{"POST", "/api/v1/uploads", upload_file, "uploadFile", BodyKind::upload, {201, 415, 507}},
    Route{"GET", "/api/v1/uploads/{id}", get_upload, "getUpload", BodyKind::none, {200, 404, 422}},
    Route{"GET",
          "/api/v1/uploads/{id}/picture",
          get_upload_picture,
          "getUploadPicture",
          BodyKind::none,
          {200, 206, 304, 404, 416, 422, 507}},
    Route{"GET", "/api/v1/examples", list_examples, "listExamples", BodyKind::none, {200}},
    Route{"GET",
          "/api/v1/examples/{file}",
          get_example,
          "getExample",
          BodyKind::none,
          {200, 304, 404}},
    Route{"POST",
          "/api/v1/examples/{file}",
          upload_example,
          "uploadExample",
          BodyKind::none,
          {201, 404, 507}},
    Route{"POST", "/api/v1/recipes", check_recipe, "checkRecipe", BodyKind::json, {200, 415, 422}},
    Route{"POST", "/api/v1/live", paint_live, "paintLive", BodyKind::json, {200, 409, 415, 422}},
    Route{"GET", "/api/v1/recipes", list_recipes, "listRecipes", BodyKind::none, {200}},
    Route{"GET", "/api/v1/recipes/{name}", get_recipe, "getRecipe", BodyKind::none, {200, 404}},
};

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const size_t end = std::min(path.find('/'), path.size());
    parts.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return parts;
}

bool matches(const std::vector<std::string_view>& given, std::string_view pattern,
             std::vector<std::string>& arguments) {
  const std::vector<std::string_view> wanted = segments(pattern);
  if (given.size() != wanted.size()) return false;
  arguments.clear();
  for (size_t i = 0; i < given.size(); ++i) {
    const bool variable = wanted[i].starts_with('{');
    if (variable ? given[i].empty() : given[i] != wanted[i]) return false;
    if (variable) arguments.emplace_back(given[i]);
  }
  return true;
}

}  // namespace

std::span<const Route> routes() { return kRoutes; }

Match match_route(std::string_view method, std::string_view path) {
  const std::vector<std::string_view> given = segments(path);
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  Match match;
  for (const Route& route : kRoutes) {
    std::vector<std::string> arguments;
    if (!matches(given, route.path, arguments)) continue;
    if (!match.allowed.empty()) match.allowed += ", ";
    match.allowed += route.method;
    if (route.method == "GET") match.allowed += ", HEAD";
    if (route.method != wanted) continue;
    match.route = &route;
    match.arguments = std::move(arguments);
  }
  if (!match.allowed.empty()) match.allowed += ", OPTIONS";
  return match;
}

}  // namespace limn
