// A request and its answer as the API sees them: without sockets, so that it can be tested without.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/temporary_file.h"
#include "serve/target.h"

namespace limn {

// Names in lower case, in their order; a name may occur several times.
using Fields = std::vector<std::pair<std::string, std::string>>;

// Bytes of the body that were not held in memory but went on as they came.
struct ReceivedFile {
  std::string field;  // of the form: "photo"
  std::string name;   // as it may be shown
  std::string id;     // in Files, where it is kept
};

struct Request {
  std::string method;
  Target target;
  Fields fields;

  // The body: a text (JSON), or a form's fields, with files.
  std::string text;
  std::vector<std::pair<std::string, std::string>> form;
  std::vector<ReceivedFile> files;

  // The field's value, or nullptr. Throws Problem (400) if there are several.
  const std::string* field(std::string_view name) const;
  // "" if there is none.
  std::string field_or_empty(std::string_view name) const;
};

// Events that go on until one side has enough (SSE).
class EventStream {
 public:
  virtual ~EventStream() = default;
  struct Step {
    std::string text;  // to be sent; may be empty
    bool end = false;
    bool more = false;  // at once
  };
  // Asked a few times a second, with the store's revision.
  virtual Step next(std::int64_t revision) = 0;
};

// The parts of a multipart/mixed answer, each as it comes.
class PartStream {
 public:
  static constexpr const char* kBoundary = "limn";
  virtual ~PartStream() = default;  // whoever makes them is told that nobody reads any more
  struct Step {
    std::string text;  // parts to be sent, with their boundaries; may be empty
    bool end = false;
  };
  // What there is; does not wait. Throws Problem if nothing was given out and nothing will be.
  virtual Step next() = 0;
  // `call` is called from any thread whenever next() has something new; "{}": no more. It must not
  // call this object.
  virtual void on_news(std::function<void()> call) = 0;
};

struct Reply {
  int status = 200;
  std::string type = {};  // of the content
  std::string body = {};
  Fields fields = {};  // others than type and length

  // In place of a body: this part of a file.
  struct FilePart {
    std::shared_ptr<Descriptor> file;
    std::uint64_t first = 0, bytes = 0;
  };
  std::optional<FilePart> file = {};
  std::unique_ptr<EventStream> events = {};
  std::unique_ptr<PartStream> parts = {};
};

}  // namespace limn
