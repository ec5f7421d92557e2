#include <spdlog/spdlog.h>

#include <algorithm>
#include <iostream>
#include <medretrieval/eval/classification.hpp>
#include <medretrieval/imaging/classifier.hpp>
#include <medretrieval/labels.hpp>
#include <nlohmann/json.hpp>
#include <set>

#include "command.hpp"
#include "dataset.hpp"
#include "progress_line.hpp"
#include "search_options.hpp"

namespace medretrieval::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kNetworkMethod = "network";
constexpr const char* kTrainingSplit = "train";

struct Options {
  DatasetOptions data;
  FeatureChoice features;
  imaging::ClassifierOptions classifier;
  std::vector<std::string> parameters;
  std::string split = "query";
  bool json = false;

  bool by_network() const { return classifier.method == kNetworkMethod; }
};

/// The rows of one split that have a label.
struct LabelledRows {
  std::vector<std::size_t> rows;
  std::vector<std::vector<std::string>> labels;
  std::vector<std::string> patients;
  std::size_t without_label = 0;
};

LabelledRows labelled_rows(const Dataset& dataset, const Options& options, const std::string& split,
                           bool several_labels) {
  LabelledRows chosen;
  for (const auto r : dataset.manifest().rows_of(split)) {
    const auto& row = dataset.manifest().rows[r];
    if (row.labels.empty()) {
      ++chosen.without_label;
      continue;
    }
    if (row.labels.size() > 1 && !several_labels) {
      throw Error(ErrorCode::unsupported,
                  options.data.manifest + ": line " + std::to_string(row.line) +
                      ": expected one label, got " + std::to_string(row.labels.size()) +
                      "; several labels an image need a network that was trained with several");
    }
    chosen.rows.push_back(r);
    chosen.labels.push_back(row.labels);
    chosen.patients.push_back(row.patient);
  }
  if (chosen.rows.empty()) {
    throw Error(ErrorCode::invalid_argument,
                options.data.manifest + ": no rows with a label in split '" + split + "'");
  }
  return chosen;
}

std::vector<ClassId> primary_classes(const LabelSets& labels) {
  std::vector<ClassId> classes;
  for (std::size_t r = 0; r < labels.rows(); ++r) classes.push_back(labels.row(r).front());
  return classes;
}

std::vector<ClassId> most_probable(MatrixView posteriors) {
  std::vector<ClassId> classes;
  for (std::size_t r = 0; r < posteriors.rows(); ++r) {
    const auto row = posteriors.row(r);
    classes.push_back(static_cast<ClassId>(std::max_element(row.begin(), row.end()) - row.begin()));
  }
  return classes;
}

/// Distinct labels in the order of the rows, those of `first` before those that only `second` has.
LabelVocabulary vocabulary_of(const LabelledRows& first, const LabelledRows& second) {
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (const auto* rows : {&first, &second}) {
    for (const auto& labels : rows->labels) {
      if (seen.insert(labels.front()).second) names.push_back(labels.front());
    }
  }
  return LabelVocabulary(std::move(names));
}

/// What is printed: for people, and as JSON.
struct Answer {
  std::string text;
  Json json;

  template <class Report>
  explicit Answer(const Report& report)
      : text(eval::text_classification(report)), json(Json::parse(eval::json_classification(report))) {}
};

Answer by_network(const Options& options, const Dataset& dataset, const FeatureMaker& maker) {
  const auto asked = labelled_rows(dataset, options, options.split, maker.several_labels());
  const auto& names = *maker.labels();
  const LabelSets truth(LabelVocabulary(names), asked.labels);
  const auto posteriors = dataset.features(asked.rows, maker, options.classifier.threads).posteriors;
  const auto seed = options.classifier.seed;
  Answer answer = maker.several_labels()
                      ? Answer(eval::several_labels_report(names, truth, posteriors, asked.patients, seed))
                      : Answer(eval::classification_report(names, primary_classes(truth),
                                                           most_probable(posteriors), asked.patients, seed));
  answer.json["rows_without_label"] = asked.without_label;
  return answer;
}

Answer by_classifier(const Options& options, const Dataset& dataset, const FeatureMaker& maker) {
  const auto learned = labelled_rows(dataset, options, kTrainingSplit, false);
  const auto asked = labelled_rows(dataset, options, options.split, false);
  const LabelVocabulary vocabulary = vocabulary_of(learned, asked);
  const int threads = options.classifier.threads;
  const Matrix features = dataset.features(learned.rows, maker, threads).features;
  const auto classifier =
      imaging::train_classifier(options.classifier, features, LabelSets(vocabulary, learned.labels),
                                vocabulary.size(), learned.patients);
  const auto predicted = classifier->predict(dataset.features(asked.rows, maker, threads).features, threads);
  const auto truth = primary_classes(LabelSets(vocabulary, asked.labels));
  Answer answer(eval::classification_report(vocabulary.names(), truth, predicted, asked.patients,
                                            options.classifier.seed));
  answer.json["training_rows"] = learned.rows.size();
  answer.json["rows_without_label"] = learned.without_label + asked.without_label;
  std::string used;
  for (const auto& [name, value] : classifier->parameters()) {
    used += ", " + name + "=" + to_string(value);
    std::visit([&, key = name](const auto& each) { answer.json["parameters"][key] = each; }, value);
  }
  answer.text = std::to_string(learned.rows.size()) + " rows to learn from" + used + '\n' + answer.text;
  return answer;
}

/// Refuses options that do not go together, and reads --option.
void complete(Options& options) {
  if (options.by_network() && options.features.network.empty()) {
    throw Error(ErrorCode::invalid_argument, "--method network: expected the --network that classifies");
  }
  if (options.by_network() && !options.parameters.empty()) {
    throw Error(ErrorCode::invalid_argument, "--option: a trained network has none");
  }
  if (options.by_network()) return;
  if (options.split == kTrainingSplit) {
    throw Error(ErrorCode::invalid_argument,
                "--split: expected rows that the classifier does not learn from, got 'train'");
  }
  const auto& info = imaging::classifier_info(options.classifier.method);
  for (const auto& text : options.parameters) {
    const auto [name, value] = parse_parameter(text, info.options, "classifier '" + info.name + "'");
    options.classifier.parameters[name] = value;
  }
  options.classifier.progress = progress_line();
  options.classifier.validate();
}

void run(Options& options) {
  complete(options);
  const auto maker = FeatureMaker::chosen(options.features);
  const Dataset dataset(options.data);
  const PatientSplits patients = dataset.check_splits();
  Answer answer =
      options.by_network() ? by_network(options, dataset, *maker) : by_classifier(options, dataset, *maker);
  if (!options.json) {
    std::cout << options.classifier.method << " on " << maker->name() << ", split " << options.split << ": "
              << answer.text << '\n'
              << patients.sentence() << '\n';
    return;
  }
  Json document = {{"method", options.classifier.method},
                   {"features", maker->name()},
                   {"split", options.split},
                   {"seed", options.classifier.seed}};
  document.update(answer.json);
  document["patients_in_two_splits"] = patients.in_two_splits;
  document["rows_without_patient"] = patients.rows_without_patient;
  std::cout << document.dump(2) << '\n';
}

std::string methods_help() {
  std::string help = "Methods and their options (--option):\n";
  for (const auto& name : imaging::classifier_names()) {
    const auto& info = imaging::classifier_info(name);
    help += "  " + name + ": " + info.description + '\n' + options_help(info.options);
  }
  return help +
         "  network: the posteriors of a trained network (--network)\n\nExample:\n"
         "  medretrieval classify --data nodules --manifest nodules/manifest.csv --method svm\n";
}

}  // namespace

void add_classify_command(CLI::App& app) {
  auto* command = app.add_subcommand(
      "classify",
      "Accuracy of a classifier: learned from the rows of split train, or a network; asked of the queries");
  command->footer(methods_help());
  auto options = std::make_shared<Options>();
  options->data.add_to(*command, true);
  options->data.add_leak_flag(*command);
  auto methods = imaging::classifier_names();
  methods.emplace_back(kNetworkMethod);
  command->add_option("--method", options->classifier.method, "svm, elm or network")
      ->required()
      ->check(CLI::IsMember(methods))
      ->type_name("METHOD");
  options->features.add_to(*command);
  command
      ->add_option("--option", options->parameters,
                   "An option of the method, name=value; may be given several times")
      ->type_name("NAME=VALUE");
  command->add_option("--split", options->split, "Rows that are asked")->capture_default_str();
  command->add_option("--seed", options->classifier.seed, "Of everything drawn")->capture_default_str();
  add_threads_option(*command, options->classifier.threads);
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { run(*options); });
}

}  // namespace medretrieval::cli
