// The memory that a worker's painters may take together. A painter takes its share before it
// begins, as large as its plan says, and waits until there is enough; while one waits the others
// begin nothing but previews, so that a large picture's turn comes.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>

namespace limn {

class MemoryBudget {
 public:
  explicit MemoryBudget(double bytes) : whole_(bytes) {}

  // Gives it back at the end of its life.
  class Share {
   public:
    Share() = default;
    Share(Share&& other) noexcept;
    Share& operator=(Share&& other) noexcept;
    ~Share();
    explicit operator bool() const { return budget_ != nullptr; }

   private:
    friend class MemoryBudget;
    Share(MemoryBudget* budget, double bytes) : budget_(budget), bytes_(bytes) {}
    MemoryBudget* budget_ = nullptr;
    double bytes_ = 0;
  };

  // Waits until there is this much, asking `give_up` now and then; an empty share if it says so.
  // `bytes` is at most the whole.
  Share take(double bytes, const std::function<bool()>& give_up);

  bool somebody_waits() const;
  double whole() const { return whole_; }
  double used() const;

 private:
  void give_back(double bytes);

  const double whole_;
  mutable std::mutex mutex_;
  std::condition_variable freed_;
  double used_ = 0;
  int waiting_ = 0;
};

}  // namespace limn
