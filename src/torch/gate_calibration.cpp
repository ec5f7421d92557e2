#include "torch/gate_calibration.hpp"

#include "torch/deep_model_state.hpp"

namespace medretrieval::deep {

namespace {

constexpr std::size_t kCalibrationRows = 10;  // fewer tell nothing of a level of 0.95

/// Classes without rows to learn from.
std::vector<ClassId> untrained_classes(const TrainingSet& set) {
  const Tensor counts = set.labels_of(set.training_rows()).sum(0);
  std::vector<ClassId> classes;
  for (std::int64_t label = 0; label < counts.size(0); ++label) {
    if (counts[label].item<float>() == 0) classes.push_back(static_cast<ClassId>(label));
  }
  return classes;
}

/// \param marks rows x classes, 0 or 1
LabelSets label_sets(const Tensor& marks) {
  LabelSets labels;
  for (std::int64_t row = 0; row < marks.size(0); ++row) {
    std::vector<ClassId> own;
    for (std::int64_t label = 0; label < marks.size(1); ++label) {
      if (marks[row][label].item<float>() > 0) own.push_back(static_cast<ClassId>(label));
    }
    labels.add_row(own);
  }
  return labels;
}

}  // namespace

std::shared_ptr<const ClassGate> calibrated_gate(const RowRunner& runner) {
  const TrainingSet& set = runner.set;
  std::vector<std::size_t> rows;
  for (const auto row : set.validation_rows()) {
    if ((set.labels()[static_cast<std::int64_t>(row)].sum() > 0).item<bool>()) rows.push_back(row);
  }
  if (rows.size() < kCalibrationRows) return nullptr;
  const Tensor posteriors = posteriors_of(runner.answers_of(rows).logits, set.several_labels()).contiguous();
  return std::make_shared<const ClassGate>(
      ClassGate::calibrate(MatrixView(posteriors.data_ptr<float>(), rows.size(), set.label_names().size()),
                           label_sets(set.labels_of(rows)),
                           {.several_labels = set.several_labels(), .untrained = untrained_classes(set)}));
}

}  // namespace medretrieval::deep
