#include "search/query_plan.hpp"

#include <algorithm>

#include "base/concat.hpp"

namespace medretrieval::detail {

Planner::Planner(const SnapshotState& state, const Filter& filter, bool exclude_own_patient, bool need_codes,
                 bool need_features)
    : state_(state),
      base_(rows_that_meet(filter, state)),
      exclude_own_patient_(exclude_own_patient),
      need_codes_(need_codes),
      need_features_(need_features) {}

QueryPlan Planner::plan(const QueryContext& context, const ClassGate* gate, std::span<const float> posterior,
                        const GateOptions& options, std::size_t wanted) const {
  if (gate == nullptr) return plan_classes(context, false, {});
  auto classes = gate->select(posterior, options);
  QueryPlan plan = plan_classes(context, true, classes);
  if (plan.eligible >= wanted) return plan;
  for (const auto label : gate->ranked(posterior)) {
    if (std::find(classes.begin(), classes.end(), label) != classes.end()) continue;
    classes.push_back(label);
    plan = plan_classes(context, true, classes);
    plan.widened = true;
    if (plan.eligible >= wanted) break;
  }
  return plan;
}

/// The base mask without the query's own patient and itself.
RowMask Planner::mask_of(std::size_t part, const QueryContext& context) const {
  const gallery::Segment& segment = *state_.parts[part].segment;
  std::vector<std::uint32_t> excluded;
  const auto* patients = segment.text("patient");
  if (exclude_own_patient_ && !context.patient.empty() && patients != nullptr) {
    if (const auto entry = patients->find(context.patient)) {
      const auto rows = patients->rows_of(*entry);
      excluded.assign(rows.begin(), rows.end());
    }
  }
  if (context.self) {
    if (const auto row = segment.find(*context.self)) excluded.push_back(*row);
  }
  if (excluded.empty()) return base_[part];
  MaskBuilder mask(base_[part], segment.rows());
  for (const auto row : excluded) {
    if (row >= segment.rows()) segment.file().corrupt("the patients name a row that is not there");
    mask.clear(row);
  }
  return mask.finish();
}

QueryPlan Planner::plan_classes(const QueryContext& context, bool gated, std::vector<ClassId> classes) const {
  QueryPlan plan;
  plan.classes = classes;
  std::sort(classes.begin(), classes.end());
  for (std::size_t p = 0; p < state_.parts.size(); ++p) {
    const gallery::Segment& segment = *state_.parts[p].segment;
    const auto rows = static_cast<std::uint32_t>(segment.rows());
    RowMask mask = mask_of(p, context);
    if (!gated) {
      add(plan, p, std::move(mask), 0, rows);
      continue;
    }
    const bool members_elsewhere = std::any_of(
        classes.begin(), classes.end(), [&](ClassId label) { return segment.members(label) != nullptr; });
    if (!members_elsewhere) {  // the class libraries lie contiguous
      for (const auto label : classes) {
        const auto [begin, end] = segment.class_range(label);
        add(plan, p, mask, begin, end);
      }
      continue;
    }
    MaskBuilder admitted(rows);
    for (const auto label : classes) {
      const auto [begin, end] = segment.class_range(label);
      admitted.set_range(begin, end);
      if (const auto members = segment.members(label)) admitted.unite(*members);
    }
    if (mask != nullptr) admitted.intersect(*mask);
    add(plan, p, admitted.finish(), 0, rows);
  }
  return plan;
}

void Planner::add(QueryPlan& plan, std::size_t part, RowMask mask, std::uint32_t begin,
                  std::uint32_t end) const {
  const std::size_t eligible = count_rows(mask, begin, end);
  if (eligible == 0) return;
  const gallery::Segment& segment = *state_.parts[part].segment;
  const CodesView no_codes(CodeLayout::binary(1), nullptr, 0);
  ScanPart scan = {need_codes_ ? segment.codes(begin, end) : no_codes,
                   segment.features(),
                   segment.ids(),
                   static_cast<std::uint32_t>(part),
                   begin,
                   end,
                   mask == nullptr ? nullptr : mask->data()};
  if (need_features_) {
    if (mask == nullptr) {
      segment.ensure_features(begin, end);
    } else {
      for (std::uint32_t row = begin; row < end; ++row) {
        if (((*mask)[row / 64] >> row % 64 & 1) != 0) segment.ensure_features(row, row + 1);
      }
    }
  }
  plan.parts.push_back(scan);
  plan.masks.push_back(std::move(mask));
  plan.eligible += eligible;
}

}  // namespace medretrieval::detail
