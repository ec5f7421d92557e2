/// \file
/// The evaluation protocol: what every table of this project means.
///
/// `train` rows fit encoders and gate and nothing else; `database` rows are the gallery; `query` rows ask. An
/// item is relevant when it shares at least one label with the query. The query's own patient is never among
/// the answers.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <medretrieval/eval/metrics.hpp>
#include <medretrieval/gallery.hpp>
#include <medretrieval/searcher.hpp>

namespace medretrieval::eval {

/// The queries of an evaluation.
struct QuerySet {
  MatrixView features;
  std::span<const Item> items;  ///< one a row: labels and patient are read
  /// Of every class for every row, from a network; no rows: the gate of the model computes them.
  MatrixView posteriors = {};
};

/// How the cascade of a table's second block searches.
struct EvaluationOptions {
  std::size_t k = 10;
  GateOptions gate = {GateMode::adaptive, 0.95};  ///< taken as off when the model has no gate
  std::size_t pool_factor = 2;
  std::size_t probes = 0;  ///< inverted lists visited; 0: all
  Rerank rerank = Rerank::l2;
  int threads = 0;
  Progress progress = {};
};

/// One row of a table.
struct EvaluationRow {
  std::string method;    ///< the encoder's type, or "exact"
  std::string code;      ///< for example "binary(64)"; "float32" for exact search
  std::size_t bits = 0;  ///< of a code; 0 for exact search
  bool cascade =
      false;  ///< false: the encoder alone, ranking the whole database by code distance without gate
  /// What a cascade was run with; empty for the encoder alone. "off" too when the gallery has no gate.
  std::string gate;
  std::size_t pool_factor = 0;  ///< candidates for each answer; 0 in exact search
  std::size_t probes = 0;       ///< inverted lists visited; 0: all, or no lists
  std::string rerank;
  std::size_t k = 10;
  double precision =
      0;  ///< at k; the encoder alone: expectation over ties; a shortfall counts as irrelevant answers
  Interval precision_interval;  ///< 95 %, patients resampled
  /// Mean average precision of the full ranking, all relevant items in the denominator, expectation over
  /// ties. None for cascades, which rank only a pool.
  std::optional<double> mean_average_precision;
  Interval map_interval;
  double chance = 0;  ///< expected precision of a random ranking of the eligible items
  double recall =
      0;  ///< share of the k exact nearest neighbours in the database (L2, no gate) among the k answers
  double microseconds = 0;  ///< median wall time of one lone query with k answers, on one thread
  std::size_t queries = 0;  ///< that count
  std::size_t queries_without_relevant = 0;  ///< left out
  std::vector<double> precision_curve;  ///< of the encoder alone: interpolated precision at 21 recall levels
};

/// The text of EvaluationRow::mean_average_precision, for tables.
inline constexpr const char* kMapDefinition =
    "full ranking without gate; denominator: all relevant; expectation over ties; queries with nothing "
    "relevant left out";

/// The two rows of one gallery: the encoder alone (exact distance when the model has none), and through the
/// cascade.
/// \throws Error invalid_argument (sizes differ; no query has a label; k above the gallery), not_found (a
///        query label outside the vocabulary is no error: nothing shares it), corrupt, cancelled.
std::vector<EvaluationRow> evaluate(const Snapshot& snapshot, const QuerySet& queries,
                                    const EvaluationOptions& options = {});

}  // namespace medretrieval::eval
