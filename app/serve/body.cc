#include "serve/body.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/lower_case.h"
#include "serve/problem.h"

namespace limn {
namespace {

// "application/json" of "Application/JSON; charset=utf-8"
std::string media_type(const std::string& content_type) {
  std::string type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ')) type.pop_back();
  return lower_case(type);
}

// Runs what writes to the disk: whatever prevents that is no fault of the client's.
template <typename Task>
auto on_disk(const Task& task) {
  try {
    return task();
  } catch (const Problem&) {
    throw;
  } catch (const Error& error) {
    throw Problem(507, fmt::format("the upload cannot be kept: {}", error.what()));
  }
}

}  // namespace

BodyReader::BodyReader(BodyKind kind, Request& request, Files& files, const BodyLimits& limits)
    : kind_(kind), request_(request), files_(files), limits_(limits) {
  const std::string content_type = request.field_or_empty("content-type");
  const std::string type = media_type(content_type);
  const std::string* coding = request.field("content-encoding");
  if (coding != nullptr && *coding != "identity") {
    throw Problem(415, "bodies with a content encoding are not taken");
  }
  switch (kind) {
    case BodyKind::none:
      most_ = limits.text;  // of what nobody looks at: some clients send "{}" with every POST
      return;
    case BodyKind::json:
    case BodyKind::form:
      if (type == "application/json") {
        kind_ = BodyKind::json;
        most_ = limits.text;
        return;
      }
      if (kind == BodyKind::json) {
        throw Problem(415, fmt::format("the content type is '{}', but should be application/json",
                                       shown(type)));
      }
      if (type != "multipart/form-data") {
        throw Problem(415, fmt::format("the content type is '{}', but should be "
                                       "multipart/form-data or application/json",
                                       shown(type)));
      }
      most_ = limits.form;
      form_.emplace(
          boundary_of(content_type),
          MultipartReader::Consumer{[this](const MultipartReader::Part& part) { begin_part(part); },
                                    [this](std::span<const std::byte> bytes) { take_part(bytes); },
                                    [this] { end_part(); }});
      return;
    case BodyKind::upload:
      if (type.starts_with("multipart/")) {
        throw Problem(415, "an upload is the file's bytes, not a form");
      }
      most_ = limits.file;
      return;
  }
}

// No job uses a form's first files while its last ones still come: without this a sweep would take
// them from a slow client.
void BodyReader::hold() {
  if (since_held_() < limits_.hold_seconds) return;
  since_held_ = Stopwatch();
  for (const ReceivedFile& file : request_.files) files_.hold(file.id);
}

void BodyReader::take(std::span<const std::byte> bytes) {
  hold();
  taken_ += bytes.size();
  if (taken_ > most_) {
    throw Problem(413, fmt::format("the body is longer than {} bytes", most_));
  }
  if (form_) {
    form_->take(bytes);
  } else if (kind_ == BodyKind::upload) {
    write(bytes);
  } else if (kind_ != BodyKind::none) {
    request_.text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
}

void BodyReader::write(std::span<const std::byte> bytes) {
  on_disk([&] {
    if (!incoming_) incoming_.emplace(files_.receive());
    incoming_->write(bytes);
  });
}

void BodyReader::begin_part(const MultipartReader::Part& part) {
  part_ = part;
  text_.clear();
}

void BodyReader::take_part(std::span<const std::byte> bytes) {
  if (part_.is_file) {
    if ((incoming_ ? incoming_->size() : 0) + bytes.size() > limits_.file) {
      throw Problem(413,
                    fmt::format("the file '{}' is longer than {} bytes", part_.name, limits_.file));
    }
    write(bytes);
    return;
  }
  texts_ += bytes.size();
  if (texts_ > limits_.text) {
    throw Problem(413, fmt::format("the form's fields are longer than {} bytes", limits_.text));
  }
  text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void BodyReader::end_part() {
  if (!part_.is_file) {
    request_.form.emplace_back(part_.name, std::move(text_));
    return;
  }
  // A browser sends an empty file without a name for a field that nobody has filled in.
  if (!incoming_ && part_.filename.empty()) return;
  if (!incoming_) throw Problem(422, fmt::format("the file '{}' is empty", part_.name));
  std::string id = on_disk([&] { return incoming_->keep(); });
  incoming_.reset();
  request_.files.push_back({part_.name, part_.filename, std::move(id)});
}

void BodyReader::finish() {
  if (form_) form_->finish();
  if (kind_ != BodyKind::upload) return;
  if (!incoming_) throw Problem(400, "the upload is empty");
  std::string id = on_disk([&] { return incoming_->keep(); });
  incoming_.reset();
  request_.files.push_back({"", "", std::move(id)});
}

}  // namespace limn
