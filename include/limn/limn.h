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
// The network inside the library imitates VGG-19. VGG-19 itself, from a file that was downloaded:
// limn::Model::read("vgg19.h5").
//
// Errors: trouble with what the user gave, with files and with memory throws limn::Error. How the
// optimisation ended (finished, converged, stopped) is a value in Painted, never an exception: the
// best picture so far is always returned.
//
// Threads: every function may be called from several threads at once; no global state is kept.
// A Model is immutable and may be shared. Results do not depend on Recipe's `threads`, to the bit.
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
  usage,      // a setting, flag or recipe that makes no sense
  file,       // a file that cannot be read, understood or written
  resources,  // a picture or file larger than what is allowed or what memory holds
};

// The one exception type. what() names the thing, the cause and, where there is one, the next step.
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
// (inside). Empty selects everything. Its size need not be the picture's: it is resized.
struct Mask {
  int width = 0;
  int height = 0;
  std::vector<float> values;  // height * width
  bool empty() const { return values.empty(); }
};

struct ReadOptions {
  // Refuse larger pictures before memory is taken for their pixels.
  std::int64_t max_pixels = 400'000'000;
  // Shrink the picture to this width and height while it is decoded, each where it is larger; 0:
  // its own. It is what resized() would make of it (of a JPEG or WebP, whose decoders shrink too,
  // all but). Memory is taken for the smaller picture only, and what the decoder needs. The sides
  // are meant as the picture is seen, its EXIF orientation applied.
  int width = 0, height = 0;
  // Called with a sentence that names the file, for whatever a user might not expect: which of
  // several frames was read, how float samples were scaled.
  std::function<void(const std::string&)> note = {};
};

// Texts by their names, which travel in a file beside what it holds. Names: letters and digits.
using Notes = std::map<std::string, std::string>;

struct WriteOptions {
  int bits = 8;      // per channel, 8 or 16; 16 needs a PNG or TIFF
  int quality = 95;  // 1..100, for JPEG, WebP, AVIF, HEIC and JPEG XL
  // "png", "jpg", "tif", ...: an ending without its dot; empty: the one that the path has, or PNG
  // for standard output.
  std::string format = {};
  // Written as XMP into JPEG, PNG, WebP and TIFF files; other formats do without.
  Notes notes = {};
};

// Reads JPEG, PNG, WebP, TIFF and whatever else the codec library on this machine brings. The EXIF
// orientation is applied, ICC profiles are converted to sRGB, greyscale, CMYK and palette pictures
// become RGB, alpha is kept unless it is opaque everywhere. Floating-point samples up to 1 are
// linear light; beyond, what they look like: encoded integers, or light brighter than white.
//
// `path` may be "-", standard input, or a pipe: at most 1 GiB is then copied into a temporary file.
// Of several frames or pages the first is read, and "anim.gif[3]" reads frame 3, counted from 0,
// unless a file of that very name exists.
//
// Throws Error: file (unreadable, not a picture, truncated, samples that are not finite numbers),
// resources (more than max_pixels, a side over 1,000,000 pixels, a stream that is too long).
LIMN_API Image read_image(const std::string& path, const ReadOptions& options = {});

// Reads a mask from a picture: its grey, which is the mean of red, green and blue, times its alpha.
// White is inside, black outside. Shrunk like resized masks, by the mean over each new pixel.
// Throws Error like read_image, and when more than 1 % of the pixels are in colours, which no mask
// has.
LIMN_API Mask read_mask(const std::string& path, const ReadOptions& options = {});

// Writes the format that options.format or path's ending names. The file is written beside `path`
// and then renamed: an old file is replaced whole or not at all. "-" is standard output, to which
// nothing is written before the file is whole. An sRGB profile is attached; a JPEG, which has no
// alpha, is laid on white. Throws Error: usage (unknown ending or format, 16 bits where the format
// has 8, more pixels a side than it holds, planes that do not fit the size, a terminal), file
// (cannot be written, nobody reads what comes through the pipe).
LIMN_API void write_image(const Image& image, const std::string& path,
                          const WriteOptions& options = {});

// The notes that a picture was written with; none where it has none. Throws Error like read_image.
LIMN_API Notes read_notes(const std::string& path);

// The picture resampled to exactly width x height (each at least 1): Lanczos with antialiasing when
// shrinking, bicubic when enlarging, colours weighted by alpha, values clamped to 0..1. A picture
// that has this size already comes back unchanged.
LIMN_API Image resized(const Image& image, int width, int height);

// In pixels.
struct Size {
  int height = 0, width = 0;
  bool operator==(const Size&) const = default;
};

// ------------------------------------------------------------------------------------- recipes --

// A layer of the network and its share in a loss. Names are the published ones: "conv4_2" is read
// before the ReLU, "relu4_2" after it, "pool4" after pooling.
struct LayerWeight {
  std::string layer;
  double weight = 1.0;
  bool operator==(const LayerWeight&) const = default;
};

enum class Pooling {
  max,      // the largest of 2 x 2; an odd last row or column is dropped
  average,  // the mean of 2 x 2; an odd last row or column is the mean of the cells there are
};

// In which colours and units the network is given its picture.
enum class Convention {
  file,           // as the weights file has it, or its format always does
  caffe,          // BGR, 0..255, minus the mean (103.939, 116.779, 123.68); Keras's too
  caffe_rounded,  // BGR, 0..255, minus (104, 117, 123)
  matconvnet,     // RGB, 0..255, minus (123.68, 116.779, 103.939)
  torchvision,    // RGB, 0..1, minus (0.485, 0.456, 0.406), over (0.229, 0.224, 0.225)
};

// How the squared distance of features, sum (F - P)^2 over C channels and M positions, is scaled.
enum class ContentForm {
  sum,       // 1
  half_sum,  // 1/2: Gatys, Ecker and Bethge 2015, equation 1
  mean,      // 1 / (C M)
  root,      // 1 / (2 sqrt(C) sqrt(M))
};

// What is compared in the style loss: G = F F^T of the picture with A = S S^T of the painting.
enum class GramForm {
  raw,           // sums over positions: depends on the sizes of both pictures
  per_position,  // G / M and A / M': independent of either size
};

// How the squared distance of Gram matrices, sum (G - A)^2, is scaled, for C channels and M
// positions of the picture.
enum class StyleForm {
  mean,           // 1 / C^2
  paper,          // 1 / (4 C^2 M^2): Gatys, Ecker and Bethge 2015, equation 4
  paper_times_4,  // 1 / (C^2 M^2)
  image,          // 1 / (4 * 3^2 * P^2), P the pixels of the picture (Keras's example)
};

// What the style loss compares, of one layer's features F over M positions.
enum class StyleStatistic {
  gram,            // the Gram matrix F F^T: Gatys, Ecker and Bethge 2015, equation 3
  covariance,      // F F^T / M - mean mean^T: what is left of it when the mean is removed
  mean_deviation,  // each channel's mean and standard deviation: Li and others 2017 (arXiv
                   // 1701.01036), equation 11; of C values, where the others have C x C
};

// What becomes of the painting's colours.
enum class Colors {
  style,    // they are part of the style
  content,  // the picture keeps the photo's: only lightness is painted (Gatys and others 2017,
            // arXiv 1611.07865, section 5.2), and joined with the photo's colours in Oklab
  matched,  // the painting is given the photo's mean and covariance of colours first (section 5.1)
};

// The total variation of the optimiser's variable x, summed over its channels; dx and dy are the
// differences to the right and lower neighbour.
enum class VariationForm {
  absolute,  // sum |dx| + sum |dy|
  squared,   // (sum dx^2 + sum dy^2) / 2
  power,     // sum (dx^2 + dy^2)^1.25 over the (H-1) x (W-1) pixels that have both neighbours
};

enum class OptimiserKind { lbfgs, adam, sgd };
enum class LineSearch { none, strong_wolfe };
// L-BFGS's guess of the loss's curvature: one for the whole picture, or one for each place in it.
enum class Curvature { one, local };

// Where Adam's epsilon stands (it matters when epsilon is large).
enum class AdamEpsilon {
  corrected,    // m_hat / (sqrt(v_hat) + eps): Kingma and Ba, algorithm 1
  uncorrected,  // lr sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + eps): older TensorFlow
};

// What `picture.size` is the length of.
enum class SizeOf { longest_side, height };

// At which size the painting is worked on.
enum class PaintingSize {
  proportional,  // its longest side as long as the picture's
  stretched,     // the picture's own height and width, out of proportion where they differ
  own,           // as it is
};

// The noise of an initial picture.
enum class Noise {
  grey,      // normal around mid grey, within 0..1 RGB
  uniform,   // uniform between the mean of all the photo's values and their deviation to each side
  standard,  // normal with mean 0 and deviation 1, in the unit of the optimiser's variable
};

// Which picture is the result.
enum class Keep {
  best,  // that of least total loss
  last,
};

// What is added to the names of pictures on the way.
enum class SavedName {
  number,  // out-0020.png
  time,    // out-20260131-235959-0020.png
};

// Whether threads keep to one core each.
enum class Pinning {
  cores,  // where there are as many threads as cores; never the calling thread
  none,   // the system moves them as it sees fit
};

// The unit of the optimiser's variable, and with it of learning rates and of total variation.
enum class Space {
  rgb,      // 0..1 RGB
  network,  // what the network reads, by its weights' convention: often 0..255 minus a mean
};

// Where the weights of the losses come from.
enum class Balance {
  fixed,     // they are those of the recipe
  measured,  // from gradients before the painting begins, so that `strength` means the same for all
             // pictures and sizes; the recipe's weights then say how many times more or less
};

// Everything that decides how a picture is painted besides the pictures. A recipe file is this
// struct as TOML, the command's flags are its members, and a report repeats it. Members not set
// keep these defaults: one size, the weights as they stand. How limn paints by default is in the
// recipe "limn".
struct Recipe {
  std::string name = "unnamed";
  std::string summary;

  struct {
    // vgg19 or vgg16: paint() takes no other network then. builtin: it takes any, and the command
    // the built-in one unless it is given weights.
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
    // Also compares products of features with those this many cells further down and to the right,
    // each layer in cells of its own map: structure that repeats over a distance (Berger and
    // Memisevic, arXiv 1606.01286). The loss is the mean over all matrices.
    std::vector<int> shifts;
    std::vector<double> blend;  // each style's share; empty: equal ones
    std::vector<double> scale = {
        1.0};  // each style's size over that of `painting_size`; one: of all
  } style;

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
    int iterations = 150;  // at most, of all sizes together
    double seconds = 0;    // within which paint() is to be done, roughly; 0: no limit
    // Ends a size whose loss has fallen by less than this share over 20 iterations; 0: never.
    double plateau = 0;
    Space space = Space::rgb;
    bool clip = false;           // to 0..1 RGB after each step
    double learning_rate = 1.0;  // the step's length for L-BFGS without a line search
    int history = 10;            // L-BFGS: pairs kept
    int restart_every = 0;       // L-BFGS: iterations after which it forgets them all; 0: never
    LineSearch line_search = LineSearch::none;
    Curvature curvature = Curvature::one;  // L-BFGS
    double beta1 = 0.9;                    // Adam
    double beta2 = 0.999;
    double epsilon = 1e-8;
    AdamEpsilon epsilon_form = AdamEpsilon::corrected;
    double decay_rate = 1.0;  // SGD: learning_rate * decay_rate^(step / decay_steps)
    double decay_steps = 100.0;
  } optimiser;

  // From coarse to fine: sizes that lie between the smallest one and the picture's, each about
  // twice the one before it, are painted one after the other, each from the one before it.
  struct {
    int smallest = 0;   // longest side in pixels; 0: the picture's size only
    double fall = 0.7;  // iterations of a size over those of the one before it
    // The optimiser sees the picture as a sum: the pixels, and bands[k - 1] times a picture smaller
    // by 2^k for each that is not 0. So it moves large shapes and small ones in one step.
    std::vector<double> bands;
  } pyramid;

  struct {
    int size = 512;  // in pixels; 0 keeps the photo's own size
    SizeOf size_of = SizeOf::longest_side;
    PaintingSize painting_size = PaintingSize::proportional;
    Colors colors = Colors::style;
    // Pixels around the picture that are painted too, beginning as its mirror image, and then cut
    // off: what the network's zero padding does to edges is left outside.
    int border = 0;
    std::string init = "content";  // content, noise, or the path of a picture
    Noise noise = Noise::grey;
    double noise_share = 1.0;  // of init "noise": the rest is the photo
    std::uint64_t seed = 0;
    int threads = 0;  // 0: one for each core this process may use
    Pinning pinning = Pinning::cores;
    // Saves memory, a fifth of it for a large picture: features that only style losses read wait
    // for their gradient in half precision. Losses of a picture are the same to the bit; the
    // gradient differs by some 1e-5 of its length.
    bool half_features = false;
  } picture;

  struct {
    Keep keep = Keep::best;
    int look_every = 1;  // iterations between looks for the best; the last one is always looked at
    int save_every = 0;  // iterations between pictures saved on the way; 0: none. The command's, as
                         // paint() saves nothing
    SavedName save_name = SavedName::number;
  } output;
};

// The names of the recipes inside the library, "limn" first.
LIMN_API std::vector<std::string> recipe_names();

// The text (TOML, with its comments) of the recipe of this name. Throws Error (usage), offering the
// nearest name.
LIMN_API std::string recipe_text(std::string_view name);

// The recipe of this name. Throws Error (usage), offering the nearest name.
LIMN_API Recipe named_recipe(std::string_view name);

// The recipe in TOML `text`; `source` names it in messages. Keys that are absent keep the defaults
// above. Throws Error (usage): bad TOML with its line, unknown keys with the nearest known one,
// values out of range with the range.
LIMN_API Recipe parse_recipe(std::string_view text, const std::string& source);

// The recipe as TOML that parse_recipe reads back to an equal recipe.
LIMN_API std::string to_toml(const Recipe& recipe);

// -------------------------------------------------------------------------------------- models --

struct Weights;  // src/network/weights.h

// Trained weights of a network. Immutable, cheap to copy.
class LIMN_API Model {
 public:
  // Reads Keras .h5, MatConvNet .mat, NumPy .npz and .npy, PyTorch .pth, TensorFlow.js model.json,
  // .caffemodel and .safetensors, told apart by their content (docs/models.md). Throws Error
  // (file), naming file, layer, what was expected and what was found.
  static Model read(const std::string& path);

  // The network inside the library, which needs no file. It is a small one that was trained to
  // imitate VGG-19 at relu1_1, relu2_1, relu3_1, relu4_1, relu4_2 and relu5_1, by which names
  // recipes read it, with losses in VGG-19's units; it has no other layers, and max pooling only
  // (docs/built-in-network.md). Takes some milliseconds.
  static Model builtin();

  explicit Model(std::shared_ptr<const Weights> weights) : weights_(std::move(weights)) {}
  const Weights& weights() const { return *weights_; }
  std::string_view network() const;  // "vgg19", "vgg16" or "builtin"

  // Writes .safetensors that read() reads back (docs/models.md), beside and renamed. Throws Error
  // (file).
  void write(const std::string& path) const;

 private:
  std::shared_ptr<const Weights> weights_;
};

// ------------------------------------------------------------------------------------ planning --

// The sizes that a photo and each style's paintings have of their own.
struct PictureSizes {
  Size photo;
  std::vector<std::vector<Size>> styles;
};

// The sizes at which they are worked on.
struct WorkingSizes {
  Size picture;                 // of the photo, and of the picture that is made
  std::vector<Size> paintings;  // of all styles' paintings, one after the other
  bool operator==(const WorkingSizes&) const = default;
};

// One size of a pyramid.
struct Level {
  WorkingSizes sizes;
  int iterations = 0;  // less than 0: the painting ends before this size
};

struct Pictures;

// What a painting will be, known before it begins.
struct Plan {
  Recipe recipe;
  std::vector<Level> levels;  // from coarse to fine, at least one
  double bytes = 0;           // the most memory that the process is expected to take
  const WorkingSizes& sizes() const { return levels.back().sizes; }  // of the result
};

// The sizes of pictures at hand. Throws Error (usage): a picture without pixels, or with too few
// values.
LIMN_API PictureSizes sizes_of(const Pictures& pictures);

// Throws Error: usage (a recipe that contradicts itself or the model, pictures too small for a
// layer), resources (a side of more than a million pixels).
LIMN_API Plan make_plan(const Model& model, const PictureSizes& pictures, const Recipe& recipe);

// ------------------------------------------------------------------------------------ painting --

// The terms of the objective, each with its weight applied; total is their sum.
struct Losses {
  double content = 0;
  double style = 0;
  double total_variation = 0;
  double total = 0;
};

// A style to paint in.
struct Style {
  // One painting, or several whose statistics are averaged.
  std::vector<Image> paintings;
  // Where in the painting the style is found; for one painting only. Empty: everywhere.
  Mask from;
  // Where in the picture it goes. Styles without such a mask share what the others leave.
  Mask to;
};

// What a picture is painted from. By several styles where their masks do not tell them apart, the
// picture is painted in a blend of them (Recipe::style.blend).
//
// Alpha is a soft mask: a painting's style is found where the painting can be seen, and what cannot
// be seen of the photo is neither held to it nor painted. Alpha and a mask multiply.
struct Pictures {
  Image photo;
  std::vector<Style> styles;  // at least one
  Mask keep;                  // where the photo stays as it is; empty: nowhere
  // Where painting begins, in place of what Recipe::picture.init says; the photo shows where it is
  // transparent. Empty: as the recipe says.
  Image initial = {};
};

// Pictures with one style, made from one painting.
LIMN_API Pictures single_style(Image photo, Image painting);

// One look at the running optimisation. Iteration 0 is the initial picture. From size to size of a
// pyramid iterations are counted on.
struct Progress {
  int iteration = 0;
  int iterations = 0;  // planned
  double seconds = 0;  // since paint() began
  Losses losses;       // of this iteration's picture
  int width = 0;       // at which the picture is worked on
  int height = 0;
  // As large as the result will be.
  std::function<Image()> picture;       // this iteration's picture; valid during the callback
  std::function<Image()> best_picture;  // the picture of least total loss so far; likewise
};

// Called after every iteration on the calling thread; false stops the painting.
using ProgressCallback = std::function<bool(const Progress&)>;

enum class Outcome {
  finished,     // all iterations done
  converged,    // the gradient vanished, no step lowers the loss, or it is on its plateau
  out_of_time,  // ran out of Recipe::optimiser.seconds
  stopped,      // the callback said so
  failed,       // the loss was never finite: the picture is the initial one
};

struct IterationRecord {
  int iteration = 0;
  double seconds = 0;
  int width = 0;  // of the picture: losses of different sizes are not the same function's
  int height = 0;
  Losses losses;
};

struct Painted {
  Image picture;  // the best or the last, as the recipe keeps it, clamped to 0..1
  Outcome outcome = Outcome::finished;
  int iteration = 0;       // of the picture
  int best_iteration = 0;  // of the least total loss among those that were looked at
  int rejected_steps = 0;  // steps taken back because the loss was not finite or grew out of hand
  // The picture is the initial one although iterations were asked for: no step lowered the loss, or
  // there was no time for one. `outcome` says which.
  bool unchanged = false;
  double seconds = 0;
  std::vector<IterationRecord> history;
};

// Paints the photo in its styles, all pictures resized as recipe.picture says; the
// photo's alpha is carried over. Throws Error: usage (a recipe that contradicts itself, the model
// or the pictures), resources (no memory for this size).
LIMN_API Painted paint(const Model& model, Pictures pictures, const Recipe& recipe,
                       const ProgressCallback& progress = {});
// The same by a plan, made for pictures of their own sizes; these may have been shrunk since (as
// ReadOptions does), though not below the plan's.
LIMN_API Painted paint(const Model& model, Pictures pictures, const Plan& plan,
                       const ProgressCallback& progress = {});
// The same with one style of one painting.
LIMN_API Painted paint(const Model& model, const Image& photo, const Image& painting,
                       const Recipe& recipe, const ProgressCallback& progress = {});
// The same for pictures that are not needed afterwards, which saves their memory while painting:
//   paint(model, std::move(photo), std::move(painting), recipe)
LIMN_API Painted paint(const Model& model, Image&& photo, Image&& painting, const Recipe& recipe,
                       const ProgressCallback& progress = {});

// ------------------------------------------------------------------------------ step by step --

// A painting that is made step by step, for those who want the loop to be theirs: editors, servers.
// paint() is this:
//
//   limn::Run run(model, pictures, plan);
//   while (run.step()) show(run.now());
//   limn::Painted painted = run.finish();
//
// save() writes all of its state between two steps; a Run made from that file goes on from there,
// and, on the same instruction set, ends with the same picture to the bit.
class LIMN_API Run {
 public:
  // Sets up the first size of the plan, and evaluates the first picture. Throws Error like paint().
  Run(const Model& model, Pictures pictures, const Plan& plan);
  // Goes on from a checkpoint, by a plan with the checkpoint's recipe: in it iterations, seconds
  // and threads may be others. Throws Error (file): no checkpoint, or one of other pictures,
  // weights or sizes.
  Run(const Model& model, Pictures pictures, const Plan& plan, const std::string& checkpoint);
  Run(Run&&) noexcept;
  Run& operator=(Run&&) noexcept;
  ~Run();

  // One iteration; false when none is left to do, or no time.
  bool step();
  // From now on there is none left.
  void stop();

  const Plan& plan() const;
  // Iterations done at each of the plan's sizes; -1: not reached. A plan with these iterations, and
  // no limit of time, stops at the same picture again.
  std::vector<int> iterations() const;
  // The latest iteration; its pictures may be asked for until the next step. There is none yet
  // where the loss of the first picture is not finite.
  bool has_begun() const;
  const Progress& now() const;

  // Writes a checkpoint, beside and renamed, with notes that whoever resumes it needs. Throws Error
  // (file).
  void save(const std::string& path, const Notes& notes = {});

  // Ends the run. Nothing may be called after it.
  Painted finish();

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

// What is in a checkpoint besides the state. Throws Error (file) for a file that is none.
struct Checkpoint {
  Recipe recipe;
  std::string version;          // of limn, that wrote it
  std::string instruction_set;  // on which it was written
  int iteration = 0;            // done so far
  double seconds = 0;           // that they took
  Notes notes;
};
LIMN_API Checkpoint read_checkpoint(const std::string& path);

// ------------------------------------------------------------------------------- several times --

// Called after every iteration of painting number `index`; false stops it and ends the sweep.
using SweepProgress = std::function<bool(std::size_t index, const Progress&)>;
// Called with painting number `index` when it is done, a stopped or failed one too.
using SweepDone = std::function<void(std::size_t index, Painted&&)>;

struct Swept {
  std::size_t painted = 0;   // paintings done
  std::size_t measured = 0;  // times that photo and painting went through the network
};

// Paints the photo once by each recipe, in this order and to the bit as paint() would. Recipes that
// work at the same sizes and read the same layers in the same way share what the losses compare
// with: photo and painting go through the network once for all of them, as long as such recipes
// follow each other. Give pictures that are not needed afterwards with std::move.
//
// Throws what paint() would: everything that can be known beforehand (recipes, layers, sizes) is
// found before anything is painted; and passes on what the callbacks throw. Paintings that `done`
// was given are not lost by that.
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

// The losses and the gradient of `picture` as a painting of `photo` in the style of `painting`.
// With recipe.picture.size 0 the picture's own size is the working size, to which the photo is
// resized; otherwise all three are resized as paint() would.
LIMN_API Evaluation evaluate(const Model& model, const Image& photo, const Image& painting,
                             const Image& picture, const Recipe& recipe);

// "0.2.0"
LIMN_API std::string_view version();

// The instruction set that the kernels run on here: "AVX3", "AVX2", ...
LIMN_API std::string_view instruction_set();

}  // namespace limn
