#include "torch/epoch_judge.hpp"

#include "base/concat.hpp"
#include "torch/network.hpp"

namespace medretrieval::deep {

EpochJudge::EpochJudge(const TrainingPlan& plan, const Network& network, bool several_labels)
    : learns_classes_(plan.objective.classification > 0 && plan.epochs > 0),
      learns_hashing_(!plan.objective.hashing.empty() && plan.objective.hashing_weight > 0 &&
                      plan.epochs > 0),
      classifies_hash_(network.classifies_hash()),
      several_labels_(several_labels) {}

std::optional<double> EpochJudge::value_of(const EpochFigures& figures) const {
  if (learns_hashing_) return figures.map;
  // With several labels most are absent, and a network that tells none of them is nearly always right.
  const auto classes = several_labels_ ? figures.area_under_curve : figures.accuracy;
  if (!classifies_hash_ || !figures.map || !classes) return classes;
  return (*figures.map + *classes) / 2;
}

void EpochJudge::require_comparable_epochs(const Validation& validation) const {
  if (learns_hashing_ ? validation.has_relevant_rows() : validation.has_classes()) return;
  detail::fail(ErrorCode::invalid_argument, "training: patience: expected held-out rows ",
               learns_hashing_   ? "that share a label with rows learned from"
               : several_labels_ ? "with a label that others of them lack"
                                 : "that have labels",
               ", got none");
}

}  // namespace medretrieval::deep
