// HashNet's weighted pairwise likelihood (Cao et al. 2017), which paper 002 takes as its likelihood.
#include "base/option_values.hpp"
#include "torch/hashing_loss.hpp"
#include "torch/losses/pairs.hpp"

namespace medretrieval::deep::losses {

namespace {

class HashNetLoss final : public HashingLoss {
 public:
  explicit HashNetLoss(const Parameters& options)
      : alpha_(detail::real(options, "alpha")),
        quantization_(detail::real(options, "quantization")),
        final_scale_(detail::real(options, "final_scale")) {}

  Tensor operator()(const HashBatch& batch) const override {
    const double scale = 1 + (final_scale_ - 1) * batch.progress;
    const Tensor codes = ::torch::tanh(batch.hash * scale);
    const Tensor similar = similarity(batch.labels);
    const Tensor products = alpha_ * codes.mm(codes.t());
    // log(1 + exp(x)) - s x, without overflow
    const Tensor costs = ::torch::softplus(products) - similar * products;
    const Tensor likelihood = (balanced_pair_weights(similar) * costs).sum();
    const Tensor distance = codes - codes.detach().sign();
    return likelihood + quantization_ * distance.pow(2).mean();
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
  type.description = "weighted pairwise likelihood, codes sharpened by tanh (Cao et al. 2017)";
  type.options = {{"alpha", 0.1, 1e-6, 100, "of the inner product of two codes"},
                  {"quantization", 0.0, 0, 1e6, "weight of |u - sign u|^2, the log-prior of paper 002"},
                  {"final_scale", 10.0, 1, 1000, "tanh(scale u), scale growing from 1 to this"}};
  type.make = [](const HashingTask&, const Parameters& options) -> std::unique_ptr<HashingLoss> {
    return std::make_unique<HashNetLoss>(options);
  };
  return type;
}

}  // namespace medretrieval::deep::losses
