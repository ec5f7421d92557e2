#include <iostream>
#include <medretrieval/medretrieval.hpp>

int main() {
  medretrieval::Matrix features(20, 4);
  for (std::size_t r = 0; r < 20; ++r) features(r, r % 4) = static_cast<float>(r);
  medretrieval::Gallery gallery(medretrieval::Model({.dimension = 4}));
  gallery.add(features);
  const auto answer =
      medretrieval::Searcher(gallery.commit()).search(features.row(7), {.k = 1, .exact = true});
  std::cout << "medretrieval " << medretrieval::version() << ", nearest: " << answer.hits.at(0).id << '\n';
  return answer.hits.at(0).id == 7 ? 0 : 1;
}
