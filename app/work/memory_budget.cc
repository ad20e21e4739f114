#include "work/memory_budget.h"

#include <chrono>
#include <utility>

namespace limn {

MemoryBudget::Share::Share(Share&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)), bytes_(other.bytes_) {}

MemoryBudget::Share& MemoryBudget::Share::operator=(Share&& other) noexcept {
  std::swap(budget_, other.budget_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

MemoryBudget::Share::~Share() {
  if (budget_ != nullptr) budget_->give_back(bytes_);
}

MemoryBudget::Share MemoryBudget::take(double bytes, const std::function<bool()>& give_up) {
  constexpr std::chrono::milliseconds kBetweenQuestions(100);
  std::unique_lock lock(mutex_);
  ++waiting_;
  bool given_up = false;
  while (used_ + bytes > whole_ && !given_up) {
    freed_.wait_for(lock, kBetweenQuestions);
    lock.unlock();
    given_up = give_up();
    lock.lock();
  }
  --waiting_;
  if (given_up) return {};
  used_ += bytes;
  return {this, bytes};
}

bool MemoryBudget::somebody_waits() const {
  const std::lock_guard lock(mutex_);
  return waiting_ > 0;
}

double MemoryBudget::used() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

void MemoryBudget::give_back(double bytes) {
  {
    const std::lock_guard lock(mutex_);
    used_ -= bytes;
  }
  freed_.notify_all();
}

}  // namespace limn
