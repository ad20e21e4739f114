// Memory for kernels: aligned, zeroed, allocated once and never copied by accident.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

namespace limn {

// Alignment of every buffer in bytes: one cache line, which is also the widest vector.
inline constexpr size_t kBufferAlignment = 64;

// count * element_bytes zeroed bytes, aligned; nullptr if that is 0. Buffers of 4 MB or more start
// on a 2 MB huge page boundary and ask for huge pages. Their pages are committed on first write, so
// the machine may run out of memory then rather than here. Free with free_buffer, passing the same
// size.
void* allocate_zeroed(size_t count, size_t element_bytes);
void free_buffer(void* data, size_t bytes);

// `size` elements of T, all zero, aligned to kBufferAlignment. Movable, not copyable. Throws Error
// (resources), naming the size, when memory runs out.
template <typename T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Buffer() = default;
  explicit Buffer(size_t size)
      : data_(static_cast<T*>(allocate_zeroed(size, sizeof(T)))), size_(size) {}
  Buffer(Buffer&& other) noexcept { *this = std::move(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    if (this == &other) return *this;
    free_buffer(data_, size_ * sizeof(T));
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }
  ~Buffer() { free_buffer(data_, size_ * sizeof(T)); }

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  operator std::span<T>() { return {data(), size_}; }
  operator std::span<const T>() const { return {data(), size_}; }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace limn
