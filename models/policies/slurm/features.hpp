// sbatch --constraint: features that a job's nodes must have, in its own notation, and what it means on a table of
// nodes. "&" and "|" are read from left to right; "[a|b]" is one of the two for all nodes; "[a*2&b*1]" is so many nodes
// of each; parentheses group, one level of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/policies/slurm/nodes.hpp"

namespace headroom::slurm {

struct Constraint {
  enum class Op : std::uint8_t { and_then, or_else, one_of, so_many_of, end };
  struct Term {
    std::string feature;
    Op op = Op::end;         // what stands between it and the next term
    std::int32_t count = 0;  // nodes; of a group in parentheses at its last term
    bool grouped = false;    // in parentheses, and not their last term
  };
  std::vector<Term> terms;
};

// Returns what is wrong with the text, "" if nothing.
std::string parse_constraint(std::string_view text, Constraint& out);

// A constraint on a table of nodes.
struct FeatureNeed {
  NodeBits allowed;               // nodes beyond these are of no use
  std::vector<NodeBits> options;  // all nodes are of one of these, the first that will do; empty: of any
  struct Count {
    NodeBits nodes;
    std::int32_t count;
    bool apart;  // not those that an earlier count took
  };
  std::vector<Count> counts;
  // Every feature, or group of them, by itself: so backfill tests a job with options or counts.
  std::vector<Count> each;
};

// False if it names a feature that no node has.
bool resolve(const Constraint& constraint, const NodeTable& table, FeatureNeed& need);

}  // namespace headroom::slurm
