// Sets of nodes, as bits: what a scheduler does all day.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace headroom::slurm {

// A node's place in the table.
using Index = std::uint32_t;

// A set of nodes, as bits.
class NodeBits {
 public:
  NodeBits() = default;
  explicit NodeBits(std::size_t nodes, bool all = false) : words_((nodes + 63) / 64, all ? ~std::uint64_t{0} : 0) {
    if (all && nodes % 64 != 0) words_.back() = (std::uint64_t{1} << (nodes % 64)) - 1;
  }
  std::size_t size() const { return words_.size() * 64; }  // room, at least
  bool test(Index n) const { return (words_[n / 64] >> (n % 64) & 1) != 0; }
  void set(Index n) { words_[n / 64] |= std::uint64_t{1} << (n % 64); }
  void reset(Index n) { words_[n / 64] &= ~(std::uint64_t{1} << (n % 64)); }
  void clear() { words_.assign(words_.size(), 0); }
  NodeBits& operator&=(const NodeBits& other) {
    for (std::size_t w = 0; w < words_.size(); ++w) words_[w] &= other.words_[w];
    return *this;
  }
  NodeBits& operator|=(const NodeBits& other) {
    for (std::size_t w = 0; w < words_.size(); ++w) words_[w] |= other.words_[w];
    return *this;
  }
  NodeBits& remove(const NodeBits& other) {
    for (std::size_t w = 0; w < words_.size(); ++w) words_[w] &= ~other.words_[w];
    return *this;
  }
  bool overlaps(const NodeBits& other) const {
    for (std::size_t w = 0; w < words_.size(); ++w) {
      if ((words_[w] & other.words_[w]) != 0) return true;
    }
    return false;
  }
  // Whether all of these are among the others.
  bool within(const NodeBits& other) const {
    for (std::size_t w = 0; w < words_.size(); ++w) {
      if ((words_[w] & ~other.words_[w]) != 0) return false;
    }
    return true;
  }
  std::int32_t count() const {
    int sum = 0;
    for (const std::uint64_t w : words_) sum += ones(w);
    return sum;
  }
  std::int32_t count_common(const NodeBits& other) const {
    int sum = 0;
    for (std::size_t w = 0; w < words_.size(); ++w) sum += ones(words_[w] & other.words_[w]);
    return sum;
  }
  // Sets all from `first` to `last`.
  void set(Index first, Index last) {
    for (std::size_t w = first / 64; w <= last / 64; ++w) {
      std::uint64_t mask = ~std::uint64_t{0};
      if (w == first / 64) mask &= ~std::uint64_t{0} << (first % 64);
      if (w == last / 64) mask &= ~std::uint64_t{0} >> (63 - last % 64);
      words_[w] |= mask;
    }
  }
  // Calls visit(index) in ascending order.
  template <class Visit>
  void for_each(Visit visit) const {
    for (std::size_t w = 0; w < words_.size(); ++w) {
      for (std::uint64_t word = words_[w]; word != 0; word &= word - 1) {
        visit(static_cast<Index>(w * 64 + static_cast<std::size_t>(std::countr_zero(word))));
      }
    }
  }
  bool none() const { return first() == kNone; }
  static constexpr Index kNone = ~Index{0};
  // The lowest member; kNone: there is none.
  Index first() const {
    for (std::size_t w = 0; w < words_.size(); ++w) {
      if (words_[w] != 0) return static_cast<Index>(w * 64 + static_cast<std::size_t>(std::countr_zero(words_[w])));
    }
    return kNone;
  }
  // Calls visit(first, last) for each run of neighbours that are in both sets, in ascending order.
  template <class Visit>
  static void for_each_common_run(const NodeBits& a, const NodeBits& b, Visit visit) {
    const std::size_t end = a.words_.size() * 64;
    // The first position from `at` on that is in both sets, or, with `same` all ones, that is not.
    const auto next = [&](std::size_t at, std::uint64_t same) {
      while (at < end) {
        const std::uint64_t word = ((a.words_[at / 64] & b.words_[at / 64]) ^ same) >> (at % 64);
        if (word != 0) return at + static_cast<std::size_t>(std::countr_zero(word));
        at = (at / 64 + 1) * 64;
      }
      return end;
    };
    for (std::size_t at = next(0, 0); at < end; at = next(at, 0)) {
      const std::size_t stop = next(at, ~std::uint64_t{0});
      visit(static_cast<Index>(at), static_cast<Index>(stop - 1));
      at = stop;
      if (at >= end) break;
    }
  }
  bool operator==(const NodeBits&) const = default;
  // Adds those of `nodes` that are not in `others`.
  void add_beyond(const NodeBits& nodes, const NodeBits& others) {
    for (std::size_t w = 0; w < words_.size(); ++w) words_[w] |= nodes.words_[w] & ~others.words_[w];
  }
  // Calls visit(index) for those in both sets, ascending; it may change either set at that index.
  template <class Visit>
  static void for_each_common(const NodeBits& a, const NodeBits& b, Visit visit) {
    for (std::size_t w = 0; w < a.words_.size(); ++w) {
      for (std::uint64_t word = a.words_[w] & b.words_[w]; word != 0; word &= word - 1) {
        visit(static_cast<Index>(w * 64 + static_cast<std::size_t>(std::countr_zero(word))));
      }
    }
  }
  // Whether some node is in `a` and `b`, but not in both `c` and `d`.
  static bool beyond(const NodeBits& a, const NodeBits& b, const NodeBits& c, const NodeBits& d) {
    for (std::size_t w = 0; w < a.words_.size(); ++w) {
      if ((a.words_[w] & b.words_[w] & ~(c.words_[w] & d.words_[w])) != 0) return true;
    }
    return false;
  }

 private:
  // std::popcount is a call where the instruction cannot be taken for granted.
  static int ones(std::uint64_t x) {
    x -= (x >> 1) & 0x5555555555555555;
    x = (x & 0x3333333333333333) + ((x >> 2) & 0x3333333333333333);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return static_cast<int>((x * 0x0101010101010101) >> 56);
  }

  std::vector<std::uint64_t> words_;
};

}  // namespace headroom::slurm
