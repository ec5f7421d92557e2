#include "search_options.hpp"

#include <map>
#include <medretrieval/imaging/features.hpp>

namespace medretrieval::cli {

namespace {

constexpr std::size_t kManyTrainingRows = 10'000;

bool has_option(const EncoderType& type, const std::string& name) {
  for (const auto& option : type.options) {
    if (option.name == name) return true;
  }
  return false;
}

}  // namespace

EncoderOptions encoder_of_bits(const std::string& type, std::size_t bits, std::size_t training_rows) {
  const EncoderType& known = encoder_type(type);
  EncoderOptions options = {type, {}};
  if (has_option(known, "subspaces")) {
    const std::size_t entry_bits = training_rows < kManyTrainingRows ? 4 : 8;
    if (bits % entry_bits != 0) {
      throw Error(ErrorCode::invalid_argument, "encoder '" + type + "': expected a multiple of " +
                                                   std::to_string(entry_bits) + " bits, got " +
                                                   std::to_string(bits));
    }
    options.parameters["subspaces"] = static_cast<std::int64_t>(bits / entry_bits);
    options.parameters["bits_per_entry"] = static_cast<std::int64_t>(entry_bits);
  } else if (has_option(known, "bits")) {
    options.parameters["bits"] = static_cast<std::int64_t>(bits);
  }
  return options;
}

void add_threads_option(CLI::App& command, int& threads) {
  command.add_option("--threads", threads, "0: all")->check(CLI::Range(0, 1024))->capture_default_str();
}

std::string options_help(const std::vector<OptionSpec>& options) {
  std::string help;
  for (const auto& option : options) {
    const std::string standard = to_string(option.default_value);
    help += "      " + option.name + (standard.empty() ? "" : " (" + standard + ")") + ": " +
            option.description + '\n';
  }
  return help;
}

std::string encoder_options_help() {
  std::string help;
  for (const auto& name : encoder_type_names()) {
    help +=
        "  " + name + ": " + encoder_type(name).description + '\n' + options_help(encoder_type(name).options);
  }
  return help;
}

void EncoderChoice::add_to(CLI::App& command) {
  std::string names;
  for (const auto& name : encoder_type_names()) names += (names.empty() ? "" : ", ") + name;
  command
      .add_option("--encoder", type, "One of " + names + " (default: the code of the --network, else itq)")
      ->type_name("NAME");
  command
      .add_option_function<std::size_t>(
          "--bits",
          [this](const std::size_t& given) {
            bits = given;
            bits_given = true;
          },
          "Code width in bits, for encoders that have one")
      ->default_str(std::to_string(bits));
  command.add_option("--option", options, "An encoder option, name=value; may be given several times")
      ->type_name("NAME=VALUE");
}

EncoderOptions EncoderChoice::resolved(std::size_t training_rows) const {
  const std::string chosen = type.empty() ? "itq" : type;
  const EncoderType& known = encoder_type(chosen);
  EncoderOptions resolved = encoder_of_bits(chosen, bits, training_rows);
  for (const auto& text : options) {
    const auto [name, value] = parse_parameter(text, known.options, "encoder '" + chosen + "'");
    resolved.parameters[name] = value;
  }
  return resolved;
}

void CascadeChoice::add_to(CLI::App& command) {
  const std::map<std::string, GateMode> gates = {
      {"off", GateMode::off}, {"top1", GateMode::top1}, {"adaptive", GateMode::adaptive}};
  const std::map<std::string, Rerank> reranks = {{"none", Rerank::none},
                                                 {"l2", Rerank::l2},
                                                 {"inner-product", Rerank::inner_product},
                                                 {"cosine", Rerank::cosine}};
  command.add_option("--gate", gate.mode, "Class gate: off, top1 (the most probable class) or adaptive")
      ->transform(one_of(gates))
      ->type_name("MODE")
      ->default_str(gate.mode == GateMode::off ? "off" : "adaptive");
  command.add_option("--gate-level", gate.level, "Coverage that the adaptive gate aims at")
      ->capture_default_str();
  command.add_option("--pool-factor", pool_factor,
                     "Candidates for each answer (as the gallery was tuned, else 2)");
  command.add_option("--probes", probes,
                     "Inverted lists that a query visits, 0: all (as the gallery was tuned, else all)");
  command.add_option("--rerank", rerank, "Order of the pool: none, l2, inner-product or cosine")
      ->transform(one_of(reranks))
      ->type_name("DISTANCE")
      ->default_str("l2");
}

void CascadeChoice::apply(const std::optional<TunedSearch>& tuned, SearchOptions& search) const {
  search.gate = gate;
  search.rerank = rerank;
  search.pool_factor = pool_factor.value_or(tuned ? tuned->pool_factor : search.pool_factor);
  search.probes = probes.value_or(tuned && !search.exact ? tuned->probes : 0);
}

void StorageChoice::add_to(CLI::App& command) {
  const std::map<std::string, FeatureType> types = {
      {"float32", FeatureType::float32}, {"float16", FeatureType::float16}, {"uint8", FeatureType::uint8}};
  command
      .add_option(
          "--lists", lists,
          "Inverted lists, about the square root of the number of images; 0: none, every search scans")
      ->capture_default_str();
  command
      .add_option("--stored-features", stored_features, "How features are kept: float32, float16 or uint8")
      ->transform(one_of(types))
      ->type_name("TYPE")
      ->default_str("float32");
}

void StorageChoice::apply(ModelOptions& model) const {
  if (lists != 0) model.lists = ListOptions{.lists = lists};
  model.stored_features = stored_features;
}

void FeatureChoice::add_to(CLI::App& command) {
  std::string names;
  for (const auto& each : imaging::feature_extractor_names()) names += (names.empty() ? "" : ", ") + each;
  auto* extractor =
      command.add_option("--features", name, "Feature extractor: " + names)->capture_default_str();
  auto* its_parameters =
      command.add_option("--feature-parameters", parameters, "Its parameters, a JSON object")
          ->type_name("JSON");
  command.add_option("--network", network, "Instead, the features of a trained network (medretrieval train)")
      ->type_name("FILE")
      ->excludes(extractor)
      ->excludes(its_parameters);
}

}  // namespace medretrieval::cli
