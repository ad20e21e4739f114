// What this server answers to: the one table, which the router, the OpenAPI file's test and the
// metrics go by.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace limn {

enum class Operation {
  page,
  page_file,
  health,
  metrics,
  openapi,
  submit_job,
  list_jobs,
  get_job,
  delete_job,
  follow_job,
  follow_jobs,
  get_result,
  get_preview,
  get_input,
  cancel_job,
  retry_job,
  move_job,
  upload_file,
  get_upload,
  get_upload_picture,
  paint_live,
  list_examples,
  get_example,
  upload_example,
  check_recipe,
  list_recipes,
  get_recipe,
};

// What a request's body may be.
enum class BodyKind {
  none,  // or empty
  json,
  form,    // multipart/form-data, or JSON
  upload,  // any bytes, kept as a file
};

// A few of HTTP's statuses.
class Statuses {
 public:
  constexpr Statuses(std::initializer_list<int> statuses) {
    for (const int status : statuses) codes_.at(count_++) = status;
  }
  constexpr std::span<const int> all() const { return std::span(codes_).first(count_); }

 private:
  std::array<int, 12> codes_ = {};
  size_t count_ = 0;
};

struct Route {
  std::string_view method;
  std::string_view path;  // "/api/v1/jobs/{id}/inputs/{number}"
  Operation operation;
  std::string_view name;  // operationId
  BodyKind body;
  // Besides those that any request may get (kAnyStatuses).
  Statuses statuses;
  bool open = false;  // needs no token
};

std::span<const Route> routes();

// What any request may be answered: it is wrong, has no token, comes from elsewhere, came too
// slowly, is too long; or the server has a problem.
inline constexpr Statuses kAnyStatuses = {400, 401, 403, 408, 413, 414, 417, 431, 500, 503, 505};

struct Match {
  const Route* route = nullptr;        // none: 404, or, with `allowed`, 405
  std::vector<std::string> arguments;  // of the path, in their order
  std::string allowed;  // "GET, HEAD, OPTIONS": what the path allows; "" if it is unknown
};

// A HEAD is matched like a GET.
Match match_route(std::string_view method, std::string_view path);

}  // namespace limn
