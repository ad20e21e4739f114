// Who may ask this server for anything. Three questions, in this order:
//
// 1. Is the request meant for this server? Its Host must be a name that the server goes by. A page
//    of a stranger's can make a browser ask 127.0.0.1 under a name of its own (DNS rebinding).
// 2. Does it come from a page of another server's? Then it has an Origin that is not its Host.
// 3. Does it have the token: as "Authorization: Bearer TOKEN", or in the cookie that the page's
//    link sets?
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "serve/message.h"

namespace limn {

// The token in a folder, drawn at random and written with mode 0600 if there is none. Throws Error
// (file): it cannot be written or read; others may read it; it is too short to be one.
std::string token_in(const std::string& folder);
// The file that holds it.
std::string token_file(const std::string& folder);

class Access {
 public:
  // `hosts` without ports, IPv6 addresses in brackets: "127.0.0.1", "[::1]", "localhost".
  Access(std::string token, std::vector<std::string> hosts);

  // Names the cookie, since those of servers on other ports of a machine get here too.
  void set_port(int port);

  // Throws Problem (400): no Host, or several; (403): a wrong Host or Origin.
  void check_source(const Request& request) const;
  bool has_token(const Request& request) const;
  // Compares in a time that does not depend on how much of it is right.
  bool is_token(std::string_view text) const;

  // The field Set-Cookie that keeps the token in a browser.
  std::string cookie() const;

 private:
  std::string token_;
  std::vector<std::string> hosts_;
  std::string cookie_name_ = "limn-token";
};

// A Host without its port, in lower case; "" if it is none.
std::string host_name(std::string_view host);

}  // namespace limn
