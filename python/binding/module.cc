// The module limn._limn itself: models, files, evaluation, and errors as exceptions.
#include <pybind11/stl.h>

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "binding.h"

namespace limn::python {
namespace {

// ---- errors ----

const char* exception_name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return "UsageError";
    case ErrorKind::file:
      return "FileError";
    case ErrorKind::resources:
      return "ResourceError";
  }
  return "Error";
}

// The classes are Python's (python/limn/errors.py). A message may quote a file's name, whose bytes
// need not be UTF-8.
void set_exception(const Error& error) {
  const std::string_view text = error.what();
  const auto message = py::reinterpret_steal<py::object>(
      PyUnicode_DecodeUTF8(text.data(), static_cast<py::ssize_t>(text.size()), "backslashreplace"));
  const py::object type = py::module_::import("limn.errors").attr(exception_name(error.kind()));
  PyErr_SetObject(type.ptr(), message.ptr());
}

void translate(std::exception_ptr pointer) {  // NOLINT(performance-unnecessary-value-param)
  try {
    if (pointer) std::rethrow_exception(pointer);
  } catch (const Error& error) {
    set_exception(error);
  }
}

// ---- files ----

// What was read, and sentences about anything unexpected in the file.
template <typename Picture>
struct Read {
  Picture picture;
  std::vector<std::string> notes;
};

template <typename Picture>
auto reading(Picture (*read)(const std::string&, const ReadOptions&)) {
  return [read](const std::string& path, std::int64_t max_pixels) {
    Read<Picture> result;
    {
      const py::gil_scoped_release unlocked;
      ReadOptions options;
      options.max_pixels = max_pixels;
      options.note = [&](const std::string& note) { result.notes.push_back(note); };
      result.picture = read(path, options);
    }
    return py::make_tuple(array_of(result.picture), result.notes);
  };
}

void write_file(const Array& picture, const std::string& path, int bits, int quality,
                const std::string& format, double dpi) {
  const Image image = image_of(picture);
  const py::gil_scoped_release unlocked;
  write_image(image, path, {bits, quality, format, {}, dpi});
}

Array resize(const Array& picture, int width, int height) {
  Image image = image_of(picture);
  {
    const py::gil_scoped_release unlocked;
    image = resized(image, width, height);
  }
  return array_of(image);
}

// ---- evaluation ----

// (losses, gradient's norm, gradient)
py::tuple evaluated(const Model& model, const Array& photo, const Array& painting,
                    const Array& picture, const Recipe& recipe, int tile) {
  const Image photo_image = image_of(photo);
  const Image painting_image = image_of(painting);
  const Image picture_image = image_of(picture);
  Evaluation result;
  {
    const py::gil_scoped_release unlocked;
    result = evaluate(model, photo_image, painting_image, picture_image, recipe, tile);
  }
  return py::make_tuple(tuple_of(result.losses), result.gradient_norm,
                        array_of_planes(result.gradient, result.width, result.height));
}

}  // namespace
}  // namespace limn::python

PYBIND11_MODULE(_limn, module) {
  using namespace limn::python;  // NOLINT(google-build-using-namespace)
  py::register_exception_translator(translate);

  py::class_<limn::Model>(module, "Model")
      .def_static("builtin", &limn::Model::builtin, Unlocked())
      .def_static("read", &limn::Model::read, Unlocked())
      .def("write", &limn::Model::write, Unlocked())
      .def("network", [](const limn::Model& model) { return std::string(model.network()); });
  module.def("read_image", reading<limn::Image>(&limn::read_image));
  module.def("read_mask", reading<limn::Mask>(&limn::read_mask));
  module.def("write_image", &write_file);
  module.def("resized", &resize);
  module.def("evaluate", &evaluated);
  add_recipe(module);
  add_run(module);
  module.attr("version") = std::string(limn::version());
  module.attr("instruction_set") = std::string(limn::instruction_set());
}
