#include <algorithm>
#include <cstdio>
#include <medretrieval/eval/classification.hpp>
#include <nlohmann/json.hpp>

namespace medretrieval::eval {

namespace {

using Json = nlohmann::ordered_json;

std::string share(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.3f", value);
  return buffer;
}

std::string share(const std::optional<double>& value) {
  return value ? share(*value) : "-";
}

/// Blanks before a text, or behind a name, up to a width in bytes.
std::string right_aligned(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}
std::string left_aligned(const std::string& text, std::size_t width) {
  return text + std::string(width - std::min(width, text.size()), ' ');
}

std::string head(std::size_t rows, std::size_t patients, double accuracy, const Interval& interval,
                 double chance) {
  return std::to_string(rows) + " rows of " + std::to_string(patients) + " known patients\naccuracy " +
         share(accuracy) + " [" + share(interval.low) + ", " + share(interval.high) + "], chance " +
         share(chance);
}

std::size_t widest(const std::vector<std::string>& texts, std::size_t least) {
  for (const auto& text : texts) least = std::max(least, text.size());
  return least;
}

Json to_json(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::string dumped(const Json& document) {
  return document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string text_classification(const ClassificationReport& report) {
  std::string text =
      head(report.rows, report.patients, report.accuracy, report.accuracy_interval, report.chance) +
      ", balanced accuracy " + share(report.balanced_accuracy) + "\n\n";
  const std::size_t width = widest(report.labels, 5) + 2;
  text += left_aligned("  true \\ predicted", width + 14);
  for (const auto& label : report.labels) text += right_aligned(label, width);
  for (std::size_t truth = 0; truth < report.labels.size(); ++truth) {
    text += "\n  " + left_aligned(report.labels[truth], width + 12);
    for (const auto count : report.confusion[truth]) text += right_aligned(std::to_string(count), width);
  }
  return text + '\n';
}

std::string text_classification(const SeveralLabelsReport& report) {
  std::string text =
      head(report.rows, report.patients, report.accuracy, report.accuracy_interval, report.chance) +
      ", area under the ROC curve " + share(report.area) + " (means over the labels)\n\n";
  std::vector<std::string> names;
  for (const auto& each : report.labels) names.push_back(each.label);
  const std::size_t width = widest(names, 5) + 2;
  text += "  " + left_aligned("label", width) + "  rows  accuracy   area";
  for (const auto& each : report.labels) {
    text += "\n  " + left_aligned(each.label, width) + right_aligned(std::to_string(each.positives), 6) +
            right_aligned(share(each.accuracy), 10) + right_aligned(share(each.area), 7);
  }
  return text + '\n';
}

std::string json_classification(const ClassificationReport& report) {
  return dumped({{"labels", report.labels},
                 {"rows", report.rows},
                 {"patients", report.patients},
                 {"accuracy", report.accuracy},
                 {"accuracy_interval", {report.accuracy_interval.low, report.accuracy_interval.high}},
                 {"balanced_accuracy", report.balanced_accuracy},
                 {"chance", report.chance},
                 {"confusion", report.confusion}});
}

std::string json_classification(const SeveralLabelsReport& report) {
  Json labels = Json::array();
  for (const auto& each : report.labels) {
    labels.push_back({{"label", each.label},
                      {"positives", each.positives},
                      {"accuracy", each.accuracy},
                      {"area_under_curve", to_json(each.area)}});
  }
  return dumped({{"labels", labels},
                 {"rows", report.rows},
                 {"patients", report.patients},
                 {"accuracy", report.accuracy},
                 {"accuracy_interval", {report.accuracy_interval.low, report.accuracy_interval.high}},
                 {"chance", report.chance},
                 {"area_under_curve", to_json(report.area)}});
}

}  // namespace medretrieval::eval
