#include <medretrieval/cpu.hpp>
#include <medretrieval/error.hpp>
#include <medretrieval/version.hpp>

#include "arrays.hpp"

namespace medretrieval::python {

namespace {

/// medretrieval.Error, with the code's name in its attribute `code`.
void bind_errors(py::module_& module) {
  PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<py::object> storage;
  storage.call_once_and_store_result([&] { return py::exception<Error>(module, "Error"); });
  storage.get_stored().doc() =
      "Raised for every refused call; `code` names the kind, for example 'not_found'.";
  py::register_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const Error& error) {
      const py::object& type = storage.get_stored();
      py::object raised = type(error.what());
      raised.attr("code") = std::string(to_string(error.code()));
      PyErr_SetObject(type.ptr(), raised.ptr());
    }
  });
}

}  // namespace

PYBIND11_MODULE(_core, module) {
  module.doc() = "Bindings of the medretrieval C++ library.";
  module.attr("__version__") = version();
  bind_errors(module);
  bind_encoders(module);
  bind_galleries(module);
  bind_search(module);
  module.def(
      "cpu_info",
      [] {
        const CpuInfo info = cpu_info();
        py::dict result;
        result["processor"] = info.processor;
        result["instruction_set"] = info.instruction_set;
        result["supported"] = info.supported;
        result["threads"] = info.threads;
        return result;
      },
      "The instruction set in use, those that could be, and the number of threads.");
}

}  // namespace medretrieval::python
