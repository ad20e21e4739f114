// The target of a request: "/api/v1/jobs?state=done&limit=20" as a path and what follows it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace limn {

// The parameters of a query, in their order.
class Query {
 public:
  void add(std::string name, std::string value);
  // The value of the only parameter with this name, or nullptr. Throws Problem (400) if there are
  // several.
  const std::string* find(std::string_view name) const;
  // A whole number in this range, or `otherwise`. Throws Problem (400).
  long long number(std::string_view name, long long least, long long most,
                   long long otherwise) const;
  // Throws Problem (400), naming the nearest one, if there is a parameter that is none of these.
  void allow(std::initializer_list<std::string_view> names) const;

  const std::vector<std::pair<std::string, std::string>>& all() const { return parameters_; }

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
};

struct Target {
  std::string path;  // decoded; begins with "/"
  Query query;
};

// Throws Problem: 400 (not a path of this server, a wrong escape, a control character, bytes that
// are not UTF-8, dot segments), 414 (longer than 2,048 bytes). Nothing here becomes the name of a
// file; dots and escaped slashes are refused because nobody sends them in good faith.
Target parse_target(std::string_view text);

// Whether the bytes are UTF-8, without overlong forms and surrogates.
bool is_utf8(std::string_view text);

}  // namespace limn
