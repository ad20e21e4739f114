// What `limn jobs` asks of a server, with libcurl.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace limn {

class HttpClient {
 public:
  // `server`: "http://127.0.0.1:8080". `origin` and `next_step` are said if nothing answers there:
  // "--server", "is limn serve running there?".
  HttpClient(std::string server, std::string token, std::string origin, std::string next_step);

  struct FormPart {
    std::string name;
    std::string value;  // or, if `is_file`, the path of a file
    bool is_file = false;
  };

  // Each returns the body of the answer. All throw Error with what the server said: usage (what was
  // asked for is wrong), resources (the server has a problem), file (it cannot be reached).
  std::string get(const std::string& path) const;
  std::string post(const std::string& path, const std::string& json) const;
  // Sent again, under the same key, if the connection was lost before an answer came.
  std::string post_form(const std::string& path, const std::vector<FormPart>& parts,
                        const std::string& key) const;
  void remove(const std::string& path) const;
  // Into a file, in place of which nothing is left if that fails.
  void fetch(const std::string& path, const std::string& file) const;

  // Follows events, until on_event returns false, the stream ends, or interrupted(). Connects again
  // if the connection is lost. Throws Error (file) where that fails too often.
  struct Event {
    std::string name, data;
  };
  void follow(const std::string& path, const std::function<bool(const Event&)>& on_event) const;

 private:
  std::string unreachable(const std::string& why) const;

  std::string server_, token_, origin_, next_step_;
};

}  // namespace limn
