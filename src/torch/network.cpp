#include "torch/network.hpp"

#include <string>

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

NetworkOutput Network::forward(const Tensor& images) {
  NetworkOutput output = analyse(images);
  std::vector<Tensor> parts;
  for (auto& slice : slices_) {
    const auto columns = slice.layer->options.in_features();
    parts.push_back(slice.layer(output.features.narrow(1, slice.first_column, columns)));
  }
  output.hash = parts.size() == 1 ? parts.front() : ::torch::cat(parts, 1);
  output.logits = classify_hash(output.hash, output.logits);
  return output;
}

}  // namespace medretrieval::deep
