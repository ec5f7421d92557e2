// Prints digests of search results, and checks on the way that threads, shards and segments do not change
// them. The test beside it runs this program once for every instruction set and compares what it prints.
#include <cmath>
#include <cstring>
#include <iostream>
#include <medretrieval/cpu.hpp>
#include <medretrieval/medretrieval.hpp>

#include "support/random_features.hpp"
#ifdef MEDRETRIEVAL_HAVE_IMAGING
#include <medretrieval/imaging/features.hpp>
#include <medretrieval/imaging/phantom.hpp>
#endif

namespace medretrieval {
namespace {

struct Material {
  std::string name;
  Matrix base;
  Matrix queries;
};

/// The rows, then copies of some of them: exact ones, and ones that differ in the last bit of one value.
Matrix with_near_ties(const Matrix& rows) {
  const std::size_t copies = rows.rows() / 5;
  Matrix result(rows.rows() + copies, rows.cols());
  for (std::size_t r = 0; r < result.rows(); ++r) {
    const auto from = rows.row(r < rows.rows() ? r : (r * 7919) % rows.rows());
    std::copy(from.begin(), from.end(), result.row(r).begin());
    if (r >= rows.rows() && r % 3 != 0) {
      float& value = result(r, r % rows.cols());
      value = std::nextafter(value, r % 2 == 0 ? 1e6F : -1e6F);
    }
  }
  return result;
}

#ifdef MEDRETRIEVAL_HAVE_IMAGING
Material image_features() {
  const auto extractor = imaging::make_feature_extractor("classical");
  const imaging::PhantomOptions phantoms = {.patients = 160, .images_per_patient = 2};
  Matrix features(320, extractor->dimension());
  for (std::size_t i = 0; i < 320; ++i) {
    const auto phantom = imaging::draw_phantom(phantoms, i / 2, i % 2);
    extractor->extract(imaging::apply_window(phantom.image, {-300, 1800}), features.row(i));
  }
  return {"gradient histograms of phantoms",
          with_near_ties(Matrix::copy_of(features.view().rows_from(0, 280))),
          Matrix::copy_of(features.view().rows_from(270, 20))};
}
#endif

std::vector<Material> materials(const std::filesystem::path& data) {
  std::vector<Material> all;
  all.push_back({"gaussian", with_near_ties(testing::gaussian(2000, 48, 1)), testing::gaussian(20, 48, 2)});
  const auto sift = data / "vectors/siftsmall";
  if (std::filesystem::exists(sift)) {
    const Matrix queries = read_fvecs(sift / "siftsmall_query.fvecs");
    all.push_back({"siftsmall", with_near_ties(read_fvecs(sift / "siftsmall_base.fvecs")),
                   Matrix::copy_of(queries.view().rows_from(0, 20))});
  }
#ifdef MEDRETRIEVAL_HAVE_IMAGING
  all.push_back(image_features());
#endif
  return all;
}

/// Labels that follow from the features, one or two a row, and patients of three rows.
std::vector<Item> items_of(const Matrix& features) {
  std::vector<Item> items(features.rows());
  for (std::size_t r = 0; r < items.size(); ++r) {
    const auto row = features.row(r);
    const auto largest = std::max_element(row.begin(), row.begin() + 4) - row.begin();
    items[r].labels = {"class " + std::to_string(largest)};
    if (row[5] > row[6]) items[r].labels.push_back("class " + std::to_string((largest + 1) % 4));
    items[r].patient = "patient " + std::to_string(r / 3);
  }
  return items;
}

/// Ids and distances of all results, bit by bit.
std::string digest(const std::vector<SearchResult>& results) {
  ByteWriter writer;
  for (const auto& result : results) {
    for (const auto& hit : result.hits) {
      writer.number(hit.id);
      writer.number(hit.distance);
    }
  }
  return Fingerprint::of(writer.buffer()).to_string();
}

/// Two stages, code distance alone, exact; with a gate also through it, and by patient.
std::vector<SearchOptions> ways_to_search(bool gated) {
  std::vector<SearchOptions> ways(4);
  ways[0].pool_factor = 5;
  ways[1].rerank = Rerank::none;
  ways[1].k = 50;
  ways[2].exact = true;
  ways[3].rerank = Rerank::cosine;
  ways[3].pool_factor = 20;
  if (!gated) return ways;
  for (const auto mode : {GateMode::top1, GateMode::adaptive}) {
    ways.push_back({});
    ways.back().gate.mode = mode;
    ways.back().group_by = GroupBy::patient;
  }
  return ways;
}

Searcher searcher_over(const Model& model, const Matrix& base, std::size_t segments) {
  Gallery gallery(model);
  const auto items = model.labels().empty() ? std::vector<Item>(base.rows()) : items_of(base);
  for (std::size_t s = 0; s < segments; ++s) {
    const std::size_t first = base.rows() * s / segments;
    const std::size_t last = base.rows() * (s + 1) / segments;
    gallery.add(base.view().rows_from(first, last - first), std::span(items).subspan(first, last - first),
                static_cast<int>(1 + s));
    gallery.commit();
  }
  return Searcher(gallery.snapshot());
}

std::vector<SearchResult> one_by_one(const Searcher& searcher, MatrixView queries,
                                     const SearchOptions& options) {
  std::vector<SearchResult> results;
  for (std::size_t q = 0; q < queries.rows(); ++q)
    results.push_back(searcher.search(queries.row(q), options));
  return results;
}

/// Searches in every division of the work; all must agree.
std::string search_everywhere(const Model& model, const Material& material, bool& agreed) {
  const auto ways = ways_to_search(model.gate() != nullptr);
  std::vector<std::string> expected(ways.size());
  for (const std::size_t segments : {1U, 5U}) {
    const Searcher searcher = searcher_over(model, material.base, segments);
    for (std::size_t way = 0; way < ways.size(); ++way) {
      SearchOptions options = ways[way];
      for (const int threads : {1, 2, 8}) {
        for (const std::size_t shards : {1U, 3U, 7U}) {
          options.threads = threads;
          options.shards = shards;
          const std::string batch = digest(searcher.search(material.queries, options));
          if (expected[way].empty()) expected[way] = batch;
          if (batch == expected[way] && digest(one_by_one(searcher, material.queries, options)) == batch)
            continue;
          std::cout << "DIFFERENT: " << material.name << ", way " << way << ", " << segments << " segments, "
                    << threads << " threads, " << shards << " shards\n";
          agreed = false;
        }
      }
    }
  }
  std::string digests;
  for (const auto& each : expected) digests += " " + each;
  return digests;
}

/// Two slices of different weight that make up the columns.
std::string joint_slices(std::size_t columns) {
  return std::to_string(columns / 2) + ":2," + std::to_string(columns - columns / 2) + ":3";
}

int run(const std::filesystem::path& data) {
  std::cerr << cpu_info().instruction_set << '\n';
  bool agreed = true;
  for (const auto& material : materials(data)) {
    for (const EncoderOptions& encoder :
         {EncoderOptions{"lsh", {{"bits", 48}}}, EncoderOptions{"itq", {{"bits", 32}, {"iterations", 10}}},
          EncoderOptions{"pq", {{"subspaces", 16}, {"bits_per_entry", 4}, {"iterations", 8}}},
          EncoderOptions{"opq",
                         {{"subspaces", 8},
                          {"bits_per_entry", 8},
                          {"iterations", 3},
                          {"rotations", 3},
                          {"dimension", 32}}},
          EncoderOptions{"joint", {{"slices", joint_slices(material.base.cols())}, {"bits", 12}}}}) {
      const MatrixView rows =
          material.base.view().rows_from(0, std::min<std::size_t>(material.base.rows(), 2000));
      ModelOptions options = {.encoder = encoder};
      options.gate_training.iterations = 20;
      std::vector<std::vector<std::string>> labels;
      std::vector<std::string> patients;
      if (encoder.type == "joint") {  // one model with labels is enough: the gate does not see the codes
        for (const auto& item : items_of(Matrix::copy_of(rows))) {
          labels.push_back(item.labels);
          patients.push_back(item.patient);
        }
      }
      const Model model = train_model(options, {rows, labels, patients});
      std::cout << material.name << ' ' << encoder.type << ' ' << model.fingerprint().to_string()
                << search_everywhere(model, material, agreed) << '\n';
    }
  }
  return agreed ? 0 : 1;
}

}  // namespace
}  // namespace medretrieval

int main(int, char** argv) {
  return medretrieval::run(argv[1]);
}
