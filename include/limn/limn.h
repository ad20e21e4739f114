// limn paints a photograph in the style of a painting.
//
// It is neural style transfer after Gatys, Ecker and Bethge ("A Neural Algorithm of Artistic
// Style", arXiv 1508.06576), and this header is all of its public interface. A complete program:
//
//   #include <limn/limn.h>
//
//   int main() {
//     limn::Recipe recipe = limn::named_recipe("limn");
//     recipe.picture.size = 512;                                   // longest side, in pixels
//
//     const limn::Image photo = limn::read_image("photo.jpg");     // throws limn::Error
//     const limn::Image painting = limn::read_image("painting.jpg");
//
//     const limn::Painted painted =
//         limn::paint(limn::Model::builtin(), photo, painting, recipe);
//     limn::write_image(painted.picture, "out.png");
//   }
//
// The built-in network imitates VGG-19. For VGG-19 itself, from a downloaded file:
// limn::Model::read("vgg19.h5").
//
// Errors: problems with the user's input, with files and with memory throw limn::Error. How the
// optimisation ended (finished, converged, stopped) is a value in Painted, never an exception: the
// best picture so far is always returned.
//
// Threads: every function may be called from several threads at once; there is no global state. A
// Model is immutable and may be shared. Results do not depend on Recipe's `threads`, to the bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#if defined(__GNUC__)
#define LIMN_API __attribute__((visibility("default")))
#else
#define LIMN_API
#endif

namespace limn {

// ------------------------------------------------------------------------------------- errors --

enum class ErrorKind {
  usage,      // an invalid setting, flag or recipe
  file,       // a file that cannot be read, understood or written
  resources,  // a picture or file larger than allowed, or than memory holds
};

// The only exception type. what() names the subject, the cause and, if there is one, the next step.
class LIMN_API Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

// ------------------------------------------------------------------------------------- images --

// A picture: three planes (red, green, blue) of height x width floats, row by row, sRGB-encoded,
// nominally 0..1 (an optimiser's picture may leave that range; writing clamps it).
struct Image {
  int width = 0;
  int height = 0;
  std::vector<float> rgb;    // 3 * height * width
  std::vector<float> alpha;  // height * width, 0..1; empty when the picture is opaque
};

// A soft selection of a picture's pixels: height x width values, row by row, from 0 (outside) to 1
// (inside). Empty selects everything. A mask may have another size than its picture: it is resized.
struct Mask {
  int width = 0;
  int height = 0;
  std::vector<float> values;  // height * width
  bool empty() const { return values.empty(); }
};

struct ReadOptions {
  // Larger pictures are rejected before memory is allocated for their pixels.
  std::int64_t max_pixels = 400'000'000;
  // The picture is shrunk while decoding to this width and height, where larger; 0: its own. The
  // result is that of resized() (almost so for JPEG and WebP, whose decoders shrink too), but
  // memory is needed only for the smaller picture and the decoder. Width and height refer to the
  // picture as seen, after its EXIF orientation is applied.
  int width = 0, height = 0;
  // Called with a sentence, naming the file, about anything a user might not expect: which of
  // several frames was read, how float samples were scaled.
  std::function<void(const std::string&)> note = {};
};

// Named texts stored in a file next to its content. Names: letters and digits.
using Notes = std::map<std::string, std::string>;

struct WriteOptions {
  int bits = 8;      // per channel, 8 or 16; 16 requires PNG or TIFF
  int quality = 95;  // 1..100, for JPEG, WebP, AVIF, HEIC and JPEG XL
  // "png", "jpg", "tif", ...: an ending without the dot; empty: that of the path, or PNG for
  // standard output.
  std::string format = {};
  // Written as XMP to JPEG, PNG, WebP and TIFF files; other formats ignore them.
  Notes notes = {};
  // Pixels per inch, 1 to 10,000, with which the picture is printed or laid out: stored in JPEG (as
  // a whole number), PNG and TIFF files, and elsewhere as the codec library does. 0: not stated
  // (files say 72, which programs ignore).
  double dpi = 0;
};

// Reads JPEG, PNG, WebP, TIFF and whatever else this machine's codec library supports. Applies the
// EXIF orientation, converts ICC profiles to sRGB and greyscale, CMYK and palette pictures to RGB,
// and keeps alpha unless it is opaque everywhere. Floating-point samples up to 1 are linear light;
// larger ones are whatever they look like: encoded integers, or light brighter than white.
//
// `path` may be "-" for standard input, or a pipe: up to 1 GiB is then copied to a temporary file.
// If there are several frames or pages the first is read; "anim.gif[3]" reads frame 3, counting
// from 0, unless a file with exactly that name exists.
//
// Throws Error: file (unreadable, not a picture, truncated, samples that are not finite), resources
// (more than max_pixels, a side over 1,000,000 pixels, a stream that is too long).
LIMN_API Image read_image(const std::string& path, const ReadOptions& options = {});

// Reads a mask from a picture: its grey (the mean of red, green and blue) times its alpha. White is
// inside, black outside. Shrunk like any mask, by the mean over each new pixel. Throws Error like
// read_image, and when more than 1 % of the pixels are coloured, as in no mask.
LIMN_API Mask read_mask(const std::string& path, const ReadOptions& options = {});

// Writes in the format of options.format or of path's ending. The file is written beside `path`,
// then renamed: an old file is replaced completely or not at all. "-" is standard output, which
// receives nothing until the file is complete. Attaches an sRGB profile; a JPEG, which has no
// alpha, is composited onto white. A TIFF that could exceed 4 GB is written as BigTIFF. Throws
// Error: usage (unknown ending or format, 16 bits in an 8-bit format, more pixels a side than the
// format allows, a dpi out of range, planes of the wrong size, a terminal), file (cannot be
// written, the pipe's reader has gone).
LIMN_API void write_image(const Image& image, const std::string& path,
                          const WriteOptions& options = {});

// The notes a picture was written with, if any. Throws Error like read_image.
LIMN_API Notes read_notes(const std::string& path);

// The picture resampled to exactly width x height (each at least 1): Lanczos with antialiasing when
// shrinking, bicubic when enlarging, colours weighted by alpha, values clamped to 0..1. A picture
// that already has this size is returned unchanged.
LIMN_API Image resized(const Image& image, int width, int height);

// In pixels.
struct Size {
  int height = 0, width = 0;
  bool operator==(const Size&) const = default;
};

// ------------------------------------------------------------------------------------- recipes --

// A layer of the network and its weight in a loss. Names are the published ones: "conv4_2" is read
// before the ReLU, "relu4_2" after it, "pool4" after pooling.
struct LayerWeight {
  std::string layer;
  double weight = 1.0;
  bool operator==(const LayerWeight&) const = default;
};

enum class Pooling {
  max,      // the largest of 2 x 2; an odd last row or column is dropped
  average,  // the mean of 2 x 2; in an odd last row or column, of the cells that exist
};

// The colour order and units of the network's input.
enum class Convention {
  file,           // as stated in the weights file, or fixed by its format
  caffe,          // BGR, 0..255, minus the mean (103.939, 116.779, 123.68); Keras too
  caffe_rounded,  // BGR, 0..255, minus (104, 117, 123)
  matconvnet,     // RGB, 0..255, minus (123.68, 116.779, 103.939)
  torchvision,    // RGB, 0..1, minus (0.485, 0.456, 0.406), over (0.229, 0.224, 0.225)
};

// The scale of the squared distance of features, sum (F - P)^2 over C channels and M positions.
enum class ContentForm {
  sum,       // 1
  half_sum,  // 1/2: Gatys, Ecker and Bethge 2015, equation 1
  mean,      // 1 / (C M)
  root,      // 1 / (2 sqrt(C) sqrt(M))
};

// What the style loss compares: G = F F^T of the picture with A = S S^T of the painting.
enum class GramForm {
  raw,           // sums over positions: depends on the sizes of both pictures
  per_position,  // G / M and A / M': independent of both sizes
};

// The scale of the squared distance of Gram matrices, sum (G - A)^2, for C channels and M positions
// of the picture.
enum class StyleForm {
  mean,           // 1 / C^2
  paper,          // 1 / (4 C^2 M^2): Gatys, Ecker and Bethge 2015, equation 4
  paper_times_4,  // 1 / (C^2 M^2)
  image,          // 1 / (4 * 3^2 * P^2), P the number of pixels (Keras's example)
};

// The statistics of a layer's features F, over M positions, that the style loss compares.
enum class StyleStatistic {
  gram,            // the Gram matrix F F^T: Gatys, Ecker and Bethge 2015, equation 3
  covariance,      // F F^T / M - mean mean^T: the Gram matrix without the mean
  mean_deviation,  // each channel's mean and standard deviation: Li and others 2017 (arXiv
                   // 1701.01036), equation 11; C values instead of C x C
  sliced,  // the whole distribution, along directions drawn at random: Heitz and others 2021
           // (arXiv 2006.07229)
};

// How the painting's colours are used.
enum class Colors {
  style,      // they are part of the style
  content,    // the picture keeps the photo's: only lightness is painted (Gatys and others 2017,
              // arXiv 1611.07865, section 5.2), then combined with the photo's colours in Oklab
  matched,    // the painting first gets the photo's mean and covariance of colours (section 5.1)
  palette,    // the picture ends with the photo's colours, given the painting's mean and covariance
              // (Kolkin and others 2022, arXiv 2203.13215, section 3.5)
  histogram,  // they are part of the style; at the end each of the picture's channels gets the
              // paintings' histogram
};

// Pictures that equal their mirror image, or themselves turned round.
enum class Symmetry {
  none,
  left_right,
  up_down,
  both,
  rotate_180,
};

// The unit of Recipe::style.shifts, shifts_across and shifts_down.
enum class ShiftUnit {
  cells,   // of each layer's own map
  pixels,  // of the picture, rounded to cells; a layer uses those of at least two
};

// What a neighbours loss matches with the painting.
enum class Matching {
  layers,        // each layer's positions by themselves
  hypercolumns,  // the positions of a grid of a quarter of the picture's size, by what all layers
                 // hold there
};

// The distance of a position's features from the painting's that match.
enum class NeighbourDistance {
  squared,         // |F - T|^2, relative to the painting's mean |S|^2
  cosine,          // 1 - cos(F, T), which leaves contrast free
  centred_cosine,  // 1 - cos(F - mean, T - mean), as matches are sought
};

// The total variation of the optimiser's variable x, summed over its channels; dx and dy are the
// differences to the right and lower neighbours.
enum class VariationForm {
  absolute,  // sum |dx| + sum |dy|
  squared,   // (sum dx^2 + sum dy^2) / 2
  power,     // sum (dx^2 + dy^2)^1.25 over the (H-1) x (W-1) pixels with both neighbours
};

enum class OptimiserKind { lbfgs, adam, rmsprop, sgd };
enum class LineSearch { none, strong_wolfe };
// L-BFGS's initial estimate of the loss's curvature: one for the whole picture, or one per place.
enum class Curvature { one, local };

// Where Adam's epsilon is added (matters when epsilon is large).
enum class AdamEpsilon {
  corrected,    // m_hat / (sqrt(v_hat) + eps): Kingma and Ba, algorithm 1
  uncorrected,  // lr sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + eps): older TensorFlow
};

// The length that `picture.size` specifies.
enum class SizeOf { longest_side, height };

// The size at which a painting is processed.
enum class PaintingSize {
  proportional,  // its longest side equals the picture's
  stretched,     // the picture's height and width, even if that distorts it
  own,           // unchanged
  within,        // unchanged, unless its longest side exceeds the picture's: then proportional
};

// The noise of an initial picture.
enum class Noise {
  grey,      // normal around mid grey, within 0..1 RGB
  uniform,   // uniform around the mean of all the photo's values, by up to their deviation
  standard,  // normal with mean 0 and deviation 1, in the unit of the optimiser's variable
};

// Which picture is the result.
enum class Keep {
  best,  // the one with the lowest total loss
  last,
};

// What is added to the names of intermediate pictures.
enum class SavedName {
  number,  // out-0020.png
  time,    // out-20260131-235959-0020.png
};

// Whether each thread stays on one core.
enum class Pinning {
  cores,  // if there are as many threads as cores; never the calling thread
  none,   // the system moves them as it likes
};

// The unit of the optimiser's variable, and so of learning rates and the total variation.
enum class Space {
  rgb,      // 0..1 RGB
  network,  // that of the network's input, by its convention: often 0..255 minus a mean
};

// Where the weights of the losses come from.
enum class Balance {
  fixed,     // the recipe's
  measured,  // from gradients before painting begins, so that `strength` means the same for all
             // pictures and sizes; the recipe's weights are then relative factors
};

// One of several stages of a painting: what it changes of the recipe.
struct Stage {
  std::string name;
  double share = 1.0;  // of the iterations, relative to the other stages' shares
  // Settings by their keys, with values as on the command line: {"neighbours.weight", "0"},
  // {"style.layers", "relu1_1:0.5,relu2_1"}. Of sections content, style (except blend and scale),
  // neighbours, transport, structure, balance, total_variation, optimiser (except iterations and
  // seconds) and pyramid. They stay when the recipe's own are set anew.
  std::map<std::string, std::string> changes;
  bool operator==(const Stage&) const = default;
};

// Everything that determines how a picture is painted, apart from the pictures. A recipe file is
// this struct as TOML, the command's flags are its members, and reports repeat it. Members that are
// not set keep these defaults: one size, fixed weights. limn's own defaults are in the recipe
// "limn".
struct Recipe {
  std::string name = "unnamed";
  std::string summary;

  struct {
    // vgg19 or vgg16: paint() then accepts no other network. builtin: it accepts any, and the
    // command uses the built-in one unless given weights.
    std::string name = "builtin";
    Pooling pooling = Pooling::max;
    Convention convention = Convention::file;
  } network;

  struct {
    double weight = 1.0;
    std::vector<LayerWeight> layers = {{"relu4_2", 1.0}};
    ContentForm form = ContentForm::mean;
  } content;

  struct {
    double weight = 1e-4;
    std::vector<LayerWeight> layers = {
        {"relu1_1", 64}, {"relu2_1", 16}, {"relu3_1", 4}, {"relu4_1", 1}, {"relu5_1", 1}};
    GramForm gram = GramForm::per_position;
    StyleForm form = StyleForm::mean;
    StyleStatistic statistic = StyleStatistic::gram;
    // Also compares products of features this far apart, downwards and to the right, in
    // shift_unit: structure that repeats over a distance (Berger and Memisevic, arXiv 1606.01286).
    // The loss is the mean over all matrices, in which each shifted one counts shift_weight times.
    // Those of shifts_across only along rows, those of shifts_down only along columns.
    std::vector<int> shifts, shifts_across, shifts_down;
    ShiftUnit shift_unit = ShiftUnit::cells;
    double shift_weight = 1.0;
    // Also compares products of features with their mirror image about the middle, weighed like
    // shifted ones: the picture becomes about as symmetric as the painting.
    Symmetry symmetry = Symmetry::none;
    std::vector<double> blend;  // each style's share; empty: equal
    std::vector<double> scale = {
        1.0};  // each style's size relative to `painting_size`; one value: for all
    // Of sliced: iterations after which other directions are drawn; 0: never at this size.
    int every = 10;
  } style;

  // Compares each position with the painting's most similar one (Kolkin and others 2022, arXiv
  // 2203.13215). Counted as part of the style's loss.
  struct {
    double weight = 0.0;
    std::vector<LayerWeight> layers = {{"relu3_1", 1.0}, {"relu4_1", 1.0}};
    Matching matching = Matching::layers;
    NeighbourDistance distance = NeighbourDistance::squared;
    int every = 10;  // iterations after which the matches are sought again; 0: never at this size
    // How often a position of the painting should be used at most, relative to an even share: keeps
    // rare things from being copied everywhere. 0: no limit.
    double uses = 2.0;
    // Layers whose map is longer are compared at places of a grid with at most about this many
    // along its longer side, at another offset after each search. 0: everywhere.
    int samples = 0;
    bool turned = false;  // also search the painting turned by 90, 180 and 270 degrees
    // The share of the photo in the picture at which a size's first matches are sought. The rest is
    // the picture itself, with the photo's finest detail.
    double photo = 0.0;
  } neighbours;

  // Moves all features of the picture onto the painting's at once (Kolkin, Salavon and
  // Shakhnarovich 2019, arXiv 1904.12785): relaxed earth mover's distance, moments and palette.
  // Counted as part of the style's loss.
  struct {
    double weight = 0.0;
    std::vector<LayerWeight> layers = {
        {"relu1_1", 1.0}, {"relu2_1", 1.0}, {"relu3_1", 1.0}, {"relu4_1", 1.0}, {"relu5_1", 1.0}};
    double palette = 1.0;  // the weight of the palette among the three
    int every = 10;        // iterations after which other places are drawn; 0: never at this size
  } transport;

  // Keeps what resembles what (the same paper, section 2.2): the cosine distances between the
  // features of places of the picture should be those of the photo, whatever the features are.
  // Counted as part of the content's loss.
  struct {
    double weight = 0.0;
    std::vector<LayerWeight> layers = {{"relu4_1", 1.0}};
    int every = 10;  // as for transport
  } structure;

  struct {
    Balance kind = Balance::fixed;
    double strength = 0.5;  // measured: from 0, nearly the photo, to 1, nearly the style alone
  } balance;

  struct {
    double weight = 0.0;
    VariationForm form = VariationForm::squared;
  } total_variation;

  struct {
    OptimiserKind kind = OptimiserKind::lbfgs;
    int iterations = 150;  // at most, over all sizes
    double seconds = 0;    // approximate limit for paint(); 0: no limit
    // Ends a size when 20 iterations lower the loss by less than this fraction; 0: never.
    double plateau = 0;
    Space space = Space::rgb;
    bool clip = false;  // to 0..1 RGB after each step
    // The step length; 0: the optimiser's own, 1 for L-BFGS and gradient descent, and for Adam and
    // RMSprop 0.03 of the range of pixels, whatever the space.
    double learning_rate = 0;
    int history = 10;  // L-BFGS: pairs kept
    // L-BFGS: keeps them in half precision, which takes half the memory.
    bool half_history = false;
    int restart_every = 0;  // L-BFGS: iterations after which it forgets its pairs; 0: never
    LineSearch line_search = LineSearch::none;
    Curvature curvature = Curvature::one;  // L-BFGS
    double beta1 = 0.9;                    // Adam
    double beta2 = 0.999;                  // Adam and RMSprop
    double epsilon = 1e-8;
    AdamEpsilon epsilon_form = AdamEpsilon::corrected;
    double decay_rate = 1.0;  // SGD: learning_rate * decay_rate^(step / decay_steps)
    double decay_steps = 100.0;
  } optimiser;

  // Coarse to fine: sizes between the smallest and the picture's, each about twice the one before,
  // are painted in turn, each starting from the result of the one before.
  struct {
    int smallest = 0;   // longest side in pixels; 0: the largest only
    int largest = 0;    // likewise; 0: the picture's size, at which the last stage has to end
    double fall = 0.7;  // iterations of each size relative to the one before
    // The optimiser sees the picture as a sum: the pixels, plus bands[k - 1], if not 0, times a
    // picture smaller by 2^k. So one step moves large shapes as well as small ones.
    std::vector<double> bands;
    // How much of the photo's finest detail (what halving it loses) is added to the picture with
    // which a size begins, which has none if it was enlarged.
    double detail = 0.0;
  } pyramid;

  struct {
    int size = 512;  // in pixels; 0 keeps the photo's own size
    SizeOf size_of = SizeOf::longest_side;
    PaintingSize painting_size = PaintingSize::proportional;
    Colors colors = Colors::style;
    // Pixels painted around the picture and then cut off, starting as its mirror image: keeps the
    // effects of the network's zero padding outside.
    int border = 0;
    // The picture can be laid beside itself without a seam: what leaves it at one edge comes back
    // at the opposite one, for the network too. Needs sides that are multiples of the deepest
    // layer's stride, 16 for relu5_1, and no border.
    bool tileable = false;
    // Exactly: one half, or quarter, is painted, and the rest is its image.
    Symmetry symmetry = Symmetry::none;
    // content, noise, mean (the paintings' mean colour), or the path of a picture.
    std::string init = "content";
    Noise noise = Noise::grey;
    double noise_share = 1.0;  // for init "noise"; the rest is the photo
    std::uint64_t seed = 0;
    int threads = 0;  // 0: one per core this process may use
    Pinning pinning = Pinning::cores;
    // Saves memory, a fifth of it for a large picture: features read only by style losses wait for
    // their gradient in half precision. Losses of a picture are the same to the bit; the gradient
    // differs by about 1e-5 of its length.
    bool half_features = false;
  } picture;

  struct {
    Keep keep = Keep::best;
    int look_every = 1;  // iterations between candidates for the best; the last always is one
    int save_every = 0;  // iterations between intermediate pictures; 0: none. For the command only:
                         // paint() saves nothing
    SavedName save_name = SavedName::number;
  } output;

  // Painted in turn, each at all of its sizes, starting from the result of the one before. Empty:
  // the recipe itself is the only stage.
  std::vector<Stage> stages;
};

// The names of the built-in recipes, "limn" first.
LIMN_API std::vector<std::string> recipe_names();

// The text (TOML, with comments) of the recipe with this name. Throws Error (usage), suggesting the
// nearest name.
LIMN_API std::string recipe_text(std::string_view name);

// The recipe with this name. Throws Error (usage), suggesting the nearest name.
LIMN_API Recipe named_recipe(std::string_view name);

// The recipe in TOML `text`; `source` names it in messages. Missing keys keep the defaults above.
// Throws Error (usage): invalid TOML with its line, unknown keys with the nearest known one, values
// out of range with the range.
LIMN_API Recipe parse_recipe(std::string_view text, const std::string& source);

// The recipe as TOML, which parse_recipe reads back as an equal recipe.
LIMN_API std::string to_toml(const Recipe& recipe);

// -------------------------------------------------------------------------------------- models --

struct Weights;  // src/network/weights.h

// Trained weights of a network. Immutable, cheap to copy.
class LIMN_API Model {
 public:
  // Reads Keras .h5, MatConvNet .mat, NumPy .npz and .npy, PyTorch .pth, TensorFlow.js model.json,
  // .caffemodel and .safetensors, recognised by content (docs/models.md). Throws Error (file),
  // naming file, layer, what was expected and what was found.
  static Model read(const std::string& path);

  // The built-in network, which needs no file. It is a small one trained to imitate VGG-19 at
  // relu1_1, relu2_1, relu3_1, relu4_1, relu4_2 and relu5_1: recipes use these names, and losses
  // are in VGG-19's units. It has no other layers, and supports max pooling only
  // (docs/built-in-network.md). Takes a few milliseconds.
  static Model builtin();

  explicit Model(std::shared_ptr<const Weights> weights) : weights_(std::move(weights)) {}
  const Weights& weights() const { return *weights_; }
  std::string_view network() const;  // "vgg19", "vgg16" or "builtin"

  // Writes .safetensors that read() reads back (docs/models.md), atomically. Throws Error (file).
  void write(const std::string& path) const;

 private:
  std::shared_ptr<const Weights> weights_;
};

// ------------------------------------------------------------------------------------ planning --

// The original sizes of a photo and of each style's paintings.
struct PictureSizes {
  Size photo;
  std::vector<std::vector<Size>> styles;
};

// The sizes at which they are processed.
struct WorkingSizes {
  Size picture;                 // of the photo and of the result
  std::vector<Size> paintings;  // of all styles' paintings, in order
  bool operator==(const WorkingSizes&) const = default;
};

// What a level saves of its memory besides cutting the picture into tiles: settings that replace
// the recipe's.
struct Saving {
  bool half_features = false;  // picture.half_features
  bool half_history = false;   // optimiser.half_history
  int history = 0;             // optimiser.history; 0: the recipe's
  bool operator==(const Saving&) const = default;
};

// One size of a stage's pyramid.
struct Level {
  int stage = 0;  // its number, from 0
  WorkingSizes sizes;
  int iterations = 0;  // negative: painting ends before this size
  // Losses and gradient are computed tile by tile, of at most this height and width; 0: of the
  // whole picture at once. They are the same but for rounding; less memory is needed, and more
  // time.
  Size tile = {};
  Saving saving = {};
  double cost = 1;  // of an iteration in these tiles, relative to one of the whole picture at once
};

// What a painting may take of the machine. A level that needs more memory than this takes, in this
// order, until it fits: features in half precision, if no tiles are needed then; tiles, the largest
// that fit; those with features in half precision; L-BFGS's history in half precision too; fewer
// pairs of it.
struct Budget {
  double bytes = 0;  // of memory, for the whole process; 0: no limit
  int tile = 0;      // the longest side of tiles, in pixels; 0: as the memory asks
  // The processes that paint together (limn/ranks.h), each of which may take as much. More of them
  // keep less of L-BFGS's history each, and so may need other tiles, which change bits.
  int ranks = 1;
};

struct Pictures;

// What a painting will be, known before it begins.
struct Plan {
  Recipe recipe;
  std::vector<Recipe> stages;  // the recipe of each stage; at least one
  std::vector<Level> levels;   // stage by stage, from coarse to fine; at least one
  Budget budget;
  double bytes = 0;  // the expected peak memory of the process
  const WorkingSizes& sizes() const { return levels.back().sizes; }  // of the result
};

// The sizes of loaded pictures. Throws Error (usage): a picture without pixels, or with planes of
// the wrong size.
LIMN_API PictureSizes sizes_of(const Pictures& pictures);

// Throws Error: usage (a recipe that contradicts itself or the model, pictures too small for a
// layer), resources (a side of more than a million pixels, a budget too small whatever is saved).
LIMN_API Plan make_plan(const Model& model, const PictureSizes& pictures, const Recipe& recipe,
                        const Budget& budget = {});

// ------------------------------------------------------------------------------------ painting --

// The terms of the objective, with their weights applied; total is their sum.
struct Losses {
  double content = 0;
  double style = 0;
  double total_variation = 0;
  double total = 0;
};

// A style to paint with.
struct Style {
  // One painting, or several whose statistics are averaged.
  std::vector<Image> paintings;
  // Where in the painting the style is taken from; for a single painting only. Empty: everywhere.
  Mask from;
  // Where it goes in the picture. Styles without this mask share what the others leave.
  Mask to;
};

// The inputs of a painting. Where several styles are not separated by masks, the picture is painted
// in a blend of them (Recipe::style.blend).
//
// Alpha is a soft mask: style is taken from where a painting is visible, and invisible parts of the
// photo are neither preserved nor painted. Alpha and a mask multiply.
struct Pictures {
  Image photo;
  std::vector<Style> styles;  // at least one
  Mask keep;                  // where the photo is kept unchanged; empty: nowhere
  // The first picture, in place of Recipe::picture.init; the photo shows through where it is
  // transparent. Empty: as the recipe says.
  Image initial = {};
};

// Pictures with one style, made from one painting.
LIMN_API Pictures single_style(Image photo, Image painting);

// A snapshot of the optimisation. Iteration 0 is the initial picture. Iterations are counted across
// all stages and sizes.
struct Progress {
  int iteration = 0;
  int iterations = 0;  // planned
  double seconds = 0;  // since paint() began
  Losses losses;       // of this iteration's picture
  int level = 0;       // the number of the Plan's level being painted
  int width = 0;       // its size
  int height = 0;
  // Both at the size of the result.
  std::function<Image()> picture;       // this iteration's picture; valid during the callback
  std::function<Image()> best_picture;  // the picture with the lowest total loss so far; likewise
};

// Called after every iteration on the calling thread; returning false stops the painting.
using ProgressCallback = std::function<bool(const Progress&)>;

enum class Outcome {
  finished,     // all iterations done
  converged,    // the gradient vanished, no step lowers the loss, or the loss has reached a plateau
  out_of_time,  // ran out of Recipe::optimiser.seconds
  stopped,      // by the callback
  failed,       // the loss was never finite: the picture is the initial one
};

struct IterationRecord {
  int iteration = 0;
  double seconds = 0;
  int stage = 0;  // its number, from 0
  int width = 0;  // of the picture: losses of different stages or sizes are not comparable
  int height = 0;
  Losses losses;
};

struct Painted {
  Image picture;  // the best or the last, as the recipe says, clamped to 0..1
  Outcome outcome = Outcome::finished;
  int iteration = 0;       // of the picture
  int best_iteration = 0;  // the candidate with the lowest total loss
  int rejected_steps = 0;  // steps undone because the loss was not finite or grew too much
  // The picture is still the initial one although iterations were requested: no step lowered the
  // loss, or there was no time for one. `outcome` says which.
  bool unchanged = false;
  double seconds = 0;
  std::vector<IterationRecord> history;
};

// Paints the photo in its styles, with all pictures resized as recipe.picture says; the photo's
// alpha is kept. Throws Error: usage (a recipe that contradicts itself, the model or the pictures),
// resources (not enough memory for this size).
LIMN_API Painted paint(const Model& model, Pictures pictures, const Recipe& recipe,
                       const ProgressCallback& progress = {});
// The same with a plan made for the pictures' original sizes; they may since have been shrunk (as
// by ReadOptions), but not below the plan's sizes.
LIMN_API Painted paint(const Model& model, Pictures pictures, const Plan& plan,
                       const ProgressCallback& progress = {});
// The same for one style with one painting.
LIMN_API Painted paint(const Model& model, const Image& photo, const Image& painting,
                       const Recipe& recipe, const ProgressCallback& progress = {});
// The same for pictures that are no longer needed, which saves their memory while painting:
//   paint(model, std::move(photo), std::move(painting), recipe)
LIMN_API Painted paint(const Model& model, Image&& photo, Image&& painting, const Recipe& recipe,
                       const ProgressCallback& progress = {});

// ------------------------------------------------------------------------------ step by step --

class Ranks;

// A painting made step by step, for programs with a loop of their own: editors, servers. paint()
// does this:
//
//   limn::Run run(model, pictures, plan);
//   while (run.step()) show(run.now());
//   limn::Painted painted = run.finish();
//
// save() writes the complete state between two steps; a Run made from that file continues from
// there and, on the same instruction set, ends with the same picture to the bit.
class LIMN_API Run {
 public:
  // Sets up the plan's first level, and evaluates the first picture. Throws Error like paint().
  //
  // ranks: null, or processes that paint this together (limn/ranks.h), which must outlive the run.
  // Each makes a Run of the same model, pictures and plan, threads apart. Rank 0 then uses its own
  // as if it were alone, up to finish(); all others call follow(). Each keeps a share of L-BFGS's
  // history, and runs a share of the tiles where a level has any; the picture is the same to the
  // bit however many there are. Throws Error (resources) if they do not agree.
  Run(const Model& model, Pictures pictures, const Plan& plan, Ranks* ranks = nullptr);
  // Continues from a checkpoint, with a plan for the checkpoint's recipe, in which iterations,
  // seconds and threads may differ. Throws Error (file): not a checkpoint, or one of other
  // pictures, weights or sizes. All ranks read the file, whatever their number and that of those
  // that wrote it.
  Run(const Model& model, Pictures pictures, const Plan& plan, const std::string& checkpoint,
      Ranks* ranks = nullptr);
  Run(Run&&) noexcept;
  Run& operator=(Run&&) noexcept;
  ~Run();

  // Runs one iteration; returns false if no iteration or no time is left.
  bool step();
  // From now on step() returns false.
  void stop();

  const Plan& plan() const;
  // Iterations done at each of the plan's levels; -1: not reached. A plan with these iterations and
  // no time limit stops at the same picture again.
  std::vector<int> iterations() const;
  // The latest iteration, whose pictures are available until the next step. There is none if the
  // loss of the first picture is not finite.
  bool has_begun() const;
  const Progress& now() const;

  // Writes a checkpoint atomically, with notes for whoever resumes it. Throws Error (file). Ranks
  // other than 0 send what they keep of the optimiser's history, from within follow(), whether or
  // not the file can be written; it is the same file however many there are.
  void save(const std::string& path, const Notes& notes = {});

  // Ends the run. Nothing may be called afterwards.
  Painted finish();

  // What ranks other than 0 do instead of all of the above: their share of each step and
  // checkpoint, until rank 0 finishes. Nothing may be called afterwards.
  void follow();

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

// A checkpoint's contents besides the state. Throws Error (file) if the file is not a checkpoint.
struct Checkpoint {
  Recipe recipe;
  std::string version;          // of the limn that wrote it
  std::string instruction_set;  // it was written on
  int iteration = 0;            // done so far
  double seconds = 0;           // they took
  Notes notes;
};
LIMN_API Checkpoint read_checkpoint(const std::string& path);

// ------------------------------------------------------------------------------- several times --

// Called after every iteration of painting number `index`; returning false stops it and the sweep.
using SweepProgress = std::function<bool(std::size_t index, const Progress&)>;
// Called when painting number `index` is done, even if stopped or failed.
using SweepDone = std::function<void(std::size_t index, Painted&&)>;

struct Swept {
  std::size_t painted = 0;   // paintings done
  std::size_t measured = 0;  // passes of photo and painting through the network
};

// Paints the photo once per recipe, in order, each exactly as paint() would. Successive recipes
// with the same sizes, and the same layers read in the same way, share the targets of their losses:
// photo and painting go through the network once for all of them. Use std::move for pictures that
// are no longer needed.
//
// Throws what paint() would; whatever can be known in advance (recipes, layers, sizes) is checked
// before anything is painted. Exceptions from the callbacks are passed on; paintings already given
// to `done` are not lost.
LIMN_API Swept sweep(const Model& model, Pictures pictures, std::span<const Recipe> recipes,
                     const SweepDone& done, const SweepProgress& progress = {});
LIMN_API Swept sweep(const Model& model, Pictures pictures, std::span<const Plan> plans,
                     const SweepDone& done, const SweepProgress& progress = {});

struct Evaluation {
  Losses losses;
  double gradient_norm =
      0;  // L2 norm of the total loss's gradient with respect to the 0..1 RGB picture
  std::vector<float> gradient;  // 3 * height * width, planes like Image::rgb
  int width = 0;
  int height = 0;
};

// The losses and gradient of `picture` as a painting of `photo` in the style of `painting`. If
// recipe.picture.size is 0, the picture's own size is the working size, to which the photo is
// resized; otherwise all three are resized as in paint(). Of a recipe with stages the last one is
// evaluated. tile: in tiles of about so many pixels a side; 0: in one piece.
LIMN_API Evaluation evaluate(const Model& model, const Image& photo, const Image& painting,
                             const Image& picture, const Recipe& recipe, int tile = 0);

// "0.2.0"
LIMN_API std::string_view version();

// The instruction set the kernels use here: "AVX3", "AVX2", ...
LIMN_API std::string_view instruction_set();

}  // namespace limn
