// One scan of fixed input, for counting instructions: scan_once hamming BITS | adc SUBSPACES BITS, then K and ROWS.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <string>

#include <medretrieval/index.hpp>
#include <medretrieval/scorer.hpp>

#include "random_data.hpp"

namespace mr = medretrieval;

/// What is counted: it has a name of its own that tools find.
extern "C" __attribute__((noinline)) std::size_t measured_scan(const mr::QueryScorer& scorer,
                                                               const mr::ScanPart& part, std::size_t k) {
  return mr::make_flat_search(scorer)->find({0, {&part, 1}, {.count = k}}, {}).size();
}

int main(int count, char** arguments) {
  const bool binary = count > 1 && std::string(arguments[1]) == "hamming";
  if (count != (binary ? 5 : 6)) {
    std::fprintf(stderr, "usage: scan_once hamming BITS K ROWS | adc SUBSPACES BITS K ROWS\n");
    return 2;
  }
  const auto number = [&](int i) {
    return static_cast<std::size_t>(std::strtoull(arguments[i], nullptr, 10));
  };
  const auto layout =
      binary ? mr::CodeLayout::binary(number(2)) : mr::CodeLayout::product(number(2), number(3));
  const std::size_t k = number(count - 2);
  const std::size_t rows = number(count - 1);
  const auto codes = benchmarks::random_codes(layout, rows, 1);
  std::vector<mr::ItemId> ids(rows);
  std::iota(ids.begin(), ids.end(), mr::ItemId{0});
  std::unique_ptr<mr::QueryScorer> scorer;
  if (binary) {
    scorer = mr::make_hamming_scorer(benchmarks::random_codes(layout, 1, 2));
  } else {
    const std::size_t entries = layout.subspaces() << layout.bits_per_entry();
    scorer = mr::make_adc_scorer(layout, benchmarks::random_matrix(1, entries, 2));
  }
  const mr::ScanPart part{
      .codes = codes, .features = {}, .ids = ids, .end = static_cast<std::uint32_t>(rows)};
  return measured_scan(*scorer, part, k) == k ? 0 : 1;
}
