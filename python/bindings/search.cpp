#include <limits>
#include <medretrieval/searcher.hpp>
#include <medretrieval/tuning.hpp>
#include <string_view>
#include <utility>
#include <variant>

#include "arrays.hpp"

namespace medretrieval::python {

namespace {

/// The value of a keyword argument that takes one of a few names.
template <class Value, std::size_t kCount>
Value named(const std::pair<std::string_view, Value> (&values)[kCount], const std::string& name,
            const char* what) {
  std::string known;
  for (const auto& [each, value] : values) {
    if (each == name) return value;
  }
  for (const auto& [each, value] : values) known.append(known.empty() ? "'" : ", '").append(each).append("'");
  throw Error(ErrorCode::invalid_argument,
              std::string(what) + ": expected one of " + known + ", got '" + name + "'");
}

constexpr std::pair<std::string_view, Rerank> kReranks[] = {{"cosine", Rerank::cosine},
                                                            {"inner_product", Rerank::inner_product},
                                                            {"l2", Rerank::l2},
                                                            {"none", Rerank::none}};
constexpr std::pair<std::string_view, GateMode> kGateModes[] = {
    {"adaptive", GateMode::adaptive}, {"off", GateMode::off}, {"top1", GateMode::top1}};
constexpr std::pair<std::string_view, GroupBy> kGroupings[] = {
    {"image", GroupBy::image}, {"patient", GroupBy::patient}, {"study", GroupBy::study}};

std::optional<Date> date_of(const std::optional<std::string>& text) {
  return text ? std::optional(Date::parse(*text)) : std::nullopt;
}

std::vector<QueryContext> contexts_of(std::size_t queries,
                                      const std::optional<std::vector<std::string>>& patients,
                                      const std::optional<std::vector<std::optional<ItemId>>>& selves) {
  if (!patients && !selves) return {};
  std::vector<QueryContext> contexts(queries);
  const auto check = [&](const char* name, std::size_t size) {
    if (size == queries) return;
    throw Error(ErrorCode::invalid_argument, std::string(name) + ": expected " + std::to_string(queries) +
                                                 " entries, got " + std::to_string(size));
  };
  if (patients) check("patients", patients->size());
  if (selves) check("selves", selves->size());
  for (std::size_t q = 0; q < queries; ++q) {
    if (patients) contexts[q].patient = (*patients)[q];
    if (selves) contexts[q].self = (*selves)[q];
  }
  return contexts;
}

using AnyFilter = std::variant<std::monostate, Filter, PreparedFilter>;

template <class Options>
void set_filter(Options& options, const AnyFilter& filter) {
  if (const auto* plain = std::get_if<Filter>(&filter)) options.filter = *plain;
  if (const auto* prepared = std::get_if<PreparedFilter>(&filter)) options.prepared_filter = *prepared;
}

/// The answers of a batch as arrays: ids -1 and distances infinity where an answer is missing.
py::dict to_dict(const std::vector<SearchResult>& results, std::size_t k) {
  py::array_t<std::int64_t> ids({results.size(), k});
  py::array_t<float> distances({results.size(), k});
  py::array_t<float> code_distances({results.size(), k});
  py::array_t<std::int64_t> shortfall(static_cast<py::ssize_t>(results.size()));
  py::array_t<std::int64_t> eligible(static_cast<py::ssize_t>(results.size()));
  auto id_rows = ids.mutable_unchecked<2>();
  auto distance_rows = distances.mutable_unchecked<2>();
  auto code_distance_rows = code_distances.mutable_unchecked<2>();
  py::list classes;
  for (std::size_t q = 0; q < results.size(); ++q) {
    for (std::size_t i = 0; i < k; ++i) {
      const bool there = i < results[q].hits.size();
      const Hit hit =
          there ? results[q].hits[i]
                : Hit{0, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity()};
      id_rows(q, i) = there ? static_cast<std::int64_t>(hit.id) : -1;
      distance_rows(q, i) = hit.distance;
      code_distance_rows(q, i) = hit.code_distance;
    }
    shortfall.mutable_at(q) = static_cast<std::int64_t>(results[q].shortfall);
    eligible.mutable_at(q) = static_cast<std::int64_t>(results[q].eligible);
    classes.append(results[q].classes_searched);
  }
  py::dict answer;
  answer["ids"] = ids;
  answer["distances"] = distances;
  answer["code_distances"] = code_distances;
  answer["shortfall"] = shortfall;
  answer["eligible"] = eligible;
  answer["classes"] = classes;
  return answer;
}

}  // namespace

void bind_search(py::module_& module) {
  py::class_<Filter>(module, "Filter", "Conditions that items must meet; those left empty always hold.")
      .def(py::init([](std::vector<std::string> labels, std::vector<std::string> modalities,
                       const std::optional<std::string>& date_from, const std::optional<std::string>& date_to,
                       std::vector<std::string> exclude_patients, std::optional<std::vector<ItemId>> ids,
                       const std::map<std::string, std::vector<std::string>>& texts,
                       const std::map<std::string, std::pair<double, double>>& numbers) {
             Filter filter = {std::move(labels), std::move(modalities),       date_of(date_from),
                              date_of(date_to),  std::move(exclude_patients), std::move(ids)};
             for (const auto& [column, values] : texts) filter.texts.push_back({column, values});
             for (const auto& [column, range] : numbers)
               filter.numbers.push_back({column, range.first, range.second});
             return filter;
           }),
           py::kw_only(), py::arg("labels") = std::vector<std::string>(),
           py::arg("modalities") = std::vector<std::string>(), py::arg("date_from") = py::none(),
           py::arg("date_to") = py::none(), py::arg("exclude_patients") = std::vector<std::string>(),
           py::arg("ids") = py::none(), py::arg("texts") = std::map<std::string, std::vector<std::string>>(),
           py::arg("numbers") = std::map<std::string, std::pair<double, double>>());

  py::class_<PreparedFilter>(module, "PreparedFilter",
                             "A filter worked out for one snapshot by Searcher.prepare().")
      .def("__len__", &PreparedFilter::items);

  py::class_<Searcher>(module, "Searcher",
                       "Searches one snapshot: class gate, filters, pool, exact re-ranking.")
      .def(py::init<Snapshot>(), py::arg("snapshot"))
      .def("prepare", &Searcher::prepare, py::arg("filter"), py::call_guard<py::gil_scoped_release>(),
           "Works a filter out once, for many searches: pass the result as `filter`.")
      .def(
          "search",
          [](const Searcher& searcher, const FloatArray& queries, std::size_t k,
             std::optional<std::size_t> pool_factor, std::optional<std::size_t> probes,
             const std::string& rerank, bool exact, const std::string& gate, double gate_level,
             bool widen_gate, const AnyFilter& filter,
             const std::optional<std::vector<std::string>>& patients,
             const std::optional<std::vector<std::optional<ItemId>>>& selves, bool exclude_own_patient,
             const std::string& group_by, int threads, std::size_t shards, const py::object& progress) {
            SearchOptions options;
            options.k = k;
            const auto& tuned = searcher.snapshot().tuned_search();
            options.pool_factor = pool_factor.value_or(tuned ? tuned->pool_factor : options.pool_factor);
            options.probes = probes.value_or(tuned && !exact ? tuned->probes : 0);
            options.rerank = named(kReranks, rerank, "rerank");
            options.exact = exact;
            options.gate = {named(kGateModes, gate, "gate"), gate_level};
            options.widen_gate = widen_gate;
            set_filter(options, filter);
            options.exclude_own_patient = exclude_own_patient;
            options.group_by = named(kGroupings, group_by, "group_by");
            options.threads = threads;
            options.shards = shards;
            options.progress = to_progress(progress);
            const MatrixView rows = view(queries, "queries");
            const auto contexts = contexts_of(rows.rows(), patients, selves);
            const auto results = [&] {
              const py::gil_scoped_release release;
              return searcher.search(rows, options, contexts);
            }();
            return to_dict(results, k);
          },
          py::arg("queries"), py::arg("k") = 10, py::kw_only(), py::arg("pool_factor") = py::none(),
          py::arg("probes") = py::none(), py::arg("rerank") = "l2", py::arg("exact") = false,
          py::arg("gate") = "off", py::arg("gate_level") = 0.95, py::arg("widen_gate") = false,
          py::arg("filter") = py::none(), py::arg("patients") = py::none(), py::arg("selves") = py::none(),
          py::arg("exclude_own_patient") = true, py::arg("group_by") = "image", py::arg("threads") = 0,
          py::arg("shards") = 0, py::arg("progress") = py::none(),
          "Answers a batch. pool_factor and probes (inverted lists visited, 0: all) are by default what the "
          "gallery was "
          "tuned to, else 2 and 0. Returns a dict of arrays: ids (n, k) with -1 where an answer is missing, "
          "distances, "
          "code_distances, shortfall, eligible, and classes (a list for each query).")
      .def(
          "tune",
          [](const Searcher& searcher, const FloatArray& queries, double recall, std::size_t k, int threads,
             const py::object& progress) -> py::object {
            const MatrixView rows = view(queries, "queries");
            TuningOptions options = {
                .recall = recall, .k = k, .threads = threads, .progress = to_progress(progress)};
            const auto result = [&] {
              const py::gil_scoped_release release;
              return tune_search(searcher, rows, options);
            }();
            if (!result.chosen) return py::none();
            py::dict chosen;
            chosen["recall"] = result.chosen->recall;
            chosen["k"] = result.chosen->k;
            chosen["probes"] = result.chosen->probes;
            chosen["pool_factor"] = result.chosen->pool_factor;
            return std::move(chosen);
          },
          py::arg("queries"), py::arg("recall") = 0.95, py::kw_only(), py::arg("k") = 10,
          py::arg("threads") = 0, py::arg("progress") = py::none(),
          "The probes and pool_factor that reach a recall of the exact k nearest at the least cost, as a "
          "dict, or None "
          "when nothing does. Gallery.set_tuned_search() stores them.")
      .def(
          "range_search",
          [](const Searcher& searcher, const FloatArray& queries, float radius, const std::string& distance,
             const AnyFilter& filter, const std::optional<std::vector<std::string>>& patients,
             bool exclude_own_patient, int threads) {
            RangeOptions options;
            options.radius = radius;
            options.distance = named(kReranks, distance, "distance");
            set_filter(options, filter);
            options.exclude_own_patient = exclude_own_patient;
            options.threads = threads;
            const MatrixView rows = view(queries, "queries");
            const auto contexts = contexts_of(rows.rows(), patients, std::nullopt);
            const auto results = [&] {
              const py::gil_scoped_release release;
              return searcher.range_search(rows, options, contexts);
            }();
            py::list answers;
            for (const auto& result : results) {
              const auto count = static_cast<py::ssize_t>(result.hits.size());
              py::array_t<std::int64_t> ids(count);
              py::array_t<float> distances(count);
              for (py::ssize_t i = 0; i < count; ++i) {
                ids.mutable_at(i) = static_cast<std::int64_t>(result.hits[static_cast<std::size_t>(i)].id);
                distances.mutable_at(i) = result.hits[static_cast<std::size_t>(i)].distance;
              }
              answers.append(py::make_tuple(ids, distances));
            }
            return answers;
          },
          py::arg("queries"), py::arg("radius"), py::kw_only(), py::arg("distance") = "l2",
          py::arg("filter") = py::none(), py::arg("patients") = py::none(),
          py::arg("exclude_own_patient") = true, py::arg("threads") = 0,
          "Everything within a radius: a list of (ids, distances) for each query.");
}

}  // namespace medretrieval::python
