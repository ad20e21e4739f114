// What the server does for each operation of the table of routes. Thread-safe: requests are
// answered on several threads, each of which may wait for the store or the disk.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "jobs/queue.h"
#include "serve/access.h"
#include "serve/body.h"
#include "serve/events.h"
#include "serve/live.h"
#include "serve/message.h"
#include "serve/metrics.h"
#include "serve/results.h"
#include "serve/routes.h"
#include "serve/settings.h"
#include "serve/upload_pictures.h"

namespace limn {

struct ApiOptions {
  BodyLimits limits;
  Quotas quotas;
  Converter converter = converting_process();
  Describer describer = describing_process();
  std::function<std::string()> metrics;  // more of them, as Prometheus text
  LivePainters* live = nullptr;          // null: none
  // Told of here, also by whatever else deletes jobs.
  std::shared_ptr<Deletions> deletions = std::make_shared<Deletions>();
};

// JSON as an answer.
Reply json_reply(const Json& json, int status = 200);

class Api {
 public:
  Api(Queue& queue, const Access& access, Metrics& metrics, ApiOptions options);

  // Before the body is read: whether the request may be made at all, and which route it is for
  // (none: OPTIONS). Throws Problem.
  Match admit(const Request& request) const;
  // How long that takes. Those that ask for much do not keep others waiting.
  enum class Effort {
    none,  // waits for nothing: answered where sockets are waited for, even if the store hangs
    quick,
    heavy,       // long lists, files, events
    conversion,  // a process looks into a picture: one at a time
  };
  static Effort effort_of(const Match& match, const Request& request);

  // Throws Problem, or Error of the store or the disk.
  Reply answer(const Match& match, const Request& request);
  // Of effort `conversion`, what is there already; nothing: it has to be made.
  std::optional<Reply> answer_at_once(const Match& match, const Request& request);
  // From any thread: whatever takes long ends with 503.
  void stop();

  // What is said of a Problem or any other exception.
  Reply refusal(const std::exception& error, const Request& request) const;

  const BodyLimits& limits() const { return options_.limits; }
  Queue& queue() { return queue_; }

 private:
  Reply submit(const Request& request);
  Reply list(const Request& request);
  Reply events_of(const Job& job, const Request& request);
  Reply all_events(const Request& request);
  std::optional<Reply> result(const Job& job, const Request& request, bool may_convert);
  Reply preview(const Job& job, const Request& request);
  std::optional<Reply> input(const Job& job, const std::string& number, const Request& request,
                             bool may_make);
  Reply move(const Job& job, const Request& request);
  Reply changed(const std::optional<Job>& job, const std::string& id, const std::string& why);
  Reply erase(const Job& job);
  Reply upload(const Request& request);
  Reply live(const Request& request);
  std::optional<Reply> about_upload(const std::string& id, const Request& request, bool may_make);
  std::optional<Reply> upload_picture(const std::string& id, const Request& request, bool may_make);
  void check_upload(const std::string& id) const;
  Reply list_examples(const Request& request) const;
  Reply example(const std::string& file, const Request& request) const;
  Reply upload_example(const std::string& file, const Request& request);
  Reply metrics_text();
  Reply page(const Request& request) const;
  Reply of_job(const Match& match, const Request& request);
  Job find(const std::string& id);

  std::optional<Reply> of_picture(const Match& match, const Request& request, bool may_make);

  Queue& queue_;
  const Access& access_;
  Metrics& metrics_;
  ApiOptions options_;
  Results results_;
  UploadPictures pictures_;
};

}  // namespace limn
