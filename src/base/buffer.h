// Memory for kernels: aligned, zeroed, allocated once and never copied by accident.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

namespace limn {

// Alignment of every buffer, in bytes: a cache line, which is also the widest vector there is.
inline constexpr size_t kBufferAlignment = 64;

// count * element_bytes zeroed bytes, aligned; nullptr for none. From 4 MB on they begin at a huge
// page (2 MB) and ask for more of them; their pages take memory only once they are written, so that
// a machine may run out of it then rather than here. Free with free_buffer, which must be told as
// many bytes.
void* allocate_zeroed(size_t count, size_t element_bytes);
void free_buffer(void* data, size_t bytes);

// `size` elements of T, all zero, aligned to kBufferAlignment. Movable, not copyable. Throws Error
// (resources) when there is no memory for it, naming the size.
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
