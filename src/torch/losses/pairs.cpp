#include "torch/losses/pairs.hpp"

#include <cstdint>

namespace medretrieval::deep::losses {

namespace {

/// `kind` scaled to a sum of 1; all 0 where it has no pair.
Tensor share(const Tensor& kind) {
  const Tensor sum = kind.sum();
  return kind / ::torch::where(sum > 0, sum, ::torch::ones_like(sum));
}

}  // namespace

Tensor different_rows(const Tensor& codes) {
  return 1 - ::torch::eye(codes.size(0), codes.options());
}

Tensor mean_over_pairs(const Tensor& costs) {
  return (share(different_rows(costs)) * costs).sum();
}

std::pair<Tensor, Tensor> means_by_kind(const Tensor& costs, const Tensor& similar) {
  const Tensor others = different_rows(similar);
  return {(share(similar * others) * costs).sum(), (share((1 - similar) * others) * costs).sum()};
}

Tensor balanced_pair_weights(const Tensor& similar) {
  const Tensor others = different_rows(similar);
  const Tensor alike = similar * others;
  const Tensor unlike = (similar == 0).to(similar.dtype()) * others;
  const Tensor kinds = (alike.sum() > 0).to(similar.dtype()) + (unlike.sum() > 0).to(similar.dtype());
  return (share(alike) + share(unlike)) / kinds.clamp_min(1);
}

Tensor label_overlap(const Tensor& labels) {
  const Tensor shared = labels.mm(labels.t());
  const Tensor counts = labels.sum(1);
  const Tensor either = counts.unsqueeze(1) + counts.unsqueeze(0) - shared;
  return shared / either.clamp_min(1);
}

Tensor distances(const Tensor& codes) {
  constexpr std::int64_t kWithoutProducts = 2;
  return ::torch::cdist(codes, codes, 2.0, kWithoutProducts);
}

Tensor logistic_costs(const Tensor& products, const Tensor& similar) {
  return ::torch::softplus(products) - similar * products;
}

}  // namespace medretrieval::deep::losses
