#include "jobs/cutting_proxy.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string_view>

namespace limn {
namespace {

constexpr const char* kSocketName = "/.s.PGSQL.5432";
constexpr int kMilliseconds = 50;  // between looks at whether it is over

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  return address;
}

bool is_ready(int socket) {
  pollfd ready = {socket, POLLIN, 0};
  return poll(&ready, 1, kMilliseconds) > 0;
}

}  // namespace

CuttingProxy::CuttingProxy(const std::string& server_folder)
    : server_(server_folder + kSocketName), folder_("/tmp/limn-proxy-XXXXXX") {
  if (!mkdtemp(folder_.data())) throw std::runtime_error("no folder " + folder_);
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = address_of(folder_ + kSocketName);
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener_, 10) != 0)
    throw std::runtime_error("no socket in " + folder_);
  accepting_ = std::thread([this] { accept_all(); });
}

CuttingProxy::~CuttingProxy() {
  over_ = true;
  accepting_.join();
  for (std::thread& connection : connections_) connection.join();
  close(listener_);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void CuttingProxy::accept_all() {
  while (!over_) {
    if (!is_ready(listener_)) continue;
    const int client = accept(listener_, nullptr, nullptr);
    connections_.emplace_back([this, client] { pass_on(client); });
  }
}

void CuttingProxy::pass_on(int client) {
  const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = address_of(server_);
  bool open = connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  std::array<char, 65536> bytes = {};
  while (open && !over_) {
    pollfd both[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    if (poll(both, 2, kMilliseconds) <= 0) continue;
    for (int from = 0; from < 2 && open; ++from) {
      if (both[from].revents == 0) continue;
      const ssize_t count = read(both[from].fd, bytes.data(), bytes.size());
      open = count > 0;
      if (!open) break;
      const std::string_view text(bytes.data(), static_cast<size_t>(count));
      const bool commits = from == 0 && text.find("COMMIT") != std::string_view::npos;
      const Cut cut = commits ? cut_.exchange(Cut::none) : Cut::none;
      if (cut != Cut::before) open = write(both[1 - from].fd, bytes.data(), text.size()) == count;
      if (cut == Cut::none) continue;
      ++cuts_;
      if (cut == Cut::after) is_ready(server);  // it has been carried out
      open = false;
    }
  }
  close(client);
  close(server);
}

}  // namespace limn
