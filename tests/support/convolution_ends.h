// The inputs and outputs of a convolution, in guarded memory.
#pragma once

#include "kernels/kernels.h"
#include "support/guarded_memory.h"
#include "support/random_values.h"

namespace limn {

inline constexpr kernels::Source::Kind kSourceKinds[] = {
    kernels::Source::Kind::map, kernels::Source::Kind::relu_gradient,
    kernels::Source::Kind::max_pool_gradient, kernels::Source::Kind::average_pool_gradient};
inline constexpr kernels::Sink::Kind kSinkKinds[] = {
    kernels::Sink::Kind::set, kernels::Sink::Kind::add, kernels::Sink::Kind::relu,
    kernels::Sink::Kind::relu_max_pool, kernels::Sink::Kind::relu_average_pool};

constexpr const char* name_of(kernels::Source::Kind kind) {
  constexpr const char* kNames[] = {"map", "relu_gradient", "max_pool_gradient",
                                    "average_pool_gradient"};
  return kNames[static_cast<int>(kind)];
}
constexpr const char* name_of(kernels::Sink::Kind kind) {
  constexpr const char* kNames[] = {"set", "add", "relu", "relu_max_pool", "relu_average_pool"};
  return kNames[static_cast<int>(kind)];
}

// Max pooling must leave the picture at least one cell.
constexpr bool can_be_pooled(kernels::Source::Kind kind, int height, int width) {
  return kind != kernels::Source::Kind::max_pool_gradient || (height > 1 && width > 1);
}
constexpr bool can_be_pooled(kernels::Sink::Kind kind, int height, int width) {
  return kind != kernels::Sink::Kind::relu_max_pool || (height > 1 && width > 1);
}

// Where edges are periodic, sides that were pooled are even.
constexpr bool can_repeat(kernels::Source::Kind kind, int height, int width) {
  using Kind = kernels::Source::Kind;
  return kind == Kind::map || kind == Kind::relu_gradient || (height % 2 == 0 && width % 2 == 0);
}

// The source that takes the gradient back through a sink of this kind.
constexpr kernels::Source::Kind gradient_of(kernels::Sink::Kind kind) {
  constexpr kernels::Source::Kind kGradients[] = {
      kernels::Source::Kind::map, kernels::Source::Kind::map, kernels::Source::Kind::relu_gradient,
      kernels::Source::Kind::max_pool_gradient, kernels::Source::Kind::average_pool_gradient};
  return kGradients[static_cast<int>(kind)];
}

// The memory of either end: a map, possibly pooled, and its bits.
class GuardedEnd {
 public:
  enum class Pooled { no, by_maxima, by_average };
  // channels, height and width: of the convolution's map, before any pooling.
  GuardedEnd(Pooled pooled, int channels, int height, int width)
      : map(channels, pooled_side(pooled, height), pooled_side(pooled, width)),
        signs(channels, signs_side(pooled, height), signs_side(pooled, width)),
        right(channels, height / 2, width / 2),
        below(channels, height / 2, width / 2) {}

  kernels::MaxPlaces places() const { return {right.bits(), below.bits()}; }

  GuardedMap map;
  GuardedBits signs, right, below;

 private:
  static int pooled_side(Pooled pooled, int side) {
    return pooled == Pooled::no ? side : pooled == Pooled::by_maxima ? side / 2 : (side + 1) / 2;
  }
  static int signs_side(Pooled pooled, int side) {
    return pooled == Pooled::by_maxima ? side / 2 : side;
  }
};

// A source for a map of channels x height x width.
class GuardedSource : public GuardedEnd {
 public:
  using Kind = kernels::Source::Kind;
  GuardedSource(Kind kind, int channels, int height, int width, Edges edges = Edges::zero)
      : GuardedEnd(kind == Kind::max_pool_gradient       ? Pooled::by_maxima
                   : kind == Kind::average_pool_gradient ? Pooled::by_average
                                                         : Pooled::no,
                   channels, height, width),
        kind_(kind),
        edges_(edges) {}

  // Random bits, and values from value(), also in the ring if that is read; otherwise it stays
  // unset, because nobody may use it.
  template <typename Value>
  GuardedSource(Kind kind, int channels, int height, int width, Random& random, Value&& value,
                Edges edges = Edges::zero)
      : GuardedSource(kind, channels, height, width, edges) {
    map.fill([&](int, int, int) { return value(); });
    if (kind == Kind::map && edges == Edges::zero) map.fill_ring(value);
    for (GuardedBits* bits : {&signs, &right, &below}) {
      for (std::uint16_t& word : bits->words()) word = static_cast<std::uint16_t>(random.bits());
    }
  }

  kernels::Source source() const {
    kernels::Source source;
    source.kind = kind_;
    source.map = map;
    source.signs = signs.bits();
    source.places = places();
    source.edges = edges_;
    return source;
  }

 private:
  Kind kind_;
  Edges edges_;
};

// A sink for a convolution's output of channels x height x width, with nothing set.
class GuardedSink : public GuardedEnd {
 public:
  using Kind = kernels::Sink::Kind;
  GuardedSink(Kind kind, int channels, int height, int width)
      : GuardedEnd(kind == Kind::relu_max_pool       ? Pooled::by_maxima
                   : kind == Kind::relu_average_pool ? Pooled::by_average
                                                     : Pooled::no,
                   channels, height, width),
        kind_(kind),
        height_(height),
        width_(width) {}

  kernels::Sink sink() {
    kernels::Sink sink;
    sink.kind = kind_;
    sink.map = map;
    sink.height = height_;
    sink.width = width_;
    sink.signs = signs.bits();
    sink.places = places();
    return sink;
  }
  // Of the convolution's output.
  int height() const { return height_; }
  int width() const { return width_; }

  testing::AssertionResult written_inside_only() const {
    for (const GuardedBits* bits : {&signs, &right, &below}) {
      if (testing::AssertionResult result = bits->guards_untouched(); !result) return result;
    }
    return map.written_inside_only();
  }

 private:
  Kind kind_;
  int height_, width_;
};

}  // namespace limn
