// Central similarity quantization (Yuan et al. 2020). Every class has a centre c in {-1, 1}^bits, drawn
// before training; u = tanh(hash), and the loss is the binary cross-entropy of (u + 1) / 2, which is
// sigmoid(2 hash), against (c + 1) / 2, mean over bits and rows that have a label, and lambda times the mean
// over rows and bits of (|u| - 1)^2.
#include <bit>

#include "base/concat.hpp"
#include "base/option_values.hpp"
#include "torch/hashing_loss.hpp"
#include "torch/losses/target_codes.hpp"

namespace medretrieval::deep::losses {

namespace {

/// Hadamard centres where there are enough, else drawn ones.
Tensor make_centres(const HashingTask& task) {
  const std::int64_t classes = task.labels.size(1);
  if (classes < 2) {
    detail::fail(ErrorCode::invalid_argument, "hashing loss 'csq': expected at least 2 classes, got ",
                 classes);
  }
  const bool hadamard =
      std::has_single_bit(static_cast<std::uint64_t>(task.bits)) && classes <= 2 * task.bits;
  return hadamard ? hadamard_codes(classes, task.bits) : separated_codes(classes, task.bits, task.seed);
}

class CsqLoss final : public HashingLoss {
 public:
  CsqLoss(const HashingTask& task, const Parameters& options)
      : centres_(make_centres(task), task.seed), lambda_(detail::real(options, "lambda")) {}

  Tensor operator()(const HashBatch& batch) const override {
    const Tensor costs = ::torch::softplus(-2 * centres_.of(batch.labels) * batch.hash);
    const Tensor quantization = (::torch::tanh(batch.hash).abs() - 1).pow(2).mean();
    return mean_over_labelled(costs, batch.labels) + lambda_ * quantization;
  }

 private:
  TargetCodes centres_;
  double lambda_;
};

}  // namespace

HashingLossType csq_loss() {
  HashingLossType type;
  type.name = "csq";
  type.description = "cross-entropy against a far-apart centre a class (CSQ, Yuan et al. 2020)";
  type.options = {{"lambda", 1e-4, 0, 1e6, "weight of (|u| - 1)^2, mean over rows and bits"}};
  type.make = [](const HashingTask& task, const Parameters& options) -> std::unique_ptr<HashingLoss> {
    return std::make_unique<CsqLoss>(task, options);
  };
  return type;
}

}  // namespace medretrieval::deep::losses
