/// \file
/// The class gate: which classes' libraries a query searches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <medretrieval/bytes.hpp>
#include <medretrieval/labels.hpp>
#include <medretrieval/matrix.hpp>
#include <medretrieval/progress.hpp>

namespace medretrieval {

/// How the gate chooses classes from their posterior probabilities.
enum class GateMode {
  off,   ///< no gate: every item is searched, unlabelled ones too
  top1,  ///< the most probable class only (paper 001); a wrong prediction hides every right case
  /// As many classes as the level asks for, so that an unsure classifier widens the search. One label an
  /// item: the smallest set of classes whose calibrated posteriors sum to the level. Several: all labels
  /// whose posterior reaches a threshold that held-out rows' true labels reached at that level (split
  /// conformal prediction). Classes without training rows are always searched: nothing is known against them.
  adaptive,
};

struct GateOptions {
  GateMode mode = GateMode::off;
  double level = 0.95;  ///< of adaptive; above 0, below 1

  /// \throws Error (invalid_argument).
  void validate() const;
};

/// Linear class posteriors: logistic regression on standardized features, multinomial for one label a row,
/// one-against-rest for several.
struct LinearClassifier {
  Matrix weights;              ///< classes x dimension
  std::vector<float> offsets;  ///< one for each class
  bool one_against_rest = false;
};

/// How ClassGate::train learns.
struct GateTraining {
  double regularization = 0.1;   ///< of the squared weights of standardized features, above 0
  std::size_t iterations = 300;  ///< at most, of L-BFGS
  int threads = 0;               ///< 0: all
  Progress progress = {};
};

/// What is known of the classifier whose posteriors are calibrated.
struct GateCalibration {
  /// Whether posteriors are of several labels a row, also where the rows at hand happen to have one each.
  bool several_labels = false;
  /// Classes that the classifier saw no rows of; the gate never closes them.
  std::vector<ClassId> untrained = {};
};

/// Posteriors and their calibration. Immutable and thread-safe.
class ClassGate {
 public:
  /// Learns a classifier from about four fifths of the labelled rows and calibrates it on the others. No
  /// patient is on both sides; rows of unknown patient stand alone. Rows without labels are left out. Every
  /// class keeps rows to learn from.
  /// \param patients one a row, or empty: unknown
  /// \throws Error invalid_argument (fewer than two classes, two patients or ten labelled rows; no patient whose
  ///        classes others have too; sizes that differ), cancelled.
  static ClassGate train(MatrixView features, const LabelSets& labels, std::size_t class_count,
                         std::span<const std::string> patients, const GateTraining& training = {});

  /// For posteriors that come from elsewhere, a network say: only the calibration, learned from held-out
  /// rows. Queries must then bring their posteriors along.
  /// \param posteriors rows x classes, each 0 to 1; with one label a row, every row sums to 1
  /// \throws Error (invalid_argument).
  static ClassGate calibrate(MatrixView posteriors, const LabelSets& labels,
                             const GateCalibration& calibration = {});

  std::size_t class_count() const noexcept { return trained_.size(); }
  /// False after calibrate(): posteriors() then throws.
  bool has_classifier() const noexcept { return classifier_.has_value(); }
  /// Width of the features that posteriors() takes; 0 without a classifier.
  std::size_t dimension() const noexcept { return classifier_ ? classifier_->weights.cols() : 0; }
  bool several_labels() const noexcept { return several_labels_; }
  /// Whether training rows of that class were seen.
  bool is_trained(ClassId label) const noexcept { return trained_[label] != 0; }

  /// Posterior of every class for every row, uncalibrated: rows x class_count().
  /// \throws Error unsupported (no classifier), invalid_argument (features).
  Matrix posteriors(MatrixView features, int threads = 0) const;

  /// The classes to search for one query, the most probable first. Never empty unless the mode is off, which
  /// gives none.
  /// \param posterior class_count() values
  /// \throws Error (invalid_argument) for another length, a value outside 0..1 or bad options.
  std::vector<ClassId> select(std::span<const float> posterior, const GateOptions& options) const;

  /// All classes, the most probable first, ties by number; those without training rows last.
  std::vector<ClassId> ranked(std::span<const float> posterior) const;

  void write(ByteWriter& writer) const;
  /// \throws Error (corrupt).
  static ClassGate read(ByteReader& reader);

 private:
  ClassGate() = default;
  void fit_calibration(MatrixView posteriors, const LabelSets& labels);

  std::optional<LinearClassifier> classifier_;
  bool several_labels_ = false;
  std::vector<std::uint8_t> trained_;         // one for each class
  double temperature_ = 1;                    // one label: posteriors are raised to 1 / temperature
  std::vector<float> true_label_posteriors_;  // several labels: of the held-out rows, ascending
};

}  // namespace medretrieval
