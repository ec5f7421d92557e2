/// \file
/// How well a classifier tells the classes of rows: accuracy, its interval over patients, the confusion matrix.
///
/// All functions are thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <medretrieval/eval/metrics.hpp>
#include <medretrieval/labels.hpp>
#include <medretrieval/matrix.hpp>

namespace medretrieval::eval {

/// Of rows with one label each. Figures are shares, 0 to 1.
struct ClassificationReport {
  std::vector<std::string> labels;
  std::size_t rows = 0;
  std::size_t patients = 0;      ///< known ones
  double accuracy = 0;           ///< share of the rows told right
  Interval accuracy_interval;    ///< 95 %, patients resampled
  double balanced_accuracy = 0;  ///< mean over the classes that have rows of the share of those told right
  double chance = 0;             ///< share of the most frequent class among the rows
  std::vector<std::vector<std::size_t>> confusion;  ///< rows by [true class][predicted class]
};

/// \param labels name of every class
/// \param truth,predicted classes, one a row
/// \param patients one a row; rows of unknown patient (an empty name) stand alone
/// \param seed of the interval's 1,000 resamples
/// \throws Error (invalid_argument) without rows, when the sizes differ or a class has no name.
ClassificationReport classification_report(const std::vector<std::string>& labels,
                                           std::span<const ClassId> truth, std::span<const ClassId> predicted,
                                           std::span<const std::string> patients, std::uint64_t seed = 1);

/// One label's figures among rows that may have several.
struct LabelFigures {
  std::string label;
  std::size_t positives = 0;   ///< rows that have it
  double accuracy = 0;         ///< share of the rows told right at a posterior of 0.5
  std::optional<double> area;  ///< under the ROC curve; none where all rows have the label, or no row
};

/// Of rows with any number of labels each.
struct SeveralLabelsReport {
  std::vector<LabelFigures> labels;
  std::size_t rows = 0;
  std::size_t patients = 0;    ///< known ones
  double accuracy = 0;         ///< mean over the labels
  Interval accuracy_interval;  ///< 95 %, patients resampled
  double chance = 0;           ///< mean over the labels of the larger of the shares with and without it
  std::optional<double> area;  ///< mean over the labels that have one
};

/// \param posteriors rows x labels, 0 to 1
/// \throws Error (invalid_argument) without rows or labels, when the sizes differ or a value is not 0 to 1.
SeveralLabelsReport several_labels_report(const std::vector<std::string>& labels, const LabelSets& truth,
                                          MatrixView posteriors, std::span<const std::string> patients,
                                          std::uint64_t seed = 1);

/// Area under the ROC curve: the share of the pairs of a positive and another row in which the positive has the higher
/// score, equal scores counting half.
/// \param positive 1 or 0, one a score
/// \return none without positives or without others
/// \throws Error (invalid_argument) when the sizes differ or a score is NaN.
std::optional<double> area_under_curve(std::span<const float> scores, std::span<const std::uint8_t> positive);

/// The figures and the confusion matrix as text.
std::string text_classification(const ClassificationReport& report);
std::string text_classification(const SeveralLabelsReport& report);

/// {"labels", "rows", "patients", "accuracy", "accuracy_interval", "balanced_accuracy", "chance", "confusion"}.
std::string json_classification(const ClassificationReport& report);
/// {"labels": [{"label", "positives", "accuracy", "area_under_curve"}], "rows", "patients", "accuracy",
/// "accuracy_interval", "chance", "area_under_curve"}; areas that there are not are null.
std::string json_classification(const SeveralLabelsReport& report);

}  // namespace medretrieval::eval
