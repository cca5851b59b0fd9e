package dev.ashlar.raft.core;

import java.util.Arrays;
import java.util.SortedSet;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;

/** Arithmetic of majorities, simple and joint (thesis §4.3). Learners never count. */
final class Quorum {

  private Quorum() {}

  /** Whether those for whom it holds are a majority of the voters, of both sets in a joint one. */
  static boolean holds(Membership membership, Predicate<MemberId> test) {
    return isMajority(membership.voters(), test)
        && (!membership.isJoint() || isMajority(membership.outgoing(), test));
  }

  /**
   * The highest value that a quorum has reached: what is committed, or which round is confirmed.
   */
  static long reached(Membership membership, ToLongFunction<MemberId> value) {
    long reached = majorityValue(membership.voters(), value);
    return membership.isJoint()
        ? Math.min(reached, majorityValue(membership.outgoing(), value))
        : reached;
  }

  private static boolean isMajority(SortedSet<MemberId> voters, Predicate<MemberId> test) {
    return voters.stream().filter(test).count() > voters.size() / 2;
  }

  /** Nothing is reached by no voters. */
  private static long majorityValue(SortedSet<MemberId> voters, ToLongFunction<MemberId> value) {
    if (voters.isEmpty()) {
      return 0;
    }
    long[] values = voters.stream().mapToLong(value).toArray();
    Arrays.sort(values);
    // Of n sorted values, all from here on have at least this one: n/2 + 1 of them.
    return values[(values.length - 1) / 2];
  }
}
