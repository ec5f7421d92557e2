#include <algorithm>
#include <medretrieval/gallery.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "dataset.hpp"
#include "gallery_description.hpp"
#include "index_create.hpp"
#include "progress_line.hpp"
#include "search_options.hpp"

namespace medretrieval::cli {

namespace {

using Json = nlohmann::ordered_json;

// --- index add ---

struct AddOptions {
  GalleryChoice common;
  DatasetOptions data;
  std::string split;
  bool upsert = false;
  int threads = 0;
};

void add(const AddOptions& options) {
  const Dataset dataset(options.data);
  const auto rows = options.split.empty() ? dataset.all_rows() : dataset.manifest().rows_of(options.split);
  if (rows.empty()) {
    throw Error(ErrorCode::invalid_argument,
                options.data.manifest + ": no rows" +
                    (options.split.empty() ? "" : " of split '" + options.split + "'"));
  }
  Gallery gallery = Gallery::open(options.common.gallery);
  const auto maker = FeatureMaker::of_gallery(options.common.gallery, gallery.model());
  const auto items = dataset.items(rows, gallery.snapshot().attributes());
  const Matrix features = dataset.features(rows, *maker, options.threads).features;
  if (options.upsert) {
    gallery.upsert(features, items, options.threads, progress_line());
  } else {
    gallery.add(features, items, options.threads, progress_line());
  }
  print(describe(gallery.commit()), options.common.json);
}

void add_add(CLI::App& index) {
  auto* command = index.add_subcommand("add", "Add images to a gallery");
  command->footer(
      "Adds all rows, whatever their split, unless --split is given.\n\nExample:\n  medretrieval index add "
      "--gallery g --data more --manifest more/manifest.csv --upsert\n");
  auto options = std::make_shared<AddOptions>();
  options->common.add_to(*command);
  options->data.add_to(*command, true);
  command->add_option("--split", options->split, "Only rows of this split");
  command->add_flag("--upsert", options->upsert,
                    "Replace items whose path is there already, instead of refusing");
  add_threads_option(*command, options->threads);
  command->callback([options] { add(*options); });
}

// --- index remove ---

struct RemoveOptions {
  GalleryChoice common;
  std::vector<ItemId> ids;
  std::vector<std::string> keys;
  std::vector<std::string> patients;
};

void remove(const RemoveOptions& options) {
  if (options.ids.empty() && options.keys.empty() && options.patients.empty()) {
    throw Error(ErrorCode::invalid_argument, "index remove: expected --id, --key or --patient");
  }
  Gallery gallery = Gallery::open(options.common.gallery);
  const Snapshot snapshot = gallery.snapshot();
  std::vector<ItemId> ids = options.ids;
  for (const auto& key : options.keys) {
    const auto id = snapshot.find_key(key);
    if (!id) throw Error(ErrorCode::not_found, "the gallery has no item with the key '" + key + "'");
    ids.push_back(*id);
  }
  for (const auto& patient : options.patients) {
    const std::size_t before = ids.size();
    for (const auto id : snapshot.ids()) {
      if (snapshot.item(id).patient == patient) ids.push_back(id);
    }
    if (ids.size() == before)
      throw Error(ErrorCode::not_found, "the gallery has no item of patient '" + patient + "'");
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  gallery.remove(ids);
  print(describe(gallery.commit()), options.common.json);
}

void add_remove(CLI::App& index) {
  auto* command = index.add_subcommand("remove", "Remove items; their ids are never used again");
  command->footer(
      "Examples:\n  medretrieval index remove --gallery g --id 17 --id 18\n"
      "  medretrieval index remove --gallery g --patient P0042\n");
  auto options = std::make_shared<RemoveOptions>();
  options->common.add_to(*command);
  command->add_option("--id", options->ids, "Id of an item; may be given several times");
  command->add_option("--key", options->keys, "Key of an item; may be given several times");
  command->add_option("--patient", options->patients, "All items of a patient; may be given several times");
  command->callback([options] { remove(*options); });
}

// --- index info, verify, compact ---

void add_reading(CLI::App& index) {
  auto* info = index.add_subcommand("info", "Describe a gallery");
  info->footer("Example:\n  medretrieval index info --gallery g --json\n");
  auto info_options = std::make_shared<GalleryChoice>();
  info_options->add_to(*info);
  info->callback(
      [info_options] { print(describe(Snapshot::open(info_options->gallery)), info_options->json); });

  auto* verify = index.add_subcommand("verify", "Read a whole gallery and check everything in it");
  verify->footer("Example:\n  medretrieval index verify --gallery g\n");
  auto verify_options = std::make_shared<GalleryChoice>();
  verify_options->add_to(*verify);
  verify->callback([verify_options] {
    const Snapshot snapshot = Snapshot::open(verify_options->gallery);
    snapshot.verify(progress_line());
    const Json answer = {
        {"verified", true}, {"items", snapshot.size()}, {"fingerprint", snapshot.fingerprint().to_string()}};
    print(answer, verify_options->json);
  });

  auto* compact = index.add_subcommand("compact", "Merge small segments and drop removed rows");
  compact->footer("Example:\n  medretrieval index compact --gallery g\n");
  auto compact_options = std::make_shared<GalleryChoice>();
  auto settings = std::make_shared<CompactOptions>();
  compact_options->add_to(*compact);
  compact->add_option("--merge-below", settings->merge_below, "Merge segments with fewer items than this")
      ->capture_default_str();
  compact->callback([compact_options, settings] {
    settings->progress = progress_line();
    print(describe(Gallery::open(compact_options->gallery).compact(*settings)), compact_options->json);
  });
}

}  // namespace

void add_index_commands(CLI::App& app) {
  auto* index = app.add_subcommand("index", "Make and keep galleries");
  index->require_subcommand(1);
  add_index_create(*index);
  add_add(*index);
  add_remove(*index);
  add_reading(*index);
}

}  // namespace medretrieval::cli
