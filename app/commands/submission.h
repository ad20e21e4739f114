// `limn jobs submit`: what is sent, from the arguments of a command line.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <utility>
#include <vector>

#include "commands/http_client.h"

namespace limn {

class Submission {
 public:
  void add_to(CLI::App& command);

  // The form. Throws Error: usage, file (a recipe or a picture cannot be read).
  std::vector<HttpClient::FormPart> parts() const;
  // The idempotency key: the given one, or one drawn for this submission.
  std::string key() const;

 private:
  void add_pictures(std::vector<HttpClient::FormPart>& parts) const;
  std::string settings() const;

  std::string kind_ = "paint";
  std::vector<std::string> pictures_;
  std::vector<std::pair<std::string, std::string>> others_;  // role and file, in their order
  std::string recipe_;
  std::vector<std::string> sets_;  // "key=value"
  std::vector<std::pair<std::string, std::string>> flags_;
  std::string client_, key_;
  bool preview_ = false;
};

}  // namespace limn
