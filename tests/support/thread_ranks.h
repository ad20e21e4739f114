// Ranks (limn/ranks.h) that are threads of one process.
#pragma once

#include <limn/ranks.h>

#include <algorithm>
#include <barrier>
#include <cstring>
#include <functional>
#include <span>
#include <thread>
#include <vector>

namespace limn {

class ThreadRanks {
 public:
  explicit ThreadRanks(int count) : all_(count), parts_(count) {}

  // Calls act(ranks) for all of them at the same time.
  void run(const std::function<void(Ranks&)>& act) {
    std::vector<std::jthread> threads;
    threads.reserve(parts_.size());
    for (int rank = 0; rank < std::ssize(parts_); ++rank) {
      threads.emplace_back([this, rank, &act] {
        One one(*this, rank);
        act(one);
      });
    }
  }

  // Bytes that came from other ranks, to any.
  size_t exchanged() const { return exchanged_; }

 private:
  class One : public Ranks {
   public:
    One(ThreadRanks& group, int rank) : group_(group), rank_(rank) {}
    int rank() const override { return rank_; }
    int count() const override { return static_cast<int>(group_.parts_.size()); }

    void broadcast(std::span<std::byte> bytes, int from) override {
      group_.parts_[rank_] = bytes;
      group_.all_.arrive_and_wait();
      const std::span<std::byte> source = group_.parts_[from];
      // Ranks that do not expect as much no longer do the same.
      if (source.size() != bytes.size()) std::terminate();
      if (rank_ != from && !bytes.empty()) std::memcpy(bytes.data(), source.data(), bytes.size());
      if (rank_ == 0) group_.exchanged_ += bytes.size();
      group_.all_.arrive_and_wait();
    }

    void merge(std::span<std::uint32_t> words) override {
      group_.parts_[rank_] = std::as_writable_bytes(words);
      group_.all_.arrive_and_wait();
      std::vector<std::uint32_t> merged(words.size());
      for (const std::span<std::byte>& part : group_.parts_) {
        if (part.size() != words.size_bytes()) std::terminate();
        const auto* of_rank = reinterpret_cast<const std::uint32_t*>(part.data());
        for (size_t i = 0; i < merged.size(); ++i) merged[i] |= of_rank[i];
      }
      group_.all_.arrive_and_wait();
      std::ranges::copy(merged, words.begin());
      if (rank_ == 0) group_.exchanged_ += words.size_bytes();
      group_.all_.arrive_and_wait();
    }

   private:
    ThreadRanks& group_;
    const int rank_;
  };

  std::barrier<> all_;
  std::vector<std::span<std::byte>> parts_;  // by rank, what it takes part with
  size_t exchanged_ = 0;
};

}  // namespace limn
