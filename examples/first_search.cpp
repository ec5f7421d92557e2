// The shortest way from vectors to ranked answers: train an encoder, fill a gallery, search.
#include <cmath>
#include <iostream>
#include <medretrieval/gallery.hpp>
#include <medretrieval/searcher.hpp>

namespace mr = medretrieval;

/// Synthetic features: points on waves, so that neighbours in number are neighbours in space.
mr::Matrix make_features(std::size_t rows, std::size_t dimension) {
  mr::Matrix features(rows, dimension);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t d = 0; d < dimension; ++d) {
      features(r, d) =
          static_cast<float>(std::sin(0.01 * static_cast<double>(r) * (1 + 0.1 * static_cast<double>(d))));
    }
  }
  return features;
}

int main() {
  const mr::Matrix features = make_features(2000, 64);

  // An encoder is always trained; its options are checked against its schema.
  const auto encoder = mr::train_encoder({"itq", {{"bits", 32}}}, {features});

  mr::Gallery gallery(mr::Model({.dimension = 64, .encoder = encoder}));
  gallery.add(features);  // ids 0, 1, 2, ...
  const mr::Snapshot snapshot = gallery.commit();

  // Two stages: the 2 * k nearest codes by Hamming distance, then the exact Euclidean distance.
  const mr::Searcher searcher(snapshot);
  const auto answer = searcher.search(features.row(1000), {.k = 5});
  for (const auto& hit : answer.hits) {
    std::cout << "item " << hit.id << "  squared distance " << hit.distance << "  Hamming "
              << hit.code_distance << '\n';
  }
  return answer.hits.size() == 5 && answer.hits[0].id == 1000 && answer.hits[0].distance == 0 ? 0 : 1;
}
