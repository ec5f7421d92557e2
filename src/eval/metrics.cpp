#include <medretrieval/eval/metrics.hpp>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/concat.hpp"
#include "base/random.hpp"

namespace medretrieval::eval {

using detail::fail;

namespace {

/// A run of equal distances.
struct Tie {
  std::size_t begin = 0;  // items before it
  std::size_t size = 0;
  std::size_t relevant = 0;  // in it
  std::size_t relevant_before = 0;
};

std::vector<Tie> ties_of(const Ranking& ranking) {
  if (ranking.distances.size() != ranking.relevant.size()) {
    fail(ErrorCode::invalid_argument, "ranking: expected a relevance for each of the ",
         ranking.distances.size(), " distances, got ", ranking.relevant.size());
  }
  std::vector<Tie> ties;
  std::size_t relevant = 0;
  for (std::size_t i = 0; i < ranking.distances.size(); ++i) {
    if (i == 0 || ranking.distances[i] != ranking.distances[i - 1]) {
      if (i > 0 && !(ranking.distances[i - 1] < ranking.distances[i])) {
        fail(ErrorCode::invalid_argument, "ranking: expected ascending distances, got ", ranking.distances[i],
             " after ", ranking.distances[i - 1]);
      }
      ties.push_back({i, 0, 0, relevant});
    }
    ++ties.back().size;
    ties.back().relevant += ranking.relevant[i] != 0;
    relevant += ranking.relevant[i] != 0;
  }
  return ties;
}

void check_total(const std::vector<Tie>& ties, std::size_t total_relevant) {
  const std::size_t found = ties.empty() ? 0 : ties.back().relevant_before + ties.back().relevant;
  if (total_relevant == 0 || found > total_relevant) {
    fail(ErrorCode::invalid_argument, "average precision: expected at least the ", found,
         " relevant items of the ranking as denominator, and not 0, got ", total_relevant);
  }
}

/// Sum of precisions at `count` consecutive ranks after `rank`, all relevant.
double precisions_in_a_row(std::size_t relevant_before, std::size_t rank, std::size_t count) {
  double sum = 0;
  for (std::size_t i = 1; i <= count; ++i) {
    sum += static_cast<double>(relevant_before + i) / static_cast<double>(rank + i);
  }
  return sum;
}

/// Expected sum of precisions at the relevant items of a tie: at place i an item is relevant with probability
/// r / n, and then (i - 1)(r - 1) / (n - 1) relevant ones of the tie stand before it on average.
double expected_precisions(const Tie& tie) {
  const auto n = static_cast<double>(tie.size);
  const auto r = static_cast<double>(tie.relevant);
  if (tie.relevant == 0) return 0;
  double sum = 0;
  for (std::size_t i = 1; i <= tie.size; ++i) {
    const double before = tie.size == 1 ? 0 : static_cast<double>(i - 1) * (r - 1) / (n - 1);
    sum +=
        r / n * (static_cast<double>(tie.relevant_before) + before + 1) / static_cast<double>(tie.begin + i);
  }
  return sum;
}

}  // namespace

AveragePrecision average_precision(const Ranking& ranking, std::size_t total_relevant) {
  const auto ties = ties_of(ranking);
  check_total(ties, total_relevant);
  AveragePrecision result;
  for (const auto& tie : ties) {
    result.expected += expected_precisions(tie);
    result.best += precisions_in_a_row(tie.relevant_before, tie.begin, tie.relevant);
    result.worst +=
        precisions_in_a_row(tie.relevant_before, tie.begin + tie.size - tie.relevant, tie.relevant);
  }
  const auto total = static_cast<double>(total_relevant);
  return {result.expected / total, result.worst / total, result.best / total};
}

double precision_at(const Ranking& ranking, std::size_t k) {
  if (k == 0) fail(ErrorCode::invalid_argument, "precision: expected k of at least 1, got 0");
  double relevant = 0;
  for (const auto& tie : ties_of(ranking)) {
    if (tie.begin >= k) break;
    const std::size_t inside = std::min(tie.size, k - tie.begin);
    relevant +=
        static_cast<double>(tie.relevant) * static_cast<double>(inside) / static_cast<double>(tie.size);
  }
  return relevant / static_cast<double>(k);
}

std::vector<double> interpolated_precision(const Ranking& ranking, std::size_t total_relevant,
                                           std::size_t levels) {
  const auto ties = ties_of(ranking);
  check_total(ties, total_relevant);
  if (levels < 2)
    fail(ErrorCode::invalid_argument, "precision curve: expected at least 2 levels, got ", levels);
  std::vector<double> curve(levels);
  double best = 0;
  std::size_t open = levels;  // levels from here on are filled
  for (std::size_t t = ties.size(); t-- > 0;) {
    const auto& tie = ties[t];
    const std::size_t found = tie.relevant_before + tie.relevant;
    // Levels above this tie's recall keep the best precision seen so far.
    while (open > 0 && static_cast<double>(open - 1) * static_cast<double>(total_relevant) >
                           static_cast<double>(found) * static_cast<double>(levels - 1) + 1e-9) {
      curve[--open] = best;
    }
    best = std::max(best, static_cast<double>(found) / static_cast<double>(tie.begin + tie.size));
  }
  while (open > 0) curve[--open] = best;
  return curve;
}

Interval bootstrap_interval(std::span<const double> values, std::span<const std::string> groups,
                            std::size_t resamples, std::uint64_t seed) {
  if (values.empty() || values.size() != groups.size() || resamples < 100) {
    fail(ErrorCode::invalid_argument,
         "bootstrap: expected values with a group each and at least 100 resamples, got ", values.size(),
         " values, ", groups.size(), " groups and ", resamples, " resamples");
  }
  std::map<std::string, std::pair<double, double>> sums;  // of values, and how many, by group
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto& sum = sums[groups[i].empty() ? "\n " + std::to_string(i) : groups[i]];
    sum.first += values[i];
    ++sum.second;
  }
  std::vector<std::pair<double, double>> drawn_from;
  drawn_from.reserve(sums.size());
  for (const auto& [name, sum] : sums) drawn_from.push_back(sum);
  detail::Random random(seed);
  std::vector<double> means;
  means.reserve(resamples);
  for (std::size_t r = 0; r < resamples; ++r) {
    double sum = 0;
    double count = 0;
    for (std::size_t i = 0; i < drawn_from.size(); ++i) {
      const auto& [value, number] = drawn_from[random.below(drawn_from.size())];
      sum += value;
      count += number;
    }
    means.push_back(sum / count);
  }
  std::sort(means.begin(), means.end());
  const auto last = static_cast<double>(means.size() - 1);
  return {means[static_cast<std::size_t>(0.025 * last)],
          means[static_cast<std::size_t>(std::lround(0.975 * last))]};
}

}  // namespace medretrieval::eval
