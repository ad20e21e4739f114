#include "batch/reader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "request/memory_flags.h"
#include "request/outputs.h"

namespace limn {
namespace {

// Of decoded pictures: eighty of 512 x 512, or five of 2048 x 2048.
constexpr std::size_t kPictureBytes = 256 << 20;

// The notes of a file that has a result's name.
Notes notes_of(const std::string& path) try {
  Notes notes = read_notes(path);
  if (!notes.empty()) return notes;
  fail(ErrorKind::file, "it says nothing of how it was painted");
} catch (const Error& error) {
  fail(ErrorKind::file,
       "'{}' exists, and is no picture that limn painted ({}); move it away, or replace it with "
       "--again",
       path, error.what());
}

}  // namespace

BatchReader::BatchReader(const Model& model)
    : model_(model), pictures_(kPictureBytes, KeptPictures::At::asked) {}

OpenedInputs BatchReader::open(const PaintRequest& request) {
  return {
      request.names, std::span(&request.recipe, 1), {.max_pixels = request.max_pixels}, &pictures_};
}

std::vector<Plan> BatchReader::plan(OpenedInputs& opened, const PaintRequest& request) const {
  ResultFile result;
  result.path = request.output;
  result.write = request.write;
  return opened.plan(model_, std::span(&request.recipe, 1), within_machine(request.budget), result);
}

bool BatchReader::is_there(const PaintRequest& request, const OpenedInputs& opened) {
  if (is_missing(request.output)) return false;
  const Notes notes = notes_of(request.output);
  std::optional<Origin> origin;
  try {
    origin = origin_of(notes, request.output);
  } catch (const Error&) {
    return false;  // by another version of limn, which has other settings
  }
  return origin &&
         is_up_to_date(*origin, request, digests_of(request, opened.painting_files(), digests_));
}

BatchReader::Looked BatchReader::look(const PaintRequest& request, bool again) {
  OpenedInputs opened = open(request);
  const Size result = opened.result(request.recipe);
  check_output(request.output, request.write, std::max(result.height, result.width));
  Looked looked = {std::move(plan(opened, request).front())};
  looked.up_to_date = !again && is_there(request, opened);
  return looked;
}

// The digests are those of before: a file that changes meanwhile counts as changed the next time.
BatchReader::Ready BatchReader::read(const PaintRequest& request) {
  OpenedInputs opened = open(request);
  std::vector<Plan> plans = plan(opened, request);
  const std::vector<std::string> files = opened.painting_files();
  std::vector<InputDigest> digests = digests_of(request, files, digests_);
  Ready ready = {std::move(opened).read(std::move(plans)), std::move(digests)};
  if (ready.inputs.painting_files != files) {  // one in a folder proved to be damaged
    ready.digests = digests_of(request, ready.inputs.painting_files, digests_);
  }
  return ready;
}

}  // namespace limn
