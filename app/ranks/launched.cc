#include "ranks/launched.h"

#include <mpi.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "base/error.h"
#include "base/parallel.h"
#include "ranks/launched_by.h"

namespace limn {
namespace {

// Bytes. MPI counts in int.
constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;
// For what MPI computes, it may take as much memory besides as it is given at once.
constexpr std::size_t kMostMergedAtOnce = std::size_t{4} << 20;

void check(int status, const char* what) {
  if (status == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(status, text, &length);
  fail(ErrorKind::resources, "{} between ranks failed: {}", what, std::string(text, length));
}

// Calls act(part) for parts of the values, of at most so many bytes.
template <typename T, typename Act>
void in_parts(std::span<T> values, std::size_t bytes, const Act& act) {
  const std::size_t most = bytes / sizeof(T);
  for (std::size_t done = 0; done < values.size(); done += most) {
    act(values.subspan(done, std::min(most, values.size() - done)));
  }
}

class MpiRanks : public LaunchedRanks {
 public:
  MpiRanks() {
    // Only the thread that paints speaks to other ranks.
    int provided = 0;
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "the beginning");
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &count_);
    MPI_Comm machine = MPI_COMM_NULL;
    check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &machine),
          "the meeting");
    MPI_Comm_size(machine, &on_this_machine_);
    cores_ = share_of_cores(machine);
    MPI_Comm_free(&machine);
  }
  ~MpiRanks() override { MPI_Finalize(); }
  MpiRanks(const MpiRanks&) = delete;
  MpiRanks& operator=(const MpiRanks&) = delete;

  int rank() const override { return rank_; }
  int count() const override { return count_; }
  int on_this_machine() const override { return on_this_machine_; }
  int cores() const override { return cores_; }

  void broadcast(std::span<std::byte> bytes, int from) override {
    in_parts(bytes, kMostAtOnce, [from](std::span<std::byte> part) {
      check(MPI_Bcast(part.data(), static_cast<int>(part.size()), MPI_BYTE, from, MPI_COMM_WORLD),
            "a broadcast");
    });
  }

  void merge(std::span<std::uint32_t> words) override {
    in_parts(words, kMostMergedAtOnce, [](std::span<std::uint32_t> part) {
      check(MPI_Allreduce(MPI_IN_PLACE, part.data(), static_cast<int>(part.size()), MPI_UINT32_T,
                          MPI_BOR, MPI_COMM_WORLD),
            "an exchange");
    });
  }

  [[noreturn]] void abandon(int exit_code) override {
    MPI_Abort(MPI_COMM_WORLD, exit_code);
    std::_Exit(exit_code);
  }

 private:
  // mpirun may have bound every rank to cores of its own, or all of them to the same.
  int share_of_cores(MPI_Comm machine) const {
    const int own = available_cores();
    int all = 0;
    check(MPI_Allreduce(&own, &all, 1, MPI_INT, MPI_SUM, machine), "the meeting");
    const auto there = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
    return all <= there ? own : std::clamp(there / on_this_machine_, 1, own);
  }

  int rank_ = 0, count_ = 1, on_this_machine_ = 1, cores_ = 1;
};

}  // namespace

LaunchedRanks* launched_ranks() {
  if (!is_launched()) return nullptr;
  static MpiRanks ranks;
  return ranks.count() > 1 ? &ranks : nullptr;
}

}  // namespace limn
