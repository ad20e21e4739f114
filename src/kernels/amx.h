// Matrix products on the tile registers of Intel AMX (Sapphire Rapids and later), with float32
// accuracy.
//
// AMX multiplies bfloat16 values, whose 8 significant bits are far too few. But a float's 24 bits
// are three times 8: cutting it twice gives three bfloat16 parts whose sum is exactly the float,
//
//     a = a_0 + a_1 + a_2,    |a_1| <= 2^-8 |a|,    |a_2| <= 2^-16 |a|
//
// Of the nine products of parts, the six largest are kept,
//
//     a b ~ a_0 b_0 + (a_0 b_1 + a_1 b_0) + (a_0 b_2 + a_1 b_1 + a_2 b_0),
//
// each exact in float32 and summed in float32. The omitted terms are at most 2^-23 |a b|, usually
// far less than a float32 rounding error, and of either sign. Six products on tile registers take
// 40 % of the time of one with AVX-512.
//
// Operands are stored as floats and cut just before use: stored as bfloat16 parts they would take
// one and a half times the bandwidth from the far caches, which would then dominate the time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace limn::kernels {

// Whether the processor and the system have AMX and permit_amx allows it. The first call asks the
// system for permission to use it.
bool amx_available();

// For tests and benchmarks: false makes amx_available return false. Initially true.
void permit_amx(bool permitted);

// Sets up the calling thread's tile registers for its lifetime. One at a time per thread.
class AmxRegisters {
 public:
  AmxRegisters();
  ~AmxRegisters();
  AmxRegisters(const AmxRegisters&) = delete;
  AmxRegisters& operator=(const AmxRegisters&) = delete;
};

inline constexpr int kAmxRows = 16;    // of V in one register, and the unit in which V is processed
inline constexpr int kAmxInputs = 32;  // of V and U in one register
inline constexpr int kAmxBlocks = 2;   // of 16 outputs, computed at a time
inline constexpr int kAmxOutputs = 16 * kAmxBlocks;
inline constexpr int kAmxMostInputs = 128;  // of U, cut at a time

// Whether kernels on vectors of `lanes` floats should do such products here: only next to AVX-512,
// and where the shapes fill the registers.
inline bool amx_serves(int lanes, int in, int out) {
  return lanes == 16 && in % kAmxInputs == 0 && out % kAmxOutputs == 0 && amx_available();
}

// V, rows of `in` values, after cutting: [rows / 16][in / 32][3 parts][16 rows][32 in].
struct AmxRows {
  std::uint16_t* parts = nullptr;
  int in = 0;
  int rows = 0;

  int groups() const { return (rows + kAmxRows - 1) / kAmxRows; }
  std::size_t group_values() const { return std::size_t{3} * kAmxRows * in; }
  std::size_t values() const { return groups() * group_values(); }
};

// How many floats hold that many 16-bit values.
constexpr std::size_t amx_floats(std::size_t values) { return (values + 1) / 2; }

// Cuts V[in / 16][rows][16 in], with blocks v_block floats apart.
void amx_cut(const float* V, std::size_t v_block, const AmxRows& rows);

// Some inputs of two blocks of U: values[2 blocks][inputs][16 out], blocks u_block floats apart.
// inputs: a multiple of kAmxInputs, at most kAmxMostInputs.
struct AmxColumns {
  const float* values = nullptr;
  std::size_t u_block = 0;
  int inputs = 0;
};

// A series of products, each with its own U. The next U is cut during the current product, so that
// the vector units run in parallel with the tiles. The calling thread must hold an AmxRegisters.
//
// Every product writes rows up to the next multiple of kAmxRows.
class AmxProducts {
 public:
  static constexpr std::size_t kScratch = std::size_t{2} * 3 * kAmxMostInputs * kAmxOutputs;

  // scratch: kScratch values, aligned to 64 bytes. U: that of the first product.
  AmxProducts(std::uint16_t* scratch, const AmxColumns& U);
  // The same for multiply_all: U[out / 16][in][16 out].
  AmxProducts(std::uint16_t* scratch, const float* U, int in);

  // M = V U ("+=" with `add`), over V's inputs starting at `first`, as many as U has. M[2
  // blocks][rows][16 out], blocks m_block floats apart. next_U: the next product's U; null values
  // if there is none.
  void multiply(const AmxRows& V, int first, bool add, float* M, std::size_t m_block,
                const AmxColumns& next_U);

  // M = V U over all inputs and outputs: U[out / 16][in][16 out], M[out / 16][rows][16 out], blocks
  // m_block floats apart. next_U: U of the next such product, or null.
  void multiply_all(const AmxRows& V, const float* U, int out, float* M, std::size_t m_block,
                    const float* next_U);

 private:
  std::uint16_t* parts_;
  std::uint16_t* next_parts_;
  int inputs_;
};

}  // namespace limn::kernels
