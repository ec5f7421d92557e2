#include <algorithm>
#include <cstdio>
#include <medretrieval/eval/report.hpp>
#include <nlohmann/json.hpp>

#include "base/concat.hpp"

namespace medretrieval::eval {

namespace {

template <class... Values>
std::string format(const char* pattern, const Values&... values) {
  char buffer[256];
  std::snprintf(buffer, sizeof buffer, pattern, values...);
  return buffer;
}

int method_width(const std::vector<EvaluationRow>& rows) {
  std::size_t width = 17;
  for (const auto& row : rows) width = std::max(width, row.method.size());
  return static_cast<int>(width);
}

std::string table_line(const EvaluationRow& row, int width) {
  const std::string map = row.mean_average_precision
                              ? format("%.3f [%.3f, %.3f]", *row.mean_average_precision, row.map_interval.low,
                                       row.map_interval.high)
                              : std::string("-");
  return format("  %-*s %-20s %.3f [%.3f, %.3f]  %-22s  %.3f  %10.1f\n", width, row.method.c_str(),
                row.code.c_str(), row.precision, row.precision_interval.low, row.precision_interval.high,
                map.c_str(), row.recall, row.microseconds);
}

std::string cascade_settings(const std::vector<EvaluationRow>& rows) {
  for (const auto& row : rows) {
    if (!row.cascade) continue;
    return "gate " + row.gate + ", pool of " + detail::concat(std::max<std::size_t>(row.pool_factor, 1)) +
           " k, " + (row.probes != 0 ? detail::concat(row.probes, " lists, ") : "") + "re-ranking " +
           row.rerank;
  }
  return "";
}

}  // namespace

std::string text_table(const std::vector<EvaluationRow>& rows) {
  if (rows.empty()) return "";
  const int width = method_width(rows);
  std::string text;
  for (const bool cascade : {false, true}) {
    text += cascade ? "\nThrough the cascade (" + cascade_settings(rows) + ")\n"
                    : std::string("Each encoder alone (code distance, whole database)\n");
    text += format("  %-*s %-20s %-22s %-22s  %-6s  %10s\n", width, "method", "code",
                   format("P@%zu [95 %%]", rows.front().k).c_str(), "mAP [95 %]", "recall", "us/query");
    for (const auto& row : rows) {
      if (row.cascade == cascade) text += table_line(row, width);
    }
  }
  const auto& first = rows.front();
  text += format("\n%zu queries count, %zu without anything relevant left out. Chance: P = %.3f.\n",
                 first.queries, first.queries_without_relevant, first.chance);
  text += std::string("mAP: ") + kMapDefinition + ".\n";
  return text;
}

std::string json_table(const std::vector<EvaluationRow>& rows) {
  nlohmann::ordered_json document;
  document["rows"] = nlohmann::ordered_json::array();
  for (const auto& row : rows) {
    nlohmann::ordered_json entry;
    entry["method"] = row.method;
    entry["code"] = row.code;
    entry["bits"] = row.bits;
    entry["cascade"] = row.cascade;
    entry["gate"] = nullptr;
    entry["pool_factor"] = nullptr;
    entry["rerank"] = nullptr;
    if (row.cascade) {
      entry["gate"] = row.gate;
      if (row.pool_factor != 0) entry["pool_factor"] = row.pool_factor;
      if (row.probes != 0) entry["probes"] = row.probes;
      entry["rerank"] = row.rerank;
    }
    const std::string precision = detail::concat("p_at_", row.k);
    entry[precision] = row.precision;
    entry[precision + "_interval"] = {row.precision_interval.low, row.precision_interval.high};
    entry["map"] = nullptr;
    entry["map_interval"] = nullptr;
    entry["map_definition"] = nullptr;
    if (row.mean_average_precision) {
      entry["map"] = *row.mean_average_precision;
      entry["map_interval"] = {row.map_interval.low, row.map_interval.high};
      entry["map_definition"] = kMapDefinition;
    }
    entry["chance"] = row.chance;
    entry["recall"] = row.recall;
    entry["us_per_query"] = row.microseconds;
    entry["queries"] = row.queries;
    entry["queries_without_relevant"] = row.queries_without_relevant;
    document["rows"].push_back(std::move(entry));
  }
  return document.dump(2);
}

}  // namespace medretrieval::eval
