// A server's parts on a folder of its own, for tests.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "jobs/queue.h"
#include "jobs/store.h"
#include "serve/access.h"
#include "serve/api.h"
#include "serve/problem.h"
#include "serve/settings.h"

namespace limn {

inline constexpr const char* kTestToken = "0123456789abcdef0123456789abcdef";

class TestFolder {
 public:
  TestFolder() {
    path_ = (std::filesystem::temp_directory_path() / "limn-serve-XXXXXX").string();
    if (mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "no folder";
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The status of the Problem that `task` throws; 0: none.
template <typename Task>
int problem_of(Task&& task, std::string* pointer = nullptr) {
  try {
    task();
  } catch (const Problem& problem) {
    if (pointer != nullptr) *pointer = problem.pointer();
    return problem.status();
  }
  return 0;
}

struct Served {
  TestFolder folder;
  std::unique_ptr<Store> store = open_store(folder.path() + "/jobs.db");
  Files files{folder.path()};
  Queue queue{*store, files};
  Access access{kTestToken, {"127.0.0.1", "localhost"}};
  Metrics metrics;
  Api api;

  explicit Served(Converter converter = convert_here)
      : api(queue, access, metrics,
            {.limits = {},
             .quotas = {},
             .converter = std::move(converter),
             .describer = [](const std::string& path,
                             const std::atomic<bool>&) { return describe_picture(path); },
             .metrics = {}}) {}

  static void convert_here(const std::string& from, const std::string& to,
                           const Conversion& conversion, const std::atomic<bool>&) {
    convert_picture(from, to, conversion);
  }

  std::string upload(const std::string& bytes) {
    Files::Incoming incoming = files.receive();
    incoming.write(std::as_bytes(std::span(bytes)));
    return incoming.keep();
  }

  static Request request(const std::string& method, const std::string& target) {
    Request request;
    request.method = method;
    request.target = parse_target(target);
    request.fields = {{"host", "127.0.0.1:8080"},
                      {"authorization", std::string("Bearer ") + kTestToken}};
    return request;
  }

  // As the server does it, without a body's way here.
  Reply answer(const Request& request) {
    try {
      const Match match = api.admit(request);
      return api.answer(match, request);
    } catch (const std::exception& error) {
      return api.refusal(error, request);
    }
  }
  Reply get(const std::string& target) { return answer(request("GET", target)); }
  Reply post(const std::string& target, const std::string& json) {
    Request asked = request("POST", target);
    asked.text = json;
    return answer(asked);
  }

  Job submitted() {
    const Reply reply =
        post("/api/v1/jobs", R"({"photo": ")" + upload("a photo") + R"(", "painting": ")" +
                                 upload("a painting") + "\"}");
    EXPECT_EQ(reply.status, 201) << reply.body;
    return *queue.find(Json::parse(reply.body)["id"].get<std::string>());
  }
  // As a worker would.
  Job painted() {
    const Job job = submitted();
    const Job claimed = *queue.claim("worker", 0);
    EXPECT_EQ(claimed.id, job.id);
    Image picture;
    picture.width = 8;
    picture.height = 6;
    picture.rgb.assign(3 * 8 * 6, 0.5F);
    write_image(picture, files.folder_of_job(job.id) + "/result.png", {.bits = 16});
    EXPECT_TRUE(queue.finish(lease_of(claimed), {Ending::painted, "", true}));
    return *queue.find(job.id);
  }
};

}  // namespace limn
