#include "losses/columns.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <numeric>

#include "base/random.h"
#include "kernels/kernels.h"
#include "losses/regions.h"

namespace limn {

bool neighbours_read_columns(const Recipe& recipe) {
  const auto& neighbours = recipe.neighbours;
  return neighbours.matching == Matching::hypercolumns || neighbours.samples > 0 ||
         neighbours.distance != NeighbourDistance::squared;
}

std::vector<ColumnsInUse> columns_in_use(const Recipe& recipe, std::span<const LayerInUse> layers) {
  using Reader = ColumnsInUse::Reader;
  constexpr int kDrawn = 1024;  // as published: Kolkin and others 2019, section 2.1
  std::vector<ColumnsInUse> in_use;
  const auto together = [&](Reader reader, double weight, Places places,
                            double LayerInUse::*of_layer) {
    ColumnsInUse columns = {reader, weight, places, {}};
    if (places.kind == Places::Kind::drawn) columns.parts.push_back({ColumnsInUse::kPicture, 1.0});
    for (size_t i = 0; i < layers.size(); ++i) {
      const double share = layers[i].*of_layer / weight;
      if (share == 0) continue;
      const bool by_channels = places.kind == Places::Kind::quarter;
      columns.parts.push_back(
          {static_cast<int>(i), by_channels ? share / layers[i].channels : share});
    }
    in_use.push_back(std::move(columns));
  };
  const auto& neighbours = recipe.neighbours;
  if (neighbours.weight != 0 && neighbours.matching == Matching::hypercolumns) {
    together(Reader::neighbours, neighbours.weight, {Places::Kind::quarter},
             &LayerInUse::neighbours_weight);
  } else if (neighbours.weight != 0 && neighbours_read_columns(recipe)) {
    for (size_t i = 0; i < layers.size(); ++i) {
      if (layers[i].neighbours_weight == 0) continue;
      in_use.push_back({Reader::neighbours,
                        layers[i].neighbours_weight,
                        {Places::Kind::grid, neighbours.samples},
                        {{static_cast<int>(i), 1.0}}});
    }
  }
  if (recipe.transport.weight != 0) {
    together(Reader::transport, recipe.transport.weight, {Places::Kind::drawn, kDrawn},
             &LayerInUse::transport_weight);
  }
  if (recipe.structure.weight != 0) {
    together(Reader::structure, recipe.structure.weight, {Places::Kind::drawn, kDrawn},
             &LayerInUse::structure_weight);
  }
  return in_use;
}

// -------------------------------------------------------------------------------------- making --

namespace {

// The symmetric R with R R = K, for symmetric K, [C][C], without negative eigenvalues: K's
// eigenvectors by Jacobi's rotations (Golub and Van Loan, Matrix Computations, section 8.5).
std::vector<double> symmetric_root(std::span<const double> K, size_t C) {
  constexpr int kMostSweeps = 30;
  std::vector<double> A(K.begin(), K.end());
  std::vector<double> V(C * C);  // rows are eigenvectors
  for (size_t i = 0; i < C; ++i) V[i * C + i] = 1;
  const double all = std::inner_product(A.begin(), A.end(), A.begin(), 0.0);
  const auto rotate = [C](std::vector<double>& M, size_t p, size_t q, double c, double s) {
    for (size_t k = 0; k < C; ++k) {
      const double a = M[p * C + k], b = M[q * C + k];
      M[p * C + k] = c * a - s * b;
      M[q * C + k] = s * a + c * b;
    }
  };
  for (int sweep = 0; sweep < kMostSweeps; ++sweep) {
    double off = 0;
    for (size_t p = 0; p < C; ++p) {
      for (size_t q = p + 1; q < C; ++q) {
        const double a = A[p * C + q];
        off += a * a;
        if (a == 0) continue;
        const double ratio = (A[q * C + q] - A[p * C + p]) / (2 * a);
        const double t = (ratio >= 0 ? 1 : -1) / (std::abs(ratio) + std::hypot(1, ratio));
        const double c = 1 / std::hypot(1, t), s = t * c;
        rotate(A, p, q, c, s);
        for (size_t k = 0; k < C; ++k) {  // the same from the right
          const double left = A[k * C + p], right = A[k * C + q];
          A[k * C + p] = c * left - s * right;
          A[k * C + q] = s * left + c * right;
        }
        rotate(V, p, q, c, s);
      }
    }
    if (off <= 1e-28 * all) break;
  }
  std::vector<double> R(C * C);
  for (size_t k = 0; k < C; ++k) {
    const double root = std::sqrt(std::max(0.0, A[k * C + k]));
    for (size_t i = 0; i < C; ++i) {
      for (size_t j = 0; j < C; ++j) R[i * C + j] += root * V[k * C + i] * V[k * C + j];
    }
  }
  return R;
}

// Drawn places are on a grid of at most about this many, squared.
constexpr int kFinestGrid = 128;

int grid_stride(const Places& places, ConstFeatureMap map) {
  return places.most == 0 ? 1 : std::max(1, std::max(map.height, map.width) / places.most);
}

int stride_of(const Size& size) {
  const double pixels = static_cast<double>(size.height) * size.width;
  return std::max(1, static_cast<int>(std::sqrt(pixels) / kFinestGrid));
}

int poolings_up_to(std::span<const Row> rows, int row) {
  return static_cast<int>(std::ranges::count(rows.first(row + 1), RowKind::pooling, &Row::kind));
}

// Of the map of h.
Size places_size(const Places& places, ConstFeatureMap first, const Size& size) {
  switch (places.kind) {
    case Places::Kind::quarter:
      return {std::max(1, size.height / 4), std::max(1, size.width / 4)};
    case Places::Kind::grid: {
      const int stride = grid_stride(places, first);
      return {std::max(1, first.height / stride), std::max(1, first.width / stride)};
    }
    case Places::Kind::drawn:
      break;
  }
  const int stride = stride_of(size);
  const std::int64_t grid = static_cast<std::int64_t>(std::max(1, size.height / stride)) *
                            std::max(1, size.width / stride);
  return {1, static_cast<int>(std::min<std::int64_t>(places.most, grid))};
}

}  // namespace

Columns::Columns(const ColumnsInUse& in_use, std::span<const LayerInUse> layers,
                 std::span<const Row> rows, std::span<const ConstFeatureMap> shapes,
                 const Size& size, const Units& units, std::uint64_t seed, const Mask& allowed)
    : rule_(in_use.places),
      size_(size),
      units_(units),
      seed_(seed),
      shape_(columns_shape(in_use, shapes, size)) {
  int block = 0;
  size_t raw = 0;
  for (const auto& [layer, scale] : in_use.parts) {
    Part part;
    part.layer = layer;
    part.scale = static_cast<float>(scale);
    part.block = block;
    if (layer == ColumnsInUse::kPicture) {
      part.blocks = 1;
      part.halvings = 0;
      used_ += 3;
    } else {
      part.shape = shapes[layer];
      part.shape.data = nullptr;
      part.blocks = part.shape.blocks();
      part.halvings = poolings_up_to(rows, layers[layer].position.row);
      used_ += part.shape.channels;
      if (const Imitation* imitation = layers[layer].imitation) {
        const auto C = static_cast<size_t>(part.shape.channels);
        const std::vector<double> root = symmetric_root(imitation->K, C);
        part.root = Buffer<float>(C * C);
        for (size_t i = 0; i < root.size(); ++i) {
          part.root[i] = static_cast<float>(scale * root[i]);
        }
      }
    }
    block += part.blocks;
    if (!part.root.empty()) raw = std::max(raw, part_of(part, shape_).floats());
    parts_.push_back(std::move(part));
  }
  raw_ = Buffer<float>(raw);
  if (rule_.kind == Places::Kind::drawn && !allowed.empty()) {
    const std::vector<float> weights = layer_weights(allowed, size_.height, size_.width);
    for (size_t i = 0; i < weights.size(); ++i) {
      if (weights[i] > 0.5f) candidates_.push_back(static_cast<int>(i));
    }
  }
  draw(0);
}

// -------------------------------------------------------------------------------------- places --

void Columns::draw(std::uint64_t number) {
  drawn_ = number;
  Random random(seed_ * 0x9E3779B97F4A7C15u + number);
  const auto below = [&](int limit) { return static_cast<int>(random.bits() % limit); };
  if (rule_.kind == Places::Kind::grid) {
    const ConstFeatureMap& map = parts_.front().shape;
    const int stride = grid_stride(rule_, map);
    grid_.assign(1, {static_cast<float>(below(std::min(stride, map.height))),
                     static_cast<float>(below(std::min(stride, map.width)))});
  } else if (rule_.kind == Places::Kind::drawn) {
    // A grid at a drawn offset, of which the first n of a shuffle are taken.
    const int stride = stride_of(size_);
    const int top = below(stride), left = below(stride);
    std::vector<int> pixels;
    const auto on_grid = [&](int pixel) {
      return pixel / size_.width % stride == top && pixel % size_.width % stride == left;
    };
    std::ranges::copy_if(candidates_, std::back_inserter(pixels), on_grid);
    if (pixels.empty()) pixels = candidates_;
    if (pixels.empty()) {
      for (int y = top; y < size_.height; y += stride) {
        for (int x = left; x < size_.width; x += stride) pixels.push_back(y * size_.width + x);
      }
    }
    grid_.resize(shape_.width);
    for (int i = 0; i < shape_.width; ++i) {
      const int count = static_cast<int>(pixels.size());
      const int first = i % count;
      std::swap(pixels[first], pixels[first + below(count - first)]);
      const int y = pixels[first] / size_.width, x = pixels[first] % size_.width;
      grid_[i] = {static_cast<float>(y), static_cast<float>(x)};
    }
  }
  for (Part& part : parts_) place(part);
}

void Columns::place(Part& part) const {
  const bool picture = part.layer == ColumnsInUse::kPicture;
  const int rows = picture ? size_.height : part.shape.height;
  const int columns = picture ? size_.width : part.shape.width;
  part.places.resize(shape_.positions());
  const auto aligned = [](int i, int count, int length) {
    return count == 1 ? 0.0f : static_cast<float>(i) * (length - 1) / (count - 1);
  };
  for (int y = 0; y < shape_.height; ++y) {
    for (int x = 0; x < shape_.width; ++x) {
      Place& place = part.places[static_cast<size_t>(y) * shape_.width + x];
      switch (rule_.kind) {
        case Places::Kind::quarter:
          place = {aligned(y, shape_.height, rows), aligned(x, shape_.width, columns)};
          break;
        case Places::Kind::grid: {
          const int stride = grid_stride(rule_, part.shape);
          place = {grid_.front().y + static_cast<float>(y * stride),
                   grid_.front().x + static_cast<float>(x * stride)};
          break;
        }
        case Places::Kind::drawn: {
          const auto scale = static_cast<float>(1 << part.halvings);
          place = {grid_[x].y / scale, grid_[x].x / scale};
          if (rule_.whole) place = {std::floor(place.y), std::floor(place.x)};
          break;
        }
      }
      place.y = std::min(place.y, static_cast<float>(rows - 1));
      place.x = std::min(place.x, static_cast<float>(columns - 1));
    }
  }
}

void Columns::keep(State& state, std::string_view name) {
  constexpr double kMost = 1e9;
  state.integer(name, drawn_, 0, kMost);
  if (state.restores()) draw(drawn_);
}

// ------------------------------------------------------------------------------------- columns --

namespace {

// The four positions around a place, and their weights.
struct Corners {
  int y[2], x[2];
  float weight[2][2];
};

Corners corners_of(const Columns::Place& place, int height, int width) {
  const int y = static_cast<int>(place.y), x = static_cast<int>(place.x);
  const float down = place.y - static_cast<float>(y), right = place.x - static_cast<float>(x);
  return {{y, std::min(y + 1, height - 1)},
          {x, std::min(x + 1, width - 1)},
          {{(1 - down) * (1 - right), (1 - down) * right}, {down * (1 - right), down * right}}};
}

void set_zero(FeatureMap map) { std::memset(map.data, 0, map.floats() * sizeof(float)); }

}  // namespace

// Its channels of h, as a map.
FeatureMap Columns::part_of(const Part& part, FeatureMap h) const {
  FeatureMap map = {nullptr, part.blocks * kBlock, h.height, h.width};
  if (h.data) map.data = h.data + part.block * h.plane_stride();
  return map;
}

Columns::Piece Columns::piece_of(const View::Layer& layer) {
  return {layer.around, layer.cells, layer.cells.row - layer.core.row,
          layer.cells.column - layer.core.column};
}

void Columns::gather(std::span<const ConstFeatureMap> layers, std::span<const float> x,
                     FeatureMap h, ThreadPool& pool) {
  set_zero(h);  // fillers and rings may have been a gradient
  for (const Part& part : parts_) {
    if (part.layer == ColumnsInUse::kPicture) continue;
    const ConstFeatureMap F = layers[part.layer];
    gather_part(part, {F, window_of(F)}, part_of(part, h), pool);
  }
  map_parts(h, pool);
  gather_pictures(x, h);
}

void Columns::begin_gathering() {
  if (h_.empty()) h_ = Buffer<float>(shape_.floats());
  set_zero(own_map());
}

void Columns::gather(std::span<const View::Layer> layers, ThreadPool& pool) {
  for (const Part& part : parts_) {
    if (part.layer == ColumnsInUse::kPicture) continue;
    gather_part(part, piece_of(layers[part.layer]), part_of(part, own_map()), pool);
  }
}

ConstFeatureMap Columns::end_gathering(std::span<const float> x, ThreadPool& pool) {
  map_parts(own_map(), pool);
  gather_pictures(x, own_map());
  return own_map();
}

namespace {

// Calls act(y and x of the column, corners) for the places whose first corner is among the piece's
// cells. The corners are those of its map.
template <typename Act>
void each_place(std::span<const Columns::Place> places, ConstFeatureMap columns,
                ConstFeatureMap layer, const Window& cells, int row, int column, const Act& act) {
  for (int y = 0; y < columns.height; ++y) {
    for (int x = 0; x < columns.width; ++x) {
      const Columns::Place& place = places[static_cast<size_t>(y) * columns.width + x];
      Corners at = corners_of(place, layer.height, layer.width);
      if (at.y[0] < cells.row || at.y[0] >= cells.end_row || at.x[0] < cells.column ||
          at.x[0] >= cells.end_column) {
        continue;
      }
      for (int i = 0; i < 2; ++i) {
        at.y[i] -= row;
        at.x[i] -= column;
      }
      act(y, x, at);
    }
  }
}

}  // namespace

void Columns::gather_part(const Part& part, const Piece& piece, FeatureMap h,
                          ThreadPool& pool) const {
  const float scale = part.root.empty() ? part.scale : 1;
  pool.run(h.blocks(), [&](size_t task) {
    const auto block = static_cast<int>(task);
    const auto gather = [&](int y, int x, const Corners& at) {
      float* cell = h.cell(block, y, x);
      for (int i = 0; i < 2; ++i) {
        for (int j = 0; j < 2; ++j) {
          if (at.weight[i][j] == 0) continue;
          const float* from = piece.map.cell(block, at.y[i], at.x[j]);
          const float weight = scale * at.weight[i][j];
          for (int c = 0; c < kBlock; ++c) cell[c] += weight * from[c];
        }
      }
    };
    each_place(part.places, h, part.shape, piece.cells, piece.row, piece.column, gather);
  });
}

// Replaces the parts of a student by R times themselves. Both ways, as R is symmetric.
void Columns::map_parts(FeatureMap h, ThreadPool& pool) {
  for (const Part& part : parts_) {
    if (part.root.empty()) continue;
    const FeatureMap of_part = part_of(part, h);
    const FeatureMap raw = {raw_.data(), of_part.channels, of_part.height, of_part.width};
    kernels::crop(of_part, window_of(of_part), raw, pool);
    for (int block = 0; block < of_part.blocks(); ++block) {
      for (int y = 0; y < of_part.height; ++y) {
        std::fill_n(of_part.cell(block, y, 0), static_cast<size_t>(of_part.width) * kBlock, 0.0f);
      }
    }
    kernels::add_gram_gradient(part.root, raw, of_part, pool);
  }
}

void Columns::gather_pictures(std::span<const float> x, FeatureMap h) const {
  for (const Part& part : parts_) {
    if (part.layer == ColumnsInUse::kPicture) gather_picture(part, x, part_of(part, h));
  }
}

void Columns::gather_picture(const Part& part, std::span<const float> x, FeatureMap h) const {
  const size_t plane = static_cast<size_t>(size_.height) * size_.width;
  for (size_t p = 0; p < part.places.size(); ++p) {
    const Corners at = corners_of(part.places[p], size_.height, size_.width);
    float* cell = h.cell(0, static_cast<int>(p) / h.width, static_cast<int>(p) % h.width);
    for (size_t c = 0; c < 3; ++c) {
      float value = 0;
      for (int i = 0; i < 2; ++i) {
        for (int j = 0; j < 2; ++j) {
          value +=
              at.weight[i][j] * x[c * plane + static_cast<size_t>(at.y[i]) * size_.width + at.x[j]];
        }
      }
      const Affine& unit = units_.plane(static_cast<int>(c));
      cell[c] = part.scale * (value - unit.offset) / unit.gain;
    }
  }
}

// ---------------------------------------------------------------------------------- gradients --

void Columns::take_slope(const Slope& slope, ThreadPool& pool) {
  turn_into_gradient(own_map(), slope, pool);
  map_parts(own_map(), pool);
}

void Columns::spread(std::span<const View::Layer> layers, std::span<Slope> slopes, Scratch& scratch,
                     ThreadPool& pool) {
  pieces_.resize(parts_.size());
  for (size_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i].layer == ColumnsInUse::kPicture) continue;
    const View::Layer& layer = layers[parts_[i].layer];
    Slope& slope = slopes[parts_[i].layer];
    pieces_[i] = piece_of(layer);
    slope.sum = scratch.own.data();
    const bool cut = layer.F.positions() != parts_[i].shape.positions();
    (cut ? slope.addends_around : slope.addends)
        .emplace_back([this, i, &pool](ConstFeatureMap, FeatureMap d) {
          add_gradient(parts_[i], pieces_[i], d, pool);
        });
  }
}

// d += the gradient with respect to this part's layer, in a piece.
void Columns::add_gradient(const Part& part, const Piece& piece, FeatureMap d, ThreadPool& pool) {
  const FeatureMap from = part_of(part, own_map());
  const float scale = part.root.empty() ? part.scale : 1;
  pool.run(from.blocks(), [&](size_t task) {
    const auto block = static_cast<int>(task);
    const auto scatter = [&](int y, int x, const Corners& at) {
      const float* cell = from.cell(block, y, x);
      for (int i = 0; i < 2; ++i) {
        for (int j = 0; j < 2; ++j) {
          if (at.weight[i][j] == 0) continue;
          float* to = d.cell(block, at.y[i], at.x[j]);
          const float weight = scale * at.weight[i][j];
          for (int c = 0; c < kBlock; ++c) to[c] += weight * cell[c];
        }
      }
    };
    each_place(part.places, from, part.shape, piece.cells, piece.row, piece.column, scatter);
  });
}

void Columns::spread_to_picture(std::span<float> d_x) const {
  const size_t plane = static_cast<size_t>(size_.height) * size_.width;
  const ConstFeatureMap h = {h_.data(), shape_.channels, shape_.height, shape_.width};
  for (const Part& part : parts_) {
    if (part.layer != ColumnsInUse::kPicture) continue;
    for (size_t p = 0; p < part.places.size(); ++p) {
      const Corners at = corners_of(part.places[p], size_.height, size_.width);
      const float* cell =
          h.cell(part.block, static_cast<int>(p) / h.width, static_cast<int>(p) % h.width);
      for (size_t c = 0; c < 3; ++c) {
        const float d = part.scale * cell[c] / units_.plane(static_cast<int>(c)).gain;
        for (int i = 0; i < 2; ++i) {
          for (int j = 0; j < 2; ++j) {
            d_x[c * plane + static_cast<size_t>(at.y[i]) * size_.width + at.x[j]] +=
                at.weight[i][j] * d;
          }
        }
      }
    }
  }
}

FeatureMap columns_shape(const ColumnsInUse& in_use, std::span<const ConstFeatureMap> shapes,
                         const Size& size) {
  int channels = 0;
  for (const auto& part : in_use.parts) {
    channels += part.layer == ColumnsInUse::kPicture ? kBlock : shapes[part.layer].channels;
  }
  const int first = in_use.parts.front().layer;
  const ConstFeatureMap shape = first == ColumnsInUse::kPicture ? ConstFeatureMap{} : shapes[first];
  const Size map = places_size(in_use.places, shape, size);
  return {nullptr, channels, map.height, map.width};
}

}  // namespace limn
