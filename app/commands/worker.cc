// limn worker
#include "work/worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "base/byte_size.h"
#include "base/error.h"
#include "commands/commands.h"
#include "commands/exit_code.h"
#include "jobs/files.h"
#include "jobs/queue.h"
#include "jobs/store.h"
#include "show/console.h"
#include "show/interrupt.h"
#include "work/sandbox.h"

namespace limn {
namespace {

constexpr const char* kWorkerDescription =
    R"(Paint jobs that 'limn serve' takes, on this machine or another.

Any number of workers may share one store of jobs and one folder of pictures. Each job is painted by
a process of its own, with limits of memory, files and time and without a network, so that a picture
that crashes its decoder fails one job. A worker that dies loses nothing: after 20 seconds (--lease)
another one continues its jobs, from the states that painters save.

A password of the database is safer in a file (libpq's PGPASSFILE) than in --store, which every
program of this machine can read.

The folder must be the same for all, under the same path. With jobs in PostgreSQL the machines may
be different ones; an SQLite file must not lie on a network file system.

SIGTERM or Ctrl-C: painters save their states, their jobs go back to the queue, and the worker ends
with code 0. A second Ctrl-C ends it at once.)";

constexpr const char* kWorkerExamples =
    R"(Examples:
  limn worker --store /srv/limn/jobs.db --data /srv/limn
  limn worker --store postgresql://limn@db/limn --data /mnt/limn --painters 2 --memory 24G
  limn worker --store postgresql://limn@db/limn --data /mnt/limn --name night --patience 3600

Exit codes: 0 drained; 2 bad flag; 3 bad folder, or a worker of this name is running; 4 the store
cannot be reached.)";

struct WorkerCommand {
  std::string store, data, memory;
  WorkerOptions options;
  bool quiet = false;

  void add_to(CLI::App& command);
  int run();
};

void WorkerCommand::add_to(CLI::App& command) {
  command.add_option("--store", store, "Where the jobs are: an SQLite file, or postgresql://...")
      ->type_name("FILE|URL")
      ->required();
  command.add_option("--data", data, "The folder of pictures and results, the same for all")
      ->type_name("FOLDER")
      ->required();
  command.add_option("--name", options.name, "This worker's own name [the machine's]")
      ->type_name("NAME");
  command
      .add_option("--painters", options.painters,
                  "Pictures painted at a time; each gets its share of the cores [1]")
      ->type_name("N");
  command
      .add_option("--memory", memory,
                  "For all pictures together; a job that needs more fails [3/4 of the machine's]")
      ->type_name("SIZE");
  command
      .add_option("--patience", options.patience,
                  "Seconds that a job may take in one go; 0: no limit [0]")
      ->type_name("N");
  command
      .add_option("--silence", options.silence,
                  "Seconds without a sign of life after which a painter is ended; 0: never [1800]")
      ->type_name("N");
  command
      .add_option("--grace", options.grace,
                  "Seconds that a painter has to save its state when asked to end [30]")
      ->type_name("N");
  command
      .add_option("--checkpoint-every", options.checkpoint,
                  "Seconds between the states that painters save [60]")
      ->type_name("N");
  command.add_option("--beat", options.beat, "Seconds between signs of life to the store [2]")
      ->type_name("N");
  command
      .add_option("--lease", options.lease,
                  "Seconds without one after which any worker takes another's jobs back [20]")
      ->type_name("N");
  command.add_flag("--quiet", quiet, "Say nothing but warnings");
}

int WorkerCommand::run() {
  if (!memory.empty()) options.memory = static_cast<double>(parse_byte_size(memory, "--memory"));
  const std::unique_ptr<Store> jobs = open_store(store);
  Files files(data);
  Queue queue(*jobs, files);
  Worker worker(queue, options);
  catch_interrupts();
  worker.start();
  if (!quiet) {
    const Worker::Figures figures = worker.figures();
    say(fmt::format("worker '{}': {} painter{}, {:.1f} GB of memory; {}\n", worker.name(),
                    figures.painters, figures.painters == 1 ? "" : "s", figures.memory / 1e9,
                    protections()));
  }
  while (!interrupted()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  worker.drain();
  if (!quiet) {
    const Worker::Figures figures = worker.figures();
    say(fmt::format("worker '{}': {} painted, {} failed, {} killed, {} handed back\n",
                    worker.name(), figures.painted, figures.failed, figures.killed,
                    figures.stopped));
  }
  return kSuccess;
}

}  // namespace

void add_worker_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("worker", kWorkerDescription);
  command->footer(kWorkerExamples);
  const auto worker = std::make_shared<WorkerCommand>();
  worker->add_to(*command);
  command->callback([worker, &exit_code] { exit_code = worker->run(); });
}

}  // namespace limn
