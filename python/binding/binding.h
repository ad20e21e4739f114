// The parts of the extension module limn._limn, which gives Python what limn.h gives C++, with
// NumPy's arrays for pictures. It checks what the library does not; what is Pythonic is in
// python/limn.
//
// Pictures are float32 arrays, H x W x 3 or, with alpha, H x W x 4; masks are H x W. Python sees to
// that, and to their values. Everything that takes time releases the interpreter's lock.
#pragma once

#include <limn/limn.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <optional>
#include <vector>

namespace limn::python {

namespace py = pybind11;

using Array = py::array_t<float, py::array::c_style>;
using Unlocked = py::call_guard<py::gil_scoped_release>;

Image image_of(const Array& pixels);
Array array_of(const Image& image);
// Planes like Image::rgb as H x W x 3.
Array array_of_planes(const std::vector<float>& planes, int width, int height);
// None is the empty mask, which selects everything.
Mask mask_of(const std::optional<Array>& values);
Array array_of(const Mask& mask);

// (content, style, total variation, total)
py::tuple tuple_of(const Losses& losses);

// Each adds its classes and functions to the module.
void add_recipe(py::module_& module);
void add_run(py::module_& module);

}  // namespace limn::python
