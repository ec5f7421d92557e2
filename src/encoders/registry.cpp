#include <deque>
#include <medretrieval/encoder.hpp>
#include <mutex>

#include "base/concat.hpp"

// The built-in encoder types, one line each. `name` stands for a function `EncoderType name_type()` in a
// source file of this folder.
#define MEDRETRIEVAL_ENCODER_TYPES(TYPE) \
  TYPE(lsh)                              \
  TYPE(itq)                              \
  TYPE(pq)                               \
  TYPE(opq)                              \
  TYPE(hash_head)                        \
  TYPE(joint)                            \
  TYPE(centroid_distance)

namespace medretrieval {

namespace encoders {
#define MEDRETRIEVAL_DECLARE(name) EncoderType name##_type();
MEDRETRIEVAL_ENCODER_TYPES(MEDRETRIEVAL_DECLARE)
#undef MEDRETRIEVAL_DECLARE
}  // namespace encoders

namespace {

/// All types; a deque keeps references to its elements when it grows.
struct Registry {
  std::mutex mutex;
  std::deque<EncoderType> types;

  Registry() {
#define MEDRETRIEVAL_ADD(name) types.push_back(encoders::name##_type());
    MEDRETRIEVAL_ENCODER_TYPES(MEDRETRIEVAL_ADD)
#undef MEDRETRIEVAL_ADD
  }

  const EncoderType* find(std::string_view name) const {
    for (const auto& type : types) {
      if (type.name == name) return &type;
    }
    return nullptr;
  }
};

Registry& registry() {
  static Registry instance;
  return instance;
}

}  // namespace

std::vector<std::string> encoder_type_names() {
  auto& all = registry();
  const std::lock_guard lock(all.mutex);
  std::vector<std::string> names;
  for (const auto& type : all.types) names.push_back(type.name);
  return names;
}

const EncoderType& encoder_type(std::string_view name) {
  auto& all = registry();
  const std::lock_guard lock(all.mutex);
  if (const auto* type = all.find(name)) return *type;
  std::string known;
  for (const auto& type : all.types) known += (known.empty() ? "" : ", ") + type.name;
  detail::fail(ErrorCode::not_found, "unknown encoder '", name, "'; the known ones: ", known);
}

void register_encoder_type(EncoderType type) {
  if (type.name.empty() || !type.train || !type.load) {
    detail::fail(ErrorCode::invalid_argument,
                 "an encoder type needs a name, a train and a load function; got name '", type.name, "'");
  }
  auto& all = registry();
  const std::lock_guard lock(all.mutex);
  if (all.find(type.name) != nullptr) {
    detail::fail(ErrorCode::already_exists, "an encoder type named '", type.name, "' is already registered");
  }
  all.types.push_back(std::move(type));
}

}  // namespace medretrieval
