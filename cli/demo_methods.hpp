// What a demo measures: one method after the other, over the same rows of a manifest.
#pragma once

#include <functional>
#include <medretrieval/eval/report.hpp>
#include <medretrieval/gallery.hpp>
#include <medretrieval/imaging/image.hpp>
#include <medretrieval/searcher.hpp>
#include <string>
#include <vector>

#include "dataset.hpp"
#include "search_options.hpp"

namespace medretrieval::cli {

inline constexpr std::size_t kDemoBits = 64;

/// Features of every row, and what is known of it.
struct DemoMaterial {
  Matrix training;
  Matrix database;
  Matrix queries;
  Matrix query_posteriors;  ///< no rows where no network made the features
  std::vector<std::vector<std::string>> training_labels;
  std::vector<std::string> training_patients;
  std::vector<Item> database_items;
  std::vector<Item> query_items;
};

/// \throws Error (invalid_argument) where the splits train, database and query are not all there.
DemoMaterial demo_material(const Dataset& dataset, const FeatureMaker& maker, int threads);

/// The gallery of one method in a new folder.
/// \param method a type of encoder; "exact": none; "network": the code of `maker`, which is a network then
Snapshot demo_gallery(const std::filesystem::path& folder, const std::string& method,
                      const DemoMaterial& material, const std::vector<std::string>& vocabulary,
                      const FeatureMaker& maker, int threads);

/// The code alone and the cascade.
std::vector<eval::EvaluationRow> demo_rows(const Snapshot& snapshot, const DemoMaterial& material,
                                           const CascadeChoice& cascade, int threads);

/// An image as the report shows it.
using Picture = std::function<imaging::Image(const imaging::Image&)>;

/// Queries spread over the set, each beside its ten hits.
std::vector<eval::ContactSheet> demo_sheets(const Snapshot& snapshot, const DemoMaterial& material,
                                            const CascadeChoice& cascade, const Picture& picture);

}  // namespace medretrieval::cli
