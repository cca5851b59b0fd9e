package dev.ashlar.raft.core;

import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The leader's part in a change of membership: any change in one call, learner first, through a
 * joint configuration (thesis §4.3, §4.2.1).
 *
 * <pre>
 * request     append (old voters, new ones as learners, target)
 * committed, the new caught up, a quorum of the new set in contact
 *             append (new voters, outgoing = old voters, target)     joint
 * committed   append (new voters, learners of the target)            done
 * </pre>
 *
 * The target is part of each entry, so whoever leads next carries it on, and a truncation takes it
 * back. One configuration at a time is uncommitted, and only after an entry of the leader's own
 * term is committed.
 */
final class MembershipChange {

  /** A member is replaced by another one at its address after so many silent election timeouts. */
  private static final int SILENT_TIMEOUTS = 10;

  private final Leading leader;
  private final CoreState state;
  private long leftTick = -1;

  MembershipChange(Leading leader, CoreState state) {
    this.leader = leader;
    this.state = state;
  }

  void request(long token, Membership.Target target, Map<MemberId, String> newAddresses) {
    Membership now = state.membership();
    boolean settled = leader.hasCommittedInTerm() && state.log.membershipIndex() <= state.commit;
    if (!settled || now.isJoint()) {
      state.out.reject(token, Ready.Reason.CHANGE_UNDER_WAY);
      return;
    }
    TreeMap<MemberId, String> addresses = new TreeMap<>(now.addresses());
    addresses.putAll(newAddresses);
    if (!isPossible(now, target, addresses)) {
      state.out.reject(token, Ready.Reason.INVALID_CHANGE);
      return;
    }
    TreeSet<MemberId> learners = new TreeSet<>(now.learners());
    learners.removeIf(m -> !target.voters().contains(m) && !target.learners().contains(m));
    learners.addAll(target.voters());
    learners.addAll(target.learners());
    learners.removeAll(now.voters());
    EntryId id =
        append(now.voters(), java.util.List.of(), learners, Optional.of(target), addresses);
    state.out.accept(token, id);
  }

  /**
   * Takes the next step of a change that is under way, as far as one can be taken now.
   *
   * @return whether the leader has left office over it
   */
  boolean advance() {
    Membership now = state.membership();
    boolean settled = leader.hasCommittedInTerm() && state.log.membershipIndex() <= state.commit;
    if (!settled) {
      return false;
    }
    if (now.target().isPresent()) {
      Membership.Target target = now.target().get();
      if (now.isJoint() || now.voters().equals(target.voters())) {
        append(
            target.voters(),
            java.util.List.of(),
            target.learners(),
            Optional.empty(),
            now.addresses());
      } else if (mayBecomeJoint(now, target)) {
        TreeSet<MemberId> learners = new TreeSet<>(now.learners());
        learners.removeAll(target.voters());
        append(target.voters(), now.voters(), learners, Optional.of(target), now.addresses());
      }
    } else if (!now.isVoter(state.self)) {
      if (leftTick < 0) {
        leftTick = state.now;
      }
      if (state.now - leftTick >= state.options.heartbeatTicks()) {
        leader.leave();
        return true;
      }
    }
    return false;
  }

  /** A removed member hears of it before it is forgotten, if it answers at all. */
  boolean mayForget(Map.Entry<MemberId, Progress> peer) {
    boolean knows =
        peer.getValue().match >= state.log.membershipIndex()
            && peer.getValue().commitSent >= state.log.membershipIndex();
    return state.log.membershipIndex() <= state.commit
        && (knows || leader.silentTicks(peer.getKey()) > 2L * state.options.electionTicksMax());
  }

  private EntryId append(
      SortedSet<MemberId> voters,
      java.util.Collection<MemberId> outgoing,
      SortedSet<MemberId> learners,
      Optional<Membership.Target> target,
      Map<MemberId, String> addresses) {
    TreeSet<MemberId> old = new TreeSet<>(outgoing);
    TreeMap<MemberId, String> named = new TreeMap<>(addresses);
    named
        .keySet()
        .removeIf(
            m ->
                !voters.contains(m)
                    && !old.contains(m)
                    && !learners.contains(m)
                    && target.stream()
                        .noneMatch(t -> t.voters().contains(m) || t.learners().contains(m)));
    Membership next = new Membership(voters, old, learners, target, named);
    int bytes = Entry.OVERHEAD_BYTES * (1 + named.size());
    return leader.append(bytes, new Payload.Configuration(next));
  }

  /** Every member is reached somewhere, and no two at one place unless one replaces the other. */
  private static boolean isPossible(
      Membership now, Membership.Target target, Map<MemberId, String> addresses) {
    TreeSet<MemberId> members = new TreeSet<>(target.voters());
    members.addAll(target.learners());
    if (!addresses.keySet().containsAll(members)) {
      return false;
    }
    long places = members.stream().map(addresses::get).distinct().count();
    return places == members.size() && !now.voters().isEmpty();
  }

  /** A promotion starts only if it can end: caught up, in contact, and nobody driven out alive. */
  private boolean mayBecomeJoint(Membership now, Membership.Target target) {
    Membership after =
        new Membership(
            target.voters(), new TreeSet<>(), new TreeSet<>(), Optional.empty(), now.addresses());
    boolean caughtUp =
        target.voters().stream()
            .filter(member -> !now.voters().contains(member))
            .allMatch(member -> leader.isCaughtUp(member) && leader.isInContact(member));
    return caughtUp
        && Quorum.holds(after, leader::isInContact)
        && now.voters().stream()
            .filter(member -> !target.voters().contains(member))
            .allMatch(member -> !isReplaced(member, now, target) || isSilent(member));
  }

  private static boolean isReplaced(MemberId member, Membership now, Membership.Target target) {
    Optional<String> place = now.address(member);
    return place.isPresent()
        && target.voters().stream().anyMatch(other -> now.address(other).equals(place));
  }

  private boolean isSilent(MemberId member) {
    return leader.silentTicks(member) > (long) SILENT_TIMEOUTS * state.options.electionTicksMax();
  }
}
