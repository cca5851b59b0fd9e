package dev.ashlar.raft.core;

import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A configuration of the cluster: who votes, who only listens, and where the cluster is going.
 *
 * <p>It is in force on a member from the moment its entry is in that member's log, committed or not
 * (thesis §4.1). While {@link #outgoing} is not empty it is a joint configuration, in which every
 * agreement needs a majority of both sets (thesis §4.3).
 *
 * @param voters those who vote, in a joint configuration the new set
 * @param outgoing the old set of voters in a joint configuration, else empty
 * @param learners those who receive the log and do not vote (thesis §4.2.1)
 * @param target where a change under way is to end, empty when none is
 * @param addresses where each member named here is reached
 */
public record Membership(
    SortedSet<MemberId> voters,
    SortedSet<MemberId> outgoing,
    SortedSet<MemberId> learners,
    Optional<Target> target,
    SortedMap<MemberId, String> addresses) {

  /** Of a member that has not heard of any cluster yet. */
  public static final Membership NONE =
      new Membership(
          sorted(java.util.List.of()),
          sorted(java.util.List.of()),
          sorted(java.util.List.of()),
          Optional.empty(),
          new TreeMap<>());

  /**
   * Where a change is to end.
   *
   * @param voters who is to vote
   * @param learners who is to listen
   */
  public record Target(SortedSet<MemberId> voters, SortedSet<MemberId> learners) {

    /** Copies the sets; a target has a voter, and nobody is both. */
    public Target {
      voters = sorted(voters);
      learners = sorted(learners);
      if (voters.isEmpty()) {
        throw new IllegalArgumentException("a cluster has at least one voter");
      }
      if (!Collections.disjoint(voters, learners)) {
        throw new IllegalArgumentException("a member is either a voter or a learner");
      }
    }

    /** The target with these members. */
    public static Target of(Collection<MemberId> voters, Collection<MemberId> learners) {
      return new Target(sorted(voters), sorted(learners));
    }
  }

  /** Copies the sets. */
  public Membership {
    voters = sorted(voters);
    outgoing = sorted(outgoing);
    learners = sorted(learners);
    addresses = Collections.unmodifiableSortedMap(new TreeMap<>(addresses));
  }

  /** A configuration with these voters, their addresses, and no change under way. */
  public static Membership of(Map<MemberId, String> voters) {
    return new Membership(
        sorted(voters.keySet()),
        sorted(java.util.List.of()),
        sorted(java.util.List.of()),
        Optional.empty(),
        new TreeMap<>(voters));
  }

  /** Whether every agreement needs two majorities. */
  public boolean isJoint() {
    return !outgoing.isEmpty();
  }

  /** Whether the member's vote counts in either set. */
  public boolean isVoter(MemberId member) {
    return voters.contains(member) || outgoing.contains(member);
  }

  /** Whether the member receives the log. */
  public boolean contains(MemberId member) {
    return isVoter(member) || learners.contains(member);
  }

  /** Everybody who receives the log. */
  public SortedSet<MemberId> members() {
    TreeSet<MemberId> all = new TreeSet<>(voters);
    all.addAll(outgoing);
    all.addAll(learners);
    return Collections.unmodifiableSortedSet(all);
  }

  /** Where a member is reached. */
  public Optional<String> address(MemberId member) {
    return Optional.ofNullable(addresses.get(member));
  }

  private static SortedSet<MemberId> sorted(Collection<MemberId> members) {
    return Collections.unmodifiableSortedSet(new TreeSet<>(members));
  }
}
