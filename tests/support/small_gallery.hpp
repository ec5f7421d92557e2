// Synthetic items, models and galleries for tests.
#pragma once

#include <medretrieval/gallery.hpp>
#include <medretrieval/model.hpp>
#include <string>
#include <vector>

#include "support/random_features.hpp"

namespace medretrieval::testing {

/// Rows of a synthetic collection with everything known of them.
struct Collection {
  Matrix features;
  std::vector<Item> items;

  std::vector<std::vector<std::string>> labels() const {
    std::vector<std::vector<std::string>> all;
    for (const auto& item : items) all.push_back(item.labels);
    return all;
  }
  std::vector<std::string> patients() const {
    std::vector<std::string> all;
    for (const auto& item : items) all.push_back(item.patient);
    return all;
  }
};

inline const std::vector<std::string>& class_names() {
  static const std::vector<std::string> names = {"alpha", "beta", "gamma", "delta", "epsilon"};
  return names;
}

/// Items around cluster centres, cluster r % 5 giving the label; patients of three rows, two studies each.
/// \param several every third item carries a second label, every tenth none
inline Collection make_collection(std::size_t rows, std::size_t dimension, bool several, std::uint64_t seed) {
  Collection collection;
  collection.features = clustered(rows, dimension, 5, 0.8, seed);
  detail::Random random(seed + 7);
  for (std::size_t r = 0; r < rows; ++r) {
    Item item;
    item.labels = {class_names()[r % 5]};
    if (several && r % 3 == 0) item.labels.push_back(class_names()[(r + 1 + r / 5 % 3) % 5]);
    if (several && r % 10 == 9) item.labels.clear();
    item.patient = "patient " + std::to_string(seed) + "/" + std::to_string(r / 3);
    if (several && r % 13 == 0) item.patient.clear();
    item.study = "study " + std::to_string(seed) + "/" + std::to_string(r / 2);
    item.modality = r % 4 == 0 ? "MR" : "CT";
    item.source = "images/" + std::to_string(seed) + "/" + std::to_string(r) + ".png";
    item.key = "uid " + std::to_string(seed) + "." + std::to_string(r);
    if (r % 5 != 2) item.date = Date::from_days(static_cast<std::int32_t>(18000 + random.below(1000)));
    if (r % 3 != 1) item.attributes["age"] = static_cast<double>(20 + random.below(60));
    if (r % 4 != 1) item.attributes["view"] = std::string(r % 2 == 0 ? "AP" : "PA");
    collection.items.push_back(std::move(item));
  }
  return collection;
}

/// \param lists inverted lists; 0: none
inline Model make_model(const Collection& collection, const EncoderOptions& encoder, bool gate = true,
                        std::size_t lists = 0, FeatureType stored_features = FeatureType::float32) {
  const auto labels = collection.labels();
  const auto patients = collection.patients();
  ModelOptions options;
  options.encoder = encoder;
  options.gate = gate;
  options.stored_features = stored_features;
  if (lists != 0) options.lists = ListOptions{.lists = lists, .iterations = 4};
  options.labels = class_names();
  return train_model(options, {collection.features, labels, patients});
}

/// The collection in `segments` commits.
inline void add_in_segments(Gallery& gallery, const Collection& collection, std::size_t segments) {
  const std::size_t rows = collection.items.size();
  for (std::size_t s = 0; s < segments; ++s) {
    const std::size_t first = rows * s / segments;
    const std::size_t last = rows * (s + 1) / segments;
    gallery.add(collection.features.view().rows_from(first, last - first),
                std::span(collection.items).subspan(first, last - first));
    gallery.commit();
  }
}

}  // namespace medretrieval::testing
