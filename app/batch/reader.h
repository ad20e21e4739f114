// Reads the pictures of a batch. What the next painting shares with the last ones is kept: headers,
// decoded pictures at their working sizes, digests of files.
#pragma once

#include <limn/limn.h>

#include <vector>

#include "request/file_digests.h"
#include "request/kept_pictures.h"
#include "request/opened_inputs.h"
#include "request/paint_request.h"
#include "request/provenance.h"

namespace limn {

// Used by one thread at a time.
class BatchReader {
 public:
  // The model must outlive this.
  explicit BatchReader(const Model& model);

  // What can be known before anything is decoded.
  struct Looked {
    Plan plan;
    bool up_to_date = false;  // the result is there, as this request would paint it again
  };
  // Throws Error for whatever makes painting impossible, among that a result's name which a file
  // has that limn did not paint. again: whatever is there will be replaced.
  Looked look(const PaintRequest& request, bool again);

  struct Ready {
    Inputs inputs;
    std::vector<InputDigest> digests;
  };
  // Decodes what the request paints from. Throws Error.
  Ready read(const PaintRequest& request);

 private:
  OpenedInputs open(const PaintRequest& request);
  std::vector<Plan> plan(OpenedInputs& opened, const PaintRequest& request) const;
  bool is_there(const PaintRequest& request, const OpenedInputs& opened);

  const Model& model_;
  KeptPictures pictures_;
  FileDigests digests_;
};

}  // namespace limn
