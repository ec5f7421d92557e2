#include <algorithm>
#include <vector>

#include "base/concat.hpp"
#include "torch/hashing_loss.hpp"

// The hashing losses, one line each. `name` stands for a function `HashingLossType name_loss()` in a source file
// of the folder losses.
#define MEDRETRIEVAL_HASHING_LOSSES(TYPE) TYPE(hashnet)

namespace medretrieval::deep {

namespace losses {
#define MEDRETRIEVAL_DECLARE(name) HashingLossType name##_loss();
MEDRETRIEVAL_HASHING_LOSSES(MEDRETRIEVAL_DECLARE)
#undef MEDRETRIEVAL_DECLARE
}  // namespace losses

namespace {

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
  return type.make(task,
                   complete_parameters(parameters, type.options, "hashing loss '" + std::string(name) + "'"));
}

Tensor similarity(const Tensor& labels) {
  return (labels.mm(labels.t()) > 0).to(labels.dtype());
}

}  // namespace medretrieval::deep
