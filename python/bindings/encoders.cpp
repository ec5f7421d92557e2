#include <medretrieval/encoder.hpp>

#include "arrays.hpp"

namespace medretrieval::python {

Parameters to_parameters(const py::dict& options) {
  Parameters parameters;
  for (const auto& [key, value] : options) {
    const auto name = key.cast<std::string>();
    if (py::isinstance<py::bool_>(value)) {
      parameters[name] = value.cast<bool>();
    } else if (py::isinstance<py::int_>(value)) {
      parameters[name] = value.cast<std::int64_t>();
    } else if (py::isinstance<py::float_>(value)) {
      parameters[name] = value.cast<double>();
    } else {
      parameters[name] = value.cast<std::string>();
    }
  }
  return parameters;
}

void bind_encoders(py::module_& module) {
  py::class_<Encoder, std::shared_ptr<Encoder>>(
      module, "Encoder", "A trained map from feature vectors to compact codes. Immutable.")
      .def_property_readonly("type", &Encoder::type)
      .def_property_readonly("parameters", &Encoder::parameters)
      .def_property_readonly("dimension", &Encoder::dimension)
      .def_property_readonly("bits", [](const Encoder& encoder) { return encoder.layout().bits(); })
      .def_property_readonly("layout", [](const Encoder& encoder) { return encoder.layout().to_string(); })
      .def_property_readonly("fingerprint",
                             [](const Encoder& encoder) { return encoder.fingerprint().to_string(); })
      .def(
          "encode",
          [](const Encoder& encoder, const FloatArray& features, int threads, const py::object& progress) {
            const MatrixView rows = view(features, "features");
            const Progress report = to_progress(progress);
            const auto codes = [&] {
              const py::gil_scoped_release release;
              return encoder.encode(rows, threads, report);
            }();
            return to_array(codes);
          },
          py::arg("features"), py::arg("threads") = 0, py::arg("progress") = py::none(),
          "Codes as an (n, row_bytes) uint8 array: bit i of a binary code is bit i % 8 of byte i // 8.")
      .def(
          "reconstruct",
          [](const Encoder& encoder,
             const py::array_t<std::uint8_t, py::array::c_style | py::array::forcecast>& packed) {
            const auto rows = static_cast<std::size_t>(packed.ndim() == 2 ? packed.shape(0) : 1);
            const Codes codes = Codes::from_rows(encoder.layout(), rows,
                                                 {packed.data(), static_cast<std::size_t>(packed.size())});
            return to_array(encoder.reconstruct(codes));
          },
          py::arg("codes"), "The vectors that the codes of a quantizer stand for.")
      .def("to_bytes",
           [](const Encoder& encoder) {
             const auto bytes = encoder.to_bytes();
             return py::bytes(reinterpret_cast<const char*>(bytes.data()), bytes.size());
           })
      .def_static(
          "from_bytes",
          [](const py::bytes& data) {
            const std::string_view text = data;
            return std::const_pointer_cast<Encoder>(load_encoder(std::as_bytes(std::span(text))));
          },
          py::arg("data"))
      .def("__repr__", [](const Encoder& encoder) {
        return "<medretrieval.Encoder " + encoder.type() + " " + encoder.layout().to_string() + " over " +
               std::to_string(encoder.dimension()) + " dimensions>";
      });

  module.def("encoder_types", &encoder_type_names, "The registered encoder types.");
  module.def(
      "train_encoder",
      [](const std::string& type, const FloatArray& features, int threads, const py::object& progress,
         const py::kwargs& options) {
        const EncoderOptions wanted = {type, to_parameters(options)};
        const TrainingSet data = {view(features, "training features"), nullptr, threads,
                                  to_progress(progress)};
        const py::gil_scoped_release release;
        return std::const_pointer_cast<Encoder>(train_encoder(wanted, data));
      },
      py::arg("type"), py::arg("features"), py::arg("threads") = 0, py::arg("progress") = py::none(),
      "Trains an encoder; further keywords are its options, for example train_encoder('itq', x, bits=64).");
  module.def(
      "make_hash_head",
      [](const FloatArray& weights, const FloatArray& bias) {
        const MatrixView row = view(bias, "bias");
        if (row.rows() != 1) {
          throw Error(ErrorCode::invalid_argument,
                      "bias: expected one row, got " + std::to_string(row.rows()));
        }
        return std::const_pointer_cast<Encoder>(make_hash_head(view(weights, "weights"), row.row(0)));
      },
      py::arg("weights"), py::arg("bias"),
      "The hash layer of a trained network: bit = sigmoid(W f + b) > 0.5; weights are (bits, dimension).");
}

}  // namespace medretrieval::python
