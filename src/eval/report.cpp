#include <medretrieval/eval/report.hpp>

#include "base/concat.hpp"
#include "eval/line_chart.hpp"
#include "io/sinks.hpp"

namespace medretrieval::eval {

namespace {

using detail::concat;

constexpr const char* kStyle = R"(
:root { color-scheme: light dark; --ink: #1c2733; --soft: #5d6b7a; --line: #d9e0e7; --back: #ffffff; --panel: #f5f7fa;
  --right: #2a8f5b; --wrong: #c2452d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --soft: #9aa7b4; --line: #34414d; --back: #12181e;
  --panel: #1a222a; --right: #4cc38a; --wrong: #ff7a5c; } }
body { margin: 2rem auto; max-width: 76rem; padding: 0 1.5rem; color: var(--ink); background: var(--back);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin-bottom: .3rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
p { color: var(--soft); margin: .3rem 0; max-width: 60rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; margin-top: .6rem; }
th, td { text-align: right; padding: .35rem .7rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) { text-align: left; }
thead th { color: var(--soft); font-weight: 600; } tr.block th { text-align: left; padding-top: 1.1rem; }
small { color: var(--soft); } svg { max-width: 46rem; width: 100%; height: auto; }
svg text { fill: var(--soft); font: 12px system-ui, sans-serif; }
.sheet { display: flex; gap: .9rem; background: var(--panel); padding: .9rem; border-radius: .5rem;
  margin-top: .6rem; }
.hits { display: flex; flex-wrap: wrap; gap: .55rem; flex: 1; }
figure { margin: 0; width: 5.4rem; } figure img { width: 100%; image-rendering: auto; border-radius: .25rem;
  border: 3px solid var(--wrong); box-sizing: border-box; background: #000; }
figure.relevant img { border-color: var(--right); } figure.query { width: 8.6rem; }
figure.query img { border-color: var(--soft); }
figcaption { font-size: 11px; line-height: 1.3; color: var(--soft); white-space: pre-line; overflow-wrap: anywhere; }
)";

std::string base64(const std::vector<unsigned char>& bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = bytes.size() - i;
    const unsigned triple = static_cast<unsigned>(bytes[i]) << 16 |
                            (left > 1 ? static_cast<unsigned>(bytes[i + 1]) << 8 : 0) |
                            (left > 2 ? bytes[i + 2] : 0U);
    text += kDigits[triple >> 18 & 63];
    text += kDigits[triple >> 12 & 63];
    text += left > 1 ? kDigits[triple >> 6 & 63] : '=';
    text += left > 2 ? kDigits[triple & 63] : '=';
  }
  return text;
}

std::string with_interval(double value, const Interval& interval) {
  return concat(fixed(value, 3), " <small>[", fixed(interval.low, 3), ", ", fixed(interval.high, 3),
                "]</small>");
}

std::string html_table(const std::vector<EvaluationRow>& rows) {
  if (rows.empty()) return "";
  std::string html =
      concat("<table><thead><tr><th>Method</th><th>Code</th><th>P@", rows.front().k,
             "</th><th>mAP</th><th>Recall</th><th>&micro;s a query</th></tr></thead><tbody>\n");
  for (const bool cascade : {false, true}) {
    html += concat("<tr class=\"block\"><th colspan=\"6\">",
                   cascade ? "Through the cascade: class gate, pool, exact re-ranking"
                           : "Each encoder alone: code distance, whole database",
                   "</th></tr>\n");
    for (const auto& row : rows) {
      if (row.cascade != cascade) continue;
      html +=
          concat("<tr><td>", escaped(row.method), "</td><td>", escaped(row.code), "</td><td>",
                 with_interval(row.precision, row.precision_interval), "</td><td>",
                 row.mean_average_precision ? with_interval(*row.mean_average_precision, row.map_interval)
                                            : std::string("&ndash;"),
                 "</td><td>", fixed(row.recall, 3), "</td><td>", fixed(row.microseconds, 1), "</td></tr>\n");
    }
  }
  const auto& first = rows.front();
  html += concat(
      "</tbody></table>\n<p>", first.queries, " queries count; ", first.queries_without_relevant,
      " without anything relevant are left out. A random ranking has a precision of ", fixed(first.chance, 3),
      ". Brackets: 95 % interval, patients resampled. mAP: ", kMapDefinition,
      ". Recall: share of the exact nearest neighbours in the whole database among the answers. Time: median "
      "of lone queries on one thread, without feature extraction.</p>\n");
  return html;
}

/// One line for each encoder alone.
LineChart precision_over_recall(const std::vector<EvaluationRow>& rows) {
  LineChart chart = {"Precision over recall, each encoder alone", "recall", "precision"};
  for (const auto& row : rows) {
    if (row.cascade || row.precision_curve.size() < 2) continue;
    chart.x_step = 1.0 / static_cast<double>(row.precision_curve.size() - 1);
    chart.lines.push_back({row.method, row.precision_curve});
  }
  return chart;
}

std::string html_chart(const LineChart& chart) {
  return concat("<h2>", escaped(chart.title), "</h2>\n", svg_chart(chart));
}

std::string html_picture(const SheetPicture& picture, const char* kind) {
  return concat("<figure class=\"", kind, "\"><img alt=\"\" src=\"data:image/png;base64,",
                base64(picture.png), "\"><figcaption>", escaped(picture.caption), "</figcaption></figure>\n");
}

std::string html_sheet(const ContactSheet& sheet) {
  std::string html = concat("<h2>", escaped(sheet.title), "</h2>\n<div class=\"sheet\">\n");
  html += html_picture(sheet.query, "query");
  html += "<div class=\"hits\">\n";
  for (const auto& hit : sheet.hits) html += html_picture(hit, hit.relevant ? "relevant" : "other");
  return html + "</div></div>\n";
}

}  // namespace

void write_report(const std::filesystem::path& file, const Report& report) {
  std::string html = concat(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\"><title>",
      escaped(report.title), "</title><style>", kStyle, "</style></head><body>\n<h1>", escaped(report.title),
      "</h1>\n");
  for (const auto& note : report.notes) html += concat("<p>", escaped(note), "</p>\n");
  html += "<h2>Retrieval quality</h2>\n" + html_table(report.rows);
  html += html_chart(precision_over_recall(report.rows));
  for (const auto& chart : report.charts) html += html_chart(chart);
  for (const auto& sheet : report.sheets) html += html_sheet(sheet);
  html += "</body></html>\n";
  io::write_file_atomically(file, std::as_bytes(std::span(html)));
}

}  // namespace medretrieval::eval
