// Laws of boot times: the distributions that a scenario knows, fitted to recorded durations by maximum likelihood and
// chosen by Akaike's criterion. Hides the likelihoods (durations are whole ticks, and some are only known to be longer
// than something) and the search for their maximum. docs/calibrate.md says what the numbers mean.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/calibrate/hockney_fit.hpp"
#include "models/random.hpp"

namespace headroom {

struct Durations {
  std::vector<Time> complete;  // what it took
  std::vector<Time> censored;  // it would have taken longer than this
};

struct LawFit {
  struct Parameter {
    std::string name;  // as the scenario calls it
    Estimate estimate;
  };
  Distribution law;
  std::vector<Parameter> parameters;  // in the scenario's units
  double log_likelihood = 0;          // of whole ticks
  double aic = 0;       // 2 a parameter - 2 x log-likelihood, less is better; ln n for each end of a range
  double distance = 0;  // Kolmogorov and Smirnov's, of the distribution functions
  // How often durations of this very law, fitted again, are as far off: below 0.05, it is none of these. Nothing with
  // censored durations, or more than can be tried.
  std::optional<double> p_value;
};

struct BootFit {
  std::vector<LawFit> laws;  // best first, at least one
  Time tick = 0;             // all durations are multiples of it; a second or a decimal fraction of one
  double mean_s = 0;         // of the complete ones
  Time least = 0;
  Time most = 0;
};

std::string_view law_name(const Distribution& law);  // "lognormal"
std::string law_json(const Distribution& law);       // as a scenario states it

// Throws InputError, without a place, when fewer than two durations are complete.
BootFit fit_boot(const Durations& durations, double confidence = 0.95);

// The share of samples that are at most `time`, of a law that is sampled in ticks.
double share_up_to(const Distribution& law, Time time, Time tick);

}  // namespace headroom
