// limn serve
#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "base/byte_size.h"
#include "base/error.h"
#include "base/folder.h"
#include "commands/commands.h"
#include "commands/data_folder.h"
#include "commands/exit_code.h"
#include "commands/housekeeping.h"
#include "commands/http_client.h"
#include "jobs/queue.h"
#include "jobs/store.h"
#include "serve/access.h"
#include "serve/api.h"
#include "serve/server.h"
#include "show/console.h"
#include "work/worker.h"
#include "work/worker_options.h"

namespace limn {
namespace {

constexpr const char* kServeDescription =
    R"(Keep a job server: paint what comes by HTTP, and lose no job.

Prints a link with the server's token; whoever has it may use the server. Without --host only this
machine can reach it. Jobs, pictures and the token are in the data folder, and survive a crash: a
server started again goes on where the last one was. Ctrl-C or SIGTERM ends it; paintings save their
state.)";

constexpr const char* kServeExamples =
    R"help(Examples:
  limn serve
  limn serve --open                          and shows the page
  limn serve --port 9000 --data /srv/limn --keep 30 --disk 100G
  limn serve --workers 0 --store postgresql://limn@db/limn --data /mnt/limn
                                             paints nothing itself: 'limn worker' does, elsewhere

  curl -H "Authorization: Bearer $(cat ~/.local/state/limn/token)" \
       -F photo=@photo.jpg -F painting=@painting.jpg http://127.0.0.1:8080/api/v1/jobs

Over a network, put caddy or nginx with TLS in front of it: docs/server.md says how.)help";

struct ServeCommand {
  ServerOptions server;
  std::string data;
  std::string store;
  std::vector<std::string> hosts;        // --host
  std::vector<std::string> other_names;  // --allow-host
  double keep_days = 0;
  std::string disk, memory, most_upload = "200M";
  int quota = 0;
  int workers = 1;
  double checkpoint = 60;  // seconds
  int live = 2;
  bool open_page = false;

  void add_to(CLI::App& command);
  int run();
  std::vector<std::string> host_names() const;
  ApiOptions api_options() const;
  WorkerOptions worker_options() const;
  std::string address(int port) const;
  void introduce(const std::string& folder, const std::string& token, int port) const;
};

void ServeCommand::add_to(CLI::App& command) {
  command.add_option("--port", server.port, "Port to listen on; 0: any that is free [8080]")
      ->type_name("N");
  command
      .add_option("--data", data,
                  "Folder of jobs, pictures and the token [" + std::string(kDataFolderText) + "]")
      ->type_name("FOLDER");
  command
      .add_option("--host", hosts,
                  "Listen on this address instead of 127.0.0.1 and ::1; others can reach it then")
      ->type_name("ADDRESS")
      ->allow_extra_args(false);
  command
      .add_option("--allow-host", other_names,
                  "Another name that the server goes by, as in the address of a proxy before it")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command.add_flag("--open", open_page,
                   "Show the page in the browser: of the server that runs already, if one does");
  command
      .add_option("--store", store,
                  "Where jobs are kept: a file, or postgresql://... for several machines "
                  "[jobs.db in the data folder]")
      ->type_name("FILE|URL");
  command.add_option("--workers", workers, "Pictures painted at a time; 0: none here [1]")
      ->type_name("N");
  command
      .add_option("--live", live,
                  "Previews painted at a time, while settings are changed; 0: none [2]")
      ->type_name("N");
  command
      .add_option("--memory", memory,
                  "For all of those together; a job that needs more fails [3/4 of the machine's]")
      ->type_name("SIZE");
  command
      .add_option("--checkpoint-every", checkpoint,
                  "Seconds between the states from which paintings go on after a crash [60]")
      ->type_name("N");
  command.add_option("--keep", keep_days, "Delete jobs this many days after their end [never]")
      ->type_name("DAYS");
  command
      .add_option("--disk", disk,
                  "Delete the oldest finished jobs beyond this: 500M, 10G [no limit]")
      ->type_name("SIZE");
  command.add_option("--max-upload", most_upload, "The largest picture taken [200M]")
      ->type_name("SIZE");
  command.add_option("--quota", quota, "Unfinished jobs that one client may have [no limit]")
      ->type_name("N");
  command.add_option("--connections", server.limits.connections, "Connections at a time [512]")
      ->type_name("N");
}

bool is_wildcard(const std::string& address) { return address == "0.0.0.0" || address == "::"; }

std::string in_brackets(const std::string& address) {
  return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

std::vector<std::string> ServeCommand::host_names() const {
  std::vector<std::string> names = {"127.0.0.1", "[::1]", "localhost"};
  for (const std::string& host : hosts) {
    if (!is_wildcard(host)) names.push_back(in_brackets(host));
  }
  names.insert(names.end(), other_names.begin(), other_names.end());
  return names;
}

// Each connection is a file, and so is each upload.
void allow_files(size_t wanted) {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, std::max<rlim_t>(limit.rlim_cur, wanted));
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Freed memory is then used again by whichever thread needs some next, not kept for one of them;
// and what many slow readers kept from being sent is given back as soon as they have gone.
void keep_little_memory() {
#ifdef __GLIBC__
  mallopt(M_ARENA_MAX, 2);
  mallopt(M_MMAP_THRESHOLD, 64 * 1024);
  mallopt(M_TRIM_THRESHOLD, 1 << 20);
#endif
}

// Where whoever has the token gets the page.
std::string link_to(const std::string& address, const std::string& token) {
  return fmt::format("{}/?token={}", address, token);
}

// The page of a server that already runs with this folder, if one answers.
std::optional<std::string> running_page(const std::string& folder, const std::string& token) {
  const std::string address = kept_address(folder);
  if (address.empty()) return std::nullopt;
  try {
    HttpClient(address, token, "", "").get("/api/v1/jobs?limit=1");
    return link_to(address, token);
  } catch (const Error&) {
    return std::nullopt;
  }
}

// Returns a thread that ends with the program that shows pages, which may outlive this one.
std::thread show_page(const std::string& link) {
  std::string program = "xdg-open", address = link;
  char* const arguments[] = {program.data(), address.data(), nullptr};
  pid_t child = 0;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);  // the server's connections, say
  const int error = posix_spawnp(&child, program.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    say("limn: there is no xdg-open here; open the link above\n");
    return std::thread([] {});
  }
  return std::thread([child] { waitpid(child, nullptr, 0); });
}

// Where whoever is on this machine reaches it.
std::string ServeCommand::address(int port) const {
  const bool everywhere = hosts.empty() || is_wildcard(hosts.front());
  const std::string host = everywhere ? "127.0.0.1" : in_brackets(hosts.front());
  return fmt::format("http://{}:{}", host, port);
}

void ServeCommand::introduce(const std::string& folder, const std::string& token, int port) const {
  const std::string link = link_to(address(port), token);
  const bool own_only = std::ranges::all_of(hosts, [](const std::string& address) {
    return address.starts_with("127.") || address == "::1";
  });
  if (!own_only) {
    say(
        fmt::format("limn: others can reach port {} of this machine. Whoever has the token may "
                    "use it, and without TLS the network can read it: put caddy or nginx before "
                    "it (docs/server.md)\n",
                    port));
  }
  say(
      fmt::format("limn: jobs are kept in {}; Ctrl-C stops the server, and they go on with the "
                  "next start\n",
                  folder));
  print(link + "\n");
  if (open_page) show_page(link).detach();
}

std::string figures_text(const Worker::Figures& figures) {
  std::string text = metric_head("limn_painters", "gauge", "Pictures painted at a time.") +
                     fmt::format("limn_painters {}\n", figures.painters);
  text += metric_head("limn_painting", "gauge", "Pictures being painted.") +
          fmt::format("limn_painting {}\n", figures.painting);
  text +=
      metric_head("limn_painters_memory_bytes", "gauge", "Memory for painters, by their plans.");
  text += fmt::format("limn_painters_memory_bytes{{kind=\"allowed\"}} {:.0f}\n", figures.memory);
  text += fmt::format("limn_painters_memory_bytes{{kind=\"used\"}} {:.0f}\n", figures.memory_used);
  text += metric_head("limn_paintings_total", "counter", "Painters that ended, by how.");
  for (const auto& [how, count] :
       {std::pair("painted", figures.painted), std::pair("failed", figures.failed),
        std::pair("killed", figures.killed), std::pair("stopped", figures.stopped)}) {
    text += fmt::format("limn_paintings_total{{ending=\"{}\"}} {}\n", how, count);
  }
  return text;
}

std::string figures_text(const LivePainters::Figures& figures) {
  std::string text = metric_head("limn_live_painters", "gauge", "Warm painters of previews.") +
                     fmt::format("limn_live_painters {}\n", figures.painters);
  text += metric_head("limn_live_painting", "gauge", "Previews being painted.") +
          fmt::format("limn_live_painting {}\n", figures.painting);
  text += metric_head("limn_live_waiting", "gauge", "Previews that wait for a painter.") +
          fmt::format("limn_live_waiting {}\n", figures.waiting);
  text += metric_head("limn_live_memory_bytes", "gauge", "Memory of all live painters.") +
          fmt::format("limn_live_memory_bytes {:.0f}\n", figures.memory);
  text += metric_head("limn_live_total", "counter", "Previews asked for, and what became of them.");
  for (const auto& [what, count] :
       {std::pair("asked", figures.asked), std::pair("superseded", figures.superseded),
        std::pair("died", figures.died)}) {
    text += fmt::format("limn_live_total{{what=\"{}\"}} {}\n", what, count);
  }
  return text;
}

// Throws Error (usage): a flag that cannot be.
ApiOptions ServeCommand::api_options() const {
  if (workers < 0 || workers > 1000) fail(ErrorKind::usage, "--workers: should be 0 to 1000");
  if (server.port < 0 || server.port > 65535) {
    fail(ErrorKind::usage, "--port: is {}, but should be 0 to 65535", server.port);
  }
  if (live < 0 || live > 64) fail(ErrorKind::usage, "--live: should be 0 to 64");
  if (quota < 0) fail(ErrorKind::usage, "--quota: is {}, but should be at least 0", quota);
  if (!(keep_days >= 0)) fail(ErrorKind::usage, "--keep: should be a number of days");
  ApiOptions options;
  options.limits.file = parse_byte_size(most_upload, "--max-upload");
  options.limits.form = 4 * options.limits.file + (1 << 20);
  options.quotas.waiting = quota;
  return options;
}

// Housekeeping watches the leases of all workers. Another one of this machine has its plain name.
WorkerOptions ServeCommand::worker_options() const {
  WorkerOptions options;
  options.name = worker_name(machine_name(), "-serve");
  options.painters = workers;
  if (!memory.empty()) options.memory = static_cast<double>(parse_byte_size(memory, "--memory"));
  options.checkpoint = checkpoint;
  options.lease = 0;
  return options;
}

int ServeCommand::run() {
  ApiOptions options = api_options();
  const Keeping keeping = {keep_days, disk.empty() ? 0 : parse_byte_size(disk, "--disk")};

  const std::string folder = data_folder(data);
  make_folder(folder, true);
  const std::string token = token_in(folder);
  if (const auto page = open_page ? running_page(folder, token) : std::nullopt) {
    say(fmt::format("limn: a server with {} is running already\n", folder));
    print(*page + "\n");
    show_page(*page).join();
    return kSuccess;
  }
  const std::unique_ptr<Store> jobs = open_store(store.empty() ? folder + "/jobs.db" : store);
  Files files(folder);
  Queue queue(*jobs, files);
  Access access(token, host_names());
  Metrics metrics;
  const Housekeeping housekeeping(queue, keeping,
                                  [deletions = options.deletions, &queue](const std::string& job) {
                                    note_deletion(*deletions, queue, job);
                                  });
  std::optional<Worker> worker;
  LivePainters previews(files, {.painters = live, .program = ""});
  options.live = &previews;
  options.metrics = [&] {
    return metric_head("limn_kept_bytes", "gauge", "Bytes of uploads and jobs on the disk.") +
           fmt::format("limn_kept_bytes {}\n", housekeeping.bytes_kept()) +
           (worker ? figures_text(worker->figures()) : "") + figures_text(previews.figures());
  };
  Api api(queue, access, metrics, std::move(options));

  if (!hosts.empty()) {
    server.addresses = hosts;
    server.all_addresses = true;
  }
  // Painters save their states while requests end.
  std::future<void> draining;
  server.on_stop = [&] {
    if (worker) draining = std::async(std::launch::async, [&worker] { worker->drain(); });
  };
  server.signals = true;
  keep_little_memory();
  allow_files(4 * server.limits.connections + 256);
  Server listening(api, metrics, server);
  access.set_port(listening.port());

  // Painters are processes of their own; the worker in this one only starts and watches them.
  if (workers > 0) {
    worker.emplace(queue, worker_options());
    worker->start();
  }
  const KeptAddress kept(folder, address(listening.port()));
  introduce(folder, token, listening.port());
  listening.run();
  if (draining.valid()) draining.get();
  say("limn: the server has ended; jobs that wait are kept\n");
  return kSuccess;
}

}  // namespace

void add_serve_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("serve", kServeDescription);
  command->footer(kServeExamples);
  const auto serve = std::make_shared<ServeCommand>();
  serve->add_to(*command);
  add_own_serve_commands(*command, exit_code);
  command->callback([serve, command, &exit_code] {
    if (command->get_subcommands().empty()) exit_code = serve->run();
  });
}

}  // namespace limn
