#include "optimise/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/buffer.h"
#include "kernels/kernels.h"

namespace limn {
namespace {

// Each vector starts on a cache line.
template <typename T>
size_t stride_of(size_t size) {
  constexpr size_t kLine = kBufferAlignment / sizeof(T);
  return (size + kLine - 1) / kLine * kLine;
}

std::string name_of(const char* vector, size_t place) {
  return fmt::format("lbfgs.{}.{}", vector, place);
}

bool is_among(std::span<const size_t> places, size_t place) {
  return std::ranges::find(places, place) != places.end();
}

// Takes over results[4 i ...]: those of s with y and g, and of y with y and g, of each place.
void set_products(std::span<const size_t> places, std::span<const double> results,
                  PairProducts& products) {
  const size_t newest = places.front();
  for (size_t i = 0; i < places.size(); ++i) {
    const size_t place = places[i];
    products.sy(place, newest) = results[4 * i];
    products.sg[place] = results[4 * i + 1];
    products.set_yy(place, newest, results[4 * i + 2]);
    products.yg[place] = results[4 * i + 3];
  }
  products.gg = results.back();
}

// ------------------------------------------------------------------------------------ in float --

class FloatHistory : public History {
 public:
  FloatHistory(size_t size, size_t places, ThreadPool& pool)
      : size_(size),
        stride_(stride_of<float>(size)),
        pool_(pool),
        vectors_(2 * places * stride_),
        results_(2 * (2 * places + 1)),
        scratch_(kernels::products_scratch_size(2 * places + 1, size)) {
    rows_.reserve(2 * places + 1);
  }

  // The open pair's y holds the gradient at the start.
  std::span<float> open(size_t place, std::span<const size_t> places,
                        std::span<const double> coefficients, std::span<const float> g,
                        std::span<float>) override {
    collect_rows(places, g);
    kernels::combine(rows_, coefficients, s(place), pool_);
    kernels::copy(g, y(place), pool_);
    return s(place);
  }
  std::span<const float> gradient_at_start(size_t place) const override {
    return {vectors_.data() + (2 * place + 1) * stride_, size_};
  }
  void lengthen(size_t place, double length) override {
    kernels::scale(static_cast<float>(length), s(place), pool_);
  }
  void close(size_t place, std::span<const float> g) override {
    kernels::subtract_from(g, y(place), pool_);
  }

  void multiply(std::span<const size_t> places, std::span<const float> g,
                PairProducts& products) override {
    collect_rows(places, g);
    const std::span<double> results = std::span(results_).first(2 * rows_.size());
    kernels::products(rows_, y(places.front()), g, results, scratch_, pool_);
    set_products(places, results, products);
  }

  double square_of_s(size_t place) override { return kernels::dot(s(place), s(place), pool_); }
  double square_of_y(size_t place) override { return kernels::dot(y(place), y(place), pool_); }
  const float* s(size_t place, size_t first, size_t, float*) const override {
    return vectors_.data() + 2 * place * stride_ + first;
  }
  const float* y(size_t place, size_t first, size_t, float*) const override {
    return vectors_.data() + (2 * place + 1) * stride_ + first;
  }
  void rescale(std::span<const size_t> places, size_t first, std::span<const float> q,
               float*) override {
    for (const size_t place : places) {
      float* step = s(place).data() + first;
      float* change = y(place).data() + first;
      for (size_t i = 0; i < q.size(); ++i) step[i] /= q[i];
      for (size_t i = 0; i < q.size(); ++i) change[i] *= q[i];
    }
  }
  // The products s . y and s . g stay as they are.
  void end_rescaling(std::span<const size_t> places, std::span<const float> g,
                     PairProducts& products) override {
    for (size_t i = 0; i < places.size(); ++i) {
      const std::span<const float> change = y(places[i]);
      for (const size_t other : places.subspan(i)) {
        products.set_yy(places[i], other, kernels::dot(change, y(other), pool_));
      }
      products.yg[places[i]] = kernels::dot(change, g, pool_);
    }
    products.gg = kernels::dot(g, g, pool_);
  }

  void keep(State& state, std::span<const size_t> places, const size_t* open) override {
    const auto keep_pair = [&](size_t place) {
      state.floats(name_of("s", place), s(place));
      state.floats(name_of("y", place), y(place));
    };
    for (const size_t place : places) keep_pair(place);
    if (open != nullptr && !is_among(places, *open)) keep_pair(*open);
  }

 private:
  std::span<float> s(size_t place) { return {vectors_.data() + 2 * place * stride_, size_}; }
  std::span<float> y(size_t place) { return {vectors_.data() + (2 * place + 1) * stride_, size_}; }

  void collect_rows(std::span<const size_t> places, std::span<const float> g) {
    rows_.clear();
    for (const size_t place : places) {
      rows_.push_back(s(place).data());
      rows_.push_back(y(place).data());
    }
    rows_.push_back(g.data());
  }

  const size_t size_, stride_;  // floats of a vector, and from vector to vector
  ThreadPool& pool_;
  Buffer<float> vectors_;  // [places][s, y][stride_]
  std::vector<const float*> rows_;
  std::vector<double> results_;
  Buffer<double> scratch_;
};

// --------------------------------------------------------------------------- in half precision --

// The exponent that a vector's largest value is given. A half's largest is 2^16, so that rescaling
// by up to 10 fits; down to 2^-14 a half has all of its 11 bits, to 2^-24 some of them.
constexpr int kTop = 11;
// Factors, and what undoes them, are normal floats.
constexpr int kMostExponent = 126;

class HalfHistory : public History {
 public:
  HalfHistory(size_t size, size_t places, ThreadPool& pool)
      : size_(size),
        stride_(stride_of<std::uint16_t>(size)),
        pool_(pool),
        words_(2 * places * stride_),
        factors_(2 * places, 1.0),
        start_(size),
        pieces_(kernels::row_pieces(size)),
        results_(2 * (2 * places + 1)),
        scratch_(kernels::products_scratch_size(2 * places + 1, size)) {
    rows_.reserve(2 * places);
    coefficients_.reserve(2 * places + 1);
  }

  std::span<float> open(size_t place, std::span<const size_t> places,
                        std::span<const double> coefficients, std::span<const float> g,
                        std::span<float> work) override {
    kernels::copy(g, start_, pool_);
    collect_rows(places);
    coefficients_.assign(coefficients.begin(), coefficients.end());
    for (size_t i = 0; i < rows_.size(); ++i) coefficients_[i] *= factor(places, i);
    const float* last = g.data();
    kernels::combine(kernels::Rows{rows_, {&last, 1}}, coefficients_, work, pool_);
    store(work, s_of(place));
    return work;
  }
  std::span<const float> gradient_at_start(size_t) const override { return start_; }
  void lengthen(size_t place, double length) override { factors_[s_of(place)] *= length; }
  void close(size_t place, std::span<const float> g) override {
    kernels::subtract_from(g, start_, pool_);
    store(start_, y_of(place));
  }

  void multiply(std::span<const size_t> places, std::span<const float> g,
                PairProducts& products) override {
    collect_rows(places);
    const size_t newest = y_of(places.front());
    for_each_piece([&](size_t, size_t first, size_t count) {
      expand(newest, first, std::span(start_).subspan(first, count));
    });
    const std::span<double> results = std::span(results_).first(2 * rows_.size() + 2);
    const float* last = g.data();
    kernels::products(kernels::Rows{rows_, {&last, 1}}, start_, g, results, scratch_, pool_);
    for (size_t i = 0; i < rows_.size(); ++i) {
      results[2 * i] *= factor(places, i);
      results[2 * i + 1] *= factor(places, i);
    }
    set_products(places, results, products);
  }

  double square_of_s(size_t place) override { return square(s_of(place)); }
  double square_of_y(size_t place) override { return square(y_of(place)); }
  const float* s(size_t place, size_t first, size_t n, float* memory) const override {
    expand(s_of(place), first, {memory, n});
    return memory;
  }
  const float* y(size_t place, size_t first, size_t n, float* memory) const override {
    expand(y_of(place), first, {memory, n});
    return memory;
  }
  void rescale(std::span<const size_t> places, size_t first, std::span<const float> q,
               float* memory) override {
    const std::span<float> values(memory, q.size());
    const auto change = [&](size_t vector, auto&& scale) {
      const std::span<std::uint16_t> halves = words(vector).subspan(first, q.size());
      kernels::expand_half(halves, 1, values);
      for (size_t i = 0; i < q.size(); ++i) scale(values[i], q[i]);
      kernels::round_to_half(values, 1, halves);
    };
    for (const size_t place : places) {
      change(s_of(place), [](float& value, float by) { value /= by; });
      change(y_of(place), [](float& value, float by) { value *= by; });
    }
  }
  // They have been rounded anew, so all products have changed.
  void end_rescaling(std::span<const size_t> places, std::span<const float> g,
                     PairProducts& products) override {
    for (const size_t place : places) {
      normalise(s_of(place));
      normalise(y_of(place));
    }
    for (size_t i = 0; i < places.size(); ++i) multiply(places.subspan(i), g, products);
  }

  void keep(State& state, std::span<const size_t> places, const size_t* open) override {
    for (const size_t place : places) {
      state.halves(name_of("s", place), words(s_of(place)));
      state.halves(name_of("y", place), words(y_of(place)));
    }
    if (open != nullptr) {
      if (!is_among(places, *open)) state.halves(name_of("s", *open), words(s_of(*open)));
      state.floats("lbfgs.start", start_);
    }
    state.numbers("lbfgs.factors", factors_);
  }

 private:
  // Vectors are numbered: s and y of each place in turn.
  static size_t s_of(size_t place) { return 2 * place; }
  static size_t y_of(size_t place) { return 2 * place + 1; }
  std::span<std::uint16_t> words(size_t vector) {
    return {words_.data() + vector * stride_, size_};
  }
  // That of row i.
  double factor(std::span<const size_t> places, size_t i) const {
    return factors_[2 * places[i / 2] + i % 2];
  }

  template <typename Work>
  void for_each_piece(Work&& work) {
    constexpr size_t kPiece = kernels::kRowPiece;
    pool_.run(pieces_.size(), [&](size_t piece, int thread) {
      const size_t first = piece * kPiece;
      const size_t count = std::min(kPiece, size_ - first);
      if constexpr (std::is_invocable_v<Work, size_t, size_t, size_t, int>) {
        work(piece, first, count, thread);
      } else {
        work(piece, first, count);
      }
    });
  }

  void collect_rows(std::span<const size_t> places) {
    rows_.clear();
    for (const size_t place : places) {
      rows_.push_back(words(s_of(place)).data());
      rows_.push_back(words(y_of(place)).data());
    }
  }

  void expand(size_t vector, size_t first, std::span<float> to) const {
    const std::uint16_t* from = words_.data() + vector * stride_ + first;
    kernels::expand_half({from, to.size()}, static_cast<float>(factors_[vector]), to);
  }

  // 2 to this gives the largest of pieces_ the exponent kTop. 0 if all values are 0.
  int exponent_to_top() const {
    const float largest = *std::ranges::max_element(pieces_);
    if (!(largest > 0)) return 0;
    return std::clamp(kTop - std::ilogb(largest), -kMostExponent, kMostExponent);
  }

  // Rounds x, in place, into the vector. What is not finite makes all of it NaN, and so its
  // products.
  void store(std::span<float> x, size_t vector) {
    for_each_piece([&](size_t piece, size_t first, size_t count) {
      pieces_[piece] = kernels::largest(x.subspan(first, count));
    });
    const bool finite = std::ranges::all_of(pieces_, [](float a) { return std::isfinite(a); });
    const int exponent = finite ? exponent_to_top() : 0;
    const auto up = std::ldexp(1.0f, exponent);
    factors_[vector] =
        finite ? std::ldexp(1.0, -exponent) : std::numeric_limits<double>::quiet_NaN();
    for_each_piece([&](size_t, size_t first, size_t count) {
      const std::span<float> values = x.subspan(first, count);
      kernels::round_to_half(values, up, words(vector).subspan(first, count));
      expand(vector, first, values);
    });
  }

  // Gives the largest value the exponent kTop again.
  void normalise(size_t vector) {
    const auto expanded = [&](size_t first, size_t count, int thread) {
      const std::span<float> values = pool_.thread_scratch(thread, count).first(count);
      kernels::expand_half(words(vector).subspan(first, count), 1, values);
      return values;
    };
    for_each_piece([&](size_t piece, size_t first, size_t count, int thread) {
      pieces_[piece] = kernels::largest(expanded(first, count, thread));
    });
    const int exponent = exponent_to_top();
    if (exponent == 0) return;
    factors_[vector] = std::ldexp(factors_[vector], -exponent);
    const auto up = std::ldexp(1.0f, exponent);
    for_each_piece([&](size_t, size_t first, size_t count, int thread) {
      const std::span<float> values = expanded(first, count, thread);
      kernels::round_to_half(values, up, words(vector).subspan(first, count));
    });
  }

  double square(size_t vector) {
    for_each_piece([&](size_t piece, size_t first, size_t count, int thread) {
      const std::span<float> values = pool_.thread_scratch(thread, count).first(count);
      expand(vector, first, values);
      double sum = 0;
      for (const float value : values) sum += double{value} * value;
      scratch_[piece] = sum;
    });
    double total = 0;
    for (size_t piece = 0; piece < pieces_.size(); ++piece) total += scratch_[piece];
    return total;
  }

  const size_t size_, stride_;  // halves of a vector, and from vector to vector
  ThreadPool& pool_;
  Buffer<std::uint16_t> words_;  // [places][s, y][stride_]
  std::vector<double> factors_;  // of each vector: it is factor * words
  Buffer<float> start_;          // of the open pair, the gradient at its start; otherwise scratch
  std::vector<float> pieces_;    // a number for each piece
  std::vector<const std::uint16_t*> rows_;
  std::vector<double> coefficients_, results_;
  Buffer<double> scratch_;
};

}  // namespace

void PairProducts::keep(State& state) {
  state.number("lbfgs.gg", gg);
  state.numbers("lbfgs.sy", sy_);
  state.numbers("lbfgs.yy", yy_);
  state.numbers("lbfgs.sg", sg);
  state.numbers("lbfgs.yg", yg);
}

std::unique_ptr<History> make_history(size_t size, size_t places, bool half, ThreadPool& pool) {
  if (half) return std::make_unique<HalfHistory>(size, places, pool);
  return std::make_unique<FloatHistory>(size, places, pool);
}

double history_vectors(int places, bool half) { return half ? places + 1.0 : 2.0 * places; }

}  // namespace limn
