// A job: a picture that somebody asked for, kept until it has been painted. Data only; what may
// happen to it is in states.h, where it is kept in store.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace limn {

enum class JobState { waiting, running, done, failed, cancelled };

// The command that paints it.
enum class JobKind { paint, texture, inpaint, season, sweep };

// "waiting", "paint". The others throw Error (usage) for any other text, naming the ones
// there are.
const char* name_of(JobState state);
const char* name_of(JobKind kind);
JobState parse_job_state(const std::string& text);
JobKind parse_job_kind(const std::string& text);

// A picture to paint from.
struct JobInput {
  std::string role;  // its argument or flag in limn's command: "photo", "painting", "mask-content"
  std::string name;  // as the client called it, without folders: shown, never opened
  std::string file;  // its id (Files); "": no picture, but the word `name`: "none" for a mask
};

// What was asked for. It never changes.
struct JobRequest {
  JobKind kind = JobKind::paint;
  std::vector<JobInput> inputs;  // paintings in their order
  std::string recipe;            // complete and checked, as TOML
  // Flags of the command that are no part of a recipe, without their dashes, and their values:
  // {"vary", "style-weight=1,2"} of a sweep, {"size", "512x256"} of a texture. Checked.
  std::vector<std::pair<std::string, std::string>> flags;
  bool preview = false;  // goes before jobs that are not
  std::string client;    // whom quotas count for; "" if nobody said
  std::string key;       // the client's idempotency key, or ""
};

// What is to become of a running job. Its worker learns it at its next heartbeat.
enum class Wish { go_on, yield, cancel };
const char* name_of(Wish wish);
Wish parse_wish(const std::string& text);

// Times are milliseconds since 1970 by the clock of whoever wrote them: for people to read. Nothing
// is decided by comparing them, so a clock that is set wrong or stepped loses no job.
using Milliseconds = std::int64_t;
Milliseconds milliseconds_now();

struct Job {
  std::string id;  // 32 hexadecimal digits, drawn at random
  JobRequest request;
  JobState state = JobState::waiting;
  double order = 0;  // waiting jobs run in this order, previews first; equal ones by id

  // While it runs. The worker raises `beat` every few seconds; whoever has seen it unchanged for a
  // lease's length by its own steady clock may take the job from it.
  std::string worker;
  std::int64_t beat = 0;
  Wish wish = Wish::go_on;

  int attempts = 0;          // how often it was given to a worker
  int kills = 0;             // how often its painter died
  int losses = 0;            // how often its worker vanished with it: killed, cut off, out of power
  std::string reason;        // why it failed, in a sentence or two; or why it waits again
  double bytes = 0;          // memory that its painter needs, by its plan; 0: not yet known
  bool interrupted = false;  // its best picture was kept when it was cancelled

  Milliseconds created = 0, started = 0, ended = 0;
  std::int64_t revision =
      0;  // grows with every change of any job in the store; never the same twice
};

// A worker's right to work on a job: it ends when the job is taken from it.
struct Lease {
  std::string job;
  std::string worker;
  int attempt = 0;
};
inline Lease lease_of(const Job& running) { return {running.id, running.worker, running.attempts}; }

// A new id. Throws Error (resources) if the system gives no random numbers.
std::string new_job_id();
bool is_job_id(const std::string& text);

}  // namespace limn
