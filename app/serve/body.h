// A request's body as it arrives: texts are held, up to a length; files go to disk at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/stopwatch.h"
#include "jobs/files.h"
#include "serve/message.h"
#include "serve/multipart.h"
#include "serve/routes.h"

namespace limn {

struct BodyLimits {
  std::uint64_t file = 200'000'000;  // bytes of an uploaded file
  std::uint64_t form = 800'000'000;  // of a form with all its files
  std::uint64_t text = 256 * 1024;   // of JSON, or of a form's field
  double hold_seconds = 5;  // how often a form's first files are held while its last ones come
};

class BodyReader {
 public:
  // Throws Problem (400, 415): a content type that the route does not take.
  BodyReader(BodyKind kind, Request& request, Files& files, const BodyLimits& limits);
  BodyReader(const BodyReader&) = delete;
  BodyReader& operator=(const BodyReader&) = delete;

  // The most bytes that may come.
  std::uint64_t most() const { return most_; }

  // Throws Problem: 400, 413, 507 (the disk is full). What was written is removed then, or when the
  // reader is.
  void take(std::span<const std::byte> bytes);
  // There are no more: puts what came into the request. Files are kept from here on.
  void finish();

 private:
  void begin_part(const MultipartReader::Part& part);
  void take_part(std::span<const std::byte> bytes);
  void end_part();
  void write(std::span<const std::byte> bytes);
  void hold();

  BodyKind kind_;
  Request& request_;
  Files& files_;
  BodyLimits limits_;
  std::uint64_t most_ = 0, taken_ = 0;
  std::optional<MultipartReader> form_;
  std::optional<Files::Incoming> incoming_;
  MultipartReader::Part part_;
  std::string text_;  // of a form's field
  size_t texts_ = 0;  // bytes of all fields
  Stopwatch since_held_;
};

}  // namespace limn
