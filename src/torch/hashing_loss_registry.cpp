#include <algorithm>
#include <vector>

#include "base/concat.hpp"
#include "torch/hashing_loss.hpp"

// The hashing losses, one line each. `name` stands for a function `HashingLossType name_loss()` in a source file
// of the folder losses.
#define MEDRETRIEVAL_HASHING_LOSSES(TYPE) \
  TYPE(contrastive)                       \
  TYPE(dsh)                               \
  TYPE(triplet_dnnh)                      \
  TYPE(triplet_ath)                       \
  TYPE(hashnet)                           \
  TYPE(bayesian)                          \
  TYPE(dpsh)                              \
  TYPE(idhn)                              \
  TYPE(cnnh)                              \
  TYPE(dh)                                \
  TYPE(csq)                               \
  TYPE(fcdn_codes)

namespace medretrieval::deep {

namespace losses {
#define MEDRETRIEVAL_DECLARE(name) HashingLossType name##_loss();
MEDRETRIEVAL_HASHING_LOSSES(MEDRETRIEVAL_DECLARE)
#undef MEDRETRIEVAL_DECLARE
}  // namespace losses

namespace {

void check_task(const HashingTask& task) {
  if (task.bits < 1) {
    detail::fail(ErrorCode::invalid_argument, "hashing loss: expected at least 1 bit, got ", task.bits);
  }
  if (!task.labels.defined() || task.labels.dim() != 2 || task.labels.numel() == 0) {
    detail::fail(ErrorCode::invalid_argument, "hashing loss: expected labels of rows x classes, got ",
                 task.labels.defined() ? detail::concat("shape ", task.labels.sizes()) : "none");
  }
}

const std::vector<HashingLossType>& all_types() {
  static const std::vector<HashingLossType> types = {
#define MEDRETRIEVAL_ADD(name) losses::name##_loss(),
      MEDRETRIEVAL_HASHING_LOSSES(MEDRETRIEVAL_ADD)
#undef MEDRETRIEVAL_ADD
  };
  return types;
}

}  // namespace

std::vector<std::string> hashing_loss_names() {
  std::vector<std::string> names;
  for (const auto& type : all_types()) names.push_back(type.name);
  return names;
}

const HashingLossType& hashing_loss_type(std::string_view name) {
  const auto& types = all_types();
  const auto found = std::find_if(types.begin(), types.end(),
                                  [&](const HashingLossType& type) { return type.name == name; });
  if (found != types.end()) return *found;
  std::string known;
  for (const auto& type : types) known += (known.empty() ? "" : ", ") + type.name;
  detail::fail(ErrorCode::not_found, "unknown hashing loss '", name, "'; the known ones: ", known);
}

HashingLossInfo hashing_loss_info(std::string_view name) {
  return hashing_loss_type(name);
}

std::unique_ptr<HashingLoss> make_hashing_loss(std::string_view name, const Parameters& parameters,
                                               const HashingTask& task) {
  const HashingLossType& type = hashing_loss_type(name);
  check_task(task);
  return type.make(task,
                   complete_parameters(parameters, type.options, "hashing loss '" + std::string(name) + "'"));
}

Tensor similarity(const Tensor& labels) {
  return (labels.mm(labels.t()) > 0).to(labels.dtype());
}

}  // namespace medretrieval::deep
