#include "kernels/amx.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <utility>

#if defined(__x86_64__) && defined(__linux__)

#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

// Every processor with AMX has these.
#define LIMN_AVX512 __attribute__((target("avx512f,avx512bw")))

namespace limn::kernels {
namespace {

// ----------------------------------------------------------------------------- is it there? --

bool processor_has_amx() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  constexpr unsigned kBfloat16 = 1U << 22;
  constexpr unsigned kTiles = 1U << 24;
  return (d & kBfloat16) != 0 && (d & kTiles) != 0;
}

// Linux grants the tile registers' state only on request.
bool system_permits_amx() {
  constexpr int kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr int kTileData = 18;               // XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

std::atomic<bool> permitted = true;

// -------------------------------------------------------------------------------- registers --
//
// Tile registers are part of the instruction's encoding, and the compiler's intrinsics take only
// literal numbers; hence the assembly.

constexpr std::size_t kRowBytes = 64;
constexpr std::size_t kRegister = 512;  // bfloat16 values in a register: 16 rows of 32
constexpr int kParts = 3;
constexpr int kBlocks = kAmxBlocks;
constexpr std::size_t kBlockFloats = 16;
constexpr std::size_t kGroupFloats = kAmxRows * kBlockFloats;

// All eight registers with 16 rows of 64 bytes.
struct alignas(64) Configuration {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t bytes_per_row[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

void configure() {
  static const Configuration configuration;
  asm volatile("ldtilecfg %0" : : "m"(configuration) : "memory");
}

void release() { asm volatile("tilerelease" : : : "memory"); }

template <int kTo>
void load_register(const void* from) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(kRowBytes), "i"(kTo) : "memory");
}

template <int kFrom>
void store_register(float* to) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(kRowBytes), "i"(kFrom) : "memory");
}

template <int kRegisterNumber>
void clear_register() {
  asm volatile("tilezero %%tmm%c0" : : "i"(kRegisterNumber));
}

// Sums += V U, bfloat16 operands with float32 sums.
template <int kSums, int kV, int kU>
void multiply_registers() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSums), "i"(kV), "i"(kU));
}

// ---------------------------------------------------------------------------------- cutting --

// The three parts of a float, each in the upper half of a 32-bit word.
struct Parts {
  __m512i part[kParts];
};

// Rounds to the nearest bfloat16: truncation errors would all have the same sign and add up.
LIMN_AVX512 inline __m512i rounded(__m512 value) {
  const __m512i half = _mm512_set1_epi32(0x8000);
  const __m512i upper = _mm512_set1_epi32(static_cast<int>(0xFFFF0000));
  return _mm512_and_si512(_mm512_add_epi32(_mm512_castps_si512(value), half), upper);
}

LIMN_AVX512 inline Parts cut(__m512 value) {
  const __m512i first = rounded(value);
  const __m512 rest = _mm512_sub_ps(value, _mm512_castsi512_ps(first));
  const __m512i second = rounded(rest);
  const __m512 third = _mm512_sub_ps(rest, _mm512_castsi512_ps(second));
  return {{first, second, _mm512_castps_si512(third)}};
}

// Selects 32 of the 16-bit halves of two vectors, numbered consecutively. Only upper halves are
// used: either all of the first vector's, then the second's, or alternating between the two.
struct alignas(64) Halves {
  std::uint16_t number[32];
};
constexpr Halves kInARow = [] {
  Halves halves = {};
  for (int i = 0; i < 32; ++i) halves.number[i] = static_cast<std::uint16_t>(2 * i + 1);
  return halves;
}();
constexpr Halves kByTurns = [] {
  Halves halves = {};
  for (int i = 0; i < 32; ++i) halves.number[i] = static_cast<std::uint16_t>((i | 1) + i % 2 * 32);
  return halves;
}();

// Stores the parts of two vectors as 32 values each, the parts part_values apart.
LIMN_AVX512 inline void store_parts(const Parts& first, const Parts& second, __m512i halves,
                                    std::size_t part_values, std::uint16_t* to) {
  for (int part = 0; part < kParts; ++part) {
    _mm512_store_si512(to + part * part_values,
                       _mm512_permutex2var_epi16(first.part[part], halves, second.part[part]));
  }
}

// Rows in the layout of AMX's left operand: 32 consecutive inputs. parts[rows / 16][in / 32][3][16
// rows][32 in].
LIMN_AVX512 void cut_rows(const float* V, std::size_t v_block, const AmxRows& rows) {
  const __m512i halves = _mm512_load_si512(kInARow.number);
  std::uint16_t* parts = rows.parts;
  for (int first = 0; first < rows.rows; first += kAmxRows) {
    const int count = std::min(kAmxRows, rows.rows - first);
    for (int in = 0; in < rows.in; in += kAmxInputs, parts += kParts * kRegister) {
      const float* from = V + in / 16 * v_block + first * kBlockFloats;
      for (int row = 0; row < count; ++row, from += kBlockFloats) {
        store_parts(cut(_mm512_load_ps(from)), cut(_mm512_load_ps(from + v_block)), halves,
                    kRegister, parts + row * kAmxInputs);
      }
    }
  }
}

// Columns in the layout of AMX's right operand: two inputs interleaved. parts[in / 32][3][2
// blocks][16 pairs of inputs][16 out][2].
class ColumnCutter {
 public:
  // Cuts U in the given number of turns.
  ColumnCutter(const AmxColumns& U, int turns, std::uint16_t* parts)
      : U_(U),
        pairs_(U.values ? U.inputs / 2 : 0),
        at_a_time_((pairs_ + turns - 1) / turns),
        parts_(parts) {}

  LIMN_AVX512 void take_turn() {
    constexpr int kPairs = kAmxInputs / 2;
    const __m512i halves = _mm512_load_si512(kByTurns.number);
    const int end = std::min(next_ + at_a_time_, pairs_);
    for (; next_ < end; ++next_) {
      const float* from = U_.values + next_ * 2 * kBlockFloats;
      std::uint16_t* to = parts_ + next_ / kPairs * kParts * kBlocks * kRegister +
                          next_ % kPairs * 2 * kBlockFloats;
      for (int block = 0; block < kBlocks; ++block, from += U_.u_block, to += kRegister) {
        store_parts(cut(_mm512_load_ps(from)), cut(_mm512_load_ps(from + kBlockFloats)), halves,
                    kBlocks * kRegister, to);
      }
    }
  }

 private:
  AmxColumns U_;
  int pairs_, at_a_time_;
  int next_ = 0;
  std::uint16_t* parts_;
};

// --------------------------------------------------------------------------------- products --
//
// Registers 0 to 3 hold the sums for two groups of rows by two blocks; 4 and 5 hold a part of V for
// the two groups, 6 and 7 a part of U for the two blocks.

template <int kGroups>
void load_sums(bool add, const float* M, std::size_t m_block) {
  if (!add) {
    clear_register<0>();
    clear_register<1>();
    clear_register<2>();
    clear_register<3>();
    return;
  }
  load_register<0>(M);
  load_register<1>(M + m_block);
  if constexpr (kGroups == 1) return;
  load_register<2>(M + kGroupFloats);
  load_register<3>(M + kGroupFloats + m_block);
}

template <int kGroups>
void store_sums(float* M, std::size_t m_block) {
  store_register<0>(M);
  store_register<1>(M + m_block);
  if constexpr (kGroups == 1) return;
  store_register<2>(M + kGroupFloats);
  store_register<3>(M + kGroupFloats + m_block);
}

template <int kGroups>
void load_rows(const std::uint16_t* V, std::size_t group) {
  load_register<4>(V);
  if constexpr (kGroups == 2) load_register<5>(V + group);
}

void load_columns(const std::uint16_t* U) {
  load_register<6>(U);
  load_register<7>(U + kRegister);
}

template <int kGroups>
void multiply_parts() {
  multiply_registers<0, 4, 6>();
  multiply_registers<1, 4, 7>();
  if constexpr (kGroups == 1) return;
  multiply_registers<2, 5, 6>();
  multiply_registers<3, 5, 7>();
}

// M = V U ("+=" with `add`) for kGroups groups of rows, `group` values apart.
template <int kGroups>
LIMN_AVX512 void multiply_groups(const std::uint16_t* V, std::size_t group, const std::uint16_t* U,
                                 int steps, bool add, float* M, std::size_t m_block,
                                 ColumnCutter& next) {
  load_sums<kGroups>(add, M, m_block);
  for (int step = 0; step < steps; ++step) {
    const auto rows = [&](int part) { load_rows<kGroups>(V + part * kRegister, group); };
    const auto columns = [&](int part) { load_columns(U + part * kBlocks * kRegister); };
    next.take_turn();
    columns(0);
    rows(2);
    multiply_parts<kGroups>();
    rows(0);
    multiply_parts<kGroups>();
    rows(1);
    multiply_parts<kGroups>();
    columns(1);
    multiply_parts<kGroups>();
    rows(0);
    multiply_parts<kGroups>();
    columns(2);
    multiply_parts<kGroups>();
    V += kParts * kRegister;
    U += kParts * kBlocks * kRegister;
  }
  store_sums<kGroups>(M, m_block);
}

// The columns of two blocks of U[out / 16][in][16 out], starting at input `first`.
AmxColumns columns_of(const float* U, int in, int first) {
  return {U + first * kBlockFloats, in * kBlockFloats, std::min(kAmxMostInputs, in - first)};
}

}  // namespace

bool amx_available() {
  static const bool available = processor_has_amx() && system_permits_amx();
  return available && permitted.load(std::memory_order_relaxed);
}

void permit_amx(bool may) { permitted.store(may, std::memory_order_relaxed); }

AmxRegisters::AmxRegisters() { configure(); }
AmxRegisters::~AmxRegisters() { release(); }

void amx_cut(const float* V, std::size_t v_block, const AmxRows& rows) {
  assert(rows.in % kAmxInputs == 0);
  cut_rows(V, v_block, rows);
}

AmxProducts::AmxProducts(std::uint16_t* scratch, const AmxColumns& U)
    : parts_(scratch), next_parts_(scratch + kScratch / 2), inputs_(U.inputs) {
  ColumnCutter(U, 1, parts_).take_turn();
}

AmxProducts::AmxProducts(std::uint16_t* scratch, const float* U, int in)
    : AmxProducts(scratch, columns_of(U, in, 0)) {}

void AmxProducts::multiply(const AmxRows& V, int first, bool add, float* M, std::size_t m_block,
                           const AmxColumns& next_U) {
  assert(first % kAmxInputs == 0 && inputs_ % kAmxInputs == 0 && inputs_ <= kAmxMostInputs);
  const int steps = inputs_ / kAmxInputs;
  const int groups = V.groups();
  ColumnCutter next(next_U, steps * ((groups + 1) / 2), next_parts_);
  const std::size_t group = V.group_values();
  const std::uint16_t* v = V.parts + static_cast<std::size_t>(first) * kParts * kAmxRows;
  int i = 0;
  for (; i + 2 <= groups; i += 2) {
    multiply_groups<2>(v + i * group, group, parts_, steps, add, M + i * kGroupFloats, m_block,
                       next);
  }
  if (i < groups) {
    multiply_groups<1>(v + i * group, group, parts_, steps, add, M + i * kGroupFloats, m_block,
                       next);
  }
  std::swap(parts_, next_parts_);
  inputs_ = next_U.inputs;
}

void AmxProducts::multiply_all(const AmxRows& V, const float* U, int out, float* M,
                               std::size_t m_block, const float* next_U) {
  for (int done = 0; done < out; done += kAmxOutputs) {
    const float* next_pair = U + static_cast<std::size_t>(V.in) * kAmxOutputs;
    if (done + kAmxOutputs == out) next_pair = next_U;
    for (int first = 0; first < V.in; first += kAmxMostInputs) {
      const int next = first + kAmxMostInputs;
      const AmxColumns columns = next < V.in ? columns_of(U, V.in, next)
                                 : next_pair ? columns_of(next_pair, V.in, 0)
                                             : AmxColumns();
      multiply(V, first, first > 0, M, m_block, columns);
    }
    U = next_pair;
    M += kBlocks * m_block;
  }
}

}  // namespace limn::kernels

#else  // another processor or system

namespace limn::kernels {

bool amx_available() { return false; }
void permit_amx(bool) {}
AmxRegisters::AmxRegisters() = default;
AmxRegisters::~AmxRegisters() = default;
void amx_cut(const float*, std::size_t, const AmxRows&) { assert(false); }
AmxProducts::AmxProducts(std::uint16_t*, const AmxColumns&)
    : parts_(nullptr), next_parts_(nullptr), inputs_(0) {}
AmxProducts::AmxProducts(std::uint16_t*, const float*, int)
    : parts_(nullptr), next_parts_(nullptr), inputs_(0) {}
void AmxProducts::multiply_all(const AmxRows&, const float*, int, float*, std::size_t,
                               const float*) {
  assert(false);
}
void AmxProducts::multiply(const AmxRows&, int, bool, float*, std::size_t, const AmxColumns&) {
  assert(false);
}

}  // namespace limn::kernels

#endif
