// What one query may look at: the rows its gate and filters leave.
#pragma once

#include <medretrieval/class_gate.hpp>
#include <medretrieval/searcher.hpp>
#include <vector>

#include "gallery/snapshot_state.hpp"
#include "search/row_masks.hpp"

namespace medretrieval::detail {

/// Moved, never copied: the parts point into it.
struct QueryPlan {
  QueryPlan() = default;
  QueryPlan(const QueryPlan&) = delete;
  QueryPlan& operator=(const QueryPlan&) = delete;
  QueryPlan(QueryPlan&&) = default;
  QueryPlan& operator=(QueryPlan&&) = default;
  ~QueryPlan() = default;

  std::vector<ScanPart> parts;
  std::vector<RowMask> masks;                        ///< that the parts point into
  std::vector<std::vector<std::uint32_t>> excluded;  ///< that the parts point into, one for each segment
  std::size_t eligible = 0;
  std::vector<ClassId> classes;  ///< searched; empty without a gate
  bool widened = false;
};

/// How many queries are planned together: the plans of a gate over several labels an item hold a mask each.
std::size_t group_of(const SnapshotState& state, const GateOptions& gate, std::size_t group_size);

/// Makes the plans of one search call.
class Planner {
 public:
  /// \param eligible outlives the planner
  /// \param need_codes check the code blocks that will be scanned
  /// \param need_features check the feature blocks of every eligible row (exact search)
  Planner(const EligibleRows& eligible, bool exclude_own_patient, bool need_codes, bool need_features);

  /// \param gate null without a gate
  /// \param posterior of every class, when there is a gate
  /// \param wanted widen the gate until so many rows are eligible; 0: never
  QueryPlan plan(const QueryContext& context, const ClassGate* gate, std::span<const float> posterior,
                 const GateOptions& options, std::size_t wanted) const;

 private:
  QueryPlan plan_classes(const QueryContext& context, bool gated, std::vector<ClassId> classes) const;
  void add_classes(QueryPlan& plan, std::size_t part, const std::vector<ClassId>& classes) const;
  std::vector<std::uint32_t> excluded_of(std::size_t part, const QueryContext& context) const;
  void add(QueryPlan& plan, std::size_t part, RowMask mask, std::size_t eligible, std::uint32_t begin,
           std::uint32_t end) const;
  void check_features(const ScanPart& part, const EligibleRows::Part& base) const;

  const SnapshotState& state_;
  const std::vector<EligibleRows::Part>& base_;
  bool exclude_own_patient_;
  bool need_codes_;
  bool need_features_;
};

}  // namespace medretrieval::detail
