// Between a client and PostgreSQL's socket; loses, when asked to, a COMMIT or the answer to it.
#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace limn {

class CuttingProxy {
 public:
  explicit CuttingProxy(const std::string& server_folder);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  const std::string& folder() const { return folder_; }
  // The next commit: is passed on and its answer is not, or is not passed on; the connection ends.
  void cut_after_commit() { cut_ = Cut::after; }
  void cut_before_commit() { cut_ = Cut::before; }
  int cuts() const { return cuts_; }

 private:
  enum class Cut { none, before, after };
  void accept_all();
  void pass_on(int client);

  std::string server_, folder_;
  int listener_ = -1;
  std::atomic<bool> over_ = false;
  std::atomic<Cut> cut_ = Cut::none;
  std::atomic<int> cuts_ = 0;
  std::vector<std::thread> connections_;
  std::thread accepting_;
};

}  // namespace limn
