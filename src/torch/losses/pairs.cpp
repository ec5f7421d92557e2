#include "torch/losses/pairs.hpp"

namespace medretrieval::deep::losses {

::torch::Tensor balanced_pair_weights(const ::torch::Tensor& similar) {
  const auto others = 1 - ::torch::eye(similar.size(0), similar.options());
  const auto alike = similar * others;
  const auto unlike = (1 - similar) * others;
  const auto alike_count = alike.sum();
  const auto unlike_count = unlike.sum();
  const auto kinds =
      ((alike_count > 0).to(similar.dtype()) + (unlike_count > 0).to(similar.dtype())).clamp_min(1);
  return (alike / alike_count.clamp_min(1) + unlike / unlike_count.clamp_min(1)) / kinds;
}

}  // namespace medretrieval::deep::losses
