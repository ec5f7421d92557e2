// Parts of the training rows that share no patient.
#pragma once

#include <cstddef>
#include <cstdint>
#include <medretrieval/labels.hpp>
#include <span>
#include <string>
#include <vector>

namespace medretrieval::imaging {

/// The fold of every row, 0 to `folds` - 1, or fewer where there are fewer patients. All rows of a patient are in one
/// fold. Patients are shuffled by `seed`, then dealt in turn, those of one class (of the patient's first row) after
/// those of another, so that folds have about the same share of every class.
/// \param patients one a row, or empty; rows of unknown patient stand alone
/// \throws Error (invalid_argument) with fewer than two patients.
std::vector<std::size_t> patient_folds(std::span<const ClassId> classes,
                                       std::span<const std::string> patients, std::size_t folds,
                                       std::uint64_t seed);

}  // namespace medretrieval::imaging
