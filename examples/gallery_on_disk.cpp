// A gallery in a folder: add, replace, remove, compact; readers keep what they opened.
#include <filesystem>
#include <iostream>
#include <medretrieval/gallery.hpp>

namespace mr = medretrieval;
namespace fs = std::filesystem;

int main() {
  const fs::path folder = fs::temp_directory_path() / "medretrieval-example-gallery";
  fs::remove_all(folder);

  mr::Matrix features(3, 4);
  for (std::size_t r = 0; r < 3; ++r) features(r, r) = 1;
  std::vector<mr::Item> items(3);
  for (std::size_t r = 0; r < 3; ++r) {
    items[r].key = "1.2.840." + std::to_string(r);  // a SOP instance UID, say
    items[r].patient = "patient " + std::to_string(r);
    items[r].labels = {r == 0 ? "benign" : "malignant"};
    items[r].date = mr::Date{2024, 3, static_cast<int>(r) + 1};
    items[r].attributes = {{"age", 50.0 + static_cast<double>(r)}, {"view", std::string("axial")}};
  }

  {
    const mr::Model model({.dimension = 4, .labels = mr::LabelVocabulary({"benign", "malignant"})});
    mr::Gallery gallery = mr::Gallery::create(folder, model);
    gallery.add(features, items);
    gallery.commit();  // durable and visible from here on

    const mr::Snapshot before = mr::Snapshot::open(folder);
    items[0].labels = {"malignant"};
    gallery.upsert(features.view().rows_from(0, 1), std::span(items).first(1));  // replaces by key
    gallery.remove(std::vector<mr::ItemId>{2});
    gallery.commit();
    gallery.compact();
    std::cout << "an old reader still sees " << before.size() << " items, generation " << before.generation()
              << '\n';
    if (before.size() != 3) return 1;
  }

  const mr::Snapshot after = mr::Snapshot::open(folder);
  after.verify();
  const auto replaced = after.item(*after.find_key("1.2.840.0"));
  std::cout << "now " << after.size() << " items in " << after.segments().size() << " segment; "
            << replaced.key << " is " << replaced.labels.front() << " of " << replaced.date->to_string()
            << "\nfingerprint " << after.fingerprint().to_string() << '\n';

  try {
    mr::Gallery::create(folder, after.model());  // refused: it would mix two galleries
    return 1;
  } catch (const mr::Error& error) {
    std::cout << mr::to_string(error.code()) << ": refused as it should be\n";
  }
  fs::remove_all(folder);
  return after.size() == 2 && replaced.labels.front() == "malignant" ? 0 : 1;
}
