#include "search/query_plan.hpp"

#include <algorithm>

#include "base/concat.hpp"
#include "codes/row_words.hpp"

namespace medretrieval::detail {

std::size_t group_of(const SnapshotState& state, const GateOptions& gate, std::size_t group_size) {
  constexpr std::size_t kMostMasks = 64;
  const bool masks = gate.mode != GateMode::off &&
                     std::any_of(state.parts.begin(), state.parts.end(),
                                 [](const auto& part) { return part.segment->has_several_labels(); });
  return masks ? std::min(group_size, kMostMasks) : group_size;
}

Planner::Planner(const EligibleRows& eligible, bool exclude_own_patient, bool need_codes, bool need_features)
    : state_(*eligible.state),
      base_(eligible.parts),
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

/// Rows of the query's own patient and of itself, ascending.
std::vector<std::uint32_t> Planner::excluded_of(std::size_t part, const QueryContext& context) const {
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
  std::sort(excluded.begin(), excluded.end());
  excluded.erase(std::unique(excluded.begin(), excluded.end()), excluded.end());
  if (!excluded.empty() && excluded.back() >= segment.rows()) {
    segment.file().corrupt("the patients name a row that is not there");
  }
  return excluded;
}

QueryPlan Planner::plan_classes(const QueryContext& context, bool gated, std::vector<ClassId> classes) const {
  QueryPlan plan;
  plan.classes = classes;
  std::sort(classes.begin(), classes.end());
  for (std::size_t p = 0; p < state_.parts.size(); ++p) {
    const EligibleRows::Part& base = base_[p];
    plan.excluded.push_back(excluded_of(p, context));
    if (!gated) {
      for (const auto [begin, end] : base.ranges) add(plan, p, base.mask, base.count(begin, end), begin, end);
      continue;
    }
    add_classes(plan, p, classes);
  }
  return plan;
}

/// The rows of a part that carry one of the classes.
void Planner::add_classes(QueryPlan& plan, std::size_t p, const std::vector<ClassId>& classes) const {
  const gallery::Segment& segment = *state_.parts[p].segment;
  const auto rows = static_cast<std::uint32_t>(segment.rows());
  const EligibleRows::Part& base = base_[p];
  const bool members_elsewhere = std::any_of(
      classes.begin(), classes.end(), [&](ClassId label) { return segment.members(label) != nullptr; });
  if (!members_elsewhere) {  // the class libraries lie contiguous
    for (const auto label : classes) {
      const auto of_class = segment.class_range(label);
      for (const auto& range : base.ranges) {
        const std::uint32_t begin = std::max(of_class.first, range.begin);
        const std::uint32_t end = std::min(of_class.second, range.end);
        if (begin < end) add(plan, p, base.mask, base.count(begin, end), begin, end);
      }
    }
    return;
  }
  if (classes.size() == 1 && base.mask == nullptr) {  // no mask to be made
    const auto [begin, end] = segment.class_range(classes.front());
    const RowMask members = segment.members(classes.front());
    add(plan, p, members, count_rows(members, 0, begin), 0, begin);
    add(plan, p, nullptr, end - begin, begin, end);
    add(plan, p, members, count_rows(members, end, rows), end, rows);
    return;
  }
  MaskBuilder admitted(rows);
  for (const auto label : classes) {
    const auto [begin, end] = segment.class_range(label);
    admitted.set_range(begin, end);
    if (const auto members = segment.members(label)) admitted.unite(*members);
  }
  if (base.mask != nullptr) admitted.intersect(*base.mask);
  auto mask = admitted.finish();
  const std::size_t eligible = count_rows(mask, 0, rows);
  add(plan, p, std::move(mask), eligible, 0, rows);
}

/// \param eligible rows of the mask between `begin` and `end`
void Planner::add(QueryPlan& plan, std::size_t part, RowMask mask, std::size_t eligible, std::uint32_t begin,
                  std::uint32_t end) const {
  const auto is_set = [&](std::uint32_t row) {
    return mask == nullptr || ((*mask)[row / 64] >> row % 64 & 1) != 0;
  };
  const auto& excluded = plan.excluded.back();
  const auto from = std::lower_bound(excluded.begin(), excluded.end(), begin);
  const auto to = std::lower_bound(from, excluded.end(), end);
  eligible -= static_cast<std::size_t>(std::count_if(from, to, is_set));
  if (eligible == 0) return;
  const gallery::Segment& segment = *state_.parts[part].segment;
  const CodesView no_codes(CodeLayout::binary(1), nullptr, 0);
  const std::uint64_t* words = mask == nullptr ? nullptr : mask->data();
  std::span<const std::uint32_t> rows;
  if (mask != nullptr && mask == base_[part].mask) {
    const auto& all = base_[part].rows;
    const auto first = std::lower_bound(all.begin(), all.end(), begin);
    rows = {first, std::lower_bound(first, all.end(), end)};
  }
  plan.parts.push_back({need_codes_ ? segment.codes(begin, end) : no_codes, segment.features(), segment.ids(),
                        static_cast<std::uint32_t>(part), begin, end, words, std::span(from, to),
                        segment.lists(), rows});
  if (need_features_) check_features(plan.parts.back(), base_[part]);
  plan.masks.push_back(std::move(mask));
  plan.eligible += eligible;
}

/// What an exact search will read.
void Planner::check_features(const ScanPart& part, const EligibleRows::Part& base) const {
  const gallery::Segment& segment = *state_.parts[part.segment].segment;
  if (part.masks == nullptr) return segment.ensure_features(part.begin, part.end);
  if (!part.rows.empty()) {
    if (base.rows_checked->load(std::memory_order_acquire)) return;
    segment.ensure_features(part.rows);
    if (part.rows.size() == base.rows.size()) base.rows_checked->store(true, std::memory_order_release);
    return;
  }
  if (segment.file().is_checked()) return;
  for_each_set(part.masks, part.begin, part.end,
               [&](std::uint32_t row) { segment.ensure_features(row, std::size_t{row} + 1); });
}

}  // namespace medretrieval::detail
