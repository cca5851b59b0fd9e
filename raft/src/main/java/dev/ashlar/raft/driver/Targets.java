package dev.ashlar.raft.driver;

import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.Membership;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Where a request about the cluster leads from the membership in force. */
final class Targets {

  private Targets() {}

  /** With one more member, instead of those at its address; empty when it is there already. */
  static Optional<Membership.Target> adding(Membership now, AdminCommand.Add add) {
    TreeSet<MemberId> voters = new TreeSet<>(voters(now));
    TreeSet<MemberId> learners = new TreeSet<>(learners(now));
    voters.removeIf(member -> isAt(now, member, add));
    learners.removeIf(member -> isAt(now, member, add));
    (add.voter() ? voters : learners).add(add.member());
    (add.voter() ? learners : voters).remove(add.member());
    return result(now, voters, learners);
  }

  /** Without a member; empty when it is not there. */
  static Optional<Membership.Target> removing(Membership now, MemberId member) {
    TreeSet<MemberId> voters = new TreeSet<>(voters(now));
    TreeSet<MemberId> learners = new TreeSet<>(learners(now));
    voters.remove(member);
    learners.remove(member);
    return result(now, voters, learners);
  }

  /** A change that is under way and waits goes on: the new one begins where that one ends. */
  private static Set<MemberId> voters(Membership now) {
    return now.target().map(Membership.Target::voters).orElse(now.voters());
  }

  private static Set<MemberId> learners(Membership now) {
    return now.target().map(Membership.Target::learners).orElse(now.learners());
  }

  private static boolean isAt(Membership now, MemberId member, AdminCommand.Add add) {
    return !member.equals(add.member())
        && now.address(member).filter(add.address()::equals).isPresent();
  }

  private static Optional<Membership.Target> result(
      Membership now, Set<MemberId> voters, Set<MemberId> learners) {
    boolean same =
        now.target().isEmpty() && voters.equals(now.voters()) && learners.equals(now.learners());
    return same || voters.isEmpty()
        ? Optional.empty()
        : Optional.of(Membership.Target.of(voters, learners));
  }
}
