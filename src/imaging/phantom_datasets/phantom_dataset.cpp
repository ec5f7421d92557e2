#include <medretrieval/imaging/phantom_dataset.hpp>

#include "base/concat.hpp"
#include "imaging/phantom_datasets/form.hpp"
#include "imaging/require_range.hpp"

// The forms, one line each. `name` stands for a function `Form name_form()` in a source file of this folder.
#define MEDRETRIEVAL_PHANTOM_FORMS(FORM) \
  FORM(chestx_ray14)                     \
  FORM(chexpert)                         \
  FORM(deeplesion)                       \
  FORM(luna16)                           \
  FORM(lidc_idri)

namespace medretrieval::imaging {

using detail::fail;

namespace phantom {
#define MEDRETRIEVAL_DECLARE(name) Form name##_form();
MEDRETRIEVAL_PHANTOM_FORMS(MEDRETRIEVAL_DECLARE)
#undef MEDRETRIEVAL_DECLARE
}  // namespace phantom

namespace {

std::vector<phantom::Form> all_forms() {
#define MEDRETRIEVAL_ADD(name) phantom::name##_form(),
  return {MEDRETRIEVAL_PHANTOM_FORMS(MEDRETRIEVAL_ADD)};
#undef MEDRETRIEVAL_ADD
}

phantom::Form form_named(std::string_view name) {
  std::string known;
  for (const phantom::Form& form : all_forms()) {
    if (form.name == name) return form;
    known.append(known.empty() ? "" : ", ").append(form.name);
  }
  fail(ErrorCode::not_found, "no phantoms in the form of '", name, "'; the known forms: ", known);
}

}  // namespace

void PhantomDatasetOptions::validate() const {
  require_range("patients", patients, 1, 99'999);
  require_range("images_per_patient", images_per_patient, 1, 64);
  require_range("slices", slices, 3, 64);
  require_range("side", side, 64, 1024);
}

std::vector<std::string> phantom_dataset_names() {
  std::vector<std::string> names;
  for (const phantom::Form& form : all_forms()) names.emplace_back(form.name);
  return names;
}

std::string phantom_dataset_description(std::string_view name) {
  return std::string(form_named(name).description);
}

bool phantom_dataset_has_scans(std::string_view name) {
  return form_named(name).has_scans;
}

PhantomDatasetCounts write_phantom_dataset(std::string_view name, const std::filesystem::path& folder,
                                           const PhantomDatasetOptions& options, const Progress& progress) {
  const phantom::Form form = form_named(name);
  options.validate();
  return form.write(folder, options, progress);
}

}  // namespace medretrieval::imaging
