// Search written a second time, row by row and without any of the library's search code: what Searcher must
// equal.
#pragma once

#include <algorithm>
#include <limits>
#include <map>
#include <medretrieval/searcher.hpp>
#include <numeric>
#include <set>

#include "index/nearest_lists.hpp"
#include "kernels/kernel_table.hpp"
#include "support/small_gallery.hpp"

namespace medretrieval::testing {

/// The live items of a gallery, as plain lists.
struct PlainGallery {
  Model model;
  Matrix features;
  std::vector<Item> items;
  std::vector<ItemId> ids;

  /// Distance of a vector to the codes of vectors, through codes in one plain block.
  std::vector<float> plain_distances(std::span<const float> query, MatrixView coded) const {
    const Codes codes = model.encoder()->encode(coded);
    std::vector<ItemId> rows(coded.rows());
    std::iota(rows.begin(), rows.end(), ItemId{0});
    CandidatePool pool({});
    model.encoder()
        ->scorer(MatrixView(query))
        ->begin(0)
        ->scan({codes, {}, rows, 0, 0, static_cast<std::uint32_t>(rows.size()), nullptr}, pool);
    std::vector<float> distances(rows.size());
    for (const auto& candidate : pool.take()) distances[candidate.id] = candidate.distance;
    return distances;
  }

  /// Code distance of a query to every item.
  std::vector<float> code_distances(std::span<const float> query) const {
    if (!model.codes_residuals()) return plain_distances(query, features);
    std::vector<float> distances;
    const auto lists = model.lists()->assign(features);
    for (std::size_t row = 0; row < ids.size(); ++row) {
      const Matrix item = model.lists()->residuals(features.view().rows_from(row, 1), {&lists[row], 1});
      const Matrix asked = model.lists()->residuals(MatrixView(query), {&lists[row], 1});
      distances.push_back(plain_distances(asked.row(0), item).front());
    }
    return distances;
  }

  /// Those of the rows whose lists are visited.
  std::vector<std::size_t> visited(std::span<const float> query, const std::vector<std::size_t>& rows,
                                   std::size_t probes, std::size_t wanted) const {
    if (probes == 0) return rows;
    index::NearestLists order(*model.lists(), MatrixView(query),
                              model.lists()->nearest(MatrixView(query), probes).front());
    const auto lists = model.lists()->assign(features);
    std::map<std::uint32_t, std::vector<std::size_t>> members;
    for (const auto row : rows) members[lists[row]].push_back(row);
    std::vector<std::size_t> chosen;
    std::size_t count = 0;
    while (count < probes || chosen.size() < wanted) {
      const auto list = order.next();
      if (!list) break;
      if (!members.contains(*list)) continue;
      ++count;
      chosen.insert(chosen.end(), members[*list].begin(), members[*list].end());
    }
    return chosen;
  }

  float exact_distance(std::span<const float> query, std::size_t row, Rerank rerank) const {
    const auto& kernel = kernels::kScalarKernels;
    const float* x = features.row(row).data();
    const auto product = [&](const float* a, const float* b) {
      float value = 0;
      kernel.inner_product(a, b, 0, nullptr, 1, query.size(), &value);
      return value;
    };
    if (rerank == Rerank::inner_product) return 0.0F - product(query.data(), x);
    if (rerank == Rerank::cosine) {
      const double scale = std::sqrt(static_cast<double>(product(query.data(), query.data())) *
                                     static_cast<double>(product(x, x)));
      return scale == 0 ? 1.0F
                        : static_cast<float>(1 - static_cast<double>(product(query.data(), x)) / scale);
    }
    float value = 0;
    kernel.l2_squared(query.data(), x, 0, nullptr, 1, query.size(), &value);
    return value;
  }

  bool meets(const Filter& filter, std::size_t row) const {
    const Item& item = items[row];
    const auto any = [](const std::vector<std::string>& list, const std::string& value) {
      return std::find(list.begin(), list.end(), value) != list.end();
    };
    if (!filter.labels.empty() &&
        std::none_of(item.labels.begin(), item.labels.end(),
                     [&](const auto& label) { return any(filter.labels, label); })) {
      return false;
    }
    if (!filter.modalities.empty() && !any(filter.modalities, item.modality)) return false;
    if (filter.from && (!item.date || *item.date < *filter.from)) return false;
    if (filter.to && (!item.date || *filter.to < *item.date)) return false;
    if (any(filter.exclude_patients, item.patient) && !item.patient.empty()) return false;
    if (filter.ids && std::find(filter.ids->begin(), filter.ids->end(), ids[row]) == filter.ids->end())
      return false;
    for (const auto& condition : filter.texts) {
      const auto found = item.attributes.find(condition.column);
      const std::string value = condition.column == "study"      ? item.study
                                : found == item.attributes.end() ? ""
                                                                 : std::get<std::string>(found->second);
      if (!any(condition.any_of, value)) return false;
    }
    for (const auto& condition : filter.numbers) {
      const auto found = item.attributes.find(condition.column);
      if (found == item.attributes.end()) return false;
      const double value = std::get<double>(found->second);
      if (value < condition.minimum || value > condition.maximum) return false;
    }
    return true;
  }

  bool carries(std::size_t row, const std::vector<ClassId>& classes) const {
    return std::any_of(items[row].labels.begin(), items[row].labels.end(), [&](const auto& name) {
      return std::find(classes.begin(), classes.end(), model.labels().at(name)) != classes.end();
    });
  }

  std::vector<std::size_t> eligible(const SearchOptions& options, const QueryContext& context, bool gated,
                                    const std::vector<ClassId>& classes) const {
    std::vector<std::size_t> rows;
    for (std::size_t row = 0; row < ids.size(); ++row) {
      if (gated && !carries(row, classes)) continue;
      if (!meets(options.filter, row)) continue;
      if (options.exclude_own_patient && !context.patient.empty() && items[row].patient == context.patient)
        continue;
      if (context.self && ids[row] == *context.self) continue;
      rows.push_back(row);
    }
    return rows;
  }

  SearchResult search(std::span<const float> query, const SearchOptions& options,
                      const QueryContext& context) const {
    SearchResult result;
    const bool gated = options.gate.mode != GateMode::off;
    if (gated) {
      std::vector<float> posterior = context.posterior;
      if (posterior.empty()) {
        const Matrix computed = model.gate()->posteriors(MatrixView(query));
        posterior.assign(computed.row(0).begin(), computed.row(0).end());
      }
      result.classes_searched = model.gate()->select(posterior, options.gate);
      for (const auto label : model.gate()->ranked(posterior)) {
        if (!options.widen_gate ||
            eligible(options, context, true, result.classes_searched).size() >= options.k) {
          break;
        }
        auto& classes = result.classes_searched;
        if (std::find(classes.begin(), classes.end(), label) != classes.end()) continue;
        classes.push_back(label);
        result.gate_widened = true;
      }
    }
    const auto rows = eligible(options, context, gated, result.classes_searched);
    result.eligible = rows.size();
    const auto codes = options.exact ? std::vector<float>() : code_distances(query);
    std::size_t pool_size = options.exact ? options.k : options.k * options.pool_factor;
    for (;; pool_size *= 2) {
      const auto within =
          visited(query, rows, options.exact ? 0 : options.probes, std::min(pool_size, rows.size()));
      result.hits = ranked(query, options, within, codes, pool_size, result.pool_size);
      if (result.hits.size() >= options.k || pool_size >= rows.size()) break;
    }
    if (result.hits.size() > options.k) result.hits.resize(options.k);
    result.shortfall = options.k - result.hits.size();
    return result;
  }

 private:
  static bool nearer(const Hit& a, const Hit& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.id < b.id;
  }

  std::vector<Hit> ranked(std::span<const float> query, const SearchOptions& options,
                          const std::vector<std::size_t>& rows, const std::vector<float>& codes,
                          std::size_t pool_limit, std::size_t& pool_size) const {
    std::map<ItemId, std::size_t> row_of;
    std::vector<Hit> pool;
    for (const auto row : rows) {
      row_of[ids[row]] = row;
      const float first = options.exact ? exact_distance(query, row, options.rerank) : codes[row];
      pool.push_back({ids[row], first, options.exact ? std::numeric_limits<float>::quiet_NaN() : first});
    }
    std::sort(pool.begin(), pool.end(), nearer);
    if (pool.size() > pool_limit) pool.resize(pool_limit);
    pool_size = pool.size();
    if (!options.exact && options.rerank != Rerank::none) {
      for (auto& hit : pool) hit.distance = exact_distance(query, row_of[hit.id], options.rerank);
      std::sort(pool.begin(), pool.end(), nearer);
    }
    if (options.group_by == GroupBy::image) return pool;
    std::set<std::string> seen;
    std::vector<Hit> first;
    for (const auto& hit : pool) {
      const Item& item = items[row_of[hit.id]];
      const std::string& group = options.group_by == GroupBy::study ? item.study : item.patient;
      if (group.empty() || seen.insert(group).second) first.push_back(hit);
    }
    return first;
  }
};

/// Reads a snapshot into plain lists.
inline PlainGallery plain(const Snapshot& snapshot) {
  PlainGallery result = {
      snapshot.model(), Matrix(snapshot.size(), snapshot.model().dimension()), {}, snapshot.ids()};
  for (std::size_t row = 0; row < result.ids.size(); ++row) {
    result.items.push_back(snapshot.item(result.ids[row]));
    const auto features = snapshot.features(result.ids[row]);
    std::copy(features.begin(), features.end(), result.features.row(row).begin());
  }
  return result;
}

}  // namespace medretrieval::testing
