// The transforms of F(4 x 4, 3 x 3): G g G^T, B^T d B and A^T m A. winograd.cc has the matrices and
// explains them.
#if defined(LIMN_KERNELS_WINOGRAD_TRANSFORMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LIMN_KERNELS_WINOGRAD_TRANSFORMS_INL_H_
#undef LIMN_KERNELS_WINOGRAD_TRANSFORMS_INL_H_
#else
#define LIMN_KERNELS_WINOGRAD_TRANSFORMS_INL_H_
#endif

#include "kernels/cell-inl.h"
#include "kernels/feature_map.h"

HWY_BEFORE_NAMESPACE();
namespace limn::kernels::HWY_NAMESPACE {

constexpr int kTaps = 9;
constexpr int kSide = 6;  // of a patch
constexpr int kPoints = kSide * kSide;

// The points, and what the matrices are made of.
constexpr float kA = 0.625f, kB = 1.5f;
constexpr float kA2 = kA * kA, kA3 = kA2 * kA, kB2 = kB * kB, kB3 = kB2 * kB;
constexpr float kP = kA2 * kB2;
constexpr double kQ = 2.0 * kA2 * (kA2 - kB2), kR = 2.0 * kB2 * (kB2 - kA2);

HWY_INLINE CellVector constant(float value) { return hn::Set(CellTag(), value); }

// B^T of six cells, in place.
HWY_INLINE void transform_input(CellVector (&d)[kSide]) {
  const auto even_a = hn::NegMulAdd(constant(kB2), d[2], d[4]);  // d4 - b^2 d2
  const auto odd_a = hn::NegMulAdd(constant(kB2), d[1], d[3]);   // d3 - b^2 d1
  const auto even_b = hn::NegMulAdd(constant(kA2), d[2], d[4]);
  const auto odd_b = hn::NegMulAdd(constant(kA2), d[1], d[3]);
  const auto middle = constant(kA2 + kB2);
  d[0] = hn::MulAdd(constant(kP), d[0], hn::NegMulAdd(middle, d[2], d[4]));
  d[5] = hn::MulAdd(constant(kP), d[1], hn::NegMulAdd(middle, d[3], d[5]));
  d[1] = hn::MulAdd(constant(kA), odd_a, even_a);
  d[2] = hn::NegMulAdd(constant(kA), odd_a, even_a);
  d[3] = hn::MulAdd(constant(kB), odd_b, even_b);
  d[4] = hn::NegMulAdd(constant(kB), odd_b, even_b);
}

// A^T of six cells: the first four are the result.
HWY_INLINE void transform_output(CellVector (&m)[kSide]) {
  const auto sum_a = hn::Add(m[1], m[2]);
  const auto difference_a = hn::Sub(m[1], m[2]);
  const auto sum_b = hn::Add(m[3], m[4]);
  const auto difference_b = hn::Sub(m[3], m[4]);
  m[0] = hn::Add(hn::Add(m[0], sum_a), sum_b);
  m[1] = hn::MulAdd(constant(kB), difference_b, hn::Mul(constant(kA), difference_a));
  m[2] = hn::MulAdd(constant(kB2), sum_b, hn::Mul(constant(kA2), sum_a));
  m[3] = hn::MulAdd(constant(kB3), difference_b, hn::MulAdd(constant(kA3), difference_a, m[5]));
}

// G of three cells, without its diagonal factor: six.
HWY_INLINE void transform_taps(const CellVector (&g)[3], CellVector (&u)[kSide]) {
  const auto even_a = hn::MulAdd(constant(kA2), g[2], g[0]);
  const auto even_b = hn::MulAdd(constant(kB2), g[2], g[0]);
  u[0] = g[0];
  u[1] = hn::MulAdd(constant(kA), g[1], even_a);
  u[2] = hn::NegMulAdd(constant(kA), g[1], even_a);
  u[3] = hn::MulAdd(constant(kB), g[1], even_b);
  u[4] = hn::NegMulAdd(constant(kB), g[1], even_b);
  u[5] = g[2];
}

// The diagonal factors of G on both sides, at a point: as the sum of two floats.
template <int kPoint>
HWY_INLINE CellVector scale_point(CellVector u) {
  constexpr double kFactors[kSide] = {1.0 / kP, 1.0 / kQ, 1.0 / kQ, 1.0 / kR, 1.0 / kR, 1.0};
  constexpr double kFactor = kFactors[kPoint / kSide] * kFactors[kPoint % kSide];
  constexpr auto kUpper = static_cast<float>(kFactor);
  constexpr auto kLower = static_cast<float>(kFactor - kUpper);
  return hn::MulAdd(u, constant(kUpper), hn::Mul(u, constant(kLower)));
}

// U of the 16 x 16 kernels of one pair of blocks: taps[9][16 in][16 out] -> u[36][16 in][16 out],
// the points u_point floats apart.
inline void transform_block(const float* HWY_RESTRICT taps, float* HWY_RESTRICT u, size_t u_point) {
  const CellTag d;
  for (int in = 0; in < kBlock; ++in) {
    for (int v = 0; v < kVectors; ++v) {
      const size_t place = static_cast<size_t>(in) * kBlock + v * kLanes;
      CellVector rows[kSide][3];  // G g
      unrolled<3>([&](auto kx) HWY_ATTR {
        CellVector column[3];
        unrolled<3>([&](auto ky) HWY_ATTR {
          column[ky] = hn::Load(d, taps + (ky * 3 + kx) * kBlock * kBlock + place);
        });
        CellVector transformed[kSide];
        transform_taps(column, transformed);
        unrolled<kSide>([&](auto i) HWY_ATTR { rows[i][kx] = transformed[i]; });
      });
      unrolled<kSide>([&](auto i) HWY_ATTR {
        CellVector transformed[kSide];
        transform_taps(rows[i], transformed);
        unrolled<kSide>([&](auto j) HWY_ATTR {
          hn::Store(scale_point<i * kSide + j>(transformed[j]), d,
                    u + (i * kSide + j) * u_point + place);
        });
      });
    }
  }
}

// V of one patch: B^T d B. read(y, x, v) is vector v of the patch's cell (y, x); write(point, v,
// value) takes the results.
template <class Read, class Write>
HWY_INLINE void transform_patch(const Read& read, const Write& write) {
  for (int v = 0; v < kVectors; ++v) {
    CellVector rows[kSide][kSide];  // B^T d
    unrolled<kSide>([&](auto x) HWY_ATTR {
      CellVector column[kSide];
      unrolled<kSide>([&](auto y) HWY_ATTR { column[y] = read(y, x, v); });
      transform_input(column);
      unrolled<kSide>([&](auto y) HWY_ATTR { rows[y][x] = column[y]; });
    });
    unrolled<kSide>([&](auto y) HWY_ATTR {
      transform_input(rows[y]);
      unrolled<kSide>([&](auto x) HWY_ATTR { write(y * kSide + x, v, rows[y][x]); });
    });
  }
}

// Writes cells that lie `stride` floats apart.
struct CellWriter {
  float* cells;
  size_t stride;
  HWY_INLINE void operator()(int point, int v, CellVector value) const {
    hn::Store(value, CellTag(), cells + point * stride + v * kLanes);
  }
};

}  // namespace limn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // LIMN_KERNELS_WINOGRAD_TRANSFORMS_INL_H_
