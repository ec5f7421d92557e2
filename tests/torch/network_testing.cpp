#include "network_testing.hpp"

#include <torch/csrc/jit/serialization/pickle.h>
#include <torch/script.h>

#include <cmath>
#include <fstream>
#include <numbers>

#include "torch/networks/residual_network.hpp"

namespace medretrieval::deep::testing {

void write_script_module(const std::filesystem::path& file, std::int64_t channels, const std::string& code) {
  ::torch::manual_seed(5);
  ::torch::jit::Module module("backbone");
  module.register_parameter("weight", ::torch::randn({8, channels, 3, 3}) * 0.3, false);
  module.register_buffer("scale", ::torch::ones({8}));
  module.define("def forward(self, x):\n" + code);
  module.save(file.string());
}

void write_weights(const std::filesystem::path& file, const std::map<std::string, Tensor>& weights) {
  c10::Dict<std::string, Tensor> dictionary;
  for (const auto& [name, tensor] : weights) dictionary.insert(name, tensor);
  const auto bytes = ::torch::jit::pickle_save(dictionary);
  std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::map<std::string, Tensor> residual_weights() {
  ::torch::manual_seed(99);
  networks::ResidualNetwork network(18, 3);
  std::map<std::string, Tensor> all;
  for (const auto& entry : network->named_parameters()) all[entry.key()] = entry.value().detach();
  for (const auto& entry : network->named_buffers()) all[entry.key()] = entry.value();
  return all;
}

const std::filesystem::path& example_script_module() {
  static const TemporaryFolder folder;
  static const auto file = [] {
    const auto path = folder / "example.pt";
    write_script_module(path, 3,
                        "    places = torch.relu(torch.conv2d(x, self.weight, None, [4, 4], [1, 1]))\n"
                        "    return torch.flatten(torch.adaptive_avg_pool2d(places, [4, 4]), 1)\n");
    return path;
  }();
  return file;
}

Parameters needed_options(const std::string& network) {
  if (network == "scripted") return {{"file", example_script_module().string()}};
  return {};
}

std::shared_ptr<Network> make_seeded(const std::string& network, const NetworkShape& shape,
                                     Parameters options) {
  options.merge(needed_options(network));
  ::torch::manual_seed(7);
  return make_network(network, shape, options);
}

Tensor smooth_images(std::int64_t rows, std::int64_t side) {
  namespace functional = ::torch::nn::functional;
  ::torch::manual_seed(11);
  return functional::interpolate(::torch::rand({rows, 1, 8, 8}),
                                 functional::InterpolateFuncOptions()
                                     .size(std::vector<std::int64_t>{side, side})
                                     .mode(::torch::kBilinear)
                                     .align_corners(true));
}

Tensor striped_images(std::int64_t rows, std::int64_t side, std::int64_t kinds) {
  Tensor images = 0.4 * smooth_images(rows, side);
  const Tensor across = ::torch::arange(side).to(::torch::kFloat32) / static_cast<double>(side);
  for (std::int64_t row = 0; row < rows; ++row) {
    const double periods = std::exp2(row % kinds + 1);
    images[row] += 0.3 + 0.3 * ::torch::sin(2 * std::numbers::pi * periods * across);
  }
  return images.clamp(0, 1);
}

std::map<std::string, std::vector<std::int64_t>> layer_sizes(Network& network, std::int64_t side) {
  std::map<std::string, std::vector<std::int64_t>> sizes;
  network.observe_layers([&](std::string_view layer, const Tensor& output) {
    sizes[std::string(layer)] = output.sizes().slice(1).vec();
  });
  network.eval();
  const ::torch::NoGradGuard guard;
  network.forward(smooth_images(2, side));
  network.observe_layers({});
  return sizes;
}

std::string plain_name(std::string name) {
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
}

}  // namespace medretrieval::deep::testing
