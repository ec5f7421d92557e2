#include "dataset.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <medretrieval/eval/report.hpp>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

namespace medretrieval::cli {

namespace {

bool parse_number(const std::string& text, double& value) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() && std::isfinite(value);
}

/// A number that is one: identifiers with leading zeros, or with more digits than a double holds, are texts.
bool is_plain_number(const std::string& text) {
  double value = 0;
  const auto first = text.find_first_not_of('-');
  const bool zeros = first != std::string::npos && text[first] == '0' && first + 1 < text.size() &&
                     std::isdigit(static_cast<unsigned char>(text[first + 1])) != 0;
  const auto digits =
      std::count_if(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  return parse_number(text, value) && !zeros && digits <= std::numeric_limits<double>::digits10;
}

/// The attribute a column becomes. Names that items keep for their fields get an underscore.
std::string attribute_name(const std::string& column) {
  static const std::set<std::string> kFields = {"id", "key", "labels", "patient", "source"};
  return kFields.contains(column) ? column + "_" : column;
}

Date parse_date(const std::string& text, const std::string& path) {
  try {
    return Date::parse(text);
  } catch (const Error& error) {
    throw Error(error.code(), path + ": column 'date': " + error.what());
  }
}

void set_attribute(Item& item, const std::string& name, const std::string& value, bool number,
                   const std::string& path) {
  if (value.empty()) return;
  double parsed = 0;
  if (!number) {
    item.attributes[name] = value;
  } else if (parse_number(value, parsed)) {
    item.attributes[name] = parsed;
  } else {
    throw Error(ErrorCode::invalid_argument,
                path + ": expected a number in column '" + name + "' as in the gallery, got '" + value + "'");
  }
}

}  // namespace

void DatasetOptions::add_to(CLI::App& command, bool required) {
  auto* data = command.add_option("--data", folder, "Folder of the images")->type_name("FOLDER");
  auto* csv =
      command.add_option("--manifest", manifest, "CSV file with a row for every image")->type_name("CSV");
  if (required) {
    data->required();
    csv->required();
  } else {
    data->needs(csv);
    csv->needs(data);
  }
  add_columns_to(command);
}

void DatasetOptions::add_columns_to(CLI::App& command) {
  command.add_option("--patient-column", columns.patient_column, "Manifest column of the patient")
      ->capture_default_str();
  command.add_option("--label-column", columns.label_column,
                     "Manifest column of the labels (default: labels, else label)");
  command.add_option("--label-separator", columns.label_separator, "Between several labels")
      ->capture_default_str();
}

void DatasetOptions::add_leak_flag(CLI::App& command) {
  command.add_flag("--allow-leak", allow_leak, "Go on although the manifest has patients in two splits");
}

std::vector<imaging::MaskSource> masks_in(const std::string& manifest_file,
                                          const std::filesystem::path& folder,
                                          const imaging::Manifest& manifest, const std::string& column,
                                          const std::vector<std::size_t>& rows) {
  try {
    return imaging::mask_sources(folder, manifest, column, rows);
  } catch (const Error& error) {
    throw Error(error.code(), manifest_file + ": " + error.what());
  }
}

Dataset::Dataset(const DatasetOptions& options) : options_(options) {
  try {
    manifest_ = imaging::read_manifest(options.folder, options.manifest, options.columns);
  } catch (const Error& error) {
    const std::string message = error.what();
    if (message.find("label_column") == std::string::npos) throw;
    throw Error(error.code(), message + " (on the command line: --label-column NAME)");
  }
}

PatientSplits Dataset::check_splits() const {
  if (!options_.allow_leak) {
    try {
      imaging::refuse_leak(manifest_);
    } catch (const Error& error) {
      throw Error(error.code(), options_.manifest + ": " + error.what() + " (--allow-leak)");
    }
  }
  return patient_splits(manifest_);
}

PatientSplits patient_splits(const imaging::Manifest& manifest) {
  const auto unknown = std::count_if(manifest.rows.begin(), manifest.rows.end(),
                                     [](const auto& row) { return row.patient.empty(); });
  return {imaging::patients_in_two_splits(manifest).patients, static_cast<std::size_t>(unknown)};
}

std::string PatientSplits::sentence() const {
  std::string text = in_two_splits == 0
                         ? "No patient is in two splits"
                         : "Patients in two splits, as was allowed: " + std::to_string(in_two_splits) +
                               "; figures say too much";
  if (rows_without_patient > 0) {
    text += "; of " + std::to_string(rows_without_patient) + " images the patient is not known";
  }
  return text + ".";
}

std::string json_results(const std::vector<eval::EvaluationRow>& rows, const PatientSplits& patients) {
  auto document = nlohmann::ordered_json::parse(eval::json_table(rows));
  document["patients_in_two_splits"] = patients.in_two_splits;
  document["rows_without_patient"] = patients.rows_without_patient;
  return document.dump(2) + "\n";
}

std::vector<std::size_t> Dataset::all_rows() const {
  std::vector<std::size_t> rows(manifest_.rows.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  return rows;
}

std::vector<std::string> Dataset::vocabulary() const {
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (const auto& row : manifest_.rows) {
    for (const auto& label : row.labels) {
      if (seen.insert(label).second) names.push_back(label);
    }
  }
  return names;
}

bool Dataset::is_number_column(std::size_t column) const {
  bool any = false;
  for (const auto& row : manifest_.rows) {
    const auto& text = row.other[column];
    if (text.empty()) continue;
    if (!is_plain_number(text)) return false;
    any = true;
  }
  return any;
}

std::vector<Item> Dataset::items(const std::vector<std::size_t>& rows, const AttributeTypes& known) const {
  const auto& names = manifest_.other_columns;
  std::vector<bool> is_number;
  for (std::size_t c = 0; c < names.size(); ++c) {
    const auto type = known.find(attribute_name(names[c]));
    is_number.push_back(type == known.end() ? is_number_column(c) : type->second == ColumnType::number);
  }
  std::vector<Item> items;
  for (const auto r : rows) {
    const auto& row = manifest_.rows[r];
    Item item;
    item.key = row.path;
    item.source = row.file.string();
    item.patient = row.patient;
    item.labels = row.labels;
    for (std::size_t c = 0; c < names.size(); ++c) {
      const auto& value = row.other[c];
      if (names[c] == "study") {
        item.study = value;
      } else if (names[c] == "modality") {
        item.modality = value;
      } else if (names[c] == "date") {
        if (!value.empty()) item.date = parse_date(value, row.path);
      } else {
        set_attribute(item, attribute_name(names[c]), value, is_number[c], row.path);
      }
    }
    items.push_back(std::move(item));
  }
  return items;
}

ImageFeatures Dataset::features(const std::vector<std::size_t>& rows, const FeatureMaker& maker,
                                int threads) const {
  std::vector<std::filesystem::path> files;
  files.reserve(rows.size());
  for (const auto row : rows) files.push_back(manifest_.rows[row].file);
  return maker.of_files(files, threads);
}

}  // namespace medretrieval::cli
