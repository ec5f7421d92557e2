#include <algorithm>
#include <medretrieval/torch/network_type.hpp>
#include <vector>

#include "base/concat.hpp"

// The networks, one line each. `name` stands for a function `NetworkType name_network()` in a source file of the
// folder networks.
#define MEDRETRIEVAL_NETWORK_TYPES(TYPE) \
  TYPE(attention_cnn_bilstm)             \
  TYPE(semantic_attention)               \
  TYPE(fcdn)                             \
  TYPE(spatial_attention_resnet)         \
  TYPE(spatial_attention_resnet18)       \
  TYPE(vgg16)                            \
  TYPE(resnet18)                         \
  TYPE(resnet50)                         \
  TYPE(scripted)

namespace medretrieval::deep {

namespace networks {
#define MEDRETRIEVAL_DECLARE(name) NetworkType name##_network();
MEDRETRIEVAL_NETWORK_TYPES(MEDRETRIEVAL_DECLARE)
#undef MEDRETRIEVAL_DECLARE
}  // namespace networks

namespace {

const std::vector<NetworkType>& all_types() {
  static const std::vector<NetworkType> types = {
#define MEDRETRIEVAL_ADD(name) networks::name##_network(),
      MEDRETRIEVAL_NETWORK_TYPES(MEDRETRIEVAL_ADD)
#undef MEDRETRIEVAL_ADD
  };
  return types;
}

}  // namespace

std::vector<std::string> network_type_names() {
  std::vector<std::string> names;
  for (const auto& type : all_types()) names.push_back(type.name);
  return names;
}

const NetworkType& network_type(std::string_view name) {
  const auto& types = all_types();
  const auto found =
      std::find_if(types.begin(), types.end(), [&](const NetworkType& type) { return type.name == name; });
  if (found != types.end()) return *found;
  std::string known;
  for (const auto& type : types) known += (known.empty() ? "" : ", ") + type.name;
  detail::fail(ErrorCode::not_found, "unknown network '", name, "'; the known ones: ", known);
}

}  // namespace medretrieval::deep
