#include <medretrieval/eval/protocol.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "base/concat.hpp"

namespace medretrieval::eval {

using detail::fail;

namespace {

constexpr std::size_t kCurveLevels = 21;
constexpr std::size_t kResamples = 1000;
constexpr std::size_t kMostRankedAtOnce = 8'000'000;  // hits held in memory
constexpr std::size_t kTimedQueries = 200;

/// Labels by number; those outside the vocabulary are left out, since nothing in the gallery carries them.
std::vector<ClassId> known_labels(const Item& item, const LabelVocabulary& vocabulary) {
  std::vector<ClassId> labels;
  for (const auto& name : item.labels) {
    if (const auto label = vocabulary.find(name)) labels.push_back(*label);
  }
  return labels;
}

/// Labels and patients of the database, and what is relevant for whom.
class Relevance {
 public:
  explicit Relevance(const Snapshot& snapshot) : snapshot_(snapshot), vocabulary_(snapshot.model().labels()) {
    for (const auto id : snapshot.ids()) {
      const Item item = snapshot.item(id);
      labels_[id] = known_labels(item, vocabulary_);
      by_patient_[item.patient].push_back(id);
    }
  }

  bool is_relevant(ItemId id, const Item& query) const {
    return share_a_label(labels_.at(id), known_labels(query, vocabulary_));
  }

  /// The item of the gallery that the query is: the one with its id, else with its key.
  std::optional<ItemId> self(const Item& query) const {
    if (query.id && snapshot_.contains(*query.id)) return query.id;
    return query.key.empty() ? std::nullopt : snapshot_.find_key(query.key);
  }

  /// Eligible items and the relevant ones among them, the query's own patient and the query itself left out.
  std::pair<std::size_t, std::size_t> count(const Item& query) const {
    const auto wanted = known_labels(query, vocabulary_);
    std::size_t relevant = 0;
    for (const auto& [id, labels] : labels_) relevant += share_a_label(labels, wanted);
    std::unordered_set<ItemId> own;
    const auto patient = by_patient_.find(query.patient);
    if (!query.patient.empty() && patient != by_patient_.end()) {
      own.insert(patient->second.begin(), patient->second.end());
    }
    if (const auto itself = self(query)) own.insert(*itself);
    for (const auto id : own) relevant -= share_a_label(labels_.at(id), wanted);
    return {labels_.size() - own.size(), relevant};
  }

 private:
  const Snapshot& snapshot_;
  const LabelVocabulary& vocabulary_;
  std::unordered_map<ItemId, std::vector<ClassId>> labels_;
  std::unordered_map<std::string, std::vector<ItemId>> by_patient_;
};

/// The queries that count: those with something relevant in the database.
struct Counted {
  std::vector<std::size_t> rows;
  std::vector<std::size_t> relevant;  // in the database, for each
  std::vector<std::string> patients;
  double chance = 0;
  std::size_t left_out = 0;
};

Counted count_queries(const QuerySet& queries, const Relevance& relevance) {
  Counted counted;
  for (std::size_t q = 0; q < queries.items.size(); ++q) {
    const auto [eligible, relevant] = relevance.count(queries.items[q]);
    if (relevant == 0) {
      ++counted.left_out;
      continue;
    }
    counted.rows.push_back(q);
    counted.relevant.push_back(relevant);
    counted.patients.push_back(queries.items[q].patient);
    counted.chance += static_cast<double>(relevant) / static_cast<double>(eligible);
  }
  if (counted.rows.empty()) {
    fail(ErrorCode::invalid_argument, "evaluation: none of the ", queries.items.size(),
         " queries shares a label with the database");
  }
  counted.chance /= static_cast<double>(counted.rows.size());
  return counted;
}

std::string name_of(GateMode mode) {
  return mode == GateMode::off ? "off" : mode == GateMode::top1 ? "top1" : "adaptive";
}

std::string name_of(Rerank rerank) {
  switch (rerank) {
    case Rerank::none:
      return "none";
    case Rerank::l2:
      return "l2";
    case Rerank::inner_product:
      return "inner_product";
    case Rerank::cosine:
      break;
  }
  return "cosine";
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// One evaluation in progress.
class Evaluation {
 public:
  Evaluation(const Snapshot& snapshot, const QuerySet& queries, const EvaluationOptions& options)
      : searcher_(snapshot),
        queries_(queries),
        options_(options),
        relevance_(snapshot),
        counted_(count_queries(queries, relevance_)) {
    features_ = Matrix(counted_.rows.size(), queries.features.cols());
    for (std::size_t i = 0; i < counted_.rows.size(); ++i) {
      const auto from = queries.features.row(counted_.rows[i]);
      std::copy(from.begin(), from.end(), features_.row(i).begin());
      contexts_.push_back({.patient = counted_.patients[i], .self = relevance_.self(item(i))});
      if (queries.posteriors.rows() > 0) {
        const auto posterior = queries.posteriors.row(counted_.rows[i]);
        contexts_.back().posterior.assign(posterior.begin(), posterior.end());
      }
    }
    SearchOptions exact = base_options();
    exact.exact = true;
    exact.progress = options.progress;
    for (const auto& result : searcher_.search(features_, exact, contexts_)) {
      neighbours_.emplace_back();
      for (const auto& hit : result.hits) neighbours_.back().insert(hit.id);
    }
  }

  EvaluationRow alone() const {
    EvaluationRow row = start_row(false);
    SearchOptions options = base_options();
    options.exact = encoder() == nullptr;
    options.rerank = options.exact ? Rerank::l2 : Rerank::none;
    options.pool_factor = 1;
    row.microseconds = median_time(options);
    options.k = searcher_.snapshot().size();
    std::vector<double> precisions;
    std::vector<double> averages;
    std::vector<double> recalls;
    row.precision_curve.assign(kCurveLevels, 0);
    const std::size_t batch = std::max<std::size_t>(1, kMostRankedAtOnce / options.k);
    for (std::size_t first = 0; first < features_.rows(); first += batch) {
      const std::size_t count = std::min(batch, features_.rows() - first);
      const auto results = searcher_.search(features_.view().rows_from(first, count), options,
                                            std::span(contexts_).subspan(first, count));
      for (std::size_t i = 0; i < count; ++i) {
        const Ranking ranking = ranking_of(results[i], first + i);
        const std::size_t total = counted_.relevant[first + i];
        precisions.push_back(precision_at(ranking, options_.k));
        averages.push_back(average_precision(ranking, total).expected);
        recalls.push_back(recall_of(results[i], first + i));
        const auto curve = interpolated_precision(ranking, total, kCurveLevels);
        for (std::size_t level = 0; level < kCurveLevels; ++level) {
          row.precision_curve[level] += curve[level] / static_cast<double>(features_.rows());
        }
      }
      report(first + count);
    }
    row.precision = mean(precisions);
    row.precision_interval = bootstrap_interval(precisions, counted_.patients, kResamples, 1);
    row.mean_average_precision = mean(averages);
    row.map_interval = bootstrap_interval(averages, counted_.patients, kResamples, 1);
    row.recall = mean(recalls);
    return row;
  }

  EvaluationRow cascade() const {
    EvaluationRow row = start_row(true);
    SearchOptions options = base_options();
    options.exact = encoder() == nullptr;
    options.pool_factor = options_.pool_factor;
    options.probes = options.exact ? 0 : options_.probes;
    options.rerank = options.exact && options_.rerank == Rerank::none ? Rerank::l2 : options_.rerank;
    if (searcher_.snapshot().model().gate() != nullptr) options.gate = options_.gate;
    row.gate = name_of(options.gate.mode);
    row.pool_factor = options.exact ? 0 : options.pool_factor;
    row.probes = options.probes;
    row.rerank = name_of(options.rerank);
    row.microseconds = median_time(options);
    options.progress = options_.progress;
    const auto results = searcher_.search(features_, options, contexts_);
    std::vector<double> precisions;
    std::vector<double> recalls;
    for (std::size_t i = 0; i < results.size(); ++i) {
      double relevant = 0;
      for (const auto& hit : results[i].hits) relevant += relevance_.is_relevant(hit.id, item(i));
      precisions.push_back(relevant / static_cast<double>(options_.k));
      recalls.push_back(recall_of(results[i], i));
    }
    row.precision = mean(precisions);
    row.precision_interval = bootstrap_interval(precisions, counted_.patients, kResamples, 1);
    row.recall = mean(recalls);
    return row;
  }

 private:
  const Encoder* encoder() const { return searcher_.snapshot().model().encoder(); }
  const Item& item(std::size_t i) const { return queries_.items[counted_.rows[i]]; }

  SearchOptions base_options() const {
    SearchOptions options;
    options.k = options_.k;
    options.threads = options_.threads;
    return options;
  }

  EvaluationRow start_row(bool cascade) const {
    EvaluationRow row;
    row.method = encoder() == nullptr ? "exact" : encoder()->type();
    row.code = encoder() == nullptr ? "float32" : encoder()->layout().to_string();
    row.bits = encoder() == nullptr ? 0 : encoder()->bit_places().size();
    row.cascade = cascade;
    row.k = options_.k;
    row.chance = counted_.chance;
    row.queries = counted_.rows.size();
    row.queries_without_relevant = counted_.left_out;
    return row;
  }

  Ranking ranking_of(const SearchResult& result, std::size_t i) const {
    Ranking ranking;
    for (const auto& hit : result.hits) {
      ranking.distances.push_back(hit.distance);
      ranking.relevant.push_back(relevance_.is_relevant(hit.id, item(i)));
    }
    return ranking;
  }

  double recall_of(const SearchResult& result, std::size_t i) const {
    std::size_t found = 0;
    for (std::size_t h = 0; h < std::min(options_.k, result.hits.size()); ++h) {
      found += neighbours_[i].contains(result.hits[h].id);
    }
    return neighbours_[i].empty() ? 0
                                  : static_cast<double>(found) / static_cast<double>(neighbours_[i].size());
  }

  double median_time(SearchOptions options) const {
    options.threads = 1;
    options.shards = 1;
    std::vector<double> times;
    const std::size_t count = std::min(kTimedQueries, features_.rows());
    searcher_.search(features_.row(0), options, contexts_[0]);  // first touch
    for (std::size_t i = 0; i < count; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      searcher_.search(features_.row(i), options, contexts_[i]);
      times.push_back(
          std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
    }
    std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2),
                     times.end());
    return times[times.size() / 2];
  }

  void report(std::size_t done) const {
    if (options_.progress && !options_.progress({"evaluate", done, features_.rows()})) {
      fail(ErrorCode::cancelled, "evaluate: cancelled after ", done, " of ", features_.rows());
    }
  }

  Searcher searcher_;
  const QuerySet& queries_;
  const EvaluationOptions& options_;
  Relevance relevance_;
  Counted counted_;
  Matrix features_;  // of the queries that count
  std::vector<QueryContext> contexts_;
  std::vector<std::unordered_set<ItemId>> neighbours_;  // the exact ones
};

}  // namespace

std::vector<EvaluationRow> evaluate(const Snapshot& snapshot, const QuerySet& queries,
                                    const EvaluationOptions& options) {
  if (queries.features.rows() != queries.items.size()) {
    fail(ErrorCode::invalid_argument, "evaluation: expected an item for each of the ",
         queries.features.rows(), " queries, got ", queries.items.size());
  }
  if (queries.posteriors.rows() != 0 && queries.posteriors.rows() != queries.items.size()) {
    fail(ErrorCode::invalid_argument, "evaluation: expected posteriors for each of the ",
         queries.items.size(), " queries or for none, got ", queries.posteriors.rows());
  }
  if (options.k == 0 || options.k > snapshot.size()) {
    fail(ErrorCode::invalid_argument, "evaluation: expected k of 1 to the ", snapshot.size(),
         " items of the gallery, got ", options.k);
  }
  const Evaluation evaluation(snapshot, queries, options);
  return {evaluation.alone(), evaluation.cascade()};
}

}  // namespace medretrieval::eval
