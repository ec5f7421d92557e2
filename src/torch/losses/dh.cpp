// Deep hashing and its supervised form (Erin Liong et al. 2015) on u = tanh(hash):
//   1/2 |u - sign u|^2 - variance/2 V + independence/2 |WW' - I|^2 + scatter/2 (D+ - D-).
// The first term is the mean over rows, V the variance of the bits, W the weights of the hash layer (with several
// layers, the sum over them), D+ and D- the mean squared distances of similar and of dissimilar pairs.
#include "base/option_values.hpp"
#include "torch/hashing_loss.hpp"
#include "torch/losses/pairs.hpp"
#include "torch/losses/regularizers.hpp"

namespace medretrieval::deep::losses {

namespace {

class DhLoss final : public HashingLoss {
 public:
  explicit DhLoss(const Parameters& options)
      : variance_(detail::real(options, "variance")),
        independence_(detail::real(options, "independence")),
        scatter_(detail::real(options, "scatter")) {}

  Tensor operator()(const HashBatch& batch) const override {
    const Tensor codes = ::torch::tanh(batch.hash);
    const auto [near, far] = means_by_kind(distances(codes).pow(2), similarity(batch.labels));
    Tensor sum = quantization_error(codes) - variance_ * bit_variance(codes) + scatter_ * (near - far);
    for (const auto& weights : batch.weights) sum = sum + independence_ * orthogonality_error(weights);
    return sum / 2;
  }

 private:
  double variance_;
  double independence_;
  double scatter_;
};

}  // namespace

HashingLossType dh_loss() {
  HashingLossType type;
  type.name = "dh";
  type.description =
      "quantization, bit variance and independence, class scatter (DH, Erin Liong et al. 2015)";
  type.options = {{"variance", 0.001, 0, 1e6, "weight of the bits' variance"},
                  {"independence", 1.0, 0, 1e6, "weight of |WW' - I|^2 of the hash layer"},
                  {"scatter", 0.001, 0, 1e6, "weight of class scatter; 0: without labels"}};
  type.make = [](const HashingTask&, const Parameters& options) -> std::unique_ptr<HashingLoss> {
    return std::make_unique<DhLoss>(options);
  };
  return type;
}

}  // namespace medretrieval::deep::losses
