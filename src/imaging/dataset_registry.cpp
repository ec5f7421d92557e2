#include <algorithm>
#include <deque>
#include <medretrieval/imaging/dataset.hpp>
#include <mutex>
#include <set>

#include "base/concat.hpp"
#include "imaging/import_manifest.hpp"

// The built-in data sets, one line each. `name` stands for a function `DatasetType name_dataset()` in a source
// file of the folder datasets.
#define MEDRETRIEVAL_DATASET_TYPES(TYPE) \
  TYPE(chestx_ray14)                     \
  TYPE(chexpert)                         \
  TYPE(deeplesion)                       \
  TYPE(luna16)                           \
  TYPE(lidc_idri)                        \
  TYPE(dicom)

namespace medretrieval::imaging {

using detail::fail;
namespace fs = std::filesystem;

namespace datasets {
#define MEDRETRIEVAL_DECLARE(name) DatasetType name##_dataset();
MEDRETRIEVAL_DATASET_TYPES(MEDRETRIEVAL_DECLARE)
#undef MEDRETRIEVAL_DECLARE
}  // namespace datasets

namespace {

/// All types; a deque keeps references to its elements when it grows.
struct Registry {
  std::mutex mutex;
  std::deque<DatasetType> types;

  Registry() {
#define MEDRETRIEVAL_ADD(name) types.push_back(datasets::name##_dataset());
    MEDRETRIEVAL_DATASET_TYPES(MEDRETRIEVAL_ADD)
#undef MEDRETRIEVAL_ADD
  }

  const DatasetType* find(std::string_view name) const {
    const auto found =
        std::find_if(types.begin(), types.end(), [&](const DatasetType& type) { return type.name == name; });
    return found == types.end() ? nullptr : &*found;
  }
};

Registry& registry() {
  static Registry instance;
  return instance;
}

void check(const DatasetType& type) {
  if (type.name.empty() || !type.read) {
    fail(ErrorCode::invalid_argument, "a data set needs a name and a read function; got name '", type.name,
         "'");
  }
  if (type.bits != 8 && type.bits != 16) {
    fail(ErrorCode::invalid_argument, "data set '", type.name, "' wants images of 8 or 16 bits, got ",
         type.bits);
  }
  std::set<std::string> names(kManifestColumns.begin(), kManifestColumns.end());
  for (const std::string& name : type.attributes) {
    if (name.empty() || !names.insert(name).second) {
      fail(ErrorCode::invalid_argument, "data set '", type.name, "' has no name for an attribute, or '", name,
           "' twice or like a column of every manifest");
    }
  }
}

}  // namespace

std::vector<std::string> dataset_type_names() {
  auto& all = registry();
  const std::lock_guard lock(all.mutex);
  std::vector<std::string> names;
  for (const auto& type : all.types) names.push_back(type.name);
  return names;
}

const DatasetType& dataset_type(std::string_view name) {
  auto& all = registry();
  const std::lock_guard lock(all.mutex);
  if (const auto* type = all.find(name)) return *type;
  std::string known;
  for (const auto& type : all.types) known += (known.empty() ? "" : ", ") + type.name;
  fail(ErrorCode::not_found, "unknown data set '", name, "'; the known ones: ", known);
}

void register_dataset_type(DatasetType type) {
  check(type);
  auto& all = registry();
  const std::lock_guard lock(all.mutex);
  if (all.find(type.name) != nullptr) {
    fail(ErrorCode::already_exists, "a data set named '", type.name, "' is already registered");
  }
  all.types.push_back(std::move(type));
}

void read_dataset(std::string_view name, const fs::path& root, const Parameters& options, RecordSink& sink) {
  const DatasetType& type = dataset_type(name);
  const Parameters complete = complete_parameters(options, type.options, "data set '" + type.name + "'");
  std::error_code error;
  if (!fs::is_directory(root, error)) {
    fail(ErrorCode::not_found, "no folder ", root.string(), " to read the data set '", type.name, "' from");
  }
  type.read(root, complete, sink);
}

}  // namespace medretrieval::imaging
