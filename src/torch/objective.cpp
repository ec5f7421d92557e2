#include "torch/objective.hpp"

#include "base/concat.hpp"
#include "torch/losses/classification.hpp"
#include "torch/losses/reconstruction.hpp"
#include "torch/losses/regularizers.hpp"

namespace medretrieval::deep {

BatchLoss::BatchLoss(const Objective& objective, std::int64_t bits, const Tensor& training_labels,
                     bool several_labels, bool balance_classes, std::uint64_t seed)
    : objective_(objective), several_labels_(several_labels) {
  const bool hashes = !objective.hashing.empty() && objective.hashing_weight > 0;
  if (objective.classification <= 0 && !hashes) {
    detail::fail(ErrorCode::invalid_argument,
                 "training: expected a classification or a hashing loss with a weight above 0, got neither");
  }
  if (balance_classes) class_weights_ = deep::class_weights(training_labels, several_labels);
  if (hashes) {
    hashing_ =
        make_hashing_loss(objective.hashing, objective.hashing_parameters, {bits, training_labels, seed});
  }
}

Tensor BatchLoss::regularizers(const Tensor& hash) const {
  const Tensor codes = ::torch::tanh(hash);
  const auto bits = static_cast<double>(hash.size(1));
  return objective_.quantization / bits * losses::quantization_error(codes) +
         objective_.bit_balance / bits * losses::bit_imbalance(codes);
}

Tensor BatchLoss::operator()(const NetworkOutput& output, const HashBatch& batch,
                             const Tensor& targets) const {
  Tensor loss = ::torch::zeros({}, output.hash.options());
  if (objective_.classification > 0) {
    loss = loss + objective_.classification *
                      classification_loss(output.logits, batch.labels, several_labels_, class_weights_);
  }
  if (hashing_) loss = loss + objective_.hashing_weight * (*hashing_)(batch);
  if (objective_.quantization > 0 || objective_.bit_balance > 0) loss = loss + regularizers(batch.hash);
  if (needs_targets()) {
    loss = loss + objective_.reconstruction *
                      reconstruction_loss(output.reconstruction, targets, objective_.pixel_weight);
  }
  return loss;
}

}  // namespace medretrieval::deep
