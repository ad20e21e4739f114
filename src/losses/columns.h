// Feature columns: what one or several layers hold at chosen places of a picture, as one map that
// losses read like a layer's.
//
//   h(p) = (s_1 R_1 F_1(p), s_2 R_2 F_2(p), ...)
//
// F_l(p) is interpolated linearly between four positions of layer l, s_l is a scale, and R_l, for a
// student's layer, is the symmetric root of its K (network/imitation.h), so that products of
// columns are those that the teacher's features would have; elsewhere R_l = 1. (Hypercolumns:
// Hariharan and others 2015, arXiv 1411.5752.)
//
// Columns stand between layers and losses: gather() reads the layers, losses measure h and set its
// slope, and spread() passes the gradient on to the layers.
//
// Layers may come in tiles. Each part of a column is gathered from the tile whose cells hold the
// first of its four positions; the others may lie one cell beyond. h itself is kept whole: losses
// compare columns with each other, or any with any.
#pragma once

#include <limn/limn.h>

#include <span>
#include <vector>

#include "base/buffer.h"
#include "base/parallel.h"
#include "base/state.h"
#include "canvas/units.h"
#include "losses/layers.h"
#include "losses/loss.h"

namespace limn {

// Where columns stand.
struct Places {
  enum class Kind {
    quarter,  // a grid of a quarter of the picture's height and width; its corners are the layers'
    grid,     // a grid in the map of a single layer, at an offset that is drawn
    drawn,    // drawn from a grid of the picture, without order; n of them are a map of 1 x n
  };
  Kind kind = Kind::quarter;
  int most = 0;  // grid: about this many along the longer side, 0: every position; drawn: so many
                 // in all
  bool whole = false;  // drawn: rounded down to whole positions of each layer
  bool operator==(const Places&) const = default;
};

// Columns that a recipe's losses read.
struct ColumnsInUse {
  struct Part {
    int layer = 0;  // a number in layers_in_use, or kPicture
    double scale = 1;
    bool operator==(const Part&) const = default;
  };
  static constexpr int kPicture = -1;  // the picture's own red, green and blue, in 0..1

  enum class Reader { neighbours, transport, structure };
  Reader reader = Reader::neighbours;
  double weight = 0;  // the recipe's, for the loss that reads them
  Places places;
  std::vector<Part> parts;
  bool operator==(const ColumnsInUse&) const = default;
};

// Whether its neighbours losses read columns rather than layers.
bool neighbours_read_columns(const Recipe& recipe);

// Neighbours first, then transport and structure.
std::vector<ColumnsInUse> columns_in_use(const Recipe& recipe, std::span<const LayerInUse> layers);

class Columns {
 public:
  // Of a picture of this size, whose layers in use have these shapes (those that no part reads may
  // be empty). units: of the picture's own values. allowed: where places may be drawn, by weights
  // [height][width] of the picture; empty: everywhere. Places are those of draw(seed).
  Columns(const ColumnsInUse& in_use, std::span<const LayerInUse> layers, std::span<const Row> rows,
          std::span<const ConstFeatureMap> shapes, const Size& size, const Units& units,
          std::uint64_t seed, const Mask& allowed);

  // New places, if they are drawn at all.
  void draw_next() { draw(drawn_ + 1); }
  // Saves or restores the places.
  void keep(State& state, std::string_view name);

  // Of h, without data.
  FeatureMap shape() const { return shape_; }
  // The channels that are not there only to fill blocks.
  int used_channels() const { return used_; }
  // By part, the places in cells of its map, or in pixels: y, then x.
  struct Place {
    float y, x;
  };
  std::span<const Place> places(size_t part) const { return parts_[part].places; }

  // h of a picture with these layers, "=". x: in the optimiser's unit.
  void gather(std::span<const ConstFeatureMap> layers, std::span<const float> x, FeatureMap h,
              ThreadPool& pool);

  // The same for the picture being painted, in memory of its own: begin once, gather every tile of
  // the layers, end once. h is valid until turned into the gradient.
  void begin_gathering();
  void gather(std::span<const View::Layer> layers, ThreadPool& pool);
  std::span<float> gathered() { return h_; }  // of the tiles so far; 0 elsewhere
  ConstFeatureMap end_gathering(std::span<const float> x, ThreadPool& pool);

  // Turns that h into its gradient.
  void take_slope(const Slope& slope, ThreadPool& pool);
  // Adds what passes it on to the layers' slopes, for every tile. scratch.own must be as large as
  // any of their maps, with what is around.
  void spread(std::span<const View::Layer> layers, std::span<Slope> slopes, Scratch& scratch,
              ThreadPool& pool);
  // The gradient with respect to the picture itself, in the optimiser's unit: d_x "+=".
  void spread_to_picture(std::span<float> d_x) const;

 private:
  struct Part {
    int layer;
    ConstFeatureMap shape;
    int block, blocks;  // of h
    int halvings;       // of the picture, up to its layer
    float scale;
    Buffer<float> root;  // scale R, [C][C]; empty: R = 1
    std::vector<Place> places;
  };

  // Of a layer: a map of these cells, and its first cell among the whole layer's.
  struct Piece {
    ConstFeatureMap map;
    Window cells;
    int row = 0, column = 0;
  };
  static Piece piece_of(const View::Layer& layer);

  void draw(std::uint64_t number);
  void place(Part& part) const;
  FeatureMap own_map() { return {h_.data(), shape_.channels, shape_.height, shape_.width}; }
  FeatureMap part_of(const Part& part, FeatureMap h) const;
  void gather_part(const Part& part, const Piece& piece, FeatureMap h, ThreadPool& pool) const;
  void map_parts(FeatureMap h, ThreadPool& pool);
  void gather_pictures(std::span<const float> x, FeatureMap h) const;
  void gather_picture(const Part& part, std::span<const float> x, FeatureMap h) const;
  void add_gradient(const Part& part, const Piece& piece, FeatureMap d, ThreadPool& pool);

  const Places rule_;
  const Size size_;
  const Units& units_;
  const std::uint64_t seed_;
  const FeatureMap shape_;  // of h
  std::uint64_t drawn_ = 0;
  std::vector<Part> parts_;
  std::vector<int> candidates_;  // pixels that may be drawn
  int used_ = 0;
  std::vector<Place> grid_;  // drawn places, in pixels, or the offset of the grid
  Buffer<float> h_, raw_;
  std::vector<Piece> pieces_;  // by part, for the slopes' addends
};

// The shape of these columns of a picture whose layers have these shapes, without data.
FeatureMap columns_shape(const ColumnsInUse& in_use, std::span<const ConstFeatureMap> shapes,
                         const Size& size);

}  // namespace limn
