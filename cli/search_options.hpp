// Options of searching and encoding that several subcommands share.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <medretrieval/encoder.hpp>
#include <medretrieval/model.hpp>
#include <medretrieval/searcher.hpp>
#include <optional>
#include <string>
#include <vector>

namespace medretrieval::cli {

/// --threads.
void add_threads_option(CLI::App& command, int& threads);

/// Options that are given as NAME=VALUE, for --help: a line each, with the default.
std::string options_help(const std::vector<OptionSpec>& options);

/// --encoder, --bits, --option.
struct EncoderChoice {
  std::string type;  ///< empty: the network's own code where a network makes the features, else itq
  std::size_t bits = 64;
  bool bits_given = false;
  std::vector<std::string> options;

  void add_to(CLI::App& command);
  /// `bits` as the type spells it: the option "bits", or subspaces of a product quantizer, 16 x 4 bits at 64
  /// bits below 10,000 training rows and 8 x 8 bits from there.
  EncoderOptions resolved(std::size_t training_rows) const;
};

/// The options of an encoder type that give codes of so many bits.
EncoderOptions encoder_of_bits(const std::string& type, std::size_t bits, std::size_t training_rows);

/// Turns a name of an enumeration's value into its number, or says which names there are.
template <class Value>
CLI::Validator one_of(const std::map<std::string, Value>& values) {
  return CLI::Validator(
      [values](std::string& text) -> std::string {
        if (const auto found = values.find(text); found != values.end()) {
          text = std::to_string(static_cast<int>(found->second));
          return "";
        }
        std::string names;
        for (const auto& [name, value] : values) names += (names.empty() ? "" : ", ") + name;
        return "expected one of " + names + "; got '" + text + "'";
      },
      "", "one_of");
}

/// Every encoder type with its options, for --help.
std::string encoder_options_help();

/// --gate, --gate-level, --pool-factor, --probes, --rerank.
struct CascadeChoice {
  GateOptions gate;
  std::optional<std::size_t> pool_factor;  ///< as asked for
  std::optional<std::size_t> probes;
  Rerank rerank = Rerank::l2;

  void add_to(CLI::App& command);
  /// What was not asked for is as the gallery was tuned, else the library's default.
  void apply(const std::optional<TunedSearch>& tuned, SearchOptions& search) const;
};

/// --lists, --stored-features.
struct StorageChoice {
  std::size_t lists = 0;
  FeatureType stored_features = FeatureType::float32;

  void add_to(CLI::App& command);
  void apply(ModelOptions& model) const;
};

/// --features, --feature-parameters, --network.
struct FeatureChoice {
  std::string name = "classical";
  std::string parameters = "{}";
  std::string network;  ///< a file of a trained network; empty: none

  void add_to(CLI::App& command);
};

}  // namespace medretrieval::cli
