#include "torch/network.hpp"

#include <string>

#include "base/concat.hpp"

namespace medretrieval::deep {

void Network::add_hash_slice(std::int64_t first_column, std::int64_t columns, std::int64_t bits,
                             std::uint32_t weight) {
  const std::string name = "hash" + std::to_string(slices_.size());
  slices_.push_back({first_column, register_module(name, ::torch::nn::Linear(columns, bits)), weight});
}

std::int64_t Network::feature_dimension() const {
  const auto& last = slices_.back();
  return last.first_column + last.layer->options.in_features();
}

Tensor Network::classify_hash(const Tensor& /*hash*/, const Tensor& logits) {
  return logits;
}

Tensor Network::classify_features(const Tensor& /*features*/) {
  return {};
}

const Assets& Network::assets() const {
  static const Assets none;
  return none;
}

const Tensor& Network::named(std::string_view layer, const Tensor& output) const {
  if (observer_) observer_(layer, output);
  return output;
}

NetworkOutput Network::forward(const Tensor& images) {
  NetworkOutput output = analyse(images);
  hash_features(output);
  return output;
}

NetworkOutput Network::forward_features(const Tensor& features) {
  NetworkOutput output;
  output.features = features;
  output.logits = classify_features(features);
  hash_features(output);
  return output;
}

void Network::hash_features(NetworkOutput& output) {
  std::vector<Tensor> parts;
  for (auto& slice : slices_) {
    const auto columns = slice.layer->options.in_features();
    parts.push_back(slice.layer(output.features.narrow(1, slice.first_column, columns)));
  }
  output.hash = parts.size() == 1 ? parts.front() : ::torch::cat(parts, 1);
  output.logits = classify_hash(output.hash, output.logits);
}

void put_channels_last(const Network& network) {
  if (!network.assets().empty()) return;
  const ::torch::NoGradGuard no_gradient;
  for (auto& parameter : network.parameters()) {
    if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
  }
}

std::int64_t Network::code_bits() const {
  std::int64_t bits = 0;
  for (const auto& slice : slices_) bits += slice.layer->options.out_features();
  return bits;
}

std::int64_t parameter_count(const Network& network) {
  std::int64_t count = 0;
  for (const auto& parameter : network.parameters()) {
    if (parameter.requires_grad()) count += parameter.numel();
  }
  return count;
}

namespace {

void require(bool holds, std::string_view network, const char* field, const std::string& range,
             std::size_t value) {
  if (!holds) {
    detail::fail(ErrorCode::invalid_argument, "network '", network, "': expected ", field, " ", range,
                 ", got ", value);
  }
}

void check_shape(const NetworkType& type, const NetworkShape& shape) {
  constexpr std::size_t kMaximumSide = 4096;
  require(
      shape.side >= type.minimum_side && shape.side <= kMaximumSide && shape.side % type.side_multiple == 0,
      type.name, "a side",
      detail::concat("of ", type.minimum_side, " to ", kMaximumSide, ", a multiple of ", type.side_multiple),
      shape.side);
  require(shape.bits >= 8 && shape.bits <= 4096, type.name, "bits", "of 8 to 4,096", shape.bits);
  require(shape.classes >= 1 && shape.classes <= 65'536, type.name, "classes", "of 1 to 65,536",
          shape.classes);
}

}  // namespace

std::shared_ptr<Network> make_network(std::string_view name, const NetworkShape& shape,
                                      const Parameters& options, const Assets& assets) {
  const NetworkType& type = network_type(name);
  check_shape(type, shape);
  const auto complete = complete_parameters(options, type.options, "network '" + type.name + "'");
  if (assets.empty()) return type.make(shape, complete);
  if (!type.restore) {
    detail::fail(ErrorCode::incompatible, "network '", name, "' has no assets, got ", assets.size());
  }
  return type.restore(shape, complete, assets);
}

}  // namespace medretrieval::deep
