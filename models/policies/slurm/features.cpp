#include "models/policies/slurm/features.hpp"

#include "models/policies/slurm/settings.hpp"

namespace headroom::slurm {

std::string parse_constraint(std::string_view text, Constraint& out) {
  using Op = Constraint::Op;
  out.terms.clear();
  const auto refuse = [&](std::string_view why) { return "found " + quote(text) + ": " + std::string(why); };
  std::string feature;
  std::int32_t count = 0;
  bool closed = false;  // nothing but an operator may follow
  bool bracket = false;
  bool paren = false;
  int brackets = 0;
  bool counted_outside = false;
  Op last = Op::end;  // the operator before, in brackets
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : '\0';
    switch (c) {
      case '*': {
        std::size_t end = i + 1;
        while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
        const auto number = integer(text.substr(i + 1, end - i - 1));
        if (feature.empty() || paren || count > 0 || !number || *number < 1 || *number > kMost) {
          return refuse("\"*\" and a number of nodes stand behind a feature or a closing parenthesis");
        }
        count = static_cast<std::int32_t>(*number);
        counted_outside |= !bracket;
        closed = true;
        i = end - 1;
        break;
      }
      case '&':
      case ',':
      case '|':
      case '\0': {
        if (feature.empty()) {
          if (c == '\0' && out.terms.empty() && text.empty()) return {};
          return refuse("a feature was expected");
        }
        Op op = Op::end;
        if (c == '|') op = paren || !bracket ? Op::or_else : Op::one_of;
        if (c == '&' || c == ',') op = paren || !bracket ? Op::and_then : Op::so_many_of;
        if (!paren) {
          const bool in_counts = op == Op::so_many_of || (last == Op::so_many_of);
          const bool in_choice = op == Op::one_of || (last == Op::one_of);
          if (in_counts && count == 0) return refuse("\"&\" in brackets joins features with counts, as in [a*2&b*1]");
          if (in_choice && count > 0) return refuse("\"|\" in brackets joins features without counts");
          last = op == Op::one_of || op == Op::so_many_of ? op : Op::end;
        }
        out.terms.push_back({feature, op, count, paren});
        feature.clear();
        count = 0;
        closed = false;
        break;
      }
      case '[':
        if (!feature.empty() || bracket || paren || ++brackets > 1) return refuse("one pair of brackets at most");
        bracket = true;
        break;
      case ']':
        if (feature.empty() || !bracket || paren) return refuse("a bracket too many");
        bracket = false;
        closed = true;
        break;
      case '(':
        if (!feature.empty() || paren) return refuse("one level of parentheses");
        paren = true;
        break;
      case ')':
        if (feature.empty() || !paren) return refuse("a parenthesis too many");
        paren = false;
        closed = true;
        break;
      default:
        if (closed || c == ' ' || c == '\t') return refuse("an operator was expected");
        feature += c;
    }
  }
  if (bracket || paren) return refuse("a bracket or parenthesis is not closed");
  if (counted_outside && out.terms.size() > 1) return refuse("several features with counts stand in brackets");
  return {};
}

bool resolve(const Constraint& constraint, const NodeTable& table, FeatureNeed& need) {
  using Op = Constraint::Op;
  const NodeBits all(table.size(), true);
  need = {};
  need.allowed = all;
  NodeBits allowed = all;
  Op before = Op::and_then;  // of the term, or of the group that it is in
  Op last = Op::and_then;    // before in brackets
  NodeBits group;
  Op in_group = Op::and_then;
  bool grouping = false;
  bool counts = false;
  bool apart = false;
  for (const Constraint::Term& term : constraint.terms) {
    const NodeBits* const nodes = table.feature(term.feature);
    if (nodes == nullptr) return false;
    if (!grouping) {
      group = *nodes;
    } else if (in_group == Op::or_else) {
      group |= *nodes;
    } else {
      group &= *nodes;
    }
    in_group = term.op;
    grouping = term.grouped;
    if (grouping) continue;
    // `group` is a term by itself from here on.
    const bool bracketed =
        term.op == Op::one_of || term.op == Op::so_many_of || last == Op::one_of || last == Op::so_many_of;
    if (bracketed) {
      need.options.push_back(group);
      last = term.op;
    } else if (before == Op::or_else) {
      allowed |= group;
    } else {
      allowed &= group;
    }
    need.each.push_back({group, term.count, false});
    if (term.count > 0) {
      counts = true;
      need.counts.push_back({group, term.count, apart});
      apart |= term.op == Op::so_many_of;
    }
    before = term.op;
  }
  if (!counts) need.allowed = allowed;
  return true;
}

}  // namespace headroom::slurm
