// Where a server keeps what it has: --data, or limn/ in $XDG_STATE_HOME or ~/.local/state.
#pragma once

#include <string>

namespace limn {

inline constexpr const char* kDataFolderText = "~/.local/state/limn";

// `given` may be empty. Throws Error (usage) if there is neither $XDG_STATE_HOME nor $HOME.
std::string data_folder(const std::string& given);

// Where a running server of this folder keeps its address: "http://127.0.0.1:8080".
std::string address_file(const std::string& folder);
// What it says, which a server that was killed leaves behind; "" if there is none. Throws Error
// (file) if it cannot be read.
std::string kept_address(const std::string& folder);
// That file, while this object lives.
class KeptAddress {
 public:
  // Throws Error (file) if it cannot be written.
  KeptAddress(const std::string& folder, const std::string& address);
  // Leaves the file alone if another server has written it since.
  ~KeptAddress();
  KeptAddress(const KeptAddress&) = delete;
  KeptAddress& operator=(const KeptAddress&) = delete;

 private:
  std::string file_, text_;
};

}  // namespace limn
