// Matrix products on the tile registers of Intel's AMX (Sapphire Rapids and later), at the accuracy
// of float32.
//
// AMX multiplies bfloat16, whose 8 bits of significand are too few by far. But a float's 24 bits
// are three times 8: cutting it twice gives three bfloat16 parts whose sum is the float exactly,
//
//     a = a_0 + a_1 + a_2,    |a_1| <= 2^-8 |a|,    |a_2| <= 2^-16 |a|
//
// and of the nine products of parts the six largest are kept,
//
//     a b ~ a_0 b_0 + (a_0 b_1 + a_1 b_0) + (a_0 b_2 + a_1 b_1 + a_2 b_0),
//
// each exact in float32, summed in float32. What is left out is at most 2^-23 |a b|, mostly far
// less than a rounding of float32, up or down alike. Six products on tile registers take 40 % of
// the time of one with AVX-512.
//
// Operands lie in memory as floats and are cut just before their use: bfloat16 parts would be one
// and a half times as much to bring from far caches, which is where the time then went.
#pragma once

#include <cstddef>
#include <cstdint>

namespace limn::kernels {

// Whether processor and system have AMX, and it is permitted. Asks the system for the use of it the
// first time.
bool amx_available();

// For tests and benchmarks: whether amx_available may be true. It may at first.
void permit_amx(bool permitted);

// The calling thread's tile registers, set up while this lives. One at a time on a thread.
class AmxRegisters {
 public:
  AmxRegisters();
  ~AmxRegisters();
  AmxRegisters(const AmxRegisters&) = delete;
  AmxRegisters& operator=(const AmxRegisters&) = delete;
};

inline constexpr int kAmxRows = 16;    // of V in one register; V is computed by so many
inline constexpr int kAmxInputs = 32;  // of V and U in one register
inline constexpr int kAmxBlocks = 2;   // of 16 outputs that are computed at a time
inline constexpr int kAmxOutputs = 16 * kAmxBlocks;
inline constexpr int kAmxMostInputs = 128;  // of U that are cut at a time

// Whether kernels that run on vectors of so many floats have such products made here: beside
// AVX-512, and where registers are filled.
inline bool amx_serves(int lanes, int in, int out) {
  return lanes == 16 && in % kAmxInputs == 0 && out % kAmxOutputs == 0 && amx_available();
}

// V, some rows of `in` values, cut: [rows / 16][in / 32][3 parts][16 rows][32 in].
struct AmxRows {
  std::uint16_t* parts = nullptr;
  int in = 0;
  int rows = 0;

  int groups() const { return (rows + kAmxRows - 1) / kAmxRows; }
  std::size_t group_values() const { return std::size_t{3} * kAmxRows * in; }
  std::size_t values() const { return groups() * group_values(); }
};

// Floats that so many 16-bit values take.
constexpr std::size_t amx_floats(std::size_t values) { return (values + 1) / 2; }

// Cuts V[in / 16][rows][16 in], whose blocks are v_block floats apart.
void amx_cut(const float* V, std::size_t v_block, const AmxRows& rows);

// Some inputs of two blocks of U: values[2 blocks][inputs][16 out], the blocks u_block floats
// apart; inputs a multiple of kAmxInputs, at most kAmxMostInputs.
struct AmxColumns {
  const float* values = nullptr;
  std::size_t u_block = 0;
  int inputs = 0;
};

// Products with one U after another. While one is computed the next U is cut: so the vector units
// work in the shadow of the tile registers. An AmxRegisters must live on the calling thread.
//
// Every product writes rows up to the next multiple of kAmxRows.
class AmxProducts {
 public:
  static constexpr std::size_t kScratch = std::size_t{2} * 3 * kAmxMostInputs * kAmxOutputs;

  // scratch: kScratch values, aligned to 64 bytes. U: the first one's.
  AmxProducts(std::uint16_t* scratch, const AmxColumns& U);
  // The same for multiply_all: U[out / 16][in][16 out].
  AmxProducts(std::uint16_t* scratch, const float* U, int in);

  // M = V U, "+=" with `add`, for the inputs from `first` on of V, as many as U has: M[2
  // blocks][rows][16 out], the blocks m_block floats apart. next_U: the next product's; null values
  // where none follows.
  void multiply(const AmxRows& V, int first, bool add, float* M, std::size_t m_block,
                const AmxColumns& next_U);

  // M = V U for all inputs and outputs: U[out / 16][in][16 out], M[out / 16][rows][16 out], its
  // blocks m_block floats apart. next_U: the next such product's, null where none follows.
  void multiply_all(const AmxRows& V, const float* U, int out, float* M, std::size_t m_block,
                    const float* next_U);

 private:
  std::uint16_t* parts_;
  std::uint16_t* next_parts_;
  int inputs_;
};

}  // namespace limn::kernels
