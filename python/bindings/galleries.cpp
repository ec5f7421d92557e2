#include <medretrieval/gallery.hpp>
#include <medretrieval/model.hpp>

#include "arrays.hpp"

namespace medretrieval::python {

namespace {

using Texts = std::optional<std::vector<std::string>>;
using LabelLists = std::optional<std::vector<std::vector<std::string>>>;

/// The columns of add() and upsert() as items. Every given column has one entry a row.
struct ItemColumns {
  std::optional<std::vector<ItemId>> ids;
  Texts keys;
  LabelLists labels;
  Texts patients;
  Texts studies;
  Texts modalities;
  Texts sources;
  std::optional<std::vector<std::optional<std::string>>> dates;
  std::optional<std::vector<Attributes>> attributes;

  std::vector<Item> to_items(std::size_t rows) const {
    std::vector<Item> items(rows);
    const auto fill = [&](const char* name, const auto& column, const auto& set) {
      if (!column) return;
      if (column->size() != rows) {
        throw Error(ErrorCode::invalid_argument, std::string(name) + ": expected " + std::to_string(rows) +
                                                     " entries, got " + std::to_string(column->size()));
      }
      for (std::size_t r = 0; r < rows; ++r) set(items[r], (*column)[r]);
    };
    fill("ids", ids, [](Item& item, ItemId id) { item.id = id; });
    fill("keys", keys, [](Item& item, const std::string& value) { item.key = value; });
    fill("labels", labels, [](Item& item, const auto& value) { item.labels = value; });
    fill("patients", patients, [](Item& item, const std::string& value) { item.patient = value; });
    fill("studies", studies, [](Item& item, const std::string& value) { item.study = value; });
    fill("modalities", modalities, [](Item& item, const std::string& value) { item.modality = value; });
    fill("sources", sources, [](Item& item, const std::string& value) { item.source = value; });
    fill("dates", dates, [](Item& item, const auto& value) {
      if (value) item.date = Date::parse(*value);
    });
    fill("attributes", attributes, [](Item& item, const Attributes& value) { item.attributes = value; });
    return items;
  }
};

py::dict to_dict(const Item& item) {
  py::dict result;
  result["id"] = *item.id;
  result["key"] = item.key;
  result["labels"] = item.labels;
  result["patient"] = item.patient;
  result["study"] = item.study;
  result["modality"] = item.modality;
  result["source"] = item.source;
  result["date"] = item.date ? py::object(py::str(item.date->to_string())) : py::none();
  result["attributes"] = item.attributes;
  return result;
}

template <class Insert>
py::array_t<std::int64_t> insert(const FloatArray& features, const ItemColumns& columns, const Insert& call) {
  const MatrixView rows = view(features, "features");
  const auto items = columns.to_items(rows.rows());
  const auto ids = [&] {
    const py::gil_scoped_release release;
    return call(rows, items);
  }();
  py::array_t<std::int64_t> result(static_cast<py::ssize_t>(ids.size()));
  std::copy(ids.begin(), ids.end(), result.mutable_data());
  return result;
}

void bind_models(py::module_& module) {
  py::class_<Model>(module, "Model", "Encoder, class gate and label vocabulary of a gallery. Immutable.")
      .def_property_readonly("dimension", &Model::dimension)
      .def_property_readonly("labels", [](const Model& model) { return model.labels().names(); })
      .def_property_readonly("has_gate", [](const Model& model) { return model.gate() != nullptr; })
      .def_property_readonly("encoder_type",
                             [](const Model& model) {
                               return model.encoder() == nullptr ? std::string() : model.encoder()->type();
                             })
      .def_property_readonly(
          "lists", [](const Model& model) { return model.lists() == nullptr ? 0 : model.lists()->lists(); },
          "The number of inverted lists; 0: none.")
      .def_property_readonly("stored_features",
                             [](const Model& model) { return feature_type_name(model.stored_features()); })
      .def_property_readonly("fingerprint",
                             [](const Model& model) { return model.fingerprint().to_string(); })
      .def(
          "posteriors",
          [](const Model& model, const FloatArray& features, int threads) {
            if (model.gate() == nullptr) throw Error(ErrorCode::unsupported, "the model has no class gate");
            const MatrixView rows = view(features, "features");
            const auto posteriors = [&] {
              const py::gil_scoped_release release;
              return model.gate()->posteriors(rows, threads);
            }();
            return to_array(posteriors);
          },
          py::arg("features"), py::arg("threads") = 0,
          "Class posteriors of the gate, (n, number of labels).");

  module.def(
      "make_model",
      [](std::size_t dimension, const std::shared_ptr<Encoder>& encoder,
         const std::vector<std::string>& labels, const std::string& stored_features) {
        return Model({.dimension = dimension,
                      .encoder = encoder,
                      .stored_features = feature_type(stored_features),
                      .labels = LabelVocabulary(labels)});
      },
      py::arg("dimension"), py::arg("encoder") = nullptr, py::arg("labels") = std::vector<std::string>(),
      py::arg("stored_features") = "float32",
      "A model from parts, without a class gate. Without an encoder only exact search is possible.");
  module.def(
      "train_model",
      [](const FloatArray& features, const LabelLists& labels, const Texts& patients,
         const std::variant<std::monostate, std::shared_ptr<Encoder>, std::string>& encoder,
         const std::vector<std::string>& vocabulary, std::size_t lists, const std::string& stored_features,
         int threads, const py::kwargs& options) {
        const auto* type = std::get_if<std::string>(&encoder);
        const auto* trained = std::get_if<std::shared_ptr<Encoder>>(&encoder);
        ModelOptions wanted = {.labels = vocabulary, .threads = threads};
        if (type != nullptr) wanted.encoder = EncoderOptions{*type, to_parameters(options)};
        wanted.stored_features = feature_type(stored_features);
        if (lists != 0) wanted.lists = ListOptions{.lists = lists};
        if (lists != 0 && type == nullptr) {
          throw Error(ErrorCode::invalid_argument, "train_model: lists go with the name of an encoder type");
        }
        if (type == nullptr && !options.empty()) {
          throw Error(ErrorCode::invalid_argument,
                      "train_model: encoder options go with the name of an encoder type");
        }
        const MatrixView rows = view(features, "training features");
        const py::gil_scoped_release release;
        const Model model =
            train_model(wanted, {rows, labels ? *labels : std::vector<std::vector<std::string>>(),
                                 patients ? *patients : std::vector<std::string>()});
        if (trained == nullptr) return model;
        ModelParts parts = model.parts();
        parts.encoder = *trained;
        return Model(std::move(parts));
      },
      py::arg("features"), py::arg("labels") = py::none(), py::arg("patients") = py::none(),
      py::arg("encoder") = py::none(), py::arg("vocabulary") = std::vector<std::string>(),
      py::arg("lists") = 0, py::arg("stored_features") = "float32", py::arg("threads") = 0,
      "A model with a class gate learned from the rows when they carry two or more labels. `encoder` is a "
      "trained one, "
      "the name of a type to train (further keywords are its options), or None for exact search only. "
      "`lists`: how many inverted lists to make; 0: none. `stored_features`: 'float32', 'float16' or "
      "'uint8', how galleries keep them.");
}

}  // namespace

void bind_galleries(py::module_& module) {
  bind_models(module);

  py::class_<Snapshot>(module, "Snapshot", "A gallery at one moment; it never changes.")
      .def_static("open", &Snapshot::open, py::arg("folder"), py::call_guard<py::gil_scoped_release>())
      .def("__len__", &Snapshot::size)
      .def("__contains__", &Snapshot::contains)
      .def_property_readonly("model", &Snapshot::model)
      .def_property_readonly("generation", &Snapshot::generation)
      .def_property_readonly("fingerprint",
                             [](const Snapshot& snapshot) { return snapshot.fingerprint().to_string(); })
      .def_property_readonly("segment_count",
                             [](const Snapshot& snapshot) { return snapshot.segments().size(); })
      .def_property_readonly(
          "tuned_search",
          [](const Snapshot& snapshot) -> std::optional<py::dict> {
            const auto& tuned = snapshot.tuned_search();
            if (!tuned) return std::nullopt;
            return py::dict(py::arg("recall") = tuned->recall, py::arg("k") = tuned->k,
                            py::arg("probes") = tuned->probes, py::arg("pool_factor") = tuned->pool_factor);
          },
          "The search parameters stored with the gallery, a dict; None without such.")
      .def("ids", &Snapshot::ids)
      .def(
          "item", [](const Snapshot& snapshot, ItemId id) { return to_dict(snapshot.item(id)); },
          py::arg("id"))
      .def("find_key", &Snapshot::find_key, py::arg("key"))
      .def(
          "features",
          [](const Snapshot& snapshot, ItemId id) {
            const auto features = snapshot.features(id);
            return py::array_t<float>(static_cast<py::ssize_t>(features.size()), features.data());
          },
          py::arg("id"))
      .def(
          "verify", [](const Snapshot& snapshot) { snapshot.verify(); },
          py::call_guard<py::gil_scoped_release>());

  py::class_<Gallery>(
      module, "Gallery",
      "Images that can be found, in memory or as a folder. Changes become visible with commit().")
      .def(py::init<Model>(), py::arg("model"), "An empty gallery in memory.")
      .def_static("create", &Gallery::create, py::arg("folder"), py::arg("model"))
      .def_static("open", &Gallery::open, py::arg("folder"))
      .def(
          "add",
          [](Gallery& gallery, const FloatArray& features, std::optional<std::vector<ItemId>> ids, Texts keys,
             LabelLists labels, Texts patients, Texts studies, Texts modalities, Texts sources,
             std::optional<std::vector<std::optional<std::string>>> dates,
             std::optional<std::vector<Attributes>> attributes, int threads) {
            const ItemColumns columns = {std::move(ids),      std::move(keys),    std::move(labels),
                                         std::move(patients), std::move(studies), std::move(modalities),
                                         std::move(sources),  std::move(dates),   std::move(attributes)};
            return insert(features, columns, [&](MatrixView rows, const auto& items) {
              return gallery.add(rows, items, threads);
            });
          },
          py::arg("features"), py::kw_only(), py::arg("ids") = py::none(), py::arg("keys") = py::none(),
          py::arg("labels") = py::none(), py::arg("patients") = py::none(), py::arg("studies") = py::none(),
          py::arg("modalities") = py::none(), py::arg("sources") = py::none(), py::arg("dates") = py::none(),
          py::arg("attributes") = py::none(), py::arg("threads") = 0,
          "Adds rows; returns their ids. Columns have one entry a row; labels are lists, dates 'YYYY-MM-DD' "
          "or None.")
      .def(
          "upsert",
          [](Gallery& gallery, const FloatArray& features, std::vector<std::string> keys, LabelLists labels,
             Texts patients, Texts studies, Texts modalities, Texts sources,
             std::optional<std::vector<std::optional<std::string>>> dates,
             std::optional<std::vector<Attributes>> attributes, int threads) {
            const ItemColumns columns = {{},
                                         std::move(keys),
                                         std::move(labels),
                                         std::move(patients),
                                         std::move(studies),
                                         std::move(modalities),
                                         std::move(sources),
                                         std::move(dates),
                                         std::move(attributes)};
            return insert(features, columns, [&](MatrixView rows, const auto& items) {
              return gallery.upsert(rows, items, threads);
            });
          },
          py::arg("features"), py::arg("keys"), py::kw_only(), py::arg("labels") = py::none(),
          py::arg("patients") = py::none(), py::arg("studies") = py::none(),
          py::arg("modalities") = py::none(), py::arg("sources") = py::none(), py::arg("dates") = py::none(),
          py::arg("attributes") = py::none(), py::arg("threads") = 0,
          "Adds rows; a row whose key is there already replaces the old item.")
      .def(
          "remove", [](Gallery& gallery, const std::vector<ItemId>& ids) { gallery.remove(ids); },
          py::arg("ids"), py::call_guard<py::gil_scoped_release>())
      .def("commit", &Gallery::commit, py::call_guard<py::gil_scoped_release>())
      .def(
          "set_tuned_search",
          [](Gallery& gallery, double recall, std::size_t k, std::size_t probes, std::size_t pool_factor) {
            return gallery.set_tuned_search(TunedSearch{recall, k, probes, pool_factor});
          },
          py::kw_only(), py::arg("recall"), py::arg("k"), py::arg("probes"), py::arg("pool_factor"),
          py::call_guard<py::gil_scoped_release>(),
          "Stores search parameters, for example **searcher.tune(queries), with the gallery.")
      .def(
          "remove_tuned_search", [](Gallery& gallery) { return gallery.set_tuned_search(std::nullopt); },
          py::call_guard<py::gil_scoped_release>(), "Forgets what set_tuned_search stored.")
      .def("rollback", &Gallery::rollback, py::call_guard<py::gil_scoped_release>())
      .def("snapshot", &Gallery::snapshot, py::call_guard<py::gil_scoped_release>())
      .def(
          "compact", [](Gallery& gallery, std::size_t merge_below) { return gallery.compact({merge_below}); },
          py::arg("merge_below") = CompactOptions().merge_below, py::call_guard<py::gil_scoped_release>())
      .def_property_readonly("model", &Gallery::model)
      .def_property_readonly("pending_additions", py::cpp_function(&Gallery::pending_additions,
                                                                   py::call_guard<py::gil_scoped_release>()))
      .def_property_readonly("pending_removals", py::cpp_function(&Gallery::pending_removals,
                                                                  py::call_guard<py::gil_scoped_release>()));
}

}  // namespace medretrieval::python
