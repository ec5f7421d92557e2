// What a kind of classifier brings; checks, standardization and cross-validation are shared (classifier.cpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <medretrieval/imaging/classifier.hpp>
#include <medretrieval/matrix.hpp>
#include <memory>
#include <vector>

namespace medretrieval::imaging {

/// Checked training rows: standardized features and the class of each.
struct ClassRows {
  MatrixView features;
  std::vector<ClassId> classes;
  std::size_t class_count = 0;  ///< some of them may have no rows
};

/// A fitted method.
class FittedClassifier {
 public:
  virtual ~FittedClassifier() = default;
  /// rows x class_count; of classes without training rows anything.
  virtual Matrix scores(MatrixView standardized, int threads) const = 0;
};

/// A registered kind.
struct ClassifierMethod {
  ClassifierInfo info;
  /// What is tried where parameters are to be chosen, the smoothest first; one entry, `given` itself, where nothing is.
  std::vector<Parameters> (*candidates)(const Parameters& given, std::size_t dimension);
  /// Parameters are complete, with nothing left to choose.
  std::unique_ptr<FittedClassifier> (*fit)(const Parameters& parameters, const ClassRows& rows,
                                           std::uint64_t seed, int threads);
};

ClassifierMethod svm_method();
ClassifierMethod elm_method();

/// The option of both: how many parts cross-validation makes.
inline OptionSpec folds_spec() {
  return {"folds", std::int64_t{5}, 2, 100, "of the cross-validation, patients kept whole"};
}

}  // namespace medretrieval::imaging
