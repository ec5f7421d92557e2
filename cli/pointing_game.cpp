#include <algorithm>
#include <iostream>
#include <map>
#include <medretrieval/eval/pointing_game.hpp>
#include <medretrieval/imaging/chest_boxes.hpp>
#include <medretrieval/imaging/load.hpp>
#include <medretrieval/imaging/mask.hpp>
#include <medretrieval/torch/deep_model.hpp>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "command.hpp"
#include "dataset.hpp"
#include "progress_line.hpp"
#include "search_options.hpp"

namespace medretrieval::cli {

namespace {

using Json = nlohmann::ordered_json;
using imaging::Image;

constexpr std::size_t kBatch = 32;        // images in memory at a time
constexpr std::size_t kFewPatients = 30;  // of fewer nothing is said
constexpr const char* kAllRows = "all";

struct Options {
  std::string network;
  DatasetOptions data;
  std::string split = "query";
  std::string mask_column;
  std::string boxes;
  double box_side = imaging::kPublishedChestSide;
  std::size_t tolerance = 0;
  std::string device = "cpu";
  int threads = 0;
  bool json = false;
};

/// An image whose region is known.
struct Question {
  std::size_t row = 0;
  std::function<eval::Region(const Image&)> region_in;
};

/// What the images of a game were.
struct Game {
  std::vector<eval::Pointing> images;
  std::vector<std::string> patients;
  std::size_t without_region = 0;

  std::size_t patient_count() const {
    const std::set<std::string> known(patients.begin(), patients.end());
    const auto unknown = std::count(patients.begin(), patients.end(), "");
    return known.size() - (unknown > 0 ? 1 : 0) + static_cast<std::size_t>(unknown);
  }
};

MatrixView view_of(const Image& image) {
  return {image.pixels().data(), image.height(), image.width()};
}

std::vector<Question> ask_by_masks(const Options& options, const imaging::Manifest& manifest,
                                   const std::vector<std::size_t>& rows) {
  const auto masks =
      masks_in(options.data.manifest, options.data.folder, manifest, options.mask_column, rows);
  std::vector<Question> questions;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!masks[i].file) continue;
    questions.push_back({rows[i], [mask = masks[i]](const Image& image) {
                           return eval::Region::of_mask(
                               view_of(imaging::load_mask(mask, image.width(), image.height())));
                         }});
  }
  return questions;
}

/// Boxes in pixels of an image that was made smaller or larger.
eval::Region region_of(const std::vector<imaging::ChestBox>& boxes, double box_side, const Image& image) {
  const auto width = static_cast<double>(image.width());
  const auto height = static_cast<double>(image.height());
  std::vector<eval::Box> scaled;
  for (const auto& box : boxes) {
    const double left = box.left * width / box_side;
    const double top = box.top * height / box_side;
    // Rounding must not take an edge out of the image.
    scaled.push_back({left, top, std::min(box.width * width / box_side, width - left),
                      std::min(box.height * height / box_side, height - top)});
  }
  return eval::Region::of_boxes(image.width(), image.height(), scaled);
}

std::vector<Question> ask_by_boxes(const Options& options, const imaging::Manifest& manifest,
                                   const std::vector<std::size_t>& rows) {
  const auto table = imaging::read_chest_boxes(options.boxes, options.box_side);
  std::vector<Question> questions;
  for (const std::size_t row : rows) {
    const auto found = table.find(manifest.rows[row].file.filename().string());
    if (found == table.end()) continue;
    questions.push_back({row, [boxes = found->second, side = options.box_side](const Image& image) {
                           return region_of(boxes, side, image);
                         }});
  }
  return questions;
}

std::vector<std::size_t> rows_of(const Options& options, const Dataset& dataset) {
  auto rows = options.split == kAllRows ? dataset.all_rows() : dataset.manifest().rows_of(options.split);
  if (rows.empty()) {
    throw Error(ErrorCode::invalid_argument,
                options.data.manifest + ": no rows of split '" + options.split + "'");
  }
  return rows;
}

Game play(const Options& options, const deep::DeepModel& model, const imaging::Manifest& manifest,
          const std::vector<Question>& questions) {
  Game game;
  const Progress progress = progress_line();
  for (std::size_t first = 0; first < questions.size(); first += kBatch) {
    const auto batch = std::span(questions).subspan(first, std::min(kBatch, questions.size() - first));
    std::vector<Image> images;
    for (const auto& question : batch)
      images.push_back(imaging::load_image(manifest.rows[question.row].file));
    const auto maps = model.analyse(images, {.attention = true, .threads = options.threads}).attention;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const eval::Region region = batch[i].region_in(images[i]);
      if (region.area() == 0) {
        ++game.without_region;
        continue;
      }
      game.images.push_back(eval::point(view_of(maps[i]), region, options.tolerance));
      game.patients.push_back(manifest.rows[batch[i].row].patient);
    }
    if (progress && !progress({"pointing game", first + batch.size(), questions.size()})) {
      throw Error(ErrorCode::cancelled, "pointing game: cancelled");
    }
  }
  return game;
}

Json to_json(const eval::PatientMean& mean) {
  return {{"value", mean.value}, {"low", mean.interval.low}, {"high", mean.interval.high}};
}

void print_json(const Options& options, const deep::DeepModel& model, const Game& game,
                const eval::PointingScore& score, const PatientSplits& patients) {
  const Json document = {{"network", model.description().network},
                         {"fingerprint", model.fingerprint().to_string()},
                         {"split", options.split},
                         {"tolerance", options.tolerance},
                         {"images", score.images},
                         {"patients", game.patient_count()},
                         {"images_without_region", game.without_region},
                         {"score", to_json(score.score)},
                         {"chance", score.chance},
                         {"middle", score.middle},
                         {"above_chance", to_json(score.above_chance)},
                         {"above_middle", to_json(score.above_middle)},
                         {"patients_in_two_splits", patients.in_two_splits},
                         {"rows_without_patient", patients.rows_without_patient}};
  std::cout << document.dump(2) << '\n';
}

std::string with_interval(const eval::PatientMean& mean) {
  char text[96];
  std::snprintf(text, sizeof text, "%.3f (%.3f to %.3f)", mean.value, mean.interval.low, mean.interval.high);
  return text;
}

void print_text(const Game& game, const eval::PointingScore& score, const PatientSplits& patients) {
  char baselines[96];
  std::snprintf(baselines, sizeof baselines, "chance        %.3f\nmiddle        %.3f\n", score.chance,
                score.middle);
  std::cout << "score         " << with_interval(score.score) << '\n'
            << baselines << "above chance  " << with_interval(score.above_chance) << "\nabove middle  "
            << with_interval(score.above_middle) << "\n\n"
            << score.images << " images with a region, " << game.patient_count() << " patients; "
            << game.without_region
            << " images without one do not count. In brackets 95 % intervals over patients.\n";
  if (game.patient_count() < kFewPatients) {
    std::cout << "Fewer than " << kFewPatients << " patients: too few for a claim.\n";
  }
  std::cout << patients.sentence() << '\n';
}

void run(const Options& options) {
  const Dataset dataset(options.data);
  const PatientSplits patients = dataset.check_splits();
  const auto& manifest = dataset.manifest();
  const auto rows = rows_of(options, dataset);
  const auto questions =
      options.boxes.empty() ? ask_by_masks(options, manifest, rows) : ask_by_boxes(options, manifest, rows);
  const auto model = deep::DeepModel::load(options.network, options.device);
  if (!model.has_attention()) {
    throw Error(ErrorCode::unsupported, options.network + ": the network '" + model.description().network +
                                            "' has no map of where it looks");
  }
  Game game = play(options, model, manifest, questions);
  game.without_region += rows.size() - questions.size();
  if (game.images.empty()) {
    throw Error(ErrorCode::invalid_argument,
                options.data.manifest + ": expected images with a region in split '" + options.split +
                    "', none of its " + std::to_string(rows.size()) + " has one");
  }
  const auto score = eval::pointing_score(game.images, game.patients);
  if (options.json) {
    print_json(options, model, game, score, patients);
  } else {
    print_text(game, score, patients);
  }
}

}  // namespace

void add_pointing_game_command(CLI::App& app) {
  auto* command = app.add_subcommand("pointing-game", "Measure whether a network looks where the lesion is");
  command->footer(
      "A hit is an image whose map has its maximum inside the region. Beside the score stand chance (the "
      "mean share "
      "of the\nimage that the region takes) and what pointing at the middle of every image gets. Images "
      "without a "
      "region do not\ncount.\n\nExamples:\n"
      "  medretrieval phantom --out phantoms --offset-mm 14\n"
      "  medretrieval train --model semantic-attention --input phantoms/manifest.csv --out phantoms.network\n"
      "  medretrieval pointing-game --network phantoms.network --data phantoms --manifest "
      "phantoms/manifest.csv "
      "--mask-column mask\n"
      "  medretrieval pointing-game --network chest.network --data chest --manifest chest/manifest.csv "
      "--boxes "
      "BBox_List_2017.csv\n");
  auto options = std::make_shared<Options>();
  command->add_option("--network", options->network, "File of a trained network")
      ->required()
      ->type_name("MODEL");
  options->data.add_to(*command, true);
  options->data.add_leak_flag(*command);
  auto* regions = command->add_option_group("Regions", "Where the lesions are; one of them");
  regions
      ->add_option("--mask-column", options->mask_column,
                   "Manifest column of masks, or none where there is no lesion")
      ->type_name("COLUMN");
  auto* boxes =
      regions
          ->add_option(
              "--boxes", options->boxes,
              "Boxes in the form of NIH's BBox_List_2017.csv, also .gz; images are found by file name")
          ->type_name("CSV");
  regions->require_option(1);
  command
      ->add_option("--box-side", options->box_side,
                   "Side in pixels of the square images that the boxes are for")
      ->needs(boxes)
      ->capture_default_str();
  command->add_option("--split", options->split, "Rows that count: train, database, query or all")
      ->check(CLI::IsMember({"train", "database", "query", kAllRows}))
      ->capture_default_str();
  command->add_option("--tolerance", options->tolerance, "Pixels beside the region that still count as in it")
      ->capture_default_str();
  command->add_option("--device", options->device, "cpu, or cuda where libtorch has it")
      ->capture_default_str();
  add_threads_option(*command, options->threads);
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { run(*options); });
}

}  // namespace medretrieval::cli
