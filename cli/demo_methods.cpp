#include "demo_methods.hpp"

#include <algorithm>
#include <cstdio>
#include <medretrieval/imaging/load.hpp>

#include "explanation.hpp"
#include "progress_line.hpp"

namespace medretrieval::cli {

namespace {

constexpr std::size_t kSheets = 6;

std::string joined(const std::vector<std::string>& labels) {
  std::string text;
  for (const auto& label : labels) text += (text.empty() ? "" : ", ") + label;
  return text;
}

bool share_a_label(const Item& a, const Item& b) {
  return std::any_of(a.labels.begin(), a.labels.end(), [&](const auto& label) {
    return std::find(b.labels.begin(), b.labels.end(), label) != b.labels.end();
  });
}

eval::SheetPicture shown(const Item& item, const std::string& detail, bool relevant, const Picture& picture) {
  return {imaging::encode_png(picture(imaging::load_image(item.source))), joined(item.labels) + "\n" + detail,
          relevant};
}

/// Distance, and of binary codes how many bits agree.
std::string detail_of(const Snapshot& snapshot, const Hit& hit, std::span<const float> query) {
  char text[64];
  std::snprintf(text, sizeof text, "distance %.4g", static_cast<double>(hit.distance));
  const Encoder* encoder = snapshot.model().encoder();
  if (encoder == nullptr || encoder->layout().kind() != CodeKind::binary) return text;
  const std::string bits = agreeing_bits(snapshot.model(), query, snapshot.features(hit.id));
  return text + (", " + std::to_string(std::count(bits.begin(), bits.end(), '1'))) + " of " +
         std::to_string(bits.size()) + " bits";
}

SearchOptions search_options(const Snapshot& snapshot, const CascadeChoice& cascade) {
  SearchOptions search;
  cascade.apply(snapshot.tuned_search(), search);
  return search;
}

}  // namespace

DemoMaterial demo_material(const Dataset& dataset, const FeatureMaker& maker, int threads) {
  const auto& manifest = dataset.manifest();
  const auto training = manifest.rows_of("train");
  const auto database = manifest.rows_of("database");
  const auto queries = manifest.rows_of("query");
  if (training.empty() || database.empty() || queries.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "the manifest needs rows of the splits train, database and query; it has " +
                    std::to_string(training.size()) + ", " + std::to_string(database.size()) + " and " +
                    std::to_string(queries.size()));
  }
  DemoMaterial material;
  material.training = dataset.features(training, maker, threads).features;
  material.database = dataset.features(database, maker, threads).features;
  ImageFeatures asked = dataset.features(queries, maker, threads);
  material.queries = std::move(asked.features);
  material.query_posteriors = std::move(asked.posteriors);
  for (const auto row : training) {
    material.training_labels.push_back(manifest.rows[row].labels);
    material.training_patients.push_back(manifest.rows[row].patient);
  }
  material.database_items = dataset.items(database);
  material.query_items = dataset.items(queries);
  return material;
}

namespace {

Model demo_model(const std::string& method, const DemoMaterial& material,
                 const std::vector<std::string>& vocabulary, const FeatureMaker& maker, int threads) {
  ModelOptions wanted;
  wanted.feature_source = maker.source();
  if (method != "exact") wanted.encoder = encoder_of_bits(method, kDemoBits, material.training.rows());
  wanted.labels = vocabulary;
  wanted.threads = threads;
  wanted.progress = progress_line();
  return train_model(wanted, {material.training, material.training_labels, material.training_patients});
}

}  // namespace

Snapshot demo_gallery(const std::filesystem::path& folder, const std::string& method,
                      const DemoMaterial& material, const std::vector<std::string>& vocabulary,
                      const FeatureMaker& maker, int threads) {
  Gallery gallery =
      Gallery::create(folder, method == "network" ? Model(parts_of_network(maker))
                                                  : demo_model(method, material, vocabulary, maker, threads));
  maker.keep_in(folder);
  gallery.add(material.database, material.database_items, threads, progress_line());
  return gallery.commit();
}

std::vector<eval::EvaluationRow> demo_rows(const Snapshot& snapshot, const DemoMaterial& material,
                                           const CascadeChoice& cascade, int threads) {
  const SearchOptions search = search_options(snapshot, cascade);
  return eval::evaluate(snapshot, {material.queries, material.query_items, material.query_posteriors},
                        {.gate = search.gate,
                         .pool_factor = search.pool_factor,
                         .probes = search.probes,
                         .rerank = search.rerank,
                         .threads = threads,
                         .progress = progress_line()});
}

std::vector<eval::ContactSheet> demo_sheets(const Snapshot& snapshot, const DemoMaterial& material,
                                            const CascadeChoice& cascade, const Picture& picture) {
  SearchOptions search = search_options(snapshot, cascade);
  if (snapshot.model().gate() == nullptr) search.gate.mode = GateMode::off;
  std::vector<eval::ContactSheet> sheets;
  const Searcher searcher(snapshot);
  const std::size_t count = std::min(kSheets, material.query_items.size());
  for (std::size_t s = 0; s < count; ++s) {
    const std::size_t q = s * material.query_items.size() / count;
    const Item& query = material.query_items[q];
    QueryContext context = {.patient = query.patient};
    if (material.query_posteriors.rows() > 0) {
      const auto posterior = material.query_posteriors.row(q);
      context.posterior.assign(posterior.begin(), posterior.end());
    }
    const auto result = searcher.search(material.queries.row(q), search, context);
    eval::ContactSheet sheet;
    sheet.title = "Query " + std::to_string(s + 1) + ": " + joined(query.labels);
    sheet.query = shown(query, "query, patient " + query.patient, false, picture);
    for (const auto& hit : result.hits) {
      const Item item = snapshot.item(hit.id);
      sheet.hits.push_back(shown(item, detail_of(snapshot, hit, material.queries.row(q)),
                                 share_a_label(item, query), picture));
    }
    sheets.push_back(std::move(sheet));
  }
  return sheets;
}

}  // namespace medretrieval::cli
