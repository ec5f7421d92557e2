// Improved deep hashing for several labels (Zhang et al. 2019). The similarity of two rows is the cosine s of
// their labels. u = softsign(hash); the mean over pairs of
//   log(1 + exp(x)) - s x, x = beta u_i'u_j / bits               where s is 0 or 1 (hard similarity)
//   gamma bits ((u_i'u_j + bits) / (2 bits) - s)^2               between (soft similarity)
// and alpha times the mean over rows and bits of | |u| - 1 |.
#include "base/option_values.hpp"
#include "torch/hashing_loss.hpp"
#include "torch/losses/pairs.hpp"
#include "torch/losses/regularizers.hpp"

namespace medretrieval::deep::losses {

namespace {

class IdhnLoss final : public HashingLoss {
 public:
  IdhnLoss(std::int64_t bits, const Parameters& options)
      : bits_(static_cast<double>(bits)),
        alpha_(detail::real(options, "alpha")),
        beta_(detail::real(options, "beta")),
        gamma_(detail::real(options, "gamma")) {}

  Tensor operator()(const HashBatch& batch) const override {
    const Tensor codes = batch.hash / (1 + batch.hash.abs());
    const Tensor products = codes.mm(codes.t());
    const Tensor cosine = label_cosine(batch.labels);
    const Tensor hard = logistic_costs(beta_ / bits_ * products, cosine);
    const Tensor soft = gamma_ * bits_ * ((products + bits_) / (2 * bits_) - cosine).pow(2);
    const Tensor is_soft = is_between(label_overlap(batch.labels));
    return mean_over_pairs(::torch::where(is_soft, soft, hard)) + alpha_ / bits_ * magnitude_error(codes);
  }

 private:
  static Tensor label_cosine(const Tensor& labels) {
    const Tensor counts = labels.sum(1);
    const Tensor lengths = (counts.unsqueeze(1) * counts.unsqueeze(0)).sqrt();
    return labels.mm(labels.t()) / lengths.clamp_min(1);
  }

  /// Where some but not all labels are shared.
  static Tensor is_between(const Tensor& overlap) { return (overlap > 0) & (overlap < 1); }

  double bits_;
  double alpha_;
  double beta_;
  double gamma_;
};

}  // namespace

HashingLossType idhn_loss() {
  HashingLossType type;
  type.name = "idhn";
  type.description = "likelihood for hard, squared error for soft similarity (IDHN, Zhang et al. 2019)";
  type.options = {{"alpha", 0.1, 0, 1e6, "weight of | |u| - 1 |, mean over rows and bits"},
                  {"beta", 5.0, 1e-6, 1e6, "the largest exponent of the likelihood"},
                  {"gamma", 0.1, 0, 1e6, "weight of soft similarity"}};
  type.make = [](const HashingTask& task, const Parameters& options) -> std::unique_ptr<HashingLoss> {
    return std::make_unique<IdhnLoss>(task.bits, options);
  };
  return type;
}

}  // namespace medretrieval::deep::losses
