// A client of the queue for tests of workers, without a server:
//
//   submit_jobs STORE FOLDER submit KIND COUNT RECIPE WORD...   prints the ids, a line each
//       ROLE=FILE        an input: photo=photo.png
//       KEY:VALUE        a setting of the recipe: optimiser.iterations:10
//       --FLAG=VALUE     a flag: --vary=seed=1,2
//       preview, client=NAME
//       Seeds count up from the recipe's, so that no two jobs of a call paint the same.
//   submit_jobs STORE FOLDER list          every job as a JSON object, a line each
//   submit_jobs STORE FOLDER cancel ID
//   submit_jobs STORE FOLDER retry ID
#include <limn/limn.h>

#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "jobs/files.h"
#include "jobs/queue.h"
#include "jobs/store.h"
#include "recipe/fields.h"

namespace {

using namespace limn;

std::string kept(Files& files, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(ErrorKind::file, "there is no '{}'", path);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  Files::Incoming incoming = files.receive();
  incoming.write(std::as_bytes(std::span(bytes)));
  return incoming.keep();
}

void submit(Queue& queue, const std::vector<std::string>& words) {
  JobRequest request;
  request.kind = parse_job_kind(words.at(0));
  const int count = std::stoi(words.at(1));
  Recipe recipe = named_recipe(words.at(2));
  for (const std::string& word : std::span(words).subspan(3)) {
    const size_t equals = word.find('='), colon = word.find(':');
    if (word == "preview") {
      request.preview = true;
    } else if (word.starts_with("client=")) {
      request.client = word.substr(equals + 1);
    } else if (word.starts_with("--")) {
      request.flags.emplace_back(word.substr(2, equals - 2), word.substr(equals + 1));
    } else if (colon < equals) {
      set_field(recipe, word.substr(0, colon), word.substr(colon + 1), "setting");
    } else {
      const std::string path = word.substr(equals + 1);
      const std::string name = path.substr(path.rfind('/') + 1);
      const std::string id = path == "none" ? "" : kept(queue.files(), path);
      request.inputs.push_back({word.substr(0, equals), name, id});
    }
  }
  for (int i = 0; i < count; ++i) {
    request.recipe = to_toml(recipe);
    std::printf("%s\n", queue.submit(request).id.c_str());
    ++recipe.picture.seed;
  }
}

void list(Queue& queue) {
  for (const Job& job : queue.list({.most = 1'000'000})) {
    const nlohmann::json line = {{"id", job.id},
                                 {"kind", name_of(job.request.kind)},
                                 {"state", name_of(job.state)},
                                 {"preview", job.request.preview},
                                 {"client", job.request.client},
                                 {"worker", job.worker},
                                 {"attempts", job.attempts},
                                 {"kills", job.kills},
                                 {"losses", job.losses},
                                 {"reason", job.reason},
                                 {"bytes", job.bytes},
                                 {"interrupted", job.interrupted},
                                 {"started", job.started},
                                 {"ended", job.ended}};
    std::printf("%s\n", line.dump().c_str());
  }
}

int run(const std::vector<std::string>& words) {
  const std::unique_ptr<Store> store = open_store(words.at(0));
  Files files(words.at(1));
  Queue queue(*store, files);
  const std::string& verb = words.at(2);
  if (verb == "submit") {
    submit(queue, {words.begin() + 3, words.end()});
  } else if (verb == "list") {
    list(queue);
  } else if (verb == "cancel") {
    return queue.cancel(words.at(3)) ? 0 : 1;
  } else if (verb == "retry") {
    return queue.retry(words.at(3)) ? 0 : 1;
  } else {
    fail(ErrorKind::usage, "'{}' is not one of submit, list, cancel, retry", verb);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "submit_jobs: %s\n", error.what());
    return 2;
  }
}
