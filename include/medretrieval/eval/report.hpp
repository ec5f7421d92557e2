/// \file
/// Tables and the one-file HTML report.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <medretrieval/eval/protocol.hpp>

namespace medretrieval::eval {

/// One picture of a contact sheet.
struct SheetPicture {
  std::vector<unsigned char> png;  ///< a whole PNG file
  std::string caption;             ///< labels, distance; lines are separated by '\n'
  bool relevant = false;           ///< framed as right or wrong
};

/// A query beside its hits.
struct ContactSheet {
  std::string title;
  SheetPicture query;
  std::vector<SheetPicture> hits;
};

/// One line of a chart.
struct ChartLine {
  std::string name;
  std::vector<double> values;  ///< 0 or above, at x_first, x_first + x_step, ...
};

/// Lines over a common axis.
struct LineChart {
  std::string title;
  std::string x_label;
  std::string y_label;
  double x_first = 0;
  double x_step = 1;
  std::vector<ChartLine> lines = {};
};

/// What a report shows.
struct Report {
  std::string title;
  std::vector<std::string>
      notes;  ///< paragraphs above the table: which data, how many rows, synthetic or not
  std::vector<EvaluationRow> rows;
  std::vector<LineChart> charts;  ///< below the rows' own
  std::vector<ContactSheet> sheets;
};

/// The rows as a text table in two blocks, each encoder alone and through the cascade.
std::string text_table(const std::vector<EvaluationRow>& rows);

/// The rows as JSON: {"rows": [{"method", "code", "bits", "cascade", "p_at_10", ...}]}. The key "p_at_10" is
/// named after the row's k; `map` is null for cascades.
std::string json_table(const std::vector<EvaluationRow>& rows);

/// Writes table, precision-recall curves and contact sheets as one HTML file that needs nothing else.
/// \throws Error (io).
void write_report(const std::filesystem::path& file, const Report& report);

}  // namespace medretrieval::eval
