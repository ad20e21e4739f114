#include "commands/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "show/interrupt.h"

namespace limn {
namespace {

constexpr long kConnectSeconds = 10;
constexpr int kMostAttempts = 5;
constexpr size_t kMostBody = 64 << 20;  // of an answer that is not a picture
constexpr int kMostReconnections = 30;  // of a connection that follows events, in a row

using Curl = std::unique_ptr<CURL, void (*)(CURL*)>;
using Header = std::unique_ptr<curl_slist, void (*)(curl_slist*)>;
using Form = std::unique_ptr<curl_mime, void (*)(curl_mime*)>;

using Taker = std::function<bool(std::string_view)>;

// A request: made, sent, and what came.
class Call {
 public:
  Call(const std::string& url, const std::string& token)
      : curl_(curl_easy_init(), curl_easy_cleanup),
        header_(nullptr, curl_slist_free_all),
        form_(nullptr, curl_mime_free),
        url_(url) {
    if (!curl_) throw std::bad_alloc();
    add_field("Authorization: Bearer " + token);
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_USERAGENT, "limn");
    set(CURLOPT_PROTOCOLS_STR, "https,http");
    set(CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFODATA, this);
    set(
        CURLOPT_XFERINFOFUNCTION, +[](void*, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
          return interrupted() ? 1 : 0;
        });
    set(CURLOPT_WRITEDATA, this);
    set(
        CURLOPT_WRITEFUNCTION, +[](char* data, size_t size, size_t count, void* user) -> size_t {
          return static_cast<Call*>(user)->take({data, size * count}) ? size * count : 0;
        });
  }

  template <typename Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(curl_.get(), option, value);
  }
  void add_field(const std::string& field) {
    curl_slist* const longer = curl_slist_append(header_.get(), field.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    (void)header_.release();
    header_.reset(longer);
  }
  void set_form(const std::vector<HttpClient::FormPart>& parts) {
    form_.reset(curl_mime_init(curl_.get()));
    for (const HttpClient::FormPart& part : parts) {
      curl_mimepart* const added = curl_mime_addpart(form_.get());
      curl_mime_name(added, part.name.c_str());
      if (!part.is_file) {
        curl_mime_data(added, part.value.data(), part.value.size());
      } else if (curl_mime_filedata(added, part.value.c_str()) != CURLE_OK) {
        fail(ErrorKind::file, "cannot read the {} '{}'", part.name, part.value);
      }
    }
    set(CURLOPT_MIMEPOST, form_.get());
  }
  // Of an answer that is no error.
  void give_to(Taker taker) { taker_ = std::move(taker); }

  CURLcode perform() {
    set(CURLOPT_HTTPHEADER, header_.get());
    return curl_easy_perform(curl_.get());
  }
  long status() const {
    long code = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &code);
    return code;
  }
  const std::string& body() const { return body_; }

  // Throws unless the request was answered as asked; `unreachable` makes a message of why it was
  // not answered at all.
  template <typename Unreachable>
  void check(CURLcode code, const Unreachable& unreachable) const {
    if (interrupted()) fail(ErrorKind::file, "interrupted");
    if (code != CURLE_OK && status() < 400) {
      throw Error(ErrorKind::file, unreachable(curl_easy_strerror(code)));
    }
    if (status() < 400) return;
    const auto json = nlohmann::json::parse(body_, nullptr, false);
    const std::string detail =
        json.is_object() && json.contains("detail") && json["detail"].is_string()
            ? json["detail"].get<std::string>()
            : printable(body_);
    fail(status() < 500 ? ErrorKind::usage : ErrorKind::resources, "the server answered {}: {}",
         status(), detail);
  }

 private:
  bool take(std::string_view bytes) {
    if (taker_ && status() < 300) return taker_(bytes);
    if (body_.size() + bytes.size() > kMostBody) return false;
    body_ += bytes;
    return true;
  }

  Curl curl_;
  Header header_;
  Form form_;
  std::string url_, body_;
  Taker taker_;
};

// Splits a stream of events into those.
class EventReader {
 public:
  explicit EventReader(const std::function<bool(const HttpClient::Event&)>& on_event)
      : on_event_(on_event) {}

  bool take(std::string_view bytes) {
    for (const char c : bytes) {
      if (c != '\n') {
        if (line_.size() < kMostBody) line_ += c;
      } else if (!end_line()) {
        return false;
      }
    }
    return true;
  }
  const std::string& last_id() const { return last_id_; }
  int events() const { return events_; }

 private:
  bool end_line() {
    const std::string line = std::exchange(line_, "");
    const auto value = [&](std::string_view name) { return line.substr(name.size()); };
    if (line.starts_with("event: ")) event_.name = value("event: ");
    if (line.starts_with("data: ")) event_.data += value("data: ");
    if (line.starts_with("id: ")) last_id_ = value("id: ");
    if (!line.empty()) return true;
    const HttpClient::Event event = std::exchange(event_, {});
    if (event.name.empty()) return true;
    ++events_;
    return on_event_(event);
  }

  const std::function<bool(const HttpClient::Event&)>& on_event_;
  HttpClient::Event event_;
  std::string line_, last_id_;
  int events_ = 0;
};

}  // namespace

HttpClient::HttpClient(std::string server, std::string token, std::string origin,
                       std::string next_step)
    : server_(std::move(server)),
      token_(std::move(token)),
      origin_(std::move(origin)),
      next_step_(std::move(next_step)) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  while (server_.ends_with('/')) server_.pop_back();
}

std::string HttpClient::unreachable(const std::string& why) const {
  return fmt::format("cannot reach '{}' ({}): {}; {}", printable(server_), origin_, why,
                     next_step_);
}

std::string HttpClient::get(const std::string& path) const {
  Call call(server_ + path, token_);
  call.check(call.perform(), [this](const std::string& why) { return unreachable(why); });
  return call.body();
}

std::string HttpClient::post(const std::string& path, const std::string& json) const {
  Call call(server_ + path, token_);
  call.add_field("Content-Type: application/json");
  call.set(CURLOPT_POSTFIELDSIZE, static_cast<long>(json.size()));
  call.set(CURLOPT_COPYPOSTFIELDS, json.c_str());
  call.check(call.perform(), [this](const std::string& why) { return unreachable(why); });
  return call.body();
}

std::string HttpClient::post_form(const std::string& path, const std::vector<FormPart>& parts,
                                  const std::string& key) const {
  for (int attempt = 1;; ++attempt) {
    Call call(server_ + path, token_);
    call.add_field("Idempotency-Key: " + key);
    call.set_form(parts);
    const CURLcode code = call.perform();
    const bool lost = code != CURLE_OK && code != CURLE_READ_ERROR && call.status() < 400;
    if (!lost || attempt == kMostAttempts || interrupted()) {
      call.check(code, [this](const std::string& why) { return unreachable(why); });
      return call.body();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200 * attempt * attempt));
  }
}

void HttpClient::remove(const std::string& path) const {
  Call call(server_ + path, token_);
  call.set(CURLOPT_CUSTOMREQUEST, "DELETE");
  call.check(call.perform(), [this](const std::string& why) { return unreachable(why); });
}

void HttpClient::fetch(const std::string& path, const std::string& file) const {
  replace_file(file, [&](const std::string& beside) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(std::fopen(beside.c_str(), "wbe"),
                                                              std::fclose);
    if (!out) fail(ErrorKind::file, "cannot write '{}'", file);
    Call call(server_ + path, token_);
    bool full = false;
    call.give_to([&](std::string_view bytes) {
      full = std::fwrite(bytes.data(), 1, bytes.size(), out.get()) != bytes.size();
      return !full;
    });
    const CURLcode code = call.perform();
    if (full || std::fflush(out.get()) != 0) fail(ErrorKind::file, "cannot write '{}'", file);
    call.check(code, [this](const std::string& why) { return unreachable(why); });
  });
}

void HttpClient::follow(const std::string& path,
                        const std::function<bool(const Event&)>& on_event) const {
  std::string last_id;
  for (int losses = 0; losses < kMostReconnections;) {
    bool enough = false;
    const std::function<bool(const Event&)> look = [&](const Event& event) {
      enough = !on_event(event);
      return !enough;
    };
    EventReader reader(look);
    Call call(server_ + path, token_);
    if (!last_id.empty()) call.add_field("Last-Event-ID: " + last_id);
    call.give_to([&](std::string_view bytes) { return reader.take(bytes); });
    const CURLcode code = call.perform();
    if (!reader.last_id().empty()) last_id = reader.last_id();
    if (enough || interrupted() || call.status() == 204) return;
    if (call.status() >= 400)
      call.check(code, [this](const std::string& why) { return unreachable(why); });
    losses = reader.events() > 0 ? 0 : losses + 1;
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
  throw Error(ErrorKind::file, unreachable("the connection was lost again and again"));
}

}  // namespace limn
