// Serving a trained deep hash without its framework: the hash layer's weights go in, codes come out.
// Then the joint distance over three feature layers (paper: Qin et al. 2019).
#include <iostream>
#include <medretrieval/gallery.hpp>
#include <medretrieval/searcher.hpp>

namespace mr = medretrieval;

/// Stands for the weights of a trained layer.
mr::Matrix make_weights(std::size_t bits, std::size_t dimension, unsigned salt) {
  mr::Matrix weights(bits, dimension);
  unsigned state = salt;
  for (std::size_t i = 0; i < bits * dimension; ++i) {
    state = state * 1664525U + 1013904223U;
    weights.data()[i] = static_cast<float>(state >> 8) / static_cast<float>(1U << 24) - 0.5F;
  }
  return weights;
}

int main() {
  const mr::Matrix features = make_weights(500, 96, 3);  // any numbers will do as features here

  // bit = sigmoid(W f + b) > 0.5
  const std::vector<float> bias(48, 0.1F);
  const auto head = mr::make_hash_head(make_weights(48, 96, 1), bias);
  const mr::Codes codes = head->encode(features);
  std::cout << codes.rows() << " codes of " << head->layout().to_string() << '\n';

  // Three layers side by side in one feature vector, the deepest counting twice.
  const std::vector<float> no_bias(32);
  const mr::Matrix w0 = make_weights(32, 32, 5);
  const mr::Matrix w1 = make_weights(32, 32, 6);
  const mr::Matrix w2 = make_weights(32, 32, 7);
  const auto joint = mr::make_joint_encoder({{0, mr::make_hash_head(w0, no_bias), 1},
                                             {32, mr::make_hash_head(w1, no_bias), 1},
                                             {64, mr::make_hash_head(w2, no_bias), 2}});

  mr::Gallery gallery(mr::Model({.dimension = 96, .encoder = joint}));
  gallery.add(features);
  mr::SearchOptions options;
  options.k = 3;
  options.rerank = mr::Rerank::none;  // the papers rank by code distance alone
  const auto answer = mr::Searcher(gallery.commit()).search(features.row(42), options);
  for (const auto& hit : answer.hits)
    std::cout << "item " << hit.id << "  joint distance " << hit.distance << '\n';
  return answer.hits[0].id == 42 && answer.hits[0].distance == 0 && answer.hits[1].distance > 0 ? 0 : 1;
}
