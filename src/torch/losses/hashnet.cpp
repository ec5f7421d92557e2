// HashNet's weighted pairwise likelihood (Cao et al. 2017), the weighted sum over pairs of
//   log(1 + exp(alpha u_i'u_j)) - s_ij alpha u_i'u_j
// with u = tanh(scale * hash). The weights give similar and dissimilar pairs the same mass. The scale grows with
// training, in the authors' program as
//   sqrt(1 + c * step)
// which is sqrt(1 + (final_scale^2 - 1) * progress).
#include <cmath>

#include "base/option_values.hpp"
#include "torch/hashing_loss.hpp"
#include "torch/losses/pairs.hpp"
#include "torch/losses/regularizers.hpp"

namespace medretrieval::deep::losses {

namespace {

class HashNetLoss final : public HashingLoss {
 public:
  HashNetLoss(std::int64_t bits, const Parameters& options)
      : alpha_(detail::real(options, "alpha")),
        quantization_(detail::real(options, "quantization") / static_cast<double>(bits)),
        final_scale_(detail::real(options, "final_scale")) {
    if (alpha_ == 0) alpha_ = 10 / static_cast<double>(bits);
  }

  Tensor operator()(const HashBatch& batch) const override {
    const double scale = std::sqrt(1 + (final_scale_ * final_scale_ - 1) * batch.progress);
    const Tensor codes = ::torch::tanh(batch.hash * scale);
    const Tensor similar = similarity(batch.labels);
    const Tensor costs = logistic_costs(alpha_ * codes.mm(codes.t()), similar);
    return (balanced_pair_weights(similar) * costs).sum() + quantization_ * quantization_error(codes);
  }

 private:
  double alpha_;
  double quantization_;
  double final_scale_;
};

}  // namespace

HashingLossType hashnet_loss() {
  HashingLossType type;
  type.name = "hashnet";
  type.description = "weighted pairwise likelihood, codes sharpened by tanh (HashNet, Cao et al. 2017)";
  type.options = {{"alpha", 0.0, 0, 100, "of the inner product of two codes; 0: 10 / bits"},
                  {"quantization", 0.0, 0, 1e6, "weight of (u - sign u)^2, mean over rows and bits"},
                  {"final_scale", 7.14, 1, 1000, "tanh(scale hash), scale growing from 1 to this"}};
  type.make = [](const HashingTask& task, const Parameters& options) -> std::unique_ptr<HashingLoss> {
    return std::make_unique<HashNetLoss>(task.bits, options);
  };
  return type;
}

}  // namespace medretrieval::deep::losses
