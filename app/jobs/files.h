// The large things of jobs, in a folder beside their database: pictures as they were uploaded, and
// for every job what its painter keeps. With several machines it is a folder that all of them see.
// (Not in the database: the state of a large print is gigabytes, written every minute.)
//
//   FOLDER/files/ID              an uploaded file; ID is the SHA-256 of its bytes
//   FOLDER/files/incoming/       uploads that are not complete
//   FOLDER/files/leaving/ID      a file that a sweep is about to remove
//   FOLDER/pictures/ID-320       an upload as a page shows it, at most 320 pixels large
//   FOLDER/jobs/ID/              result.png, preview.jpg, progress.json, state.limn, report.json,
//                                log.txt
//
// A file is on its way out only if no job uses it, and a job may come to use it at that very
// moment. So a sweep first moves the file to leaving/, and then asks again whether a job uses it;
// and a submit holds the file (below) both before and after its job is added. Whatever their order,
// either the sweep sees the job or the submit sees that the file is leaving, and brings it back, or
// learns that it is gone and refuses the job.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace limn {

// What a painter goes on from, and a state that limn refused, kept beside the next.
inline constexpr const char* kStateFile = "state.limn";
inline constexpr const char* kBadStateFile = "state.bad";

// Members may be called from any thread, and by several processes at once.
class Files {
 public:
  // Makes the folder if it is not there. Throws Error (file).
  explicit Files(std::string folder);

  // A file on its way in; without keep() nothing remains of it. One thread at a time.
  class Incoming {
   public:
    Incoming(Incoming&&) noexcept;
    ~Incoming();
    // Throws Error (resources) if the disk is full.
    void write(std::span<const std::byte> bytes);
    std::uint64_t size() const;
    // Syncs it and gives it its name; returns the id. From then on it survives a power failure.
    // Once; throws Error (resources) if the disk is full.
    std::string keep();

   private:
    friend class Files;
    struct Open;
    explicit Incoming(std::unique_ptr<Open> open);
    std::unique_ptr<Open> open_;
  };
  Incoming receive();

  // Whether this is an id, and whether its file is here. Nothing else from a client becomes a path.
  static bool is_id(const std::string& text);
  bool has(const std::string& id) const;
  std::string path_of(const std::string& id) const;         // throws Error (usage): not an id
  std::string folder_of_job(const std::string& job) const;  // the same; makes the folder
  std::string folder_of_pictures() const;
  void erase_job(const std::string& job);
  // A painted job's states, which may be gigabytes: its picture is there. To be called when the
  // store has heard of it, and not before.
  void erase_states(const std::string& job) const;
  bool has_states(const std::string& job) const;

  // Marks the file as just used, so that sweeps leave it, and brings it back if it is leaving.
  // False if it is not here.
  bool hold(const std::string& id) const;

  std::uint64_t bytes() const;                               // of all that is kept
  std::uint64_t bytes_of(const std::string& id) const;       // of a file, 0 if it is not here
  std::uint64_t bytes_of_job(const std::string& job) const;  // in its folder
  std::uint64_t free_bytes() const;                          // of the disk

  // Removes uploads never completed, files that no job uses, pictures of files that are gone, and
  // folders of jobs that are not there: each if this object's sweeps have found it so, and
  // unchanged, for `seconds`. Time is a steady clock's, so that no clock that is set loses a file.
  struct Users {
    std::function<bool(const std::string& file)> uses;  // some job does
    std::function<bool(const std::string& job)> is_job;
  };
  struct Swept {
    std::uint64_t freed = 0;   // bytes
    std::uint64_t unused = 0;  // bytes of what will go too, unless it is used in time
  };
  Swept sweep(const Users& users, double seconds);

  const std::string& folder() const { return folder_; }

 private:
  struct Seen {
    std::int64_t changed = 0;  // by the file system's clock, which is compared for equality only
    double since = 0;
    bool now = false;  // by the current sweep
  };
  struct Unneeded {
    std::string name;
    bool ripe = false;
  };
  std::vector<Unneeded> unneeded(const std::string& folder,
                                 const std::function<bool(const std::string&)>& is_needed,
                                 double seconds);
  std::vector<std::string> states_of(const std::string& job) const;
  std::uint64_t leave(const std::string& id, const Users& users) const;

  std::string folder_;
  std::mutex sweeping_;
  std::map<std::string, Seen> seen_;  // by path
};

}  // namespace limn
