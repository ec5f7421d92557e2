// From image files to similar cases: phantoms are written, read back as a user's images would be, indexed and
// searched.
#include <filesystem>
#include <iostream>
#include <medretrieval/gallery.hpp>
#include <medretrieval/imaging/features.hpp>
#include <medretrieval/imaging/manifest.hpp>
#include <medretrieval/imaging/phantom.hpp>
#include <medretrieval/searcher.hpp>

namespace mr = medretrieval;
namespace fs = std::filesystem;

int main() {
  const fs::path folder = fs::temp_directory_path() / "medretrieval-example-images";
  fs::remove_all(folder);
  mr::imaging::PhantomFolderOptions phantoms;
  phantoms.phantom.patients = 40;
  mr::imaging::write_phantom_folder(folder, phantoms);  // SYNTHETIC images and a manifest.csv

  // The general import: a folder and a CSV that says what each file is.
  const auto manifest = mr::imaging::read_manifest(folder, folder / "manifest.csv");
  std::vector<fs::path> files;
  std::vector<mr::Item> items;
  std::vector<std::vector<std::string>> labels;
  std::vector<std::string> patients;
  for (const auto& row : manifest.rows) {
    files.push_back(row.file);
    items.push_back(
        {.key = row.path, .labels = row.labels, .patient = row.patient, .source = row.file.string()});
    labels.push_back(row.labels);
    patients.push_back(row.patient);
  }
  const auto extractor = mr::imaging::make_feature_extractor("classical");
  const mr::Matrix features = mr::imaging::extract_features(*extractor, files);

  mr::ModelOptions options;
  options.feature_source = {std::string(extractor->name()), extractor->parameters()};
  options.encoder = mr::EncoderOptions{"itq", {{"bits", 48}}};
  mr::Gallery gallery(mr::train_model(options, {features, labels, patients}));
  gallery.add(features, items);
  const mr::Searcher searcher(gallery.commit());

  // Ask with an image file; its own patient is left out.
  std::vector<float> query(extractor->dimension());
  extractor->extract(mr::imaging::load_image(files[0]), query);
  const auto answer = searcher.search(query, {.k = 5}, {.patient = patients[0]});
  std::cout << "query: " << labels[0].front() << ", " << patients[0] << '\n';
  bool good = answer.hits.size() == 5;
  for (const auto& hit : answer.hits) {
    const mr::Item item = searcher.snapshot().item(hit.id);
    std::cout << "  " << item.labels.front() << ", " << item.patient << ", " << hit.distance << ", "
              << item.key << '\n';
    good = good && item.patient != patients[0];
  }
  fs::remove_all(folder);
  return good ? 0 : 1;
}
