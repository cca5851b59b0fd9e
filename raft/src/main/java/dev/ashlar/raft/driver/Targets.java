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
    TreeSet<MemberId> voters = new TreeSet<>(now.voters());
    TreeSet<MemberId> learners = new TreeSet<>(now.learners());
    now.target()
        .ifPresent(
            target -> {
              // A change that waits for its learner goes on beside the new one.
              voters.addAll(target.voters());
              learners.removeAll(target.voters());
            });
    voters.removeIf(member -> isAt(now, member, add));
    learners.removeIf(member -> isAt(now, member, add));
    (add.voter() ? voters : learners).add(add.member());
    (add.voter() ? learners : voters).remove(add.member());
    return result(now, voters, learners);
  }

  /** Without a member; empty when it is not there. */
  static Optional<Membership.Target> removing(Membership now, MemberId member) {
    TreeSet<MemberId> voters = new TreeSet<>(now.voters());
    TreeSet<MemberId> learners = new TreeSet<>(now.learners());
    now.target()
        .ifPresent(
            target -> {
              voters.addAll(target.voters());
              learners.removeAll(target.voters());
            });
    voters.remove(member);
    learners.remove(member);
    return result(now, voters, learners);
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
