// Searches of every kind drawn at random, and the comparison of their answers.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <medretrieval/searcher.hpp>
#include <string>

#include "base/random.hpp"

namespace medretrieval::testing {

inline void expect_same(const SearchResult& got, const SearchResult& expected, const std::string& what) {
  EXPECT_EQ(got.classes_searched, expected.classes_searched) << what;
  EXPECT_EQ(got.eligible, expected.eligible) << what;
  EXPECT_EQ(got.pool_size, expected.pool_size) << what;
  EXPECT_EQ(got.shortfall, expected.shortfall) << what;
  EXPECT_EQ(got.gate_widened, expected.gate_widened) << what;
  ASSERT_EQ(got.hits.size(), expected.hits.size()) << what;
  for (std::size_t i = 0; i < got.hits.size(); ++i) {
    EXPECT_EQ(got.hits[i].id, expected.hits[i].id) << what << ", place " << i;
    EXPECT_EQ(got.hits[i].distance, expected.hits[i].distance) << what << ", place " << i;
    if (!std::isnan(got.hits[i].code_distance) || !std::isnan(expected.hits[i].code_distance)) {
      EXPECT_EQ(got.hits[i].code_distance, expected.hits[i].code_distance) << what << ", place " << i;
    }
  }
}

/// Options drawn at random from everything that can be asked for.
inline SearchOptions random_options(detail::Random& random, std::size_t items, std::size_t lists) {
  SearchOptions options;
  options.k = 1 + random.below(random.below(4) == 0 ? items : 12);
  options.pool_factor = 1 + random.below(5);
  options.rerank = static_cast<Rerank>(random.below(4));
  options.exact = options.rerank != Rerank::none && random.below(4) == 0;
  if (lists != 0 && !options.exact) options.probes = random.below(lists + 2);
  options.gate.mode = static_cast<GateMode>(random.below(3));
  options.gate.level = 0.5 + 0.45 * random.uniform();
  options.widen_gate = random.below(2) == 0;
  options.exclude_own_patient = random.below(3) != 0;
  options.group_by = static_cast<GroupBy>(random.below(3));
  Filter& filter = options.filter;
  if (random.below(4) == 0) filter.labels = {"beta", "delta"};
  if (random.below(4) == 0) filter.modalities = {"CT"};
  if (random.below(4) == 0) filter.from = Date::from_days(18300);
  if (random.below(4) == 0) filter.to = Date::from_days(18700);
  if (random.below(4) == 0) filter.exclude_patients = {"patient 1/3", "patient 1/8", "nobody"};
  if (random.below(4) == 0)
    filter.texts = {
        {"view", random.below(2) == 0 ? std::vector<std::string>{"AP"} : std::vector<std::string>{"PA", ""}}};
  if (random.below(4) == 0) filter.numbers = {{"age", 30, 60}};
  if (random.below(6) == 0) {
    filter.ids.emplace();
    for (int i = 0; i < 60; ++i) filter.ids->push_back(random.below(items * 2));
  }
  return options;
}

}  // namespace medretrieval::testing
