// The pictures of --save-every: after which iterations one is saved, and what it is called. Names
// are made and recognised here, so that none of them replaces a file that was given.
#pragma once

#include <limn/limn.h>

#include <string>

namespace limn {

class SavedPictures {
 public:
  // Beside `output`, as the recipe's [output] says; none where it says none, or where `output` is a
  // pipe.
  SavedPictures(const std::string& output, const Recipe& recipe);

  bool takes(int iteration) const;

  // out.png becomes out-0020.png, or now out-20260131-235959-0020.png, with enough digits that
  // names sort like iterations.
  std::string path(int iteration) const;

  // Where all of them go.
  std::string folder() const;

  // Whether one of them may be called so: the iteration is one that is saved, the time not over.
  bool may_be_called(const std::string& name) const;

 private:
  std::string number(int iteration) const;

  std::string output_;
  int every_;
  int iterations_;
  bool timed_;
};

}  // namespace limn
