// The maximum a posteriori objective of paper 002 (Zhu et al. 2022), a weighted pairwise likelihood and a prior:
//   sum over pairs of w_ij [log(1 + exp(alpha u_i'u_j)) - s_ij alpha u_i'u_j]
//   + quantization * mean (u - sign u)^2
// with u = tanh(hash). Only the abstract is public: the likelihood and its weights are HashNet's, times the
// Jaccard index of the labels on similar pairs; similar and dissimilar pairs keep the same mass.
#include "base/option_values.hpp"
#include "torch/hashing_loss.hpp"
#include "torch/losses/pairs.hpp"
#include "torch/losses/regularizers.hpp"

namespace medretrieval::deep::losses {

namespace {

class BayesianLoss final : public HashingLoss {
 public:
  BayesianLoss(std::int64_t bits, const Parameters& options)
      : alpha_(detail::real(options, "alpha")),
        quantization_(detail::real(options, "quantization") / static_cast<double>(bits)),
        overlap_(detail::truth(options, "overlap")) {
    if (alpha_ == 0) alpha_ = 10 / static_cast<double>(bits);
  }

  Tensor operator()(const HashBatch& batch) const override {
    const Tensor codes = ::torch::tanh(batch.hash);
    const Tensor similar = similarity(batch.labels);
    const Tensor costs = logistic_costs(alpha_ * codes.mm(codes.t()), similar);
    const Tensor weights = balanced_pair_weights(overlap_ ? label_overlap(batch.labels) : similar);
    return (weights * costs).sum() + quantization_ * quantization_error(codes);
  }

 private:
  double alpha_;
  double quantization_;
  bool overlap_;
};

}  // namespace

HashingLossType bayesian_loss() {
  HashingLossType type;
  type.name = "bayesian";
  type.description = "weighted pairwise likelihood with a quantization prior (paper 002, Zhu et al. 2022)";
  type.options = {{"alpha", 0.0, 0, 100, "of the inner product of two codes; 0: 10 / bits"},
                  {"quantization", 0.1, 0, 1e6, "weight of (u - sign u)^2, mean over rows and bits"},
                  {"overlap", true, 0, 0, "weigh similar pairs by the Jaccard index of their labels"}};
  type.make = [](const HashingTask& task, const Parameters& options) -> std::unique_ptr<HashingLoss> {
    return std::make_unique<BayesianLoss>(task.bits, options);
  };
  return type;
}

}  // namespace medretrieval::deep::losses
