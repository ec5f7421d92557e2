// What one query may look at: the rows its gate and filters leave.
#pragma once

#include <medretrieval/class_gate.hpp>
#include <medretrieval/searcher.hpp>
#include <vector>

#include "gallery/snapshot_state.hpp"
#include "search/row_masks.hpp"

namespace medretrieval::detail {

struct QueryPlan {
  std::vector<ScanPart> parts;
  std::vector<RowMask> masks;                        ///< that the parts point into
  std::vector<std::vector<std::uint32_t>> excluded;  ///< that the parts point into, one for each segment
  std::size_t eligible = 0;
  std::vector<ClassId> classes;  ///< searched; empty without a gate
  bool widened = false;
};

/// Makes the plans of one search call.
class Planner {
 public:
  /// \param need_codes check the code blocks that will be scanned
  /// \param need_features check the feature blocks of every eligible row (exact search)
  /// \throws Error see rows_that_meet().
  Planner(const SnapshotState& state, const Filter& filter, bool exclude_own_patient, bool need_codes,
          bool need_features);

  /// \param gate null without a gate
  /// \param posterior of every class, when there is a gate
  /// \param wanted widen the gate until so many rows are eligible; 0: never
  QueryPlan plan(const QueryContext& context, const ClassGate* gate, std::span<const float> posterior,
                 const GateOptions& options, std::size_t wanted) const;

 private:
  /// Rows that meet the filter, and how many there are before each word of the mask.
  struct BaseRows {
    RowMask mask;
    std::vector<std::uint32_t> before;

    std::size_t count(std::size_t begin, std::size_t end) const;
  };

  QueryPlan plan_classes(const QueryContext& context, bool gated, std::vector<ClassId> classes) const;
  std::vector<std::uint32_t> excluded_of(std::size_t part, const QueryContext& context) const;
  void add(QueryPlan& plan, std::size_t part, RowMask mask, std::size_t eligible, std::uint32_t begin,
           std::uint32_t end) const;

  const SnapshotState& state_;
  std::vector<BaseRows> base_;
  bool exclude_own_patient_;
  bool need_codes_;
  bool need_features_;
};

}  // namespace medretrieval::detail
