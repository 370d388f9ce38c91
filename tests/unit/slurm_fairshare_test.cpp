// Fair share: the examples of Slurm's documentation, trees worked out by hand, and what sshare said of a real Slurm.
#include <cmath>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/policies/slurm/fairshare.hpp"

namespace headroom::slurm {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

// A tree to be filled, and what comes of it.
class Tree {
 public:
  Accounting accounting;
  Fairshare::Rules rules;

  Tree& account(const std::string& name, std::int64_t shares, const std::string& parent = "root") {
    Account& a = accounting.accounts.emplace_back();
    a.name = name;
    a.parent = parent;
    a.shares = shares;
    return *this;
  }
  Tree& user(const std::string& name, const std::string& account, std::int64_t shares = 1) {
    User& u = accounting.users.emplace_back();
    u.name = name;
    u.accounts = {account};
    u.shares = shares;
    return *this;
  }
  Fairshare& made() {
    if (!made_) made_.emplace(associations(), rules);
    return *made_;
  }
  const Associations& associations() {
    if (!associations_) associations_.emplace(accounting);
    return *associations_;
  }
  std::uint32_t at(const std::string& name) {
    for (std::uint32_t a = 0; a < associations().size(); ++a) {
      const Association& each = associations()[a];
      if (each.user == name || (!each.is_user() && associations().account_name(each.account) == name)) return a;
    }
    ADD_FAILURE() << "no " << name;
    return 0;
  }
  Tree& uses(const std::string& name, double billing) {
    Usage usage;
    usage.billing = billing;
    made().charge(at(name), usage);
    return *this;
  }
  const Shareholder& operator[](const std::string& name) { return made().holders()[at(name)]; }
  double factor(const std::string& name) { return made().factor(at(name)); }
  double used(const std::string& name) { return (*this)[name].usage.billing; }

 private:
  std::optional<Associations> associations_;
  std::optional<Fairshare> made_;
};

// The first accounts have so many shares that the one of root's own user does not show.
constexpr std::int64_t kMany = 10'000'000;

Tree documented(Fairshare::Rules rules) {
  Tree tree;
  tree.rules = rules;
  tree.account("A", 40 * kMany).account("D", 60 * kMany);
  tree.account("B", 30, "A").account("C", 10, "A").account("E", 25, "D").account("F", 35, "D");
  tree.user("1", "B").user("2", "C").user("3", "C").user("4", "E").user("5", "F");
  // Of all usage; the rest is root's.
  tree.uses("1", 0.2).uses("2", 0.25).uses("4", 0.25);
  Usage rest;
  rest.billing = 0.3;
  tree.made().charge(0, rest);
  return tree;
}

// classic_fair_share.html, "Example".
TEST(SlurmFairshare, ClassicExampleOfTheDocumentation) {
  Tree tree = documented({.fair_tree = false});
  tree.made().measure_accounts();
  const std::map<std::string, std::array<double, 3>> expected = {
      // normalized shares, effective usage, factor
      {"1", {0.3, 0.3875, 0.408479}}, {"2", {0.05, 0.275, 0.022097}},    {"3", {0.05, 0.15, 0.125}},
      {"4", {0.25, 0.25, 0.5}},       {"5", {0.35, 0.145833, 0.749154}},
  };
  for (const auto& [user, values] : expected) {
    EXPECT_NEAR(tree.factor(user), values[2], 1e-5) << user;
    EXPECT_NEAR(tree[user].norm_shares, values[0], 1e-8) << user;
    EXPECT_NEAR(tree[user].effective_usage, values[1], 1e-6) << user;
  }
  EXPECT_NEAR(tree["B"].effective_usage, 0.3875, 1e-8);
  EXPECT_NEAR(tree["C"].effective_usage, 0.3, 1e-8);
  EXPECT_NEAR(tree["F"].effective_usage, 0.1458333, 1e-6);
  EXPECT_NEAR(tree["A"].effective_usage, 0.45, 1e-8) << "next to root it is the actual usage";
}

TEST(SlurmFairshare, DampeningDividesUsageOverShares) {
  Tree tree = documented({.fair_tree = false, .depth_oblivious = false, .dampening = 3});
  tree.made().measure_accounts();
  EXPECT_NEAR(tree.factor("3"), 0.5, 1e-6) << "2^(-3/3)";
  EXPECT_NEAR(tree.factor("4"), std::pow(0.125, 1.0 / 9), 1e-6) << "2^(-1/3)";
}

// Depth oblivious: a user's ratio of usage to shares is its account's times its own among its siblings, unless one
// makes up for the other.
TEST(SlurmFairshare, DepthObliviousTakesRatiosOfTheLevels) {
  Tree tree;
  tree.rules = {.fair_tree = false, .depth_oblivious = true};
  tree.account("A", kMany).account("B", kMany).account("A1", 1, "A").account("A2", 3, "A");
  tree.user("x", "A1").user("y", "A2").user("z", "B");
  tree.uses("x", 3).uses("y", 3).uses("z", 2);
  tree.made().measure_accounts();
  tree.made().measure_accounts();  // of its siblings an account takes what they were measured to have used last
  // A: used 6/8 of 1/2: 1.5. A1: half of A's usage with a quarter of its shares: 2 times that.
  EXPECT_NEAR(tree.factor("x"), std::pow(2.0, -3.0), 1e-6) << "1.5 x 2";
  // A2: half of the usage with three quarters of the shares: 2/3, which would bring 1.5 back to 1.
  const double weight = 1 / (1 + 25 * std::log(1.5) * std::log(1.5));
  EXPECT_NEAR(tree.factor("y"), std::pow(2.0, -1.5 * std::pow(2.0 / 3, weight)), 1e-6);
  EXPECT_NEAR(tree.factor("z"), std::pow(2.0, -0.5), 1e-6) << "2/8 of 1/2";
}

TEST(SlurmFairshare, ClassicUsersAreMeasuredWhenAskedFor) {
  Tree tree;
  tree.rules = {.fair_tree = false};
  tree.account("A", kMany).account("B", kMany).user("a", "A").user("b", "B");
  tree.uses("a", 1).uses("b", 1);
  tree.made().measure_accounts();
  EXPECT_NEAR(tree.factor("a"), 0.5, 1e-6) << "half of all with half of the shares";
  tree.uses("b", 2);
  EXPECT_NEAR(tree.factor("a"), 0.5, 1e-6) << "stays until the next calculation";
  tree.factor("b");
  EXPECT_NEAR(tree["b"].norm_usage, 0.75, 1e-9) << "what was used meanwhile counts for who had not been measured";
  EXPECT_NEAR(tree["B"].norm_usage, 0.5, 1e-9);
  tree.made().measure_accounts();
  EXPECT_NEAR(tree.factor("a"), std::pow(2.0, -0.5), 1e-6);
}

TEST(SlurmFairshare, ClassicParentMeansTheAccountsValues) {
  Tree tree;
  tree.rules = {.fair_tree = false};
  tree.account("A", kMany).account("B", 3 * kMany).user("a", "A", kParentShares).user("c", "A", 7).user("b", "B");
  tree.uses("a", 1).uses("b", 1).uses("c", 2);
  tree.made().measure_accounts();
  EXPECT_NEAR(tree.factor("a"), std::pow(2.0, -3.0), 1e-6) << "A used 3/4 with a quarter of the shares";
  EXPECT_NEAR(tree["c"].norm_shares, 0.25, 1e-8) << "the only one of A with shares of its own";
}

TEST(SlurmFairshare, NothingUsedAndNoShares) {
  for (const bool fair_tree : {false, true}) {
    Tree tree;
    tree.rules = {.fair_tree = fair_tree};
    tree.account("A", 0).account("B", 1).user("a", "A").user("b", "B");
    tree.made().measure_accounts();
    tree.made().rank();
    EXPECT_EQ(tree.factor("b"), 1) << fair_tree;
    if (fair_tree) {
      EXPECT_NEAR(tree.factor("a"), 1.0 / 3, 1e-9) << "no shares: the last";
    } else {
      EXPECT_EQ(tree.factor("a"), 0) << "no shares, no factor";
    }
  }
}

// All users of an account go before all users of a sibling that is worse off, whatever they used themselves.
TEST(SlurmFairshare, FairTreeRanksAccountsBeforeTheirUsers) {
  Tree tree;
  tree.account("a", 2).account("b", 1).account("a1", 3, "a").account("a2", 1, "a");
  tree.user("u1", "a1").user("u2", "a1").user("u3", "a2", 5).user("u4", "b", 2).user("u5", "b");
  tree.uses("u1", 140).uses("u2", 112).uses("u3", 145).uses("u4", 113).uses("u5", 145);
  tree.made().rank();
  // a: shares 2/4, usage 397/655; a1: 3/4 to 252/397; u2 used less than u1.
  EXPECT_NEAR(tree["a"].level, 0.5 / (397.0 / 655), 1e-12);
  EXPECT_NEAR(tree["a1"].level, 0.75 / (252.0 / 397), 1e-12);
  EXPECT_NEAR(tree["u2"].level, 0.5 / (112.0 / 252), 1e-12);
  EXPECT_NEAR(tree["u3"].effective_usage, 1, 1e-12) << "all of what its account used";
  EXPECT_DOUBLE_EQ(tree.factor("root"), 1) << "root's own user used nothing";
  EXPECT_DOUBLE_EQ(tree.factor("u2"), 5.0 / 6);
  EXPECT_DOUBLE_EQ(tree.factor("u1"), 4.0 / 6);
  EXPECT_DOUBLE_EQ(tree.factor("u3"), 3.0 / 6);
  EXPECT_DOUBLE_EQ(tree.factor("u4"), 2.0 / 6) << "in b, though it is better off within its account than anybody";
  EXPECT_DOUBLE_EQ(tree.factor("u5"), 1.0 / 6);
}

TEST(SlurmFairshare, FairTreeTies) {
  // Siblings that are equal have one rank, and those after them the one that they would have had.
  Tree users;
  users.account("a", 1).user("x", "a").user("y", "a").user("z", "a", 2);
  users.uses("x", 5).uses("y", 5).uses("z", 50);
  users.made().rank();
  EXPECT_DOUBLE_EQ(users.factor("x"), 3.0 / 4);
  EXPECT_DOUBLE_EQ(users.factor("y"), 3.0 / 4);
  EXPECT_DOUBLE_EQ(users.factor("z"), 1.0 / 4);

  // Of equal accounts the one that was added last goes first, and the best of the other is tied with its last
  // (recorded: p02-fair-tree-ties).
  Tree accounts;
  accounts.account("a", 1).account("b", 1).account("c", 1);
  accounts.user("u1", "a", 3).user("u2", "a").user("u3", "b").user("u4", "b").user("u5", "c");
  for (const char* user : {"u1", "u2", "u3", "u4"}) accounts.uses(user, 64);
  accounts.uses("u5", 125);
  accounts.made().rank();
  EXPECT_DOUBLE_EQ(accounts.factor("u5"), 5.0 / 6);
  EXPECT_DOUBLE_EQ(accounts.factor("u3"), 4.0 / 6);
  EXPECT_DOUBLE_EQ(accounts.factor("u4"), 4.0 / 6);
  EXPECT_DOUBLE_EQ(accounts.factor("u1"), 4.0 / 6);
  EXPECT_DOUBLE_EQ(accounts.factor("u2"), 1.0 / 6);

  // A user goes before an account that is tied with it, and the account's best user has the same rank.
  Tree mixed;
  mixed.account("a", 1).account("b", 1, "a").user("x", "a").user("y", "b").user("z", "b");
  mixed.uses("x", 8).uses("y", 6).uses("z", 2);
  mixed.made().rank();
  EXPECT_DOUBLE_EQ(mixed.factor("x"), 3.0 / 4);
  EXPECT_DOUBLE_EQ(mixed.factor("z"), 3.0 / 4);
  EXPECT_DOUBLE_EQ(mixed.factor("y"), 1.0 / 4);
}

// The users of an account without shares of its own stand among the users of the account above; a user without shares
// of its own goes before its siblings.
TEST(SlurmFairshare, FairTreeParent) {
  Tree tree;
  tree.account("a", 2).account("b", 1).account("a1", kParentShares, "a");
  tree.user("u1", "a1").user("u2", "a1", 3).user("u3", "a", 2).user("u4", "b", kParentShares).user("u5", "b");
  tree.uses("u2", 151).uses("u3", 75).uses("u4", 94).uses("u5", 5);
  tree.made().rank();
  EXPECT_DOUBLE_EQ(tree["u1"].norm_shares, 1.0 / 6);
  EXPECT_DOUBLE_EQ(tree["u2"].norm_shares, 3.0 / 6);
  EXPECT_DOUBLE_EQ(tree["u3"].norm_shares, 2.0 / 6);
  EXPECT_DOUBLE_EQ(tree["a1"].norm_shares, 0.5) << "a's";
  EXPECT_DOUBLE_EQ(tree["u4"].norm_shares, 0.25) << "b's";
  EXPECT_NEAR(tree["u3"].level, (2.0 / 6) / (75.0 / 226), 1e-12);
  EXPECT_DOUBLE_EQ(tree.factor("u1"), 3.0 / 6);
  EXPECT_DOUBLE_EQ(tree.factor("u3"), 2.0 / 6) << "between the users of a1";
  EXPECT_DOUBLE_EQ(tree.factor("u2"), 1.0 / 6);
  EXPECT_DOUBLE_EQ(tree.factor("u4"), 5.0 / 6);
  EXPECT_DOUBLE_EQ(tree.factor("u5"), 4.0 / 6);
}

TEST(SlurmFairshare, UsageIsThatOfAllBelow) {
  Tree tree;
  tree.account("a", 1).account("b", 1, "a").user("x", "b").user("y", "a");
  Usage usage;
  usage.billing = 8;
  usage.wall = 4;
  usage.tres[1] = 100;
  tree.made().charge(tree.at("x"), usage);
  tree.uses("y", 2);
  EXPECT_EQ(tree.used("b"), 8);
  EXPECT_EQ(tree.used("a"), 10);
  EXPECT_EQ(tree.made().holders()[0].usage.billing, 10);
  EXPECT_EQ(tree["a"].usage.wall, 4);
  EXPECT_EQ(tree["a"].usage.tres[1], 100);
  tree.made().decay(0.5);
  EXPECT_EQ(tree.used("a"), 5);
  EXPECT_EQ(tree.used("y"), 1);
  EXPECT_EQ(tree["x"].usage.tres[1], 50);
  EXPECT_EQ(tree["x"].usage.wall, 2);
  tree.made().forget();
  EXPECT_EQ(tree.used("a"), 0);
}

TEST(SlurmFairshare, ListsAsSshareAndFindsByAccount) {
  Tree tree;
  tree.account("z", 1).account("m", 1).account("k", 1, "z");
  tree.user("v", "z").user("b", "z").user("b2", "k");
  tree.accounting.users[1].accounts = {"m", "z"};
  std::vector<std::string> lines;
  const Associations& of = tree.associations();
  for (const Association& a : of.all()) {
    lines.push_back(std::string(a.depth, ' ') + of.account_name(a.account) + "/" + a.user);
  }
  EXPECT_THAT(lines, ElementsAre("root/", " root/root", " m/", "  m/b", " z/", "  z/b", "  z/v", "  k/", "   k/b2"));
  EXPECT_EQ(of.account_name(of[of.find(1, "m")].account), "m");
  EXPECT_EQ(of.account_name(of[of.find(1, "z")].account), "z");
  EXPECT_EQ(of.find(1, ""), of.find(1, "m")) << "the first is the default";
  EXPECT_EQ(of.find(1, "k"), kNobody);
  EXPECT_EQ(of.find(3, "z"), kNobody) << "a user that slurmdbd does not know";
}

TEST(SlurmFairshare, PriorityIsHandedDown) {
  Tree tree;
  tree.account("a", 1).account("b", 1, "a").user("x", "b").user("y", "b").user("z", "a");
  tree.accounting.accounts[0].priority = 5;
  tree.accounting.users[1].priority = 20;
  const auto priority = [&](const std::string& name) { return tree.associations()[tree.at(name)].priority; };
  EXPECT_EQ(priority("x"), 5u);
  EXPECT_EQ(priority("y"), 20u);
  EXPECT_EQ(priority("z"), 5u);
  EXPECT_EQ(tree.associations().most_priority(), 20u);
}

}  // namespace
}  // namespace headroom::slurm
