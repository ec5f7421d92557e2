// NumPy arrays at the border: shapes checked, results handed over without a copy.
#pragma once

#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <medretrieval/codes.hpp>
#include <medretrieval/matrix.hpp>
#include <medretrieval/parameters.hpp>
#include <medretrieval/progress.hpp>
#include <memory>
#include <string>
#include <vector>

namespace medretrieval::python {

namespace py = pybind11;

/// float32, C order; other number types and orders are converted.
using FloatArray = py::array_t<float, py::array::c_style | py::array::forcecast>;

/// A two-dimensional array, or one vector as a single row. The array must outlive the view.
inline MatrixView view(const FloatArray& array, const char* what) {
  if (array.ndim() == 1) return {array.data(), 1, static_cast<std::size_t>(array.shape(0))};
  if (array.ndim() != 2) {
    throw Error(ErrorCode::invalid_argument, std::string(what) +
                                                 ": expected an array of one or two dimensions, got " +
                                                 std::to_string(array.ndim()));
  }
  return {array.data(), static_cast<std::size_t>(array.shape(0)), static_cast<std::size_t>(array.shape(1))};
}

inline py::array_t<float> to_array(const Matrix& matrix) {
  py::array_t<float> array({matrix.rows(), matrix.cols()});
  if (!matrix.empty()) std::copy_n(matrix.data(), matrix.rows() * matrix.cols(), array.mutable_data());
  return array;
}

/// Packed rows: (n, row_bytes) uint8.
inline py::array_t<std::uint8_t> to_array(const Codes& codes) {
  const std::size_t row_bytes = codes.layout().row_bytes();
  py::array_t<std::uint8_t> array({codes.rows(), row_bytes});
  for (std::size_t r = 0; r < codes.rows(); ++r) codes.get_row(r, array.mutable_data() + r * row_bytes);
  return array;
}

/// A Python callable (stage, done, total) as a progress callback; it stops the call by returning False.
inline Progress to_progress(const py::object& callback) {
  if (callback.is_none()) return {};
  // Copies of the function must not touch the callable's reference count: they are made without the GIL.
  const std::shared_ptr<py::object> callable(new py::object(callback), [](py::object* object) {
    const py::gil_scoped_acquire gil;
    delete object;
  });
  return [callable](const ProgressReport& report) {
    const py::gil_scoped_acquire gil;
    const py::object answer = (*callable)(std::string(report.stage), report.done, report.total);
    return answer.is_none() || answer.cast<bool>();
  };
}

/// Python values as encoder options: int, float, bool and str.
Parameters to_parameters(const py::dict& options);

void bind_encoders(py::module_& module);
void bind_galleries(py::module_& module);
void bind_search(py::module_& module);

}  // namespace medretrieval::python
