#include "optimise/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/buffer.h"
#include "kernels/kernels.h"
#include "optimise/shared_products.h"

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

// Calls act(skip, place, count) for those of n values from number `first` on that this rank keeps:
// `skip` of the n come before them, and they begin at `place` of what it keeps.
template <typename Act>
void for_kept(const Share& share, size_t first, size_t n, const Act& act) {
  const size_t begin = std::max(first, share.first());
  const size_t end = std::min(first + n, share.first() + share.kept());
  if (begin < end) act(begin - first, begin - share.first(), end - begin);
}

// ------------------------------------------------------------------------------------ in float --

class FloatHistory : public History {
 public:
  FloatHistory(const Share& share, size_t places, ThreadPool& pool)
      : share_(share),
        stride_(stride_of<float>(share.kept())),
        pool_(pool),
        vectors_(2 * places * stride_),
        products_(share, 2 * places + 1, pool) {
    rows_.reserve(2 * places + 1);
  }

  // The open pair's y holds the gradient at the start.
  std::span<float> open(size_t place, std::span<const size_t> places,
                        std::span<const double> coefficients, std::span<const float> g,
                        std::span<float> work) override {
    collect_rows(places, g);
    kernels::combine(rows_, coefficients, s(place), pool_);
    kernels::copy(share_.kept_of(g), y(place), pool_);
    return share_.gathered(s(place), work);
  }
  void gradient_at_start(size_t place, std::span<float> g) const override {
    share_.gather({vectors_.data() + (2 * place + 1) * stride_, share_.kept()}, g);
  }
  void lengthen(size_t place, double length) override {
    kernels::scale(static_cast<float>(length), s(place), pool_);
  }
  void close(size_t place, std::span<const float> g) override {
    kernels::subtract_from(share_.kept_of(g), y(place), pool_);
  }

  void multiply(std::span<const size_t> places, std::span<const float> g,
                PairProducts& products) override {
    collect_rows(places, g);
    set_products(places, products_.of({{}, rows_}, y(places.front()).data(), rows_.back()),
                 products);
  }

  double square_of_s(size_t place) override { return products_.square(s(place).data()); }
  double square_of_y(size_t place) override { return products_.square(y(place).data()); }
  const float* s(size_t place, size_t first, size_t, float*) const override {
    return vectors_.data() + 2 * place * stride_ + first - share_.first();
  }
  const float* y(size_t place, size_t first, size_t, float*) const override {
    return vectors_.data() + (2 * place + 1) * stride_ + first - share_.first();
  }
  void rescale(std::span<const size_t> places, size_t first, std::span<const float> q,
               float*) override {
    for_kept(share_, first, q.size(), [&](size_t skip, size_t at, size_t count) {
      for (const size_t place : places) {
        float* step = s(place).data() + at;
        float* change = y(place).data() + at;
        for (size_t i = 0; i < count; ++i) step[i] /= q[skip + i];
        for (size_t i = 0; i < count; ++i) change[i] *= q[skip + i];
      }
    });
  }
  void end_rescaling(std::span<const size_t> places, std::span<const float> g,
                     PairProducts& products) override {
    for (size_t i = 0; i < places.size(); ++i) multiply(places.subspan(i), g, products);
  }

  void keep(State& state, std::span<const size_t> places, const size_t* open) override {
    const auto keep_pair = [&](size_t place) {
      state.floats(name_of("s", place), share_, s(place));
      state.floats(name_of("y", place), share_, y(place));
    };
    for (const size_t place : places) keep_pair(place);
    if (open != nullptr && !is_among(places, *open)) keep_pair(*open);
  }

 private:
  std::span<float> s(size_t place) {
    return {vectors_.data() + 2 * place * stride_, share_.kept()};
  }
  std::span<float> y(size_t place) {
    return {vectors_.data() + (2 * place + 1) * stride_, share_.kept()};
  }

  void collect_rows(std::span<const size_t> places, std::span<const float> g) {
    rows_.clear();
    for (const size_t place : places) {
      rows_.push_back(s(place).data());
      rows_.push_back(y(place).data());
    }
    rows_.push_back(share_.kept_of(g).data());
  }

  const Share share_;
  const size_t stride_;  // floats from vector to vector
  ThreadPool& pool_;
  Buffer<float> vectors_;  // [places][s, y][stride_], of which this rank keeps share_.kept()
  std::vector<const float*> rows_;
  SharedProducts products_;
};

// --------------------------------------------------------------------------- in half precision --

// The exponent that a vector's largest value is given. A half's largest is 2^16, so that rescaling
// by up to 10 fits; down to 2^-14 a half has all of its 11 bits, to 2^-24 some of them.
constexpr int kTop = 11;
// Factors, and what undoes them, are normal floats.
constexpr int kMostExponent = 126;

class HalfHistory : public History {
 public:
  HalfHistory(const Share& share, size_t places, ThreadPool& pool)
      : share_(share),
        stride_(stride_of<std::uint16_t>(share.kept())),
        pool_(pool),
        words_(2 * places * stride_),
        factors_(2 * places, 1.0),
        start_(share.kept()),
        largest_(share.pieces()),
        products_(share, 2 * places + 1, pool) {
    rows_.reserve(2 * places);
    coefficients_.reserve(2 * places + 1);
  }

  std::span<float> open(size_t place, std::span<const size_t> places,
                        std::span<const double> coefficients, std::span<const float> g,
                        std::span<float> work) override {
    kernels::copy(share_.kept_of(g), start_, pool_);
    collect_rows(places);
    coefficients_.assign(coefficients.begin(), coefficients.end());
    for (size_t i = 0; i < rows_.size(); ++i) coefficients_[i] *= factor(places, i);
    const float* last = share_.kept_of(g).data();
    const std::span<float> kept = share_.kept_of(work);
    kernels::combine(kernels::Rows{rows_, {&last, 1}}, coefficients_, kept, pool_);
    store(kept, s_of(place));
    share_.exchange(work);
    return work;
  }
  void gradient_at_start(size_t, std::span<float> g) const override {
    share_.gather<float>(start_, g);
  }
  void lengthen(size_t place, double length) override { factors_[s_of(place)] *= length; }
  void close(size_t place, std::span<const float> g) override {
    kernels::subtract_from(share_.kept_of(g), start_, pool_);
    store(start_, y_of(place));
  }

  void multiply(std::span<const size_t> places, std::span<const float> g,
                PairProducts& products) override {
    collect_rows(places);
    expand(y_of(places.front()));
    const float* last = share_.kept_of(g).data();
    const std::span<double> results =
        products_.of(kernels::Rows{rows_, {&last, 1}}, start_.data(), last);
    for (size_t i = 0; i < rows_.size(); ++i) {
      results[2 * i] *= factor(places, i);
      results[2 * i + 1] *= factor(places, i);
    }
    set_products(places, results, products);
  }

  double square_of_s(size_t place) override { return square(s_of(place)); }
  double square_of_y(size_t place) override { return square(y_of(place)); }
  const float* s(size_t place, size_t first, size_t n, float* memory) const override {
    expand(s_of(place), first - share_.first(), {memory, n});
    return memory;
  }
  const float* y(size_t place, size_t first, size_t n, float* memory) const override {
    expand(y_of(place), first - share_.first(), {memory, n});
    return memory;
  }
  void rescale(std::span<const size_t> places, size_t first, std::span<const float> q,
               float* memory) override {
    for_kept(share_, first, q.size(), [&](size_t skip, size_t at, size_t count) {
      const std::span<float> values(memory, count);
      const std::span<const float> by = q.subspan(skip, count);
      const auto change = [&](size_t vector, auto&& scale) {
        const std::span<std::uint16_t> halves = words(vector).subspan(at, count);
        kernels::expand_half(halves, 1, values);
        for (size_t i = 0; i < count; ++i) scale(values[i], by[i]);
        kernels::round_to_half(values, 1, halves);
      };
      for (const size_t place : places) {
        change(s_of(place), [](float& value, float factor) { value /= factor; });
        change(y_of(place), [](float& value, float factor) { value *= factor; });
      }
    });
  }
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
      state.halves(name_of("s", place), share_, words(s_of(place)));
      state.halves(name_of("y", place), share_, words(y_of(place)));
    }
    if (open != nullptr) {
      if (!is_among(places, *open)) {
        state.halves(name_of("s", *open), share_, words(s_of(*open)));
      }
      state.floats("lbfgs.start", share_, start_);
    }
    state.numbers("lbfgs.factors", factors_);
  }

 private:
  // Vectors are numbered: s and y of each place in turn.
  static size_t s_of(size_t place) { return 2 * place; }
  static size_t y_of(size_t place) { return 2 * place + 1; }
  std::span<std::uint16_t> words(size_t vector) {
    return {words_.data() + vector * stride_, share_.kept()};
  }
  // That of row i.
  double factor(std::span<const size_t> places, size_t i) const {
    return factors_[2 * places[i / 2] + i % 2];
  }

  // Calls work(piece, first, count, thread) for the pieces of the first n values kept.
  template <typename Work>
  void for_each_piece(size_t n, Work&& work) {
    constexpr size_t kPiece = kernels::kRowPiece;
    pool_.run(kernels::row_pieces(n), [&](size_t piece, int thread) {
      const size_t first = piece * kPiece;
      work(piece, first, std::min(kPiece, n - first), thread);
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
  // Into start_.
  void expand(size_t vector) {
    for_each_piece(share_.own(), [&](size_t, size_t first, size_t count, int) {
      expand(vector, first, std::span(start_).subspan(first, count));
    });
  }
  double square(size_t vector) {
    expand(vector);
    return products_.square(start_.data());
  }

  // Sets largest_, given the largest of each piece of what this rank owns.
  template <typename Largest>
  void find_largest(const Largest& largest) {
    const std::span<float> own = share_.own_pieces_of(std::span(largest_), 1);
    for_each_piece(share_.own(), [&](size_t piece, size_t first, size_t count, int thread) {
      own[piece] = largest(first, count, thread);
    });
    share_.exchange_pieces(std::span(largest_), 1);
  }
  // 2 to this gives the largest of largest_ the exponent kTop. 0 if all values are 0.
  int exponent_to_top() const {
    const float largest = *std::ranges::max_element(largest_);
    if (!(largest > 0)) return 0;
    return std::clamp(kTop - std::ilogb(largest), -kMostExponent, kMostExponent);
  }

  // Rounds x, which is what this rank keeps, in place, into the vector. What is not finite makes
  // all of it NaN, and so its products.
  void store(std::span<float> x, size_t vector) {
    find_largest(
        [&](size_t first, size_t count, int) { return kernels::largest(x.subspan(first, count)); });
    const bool finite = std::ranges::all_of(largest_, [](float a) { return std::isfinite(a); });
    const int exponent = finite ? exponent_to_top() : 0;
    const auto up = std::ldexp(1.0f, exponent);
    factors_[vector] =
        finite ? std::ldexp(1.0, -exponent) : std::numeric_limits<double>::quiet_NaN();
    for_each_piece(x.size(), [&](size_t, size_t first, size_t count, int) {
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
    find_largest([&](size_t first, size_t count, int thread) {
      return kernels::largest(expanded(first, count, thread));
    });
    const int exponent = exponent_to_top();
    if (exponent == 0) return;
    factors_[vector] = std::ldexp(factors_[vector], -exponent);
    const auto up = std::ldexp(1.0f, exponent);
    for_each_piece(share_.kept(), [&](size_t, size_t first, size_t count, int thread) {
      const std::span<float> values = expanded(first, count, thread);
      kernels::round_to_half(values, up, words(vector).subspan(first, count));
    });
  }

  const Share share_;
  const size_t stride_;  // halves from vector to vector
  ThreadPool& pool_;
  Buffer<std::uint16_t> words_;  // [places][s, y][stride_], of which this rank keeps share_.kept()
  std::vector<double> factors_;  // of each vector: it is factor * words
  // Of the open pair, the gradient at its start, as far as this rank keeps it; otherwise scratch.
  Buffer<float> start_;
  std::vector<float> largest_;  // by piece of the whole vector
  std::vector<const std::uint16_t*> rows_;
  std::vector<double> coefficients_;
  SharedProducts products_;
};

}  // namespace

void PairProducts::keep(State& state) {
  state.number("lbfgs.gg", gg);
  state.numbers("lbfgs.sy", sy_);
  state.numbers("lbfgs.yy", yy_);
  state.numbers("lbfgs.sg", sg);
  state.numbers("lbfgs.yg", yg);
}

Share share_of_history(size_t size, size_t row, Ranks& ranks) {
  return {size, kernels::kRowPiece, row == 0 ? 0 : row - 1, ranks};
}

std::unique_ptr<History> make_history(const Share& share, size_t places, bool half,
                                      ThreadPool& pool) {
  if (half) return std::make_unique<HalfHistory>(share, places, pool);
  return std::make_unique<FloatHistory>(share, places, pool);
}

double history_vectors(int places, bool half, int ranks) {
  return (half ? places + 1.0 : 2.0 * places) / ranks;
}

}  // namespace limn
