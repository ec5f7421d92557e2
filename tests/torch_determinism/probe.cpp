// What a network file gives for drawn images under one choice of instruction sets. usage: probe NETWORK OUT
// OUT gets, in this machine's byte order, rows, columns and bits as 64-bit numbers, then the features, the hash layer's
// outputs computed of them in double precision, and a byte for each bit of the codes. Prints libtorch's
// configuration, its own choice among it.
// The test beside it runs this program once for every instruction set and compares.
#include <ATen/Version.h>
#include <torch/torch.h>

#include <fstream>
#include <iostream>
#include <medretrieval/imaging/phantom.hpp>
#include <medretrieval/torch/deep_model.hpp>

#include "torch/deep_model_state.hpp"
#include "torch/network_file.hpp"

namespace medretrieval::deep {
namespace {

constexpr std::size_t kImages = 64;

std::vector<imaging::Image> images() {
  const imaging::PhantomOptions phantoms = {.patients = kImages, .images_per_patient = 1};
  std::vector<imaging::Image> drawn;
  for (std::size_t i = 0; i < kImages; ++i) {
    drawn.push_back(imaging::apply_window(imaging::draw_phantom(phantoms, i, 0).image, {-300, 1800}));
  }
  return drawn;
}

/// The hash layer's outputs, rows x bits, from the weights of the file.
Tensor hash_of(const std::filesystem::path& file, const MatrixView& features) {
  const auto sections = io::SectionFile::map(file);
  const auto head = read_network_head(file);
  const auto network = make_network(head.description, read_assets(*sections));
  set_tensors(*network, read_tensors(*sections, detail::NetworkSection::tensor_index,
                                     detail::NetworkSection::tensor_data));
  const ::torch::NoGradGuard no_gradient;
  const Tensor values =
      ::torch::from_blob(const_cast<float*>(features.data()), {static_cast<std::int64_t>(features.rows()),
                                                               static_cast<std::int64_t>(features.cols())})
          .to(::torch::kFloat64);
  std::vector<Tensor> parts;
  for (const auto& slice : network->hash_slices()) {
    const auto columns = slice.layer->options.in_features();
    parts.push_back(::torch::addmm(slice.layer->bias.to(::torch::kFloat64),
                                   values.narrow(1, slice.first_column, columns),
                                   slice.layer->weight.to(::torch::kFloat64).t()));
  }
  return ::torch::cat(parts, 1).contiguous();
}

std::vector<std::uint8_t> bits_of(const Encoder& encoder, const MatrixView& features) {
  const auto& layout = encoder.layout();
  const Codes codes = encoder.encode(features, 1);
  std::vector<std::uint8_t> bits;
  std::vector<std::uint8_t> row(layout.row_bytes());
  for (std::size_t r = 0; r < features.rows(); ++r) {
    codes.get_row(r, row.data());
    for (std::size_t bit = 0; bit < layout.bits(); ++bit) bits.push_back(row[bit / 8] >> (bit % 8) & 1);
  }
  return bits;
}

template <class Value>
void write(std::ofstream& stream, const Value* values, std::size_t count) {
  stream.write(reinterpret_cast<const char*>(values), static_cast<std::streamsize>(count * sizeof(Value)));
}

int run(const std::filesystem::path& file, const std::filesystem::path& out) {
  const DeepModel model = DeepModel::load(file);
  const auto analysis = model.analyse(images(), {.threads = 1});
  const Tensor hash = hash_of(file, analysis.features);
  const auto bits = bits_of(*model.encoder(), analysis.features);
  const std::uint64_t sizes[] = {kImages, model.dimension(), static_cast<std::uint64_t>(hash.size(1))};
  std::ofstream stream(out, std::ios::binary);
  write(stream, sizes, 3);
  write(stream, analysis.features.data(), kImages * model.dimension());
  write(stream, hash.data_ptr<double>(), static_cast<std::size_t>(hash.numel()));
  write(stream, bits.data(), bits.size());
  std::cout << at::show_config();
  return stream.flush() && bits.size() == static_cast<std::size_t>(hash.numel()) ? 0 : 1;
}

}  // namespace
}  // namespace medretrieval::deep

int main(int count, char** arguments) {
  if (count != 3) return 2;
  return medretrieval::deep::run(arguments[1], arguments[2]);
}
