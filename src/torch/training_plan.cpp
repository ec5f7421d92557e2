#include <cmath>
#include <medretrieval/torch/network_type.hpp>

#include "base/concat.hpp"
#include "torch/hashing_loss.hpp"

namespace medretrieval::deep {

namespace {

void require(bool holds, const char* field, const char* range, double value) {
  if (!holds) {
    detail::fail(ErrorCode::invalid_argument, "training plan: expected ", field, " ", range, ", got ", value);
  }
}

bool within(double value, double low, double high) {
  return std::isfinite(value) && value >= low && value <= high;
}

}  // namespace

void TrainingPlan::validate() const {
  require(epochs <= 100'000, "epochs", "of 0 to 100,000", static_cast<double>(epochs));
  require(batch >= 1 && batch <= 65'536, "batch", "of 1 to 65,536", static_cast<double>(batch));
  require(std::isfinite(learning_rate) && learning_rate > 0 && learning_rate <= 10, "learning_rate",
          "above 0, at most 10", learning_rate);
  require(within(momentum, 0, 0.9999), "momentum", "of 0 to 0.9999", momentum);
  require(within(weight_decay, 0, 10), "weight_decay", "of 0 to 10", weight_decay);
  require(std::isfinite(decay_factor) && decay_factor > 0 && decay_factor <= 1, "decay_factor",
          "above 0, at most 1", decay_factor);
  require(within(objective.classification, 0, 1e6), "objective.classification", "of 0 to 10^6",
          objective.classification);
  require(within(objective.hashing_weight, 0, 1e6), "objective.hashing_weight", "of 0 to 10^6",
          objective.hashing_weight);
  require(within(objective.reconstruction, 0, 1e6), "objective.reconstruction", "of 0 to 10^6",
          objective.reconstruction);
  require(within(objective.pixel_weight, 0, 1e6), "objective.pixel_weight", "of 0 to 10^6",
          objective.pixel_weight);
  require(within(objective.quantization, 0, 1e6), "objective.quantization", "of 0 to 10^6",
          objective.quantization);
  require(within(objective.bit_balance, 0, 1e6), "objective.bit_balance", "of 0 to 10^6",
          objective.bit_balance);
  if (!objective.hashing.empty()) {
    complete_parameters(objective.hashing_parameters, hashing_loss_type(objective.hashing).options,
                        "hashing loss '" + objective.hashing + "'");
  }
}

}  // namespace medretrieval::deep
