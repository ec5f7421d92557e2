/// \file
/// Classifiers of feature vectors that are no networks: what deep networks are compared with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <medretrieval/labels.hpp>
#include <medretrieval/matrix.hpp>
#include <medretrieval/parameters.hpp>
#include <medretrieval/progress.hpp>

namespace medretrieval::imaging {

/// A trained classifier. Immutable and thread-safe.
class Classifier {
 public:
  virtual ~Classifier() = default;
  /// The registered name, for example "svm".
  virtual std::string_view name() const noexcept = 0;
  /// Every option, those that cross-validation chose with their value.
  virtual const Parameters& parameters() const noexcept = 0;
  /// Width of the features it takes.
  virtual std::size_t dimension() const noexcept = 0;
  virtual std::size_t class_count() const noexcept = 0;

  /// rows x class_count(), larger is more likely; what they measure depends on the method, so they compare the classes
  /// of a row only. Classes without training rows get minus infinity.
  /// \param threads 0: all; the answer does not depend on it
  /// \throws Error (invalid_argument) for features of another width, NaN or infinity.
  virtual Matrix scores(MatrixView features, int threads = 0) const = 0;
  /// The class of the largest score of every row, the lowest number where several are equal.
  /// \throws Error as scores().
  std::vector<ClassId> predict(MatrixView features, int threads = 0) const;
};

/// A registered kind of classifier.
struct ClassifierInfo {
  std::string name;
  std::string description;          ///< one line
  std::vector<OptionSpec> options;  ///< their schema
};

/// The registered names: "svm", "elm".
std::vector<std::string> classifier_names();
/// \throws Error (not_found) that lists the registered names.
const ClassifierInfo& classifier_info(std::string_view name);

struct ClassifierOptions {
  std::string method = "svm";
  /// Those left out take their defaults.
  ///
  /// "svm": OpenCV's support vector machine with soft margin and the kernel exp(-gamma |x - y|^2), one for each pair of
  /// classes, which vote; a sum of their decision values bounded by a half decides between equal votes. `c`, the
  /// price of a row on the wrong side, and `gamma`; 0: chosen by cross-validation among 0.1, 1, 10, 100 and among a
  /// quarter of, once and four times 1 / dimension.
  ///
  /// "elm": the extreme learning machine (Huang et al. 2006): `nodes` hidden nodes with a sigmoid and random weights
  /// that are not learned (normal with variance 1 / dimension, offsets uniform in -1..1), and output weights by least
  /// squares towards 1 for the row's class and -1 for others, with `ridge` times their square; 0: chosen by
  /// cross-validation among 10^3, 10^2, ... 10^-3.
  ///
  /// `folds` of the cross-validation keep patients whole.
  Parameters parameters = {};
  std::uint64_t seed = 1;  ///< of the hidden nodes and of the folds
  int threads = 0;         ///< 0: all
  Progress progress = {};  ///< counts trainings of the cross-validation

  /// \throws Error not_found (method), invalid_argument (see complete_parameters).
  void validate() const;
};

/// Trains a classifier. Features are standardized with mean and deviation of the training rows. The same options and
/// data give the same classifier at any number of threads, on one kind of processor.
///
/// Cross-validation takes what tells most rows of the left-out folds right, and of equals the smoothest.
/// \param labels one label a row
/// \param class_count above every label
/// \param patients one a row, or empty; rows of unknown patient (an empty name) stand alone in the folds
/// \throws Error not_found (method), unsupported (a row with several labels), invalid_argument (options; sizes that
///         differ; a row without label; NaN or infinity; fewer than two classes among the rows; fewer than two patients
///         where a value is to be chosen; a ridge too small for a solution), cancelled.
std::unique_ptr<Classifier> train_classifier(const ClassifierOptions& options, MatrixView features,
                                             const LabelSets& labels, std::size_t class_count,
                                             std::span<const std::string> patients = {});

}  // namespace medretrieval::imaging
