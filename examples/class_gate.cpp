// The hierarchical search: class gate, filters, the query's own patient left out, one answer a patient.
#include <iostream>
#include <medretrieval/searcher.hpp>

namespace mr = medretrieval;

/// Synthetic cases of three classes; two images a patient. `salt` makes other noise.
mr::Matrix make_features(std::size_t rows, unsigned salt) {
  mr::Matrix features(rows, 8);
  unsigned state = salt;
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t d = 0; d < 8; ++d) {
      state = state * 1664525U + 1013904223U;
      const float noise = static_cast<float>(state >> 8) / static_cast<float>(1U << 24) - 0.5F;
      features(r, d) = noise + (d == r % 3 ? 1.0F : 0.0F);
    }
  }
  return features;
}

int main() {
  const std::vector<std::string> classes = {"lung", "liver", "kidney"};
  const mr::Matrix features = make_features(600, 1);
  std::vector<mr::Item> items(600);
  std::vector<std::vector<std::string>> labels;
  std::vector<std::string> patients;
  for (std::size_t r = 0; r < 600; ++r) {
    items[r].labels = {classes[r % 3]};
    items[r].patient = "P" + std::to_string(r / 2);
    items[r].modality = r % 4 == 0 ? "MR" : "CT";
    labels.push_back(items[r].labels);
    patients.push_back(items[r].patient);
  }

  // The gate learns from the labels; no patient is in both its fitting and its calibration part.
  const mr::Model model =
      mr::train_model({.encoder = mr::EncoderOptions{"pq", {{"subspaces", 4}, {"bits_per_entry", 4}}}},
                      {features, labels, patients});
  mr::Gallery gallery(model);
  gallery.add(features, items);
  const mr::Searcher searcher(gallery.commit());

  mr::SearchOptions options;
  options.k = 5;
  options.gate = {mr::GateMode::adaptive, 0.95};  // as many classes as 95 % coverage needs
  options.filter.modalities = {"CT"};
  options.group_by = mr::GroupBy::patient;
  const mr::Matrix query = make_features(1, 99);
  const auto answer = searcher.search(query.row(0), options, {.patient = "P7"});

  std::cout << "classes searched:";
  for (const auto label : answer.classes_searched) std::cout << ' ' << model.labels().name(label);
  std::cout << "; " << answer.eligible << " items eligible\n";
  bool good = answer.hits.size() == 5;
  for (const auto& hit : answer.hits) {
    const mr::Item item = searcher.snapshot().item(hit.id);
    std::cout << item.labels.front() << ' ' << item.modality << ' ' << item.patient << "  " << hit.distance
              << '\n';
    good = good && item.modality == "CT" && item.patient != "P7";
  }
  return good ? 0 : 1;
}
